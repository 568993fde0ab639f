"""Performing the steps of a restore in place. Each looks at what is there first, and may be performed again."""

from fairway.domain.errors import InvariantError, PermanentError
from fairway.domain.recovery.backup import Backup, find_difference, told
from fairway.domain.recovery.steps import (
    DropBeside,
    LoadBeside,
    Recovery,
    RecoveryStep,
    ReturnDatabase,
    SaveDatabase,
    SwapDatabase,
    VerifyBackup,
)
from fairway.domain.rollout.run import Run
from fairway.engine.world import Finished, Outcome, Refused, World
from fairway.ports.databases import Backups, Database


def restore(run: Run, world: World, step: RecoveryStep, *, epoch: int, at: float) -> Outcome:
    """Brings about what the step says.

    Args:
        run: whose step it is.
        world: what it acts through.
        step: one of a restore.
        epoch: fencing number of the lease; databases know nothing of it, and so it is looked at before each effect.
        at: now, seconds since the epoch, UTC.

    Raises:
        FairwayError: as the ports do.
    """
    recovery = run.plan.recovery
    if recovery is None or world.backups is None or world.database_of is None:
        raise InvariantError("no-recovery", f"run {run.id} has a step of a restore, and nothing to restore")
    _insist_on_lease(run, world, epoch)
    database, backups = world.database_of(recovery.database), world.backups
    match step:
        case VerifyBackup():
            return _verify(recovery, backups)
        case SaveDatabase():
            return _save(run, recovery, database, backups, at)
        case LoadBeside():
            return _load(recovery, database, backups)
        case SwapDatabase(name=name, aside=aside):
            database.exchange(name, aside)
            return Finished("" if recovery.saved else _tell_what_came_up(database, aside))
        case ReturnDatabase(name=name, aside=aside):
            if recovery.saved or database.inspect(aside) is not None:
                database.exchange(aside, name)
            return Finished(f"{recovery.own} as it was")
        case DropBeside(name=name):
            database.drop(name)
            return Finished("removed")


def _tell_what_came_up(database: Database, aside: str) -> str:
    """A service whose database is lost may have made an empty one until it was stopped."""
    if database.inspect(aside) is None:
        return "there was none before"
    return f"one that the service made meanwhile is kept as {aside}"


def _insist_on_lease(run: Run, world: World, epoch: int) -> None:
    """A controller that slept through its lease must not touch a database that another one works on."""
    present = world.records.environment(run.plan.service, run.plan.environment).epoch
    if present != epoch:
        raise PermanentError("stale-epoch", f"run {run.id} is held under epoch {present}, not {epoch}")


def _find(recovery: Recovery, backups: Backups) -> Backup | None:
    return next((one for one in backups.list_backups() if one.id == recovery.backup), None)


def _verify(recovery: Recovery, backups: Backups) -> Outcome:
    backup = _find(recovery, backups)
    if backup is None:
        return Refused("backup-gone", f"backup {recovery.backup} is not kept any more")
    damage = backups.verify(backup).damage
    if damage is not None:
        return Refused("backup-altered", damage)
    return Finished(f"{backup.digest[:19]} unaltered, of {told(backup.at)}, {backup.contents.words}")


def _save(run: Run, recovery: Recovery, database: Database, backups: Backups, at: float) -> Outcome:
    plan, spec = run.plan, recovery.database
    wanted = Backup(
        recovery.saved, plan.service, plan.environment, spec.name, spec.kind, at, "before-restore", run.actor, run.id
    )
    try:
        saved = backups.keep(wanted, database.dump)
    except PermanentError as error:
        if error.code != "data-damaged":
            raise
        # It is what somebody restores a backup for; the swap keeps it as it is.
        return Finished(f"not possible: {error.message}; it is kept as {recovery.aside}")
    return Finished(f"{saved.contents.words}, {saved.size} bytes", {"backup": saved.id})


def _load(recovery: Recovery, database: Database, backups: Backups) -> Outcome:
    backup = _find(recovery, backups)
    if backup is None:
        return Refused("backup-gone", f"backup {recovery.backup} is not kept any more")
    database.load(backups.verify(backup).path, recovery.beside)
    difference = find_difference(backup.contents, database.inspect(recovery.beside))
    if difference is not None:
        return Refused("restore-differs", f"what was restored from {backup.id} is not what was recorded: {difference}")
    return Finished(f"{backup.contents.words}, as recorded")
