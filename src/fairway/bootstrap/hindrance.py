"""Why nothing goes on, as far as this machine can tell without asking anybody."""

import os
from pathlib import Path

from fairway.bootstrap.controller import UNIT, is_served
from fairway.bootstrap.project import STATE_FOLDER, Project, find_config

#: Bytes below which a disk counts as full: the journal needs some, and so does every file that is replaced.
_LEAST_ROOM = 1 << 20


def is_down(config: Path | None, service: str, environment: str) -> bool:
    """`fairway down` stopped the environment's processes, and nothing has brought them back since."""
    return _is_halted(find_config(config).absolute().parent / STATE_FOLDER, service, environment)


def find_hindrance(project: Project, service: str, environment: str) -> str | None:
    """A sentence about what keeps runs of an environment from going on; None: nothing that is known here.

    Right after a controller has died it is named as well, although another will be there in a moment.
    """
    if _room(project.state) < _LEAST_ROOM:
        return f"the disk of {project.state} is full"
    controller = project.supervisor.observe().get(UNIT)
    if (controller is None or controller.pid is None) and not is_served(project):
        return "no controller runs, as after fairway down; fairway up starts one"
    if _is_halted(project.state, service, environment):
        return f"{environment} was brought down; fairway up --env {environment} brings it back"
    return None


def _is_halted(state: Path, service: str, environment: str) -> bool:
    from fairway.adapters.supervisor.files import Layout

    halts = Layout(state / "supervisor").halts
    halted = [path.name for path in halts.iterdir()] if halts.is_dir() else []
    if not halted:
        return False
    from fairway.adapters.targets.local.records import key_of

    proxy, instances = f"envoy.{service}.{environment}", f"i.{key_of(service, environment)}."
    return any(unit == proxy or unit.startswith(instances) for unit in halted)


def _room(folder: Path) -> int:
    """Bytes that this account may still write; the administrator may use what is kept back for that."""
    disk = os.statvfs(folder)
    return (disk.f_bfree if os.geteuid() == 0 else disk.f_bavail) * disk.f_frsize
