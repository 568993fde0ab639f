"""The plan of a restore in place, and how it ends.

Until the swap nothing that serves was touched but for a moment in which no instance runs, and the way back leads to
where it began. The swap is the last step before the commit point: what users have written from then on would be lost on
a way back that nobody asked for. So what goes wrong afterwards ends the run, and says how to return.
"""

from collections.abc import Iterator

from fairway.domain.recovery.backup import told
from fairway.domain.recovery.steps import (
    DropBeside,
    LoadBeside,
    Recovery,
    ReturnDatabase,
    SaveDatabase,
    SwapDatabase,
    VerifyBackup,
)
from fairway.domain.rollout.plan import Plan, PlannedStep
from fairway.domain.rollout.revision import Revision
from fairway.domain.rollout.spec import EnvironmentSpec, ServiceSpec, StageChecks
from fairway.domain.rollout.steps import AwaitReady, CheckHttp, Scale, Shift
from fairway.domain.validation.checks import Check, HttpCheck, Moment


def compile_restore(
    service: ServiceSpec, environment: EnvironmentSpec, *, recovery: Recovery, live: Revision, instances: int
) -> Plan:
    """The plan that restores a database in place.

    Args:
        service: whose database it is.
        environment: where.
        recovery: what is restored, with all names.
        live: the live revision, which stays live.
        instances: how many instances of it are wanted.
    """
    forward = (*_way_to_swap(recovery), *_after_swap(environment, live, instances))
    swap = next(i for i, planned in enumerate(forward) if isinstance(planned.step, SwapDatabase))
    return Plan(
        kind="restore",
        service=service.service,
        environment=environment.name,
        candidate=live,
        stable=None,
        instances=instances,
        stable_instances=0,
        strategy=f"restore of {recovery.database.name} from {recovery.backup}",
        forward=forward,
        rollback=_way_back(recovery, environment, live, instances),
        commit=swap + 1,
        skipped=tuple(_skipped(recovery, environment)),
        analysis=environment.analysis,
        target=environment.target,
        router=environment.router,
        notify=service.notify,
        recovery=recovery,
    )


def end_of_restore(plan: Plan, why: str | None, saved: str) -> str:
    """What became of it, in a sentence or two, with the way back.

    Args:
        plan: of the restore.
        why: what went wrong after the swap; None: nothing.
        saved: id of the backup of what was there before; empty: there is none, because it was lost or damaged.
    """
    recovery = plan.recovery
    if recovery is None:
        raise ValueError(f"a plan of kind {plan.kind} restores nothing")
    done = f"{recovery.database.name} is as in backup {recovery.backup} of {told(recovery.taken)}"
    if recovery.saved:
        done += f"; what was there until the swap is kept as {recovery.aside}"
    if why is None:
        return done
    if not saved:
        return f"{why}. {done}"
    return f"{why}. {done}. Nothing was swapped back; to return: {way_back(plan, saved)}"


def way_back(plan: Plan, saved: str) -> str:
    """The command that returns to what was there before, of which there is a backup."""
    return f"fairway restore {saved} --env {plan.environment} --reason TEXT --confirm CONFIRM"


def _way_to_swap(recovery: Recovery) -> Iterator[PlannedStep]:
    yield PlannedStep("validation", VerifyBackup(recovery.backup), 1.0)
    if recovery.saved:
        yield PlannedStep("backup", SaveDatabase(recovery.database.name, recovery.saved), 5.0)
    yield PlannedStep("database", LoadBeside(recovery.backup, recovery.beside), 5.0)
    # Nothing that writes may be left: users get no answer until the instances are back.
    yield PlannedStep("application", Shift(0.0), 0.2)
    yield PlannedStep("application", Scale("live release", 0), 1.0)
    yield PlannedStep("database", SwapDatabase(recovery.beside, recovery.aside), 0.5)


def _after_swap(environment: EnvironmentSpec, live: Revision, instances: int) -> Iterator[PlannedStep]:
    yield from _serving(live, instances)
    yield from _checks(environment, "restore")


def _way_back(
    recovery: Recovery, environment: EnvironmentSpec, live: Revision, instances: int
) -> tuple[PlannedStep, ...]:
    return (
        PlannedStep("database", ReturnDatabase(recovery.beside, recovery.aside), 0.5),
        *_serving(live, instances),
        PlannedStep("database", DropBeside(recovery.beside), 0.5),
        *_checks(environment, "rollback"),
    )


def _serving(live: Revision, instances: int) -> Iterator[PlannedStep]:
    """The instances serve as before."""
    yield PlannedStep("application", Scale("live release", instances), 1.0)
    yield PlannedStep("application", AwaitReady("live release", instances, live.run.health.timeout), 2.0)
    yield PlannedStep("application", Shift(100.0), 0.2)


def _checks(environment: EnvironmentSpec, moment: Moment) -> Iterator[PlannedStep]:
    stage = environment.stages.get("verify", StageChecks())
    checks: tuple[HttpCheck | Check, ...] = (*stage.http, *environment.suite.at(moment))
    if checks:
        yield PlannedStep("verification", CheckHttp(checks, "public", stage.timeout, environment.suite.settings), 1.0)


def _skipped(recovery: Recovery, environment: EnvironmentSpec) -> Iterator[tuple[str, str]]:
    if not recovery.saved:
        yield "backup", f"there is no database {recovery.own} to be backed up"
    if not tuple(_checks(environment, "restore")):
        yield "verification", "no checks under validation"
