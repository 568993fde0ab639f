"""Once a day the controller removes what nobody needs any more."""

from collections.abc import Callable, Iterator
from pathlib import Path

from fairway.adapters.commands import LocalCommands
from fairway.adapters.supervisor.files import Layout, read_json
from fairway.bootstrap.project import COMMANDS_FOLDER, Project
from fairway.domain.errors import FairwayError
from fairway.usecases.tidy import list_needed

#: Seconds for which results and output of commands, delivered messages, and artifacts that nobody needs are kept.
KEPT = 30 * 86400.0


def tidy(project: Project, now: float, report: Callable[[str, BaseException], None]) -> None:
    """Removes what is old; what cannot be removed is reported, and tried again the next time."""
    for what, remove in (
        ("commands", _remove_commands),
        ("messages", _remove_messages),
        ("artifacts", _remove_artifacts),
    ):
        try:
            remove(project, now)
        except (FairwayError, OSError) as error:
            report(f"removing old {what}", error)


def _remove_commands(project: Project, now: float) -> None:  # noqa: ARG001 -- it reads the clock that it wrote by
    LocalCommands(project.state / COMMANDS_FOLDER).prune(KEPT)


def _remove_messages(project: Project, now: float) -> None:
    project.store.forget(before=now - KEPT)


def _remove_artifacts(project: Project, now: float) -> None:
    if project.serves is None:
        return
    needed = list_needed(project.store, project.serves)
    if needed is None:
        return
    store = project.artifacts(project.serves)
    kept = store.list_artifacts()
    folders = list(_list_folders(project))
    used = {
        one.artifact.digest for one in kept if any(folder.is_relative_to(one.artifact.location) for folder in folders)
    }
    young = {one.artifact.digest for one in kept if not one.sealed < now - KEPT}
    store.prune(needed | used | young)


def _list_folders(project: Project) -> Iterator[Path]:
    """Where the processes run that should run, whatever the journal says of them."""
    layout = Layout(project.state / "supervisor")
    for unit in layout.list_units():
        yield Path((read_json(layout.unit(unit)) or {}).get("folder", "/"))
