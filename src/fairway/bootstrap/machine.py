"""What runs on this machine for one project: bringing it up and down."""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairway.bootstrap.ambient import now, pause
from fairway.bootstrap.controller import UNIT, ensure_controller
from fairway.bootstrap.project import STATE_FOLDER, Project, find_config, load_spec
from fairway.domain.errors import PermanentError, TransientError, UserError
from fairway.domain.rollout.revision import Revision
from fairway.domain.rollout.routes import Backend, Routes
from fairway.domain.rollout.spec import Adapter, ServiceSpec
from fairway.ports.journal import EnvironmentState
from fairway.usecases.status import Question

if TYPE_CHECKING:
    from fairway.adapters.machine import LocalMachine
    from fairway.ports.target import Target


def machine() -> "LocalMachine":
    """This machine."""
    from fairway.adapters.machine import LocalMachine
    from fairway.adapters.routers.envoy.binary import find_usable_envoy

    return LocalMachine(find_usable_envoy)


def examined(config: Path | None) -> tuple[Path, ServiceSpec | None]:
    """The state folder to examine, and the service if there is a configuration that can be used."""
    try:
        path = find_config(config)
        return path.absolute().parent / STATE_FOLDER, load_spec(path)
    except UserError:
        return Path.cwd() / STATE_FOLDER, None


def list_strays(state: Path) -> tuple[str, ...]:
    """Processes that were started for units of this state folder and that no supervisor keeps: number and unit.

    None where nobody may look into the folder.
    """
    from fairway.adapters.supervisor.client import SupervisorClient

    if not os.access(state, os.R_OK | os.X_OK):
        return ()
    orphans = SupervisorClient(state / "supervisor").list_orphans()
    return tuple(f"{orphan.process.pid} ({orphan.unit})" for orphan in orphans)


def resume(project: Project, environment: str) -> None:
    """Lets an environment that was brought down run again, before a run changes it."""
    project.supervisor.resume_all(_units(project, environment))


def bring_up(project: Project, environment: str | None) -> list[dict[str, Any]]:
    """Lets everything run again that should, and waits until it is ready, or its time for that has passed.

    Returns:
        For each environment with a live revision: name, release, address, ready and wanted instances.
    """
    project.supervisor.resume_all(None if environment is None else _units(project, environment))
    live = _live(project, environment)
    for spec, state in live:
        # What passes is tried again while it is waited for, but not beside a run: it retires stable meanwhile.
        with suppress(*(() if state.run is not None else (TransientError,))):
            _restore(project, spec, state)
    ensure_controller(project)
    return [_await_ready(project, spec, state) for spec, state in live]


@dataclass(frozen=True, slots=True)
class _Place:
    """An environment of the configuration, or one that was removed from it while something is live there."""

    name: str
    target: Adapter
    router: Adapter


def _restore(project: Project, spec: _Place, state: EnvironmentState) -> None:
    """Starts what the journal says is live and the supervisor knows nothing of, as when its folder was lost."""
    target = project.target_of(project.spec.service, spec.name, spec.target)
    if state.run is not None:
        _restore_beside(project, target, state.run, state.epoch)
        return
    revision, count = state.live, state.instances
    if revision is None or count == 0:
        return
    instances = target.ensure_instances(revision, count, epoch=state.epoch)
    router = project.router_of(project.spec.service, spec.name, _router_of(project, spec, state))
    staying = tuple(one.endpoint for one in instances if one.state != "stopping")
    backend = Backend(revision.id, staying, (), revision.run.health.ready)
    router.ensure_routes(Routes(revision.id, None, 0.0, (backend,)), epoch=state.epoch)


def _restore_beside(project: Project, target: "Target", run: str, epoch: int) -> None:
    """Starts what a run under way has left of its stable revision: its way back moves requests there first."""
    stable = project.store.load(run).plan.stable
    if stable is None or any(instance.pid for instance in target.observe_instances(stable.id)):
        return
    started = 0
    # Asked again after each start: what the run lets go of at this moment it would never let go of again.
    while (left := project.store.load(run).wanted[1]) != started:
        try:
            target.ensure_instances(stable, left, epoch=epoch)
        except PermanentError as error:
            if error.code == "stale-epoch":  # a controller is at work already, and has seen what is missing
                return
            raise
        started = left


def _router_of(project: Project, spec: _Place, state: EnvironmentState) -> Adapter:
    """The router as the run knew it that made its revision live; what the file says by now comes with a next run."""
    return spec.router if state.by is None else project.store.load(state.by).plan.router


def _live(project: Project, environment: str | None) -> list[tuple[_Place, EnvironmentState]]:
    found = []
    for place in _places(project, environment):
        state = project.store.environment(project.spec.service, place.name)
        if state.live is not None:
            found.append((place, state))
    return found


def _places(project: Project, environment: str | None) -> list[_Place]:
    """The environments of the configuration, then those that only the journal knows; or the one that is named.

    Raises:
        UserError: neither knows it.
    """
    from fairway.usecases.deploy import find_environment

    service = project.spec.service
    places = [_Place(spec.name, spec.target, spec.router) for spec in project.spec.environments]
    names = {place.name for place in places}
    # The journal is not asked for a name that the configuration has.
    removed = () if environment in names else Question(service, project.store).list_environments()
    for name in removed:
        by = project.store.environment(service, name).by
        if name not in names and by is not None:
            plan = project.store.load(by).plan
            places.append(_Place(name, plan.target, plan.router))
    wanted = [place for place in places if environment in (None, place.name)]
    if environment is not None and not wanted:
        find_environment(project.spec, environment)
    return wanted


def _await_ready(project: Project, spec: _Place, state: EnvironmentState) -> dict[str, Any]:
    live = state.live
    if live is None:
        raise AssertionError("asked for live environments only")
    service = project.spec.service
    target = project.target_of(service, spec.name, spec.target)
    router = project.router_of(service, spec.name, _router_of(project, spec, state))
    deadline = now() + live.run.health.timeout
    while True:
        try:
            if state.run is None:
                _restore(project, spec, state)
        except TransientError:
            if now() > deadline:
                raise
        serving, wanted = _serving(project, state)
        instances = target.observe_instances((serving or live).id)
        ready = sum(instance.state == "ready" for instance in instances)
        seen = router.observe()
        if (ready >= wanted and seen.running) or now() > deadline:
            break
        pause(0.05)
        # A run under way goes on meanwhile, and retires what was live before it.
        state = project.store.environment(service, spec.name)
    return {
        "environment": spec.name,
        "release": (serving or live).version,
        "address": seen.address,
        "routed": seen.running,
        "ready": ready,
        "wanted": wanted,
        "waiting": [f"{one.id}: {one.detail or one.state}" for one in instances if one.state != "ready"],
    }


def _serving(project: Project, state: EnvironmentState) -> tuple[Revision | None, int]:
    """The revision that has to serve now, and how many instances of it.

    While a run is under way that is stable, as long as the run has left any of it, and then the candidate.
    """
    if state.run is not None:
        run = project.store.load(state.run)
        for revision, count in ((run.plan.stable, run.wanted[1]), (run.plan.candidate, run.wanted[0])):
            if revision is not None and count:
                return revision, count
    return state.live, state.instances if state.live is not None else 0


def bring_down(project: Project, environment: str | None) -> list[str]:
    """Stops processes but keeps what should run on record. With everything goes what runs and nobody keeps.

    Returns:
        The units that were stopped.
    """
    units = set(project.supervisor.observe()) if environment is None else _units(project, environment)
    running = {unit for unit in units if project.supervisor.observe()[unit].pid is not None}
    strays = {orphan.unit for orphan in project.supervisor.list_orphans()} if environment is None else set()
    # The controller first: it would start again what is stopped.
    if UNIT in units:
        project.supervisor.stop_all({UNIT})
    elif UNIT in strays:
        project.supervisor.ensure_removed(UNIT)
    project.supervisor.stop_all(None if environment is None else units)
    return sorted(running | strays)


def remove_state(project: Project) -> None:
    """Removes the state folder of a project that was brought down; sealed artifacts are read-only until then."""
    for folder, _, _ in os.walk(project.state):
        Path(folder).chmod(0o700)
    shutil.rmtree(project.state)


def _units(project: Project, environment: str) -> set[str]:
    """The supervisor's units of one environment."""
    (place,) = _places(project, environment)
    target = project.target_of(project.spec.service, environment, place.target)
    prefix, proxy = getattr(target, "unit_prefix", "\0"), f"envoy.{project.spec.service}.{environment}"
    return {unit for unit in project.supervisor.observe() if unit.startswith(prefix) or unit == proxy}
