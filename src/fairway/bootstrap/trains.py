"""Trains of a project: who looks at the timetable, and how a release leaves with one.

A train leaves in a process of its own, `fairway train`, which is the host of its release as `fairway release` is. The
controller starts that process when a train is due; cron or a person may as well.
"""

import fcntl
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairway.bootstrap.ambient import actor, now
from fairway.bootstrap.project import Project, open_project
from fairway.domain.errors import PermanentError, TransientError, UserError

if TYPE_CHECKING:
    from fairway.domain.cadence.policy import Train
    from fairway.domain.pipeline.release import Release
    from fairway.domain.rollout.spec import ServiceSpec
    from fairway.usecases.cadence.trains import Standing, TrainDesk

#: The file that says since when each timetable is known.
KNOWN = "trains.json"
#: The output of the trains that the controller started.
LOG = "trains.log"
LARGEST_LOG = 1_000_000
#: Seconds between two looks of the controller.
LOOK_EVERY = 5.0
#: Seconds: what cron starts sees a timetable for the first time just after the first departure, which counts.
SEEN_BEFORE = 120.0
#: Seconds that a train gets to come to a halt when the controller stops.
_PATIENCE = 30.0


def train_desk_of(project: Project, *, before: float = 0.0) -> "TrainDesk":
    """What trains of this project need.

    Args:
        project: whose trains they are.
        before: so many seconds earlier a timetable counts as known when it is seen for the first time.

    Raises:
        UserError: the project has no cadence.
    """
    from fairway.adapters.calendars import LibraryCalendars
    from fairway.bootstrap.permitting import calendar_of
    from fairway.usecases.cadence.trains import TrainDesk

    policy = project.spec.cadence
    if policy is None:
        raise UserError("no-cadence", f"{project.config} has no section cadence", "fairway.yaml: cadence")
    return TrainDesk(
        project.spec.service,
        calendar_of(policy),
        LibraryCalendars(),
        project.store,
        lambda train: _known_since(project, train, before),
        now,
    )


def _known_since(project: Project, train: "Train", before: float) -> float:
    """Since when this timetable is known here; it is written down when it is seen for the first time.

    Raises:
        PermanentError: it cannot be written down.
    """
    path = project.state / KNOWN
    timetable = f"{train.cron} {project.spec.cadence.time_zone if project.spec.cadence else ''}"
    found = _read_since(_read_known(path), train.name, timetable)
    if found is not None:
        return found
    try:
        with path.with_suffix(".lock").open("ab") as lock:
            # Held for the blink of a write; two that see several trains for the first time keep the entries of both.
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = _read_known(path)
            found = _read_since(known, train.name, timetable)
            if found is not None:
                return found
            since = now() - before
            draft = path.with_name(f".{KNOWN}.draft")
            draft.write_text(json.dumps(known | {train.name: {"timetable": timetable, "since": since}}), "utf-8")
            draft.replace(path)
            return since
    except OSError as error:
        sentence = f"the state folder {project.state} cannot be used: {error.strerror}"
        raise PermanentError("state-folder", sentence, "fairway doctor looks at it") from error


def _read_known(path: Path) -> dict[str, Any]:
    """What is written down; nothing where that cannot be read."""
    with suppress(OSError, ValueError):
        known = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(known, dict):
            return known
    return {}


def _read_since(known: dict[str, Any], name: str, timetable: str) -> float | None:
    entry = known.get(name)
    if isinstance(entry, dict) and entry.get("timetable") == timetable and isinstance(entry.get("since"), float):
        return float(entry["since"])
    return None


def board(project: Project, standing: "Standing", *, log: Callable[[str], None]) -> "Release | None":
    """Starts the release of a departure that is due, or takes up one that a killed process left.

    Args:
        project: whose train it is.
        standing: due, or under way.
        log: receives a line about each thing that is done.

    Returns:
        The release, to be carried on; None where there is nothing to carry on.

    Raises:
        TransientError: a remote repository or the journal did not answer; try again.
    """
    desk, store = train_desk_of(project), project.store
    if standing.state == "due":
        _begin(project, desk, standing, log)
    state = store.load_release(standing.release)
    if desk.is_empty(state):
        # Its process may have been killed between the two events.
        desk.record_empty(standing, actor=state.actor, commit=state.plan.commit, why="nothing to release")
        return None
    return state if state.outcome is None and state.halted is None else None


def _begin(project: Project, desk: "TrainDesk", standing: "Standing", log: Callable[[str], None]) -> None:
    """One release for the departure, or the record that there is none."""
    from fairway.bootstrap import releasing
    from fairway.usecases.answers import Declined
    from fairway.usecases.releasing.start import Request

    train = standing.train
    commit, branch = _head_of(project, train, log)
    who = f"train {train.name} ({actor()})"
    found = releasing.next_of(project, None, train.token or None, branch=branch, commit=commit)
    answer: Release | Declined
    if isinstance(found, Declined):
        answer = found
    else:
        version, tag = found
        request = Request(version, who, commit, train.to, tag, train=train.name)
        starter = replace(releasing.desk_of(project), new_release=lambda: standing.release)
        answer = starter.start(request)
    if isinstance(answer, Declined):
        if answer.code == "closed":
            raise TransientError(answer.code, answer.sentence, answer.hint)
        log(f"{train.name}: {answer.sentence}")
        desk.record_empty(standing, actor=who, commit=commit, why=answer.sentence)


def _head_of(project: Project, train: "Train", log: Callable[[str], None]) -> tuple[str, str]:
    """Commit and name of the branch that a train takes.

    Raises:
        TransientError: the remote repository did not answer.
        UserError: there is no such branch.
    """
    from fairway.adapters.sources.git_branches import GitBranches

    branches = GitBranches(project.folder)
    policy = project.spec.branches
    name = train.branch or (policy.main if policy is not None else branches.find_main())
    if name is None:
        raise UserError(
            "no-main-branch", "nothing says which the main branch is", f"cadence.trains.{train.name}.branch"
        )
    if train.fetch is not None:
        log(f"{train.name}: git fetch {train.fetch}")
        return branches.fetch(train.fetch, name), name
    tip = branches.observe(name)
    commit = tip.local or tip.remote
    if commit is None:
        raise UserError(
            "unknown-branch", f"there is no branch {name!r} for the train {train.name}", "see cadence.trains"
        )
    return commit, name


def variables_of(project: Project) -> set[str]:
    """The variables that releases of trains need, so that the controller has them; none without a train."""
    cadence = project.spec.cadence
    if cadence is None or not cadence.trains:
        return set()
    from fairway.adapters.signing.keys import COMMAND, IDENTITY, PASSPHRASE, PRIVATE
    from fairway.adapters.sources.git_process import connection_variables
    from fairway.bootstrap.releasing import pipeline_of

    pipeline = pipeline_of(project)
    settings = [pair for one in pipeline.publish for pair in one.registry.settings]
    named = {str(value) for key, value in settings if key.endswith("_variable")}
    named |= {secret for task in pipeline.tasks for secret in task.secrets}
    # What git reaches remote repositories by, and what opens the key that signs.
    named |= {"SSH_AUTH_SOCK"} | connection_variables()
    return named | ({PASSPHRASE, IDENTITY, PRIVATE, COMMAND} if pipeline.key is not None else set())


@dataclass(slots=True)
class Dispatcher:
    """The controller's part: starts a process for each train that is due, one after the other.

    Attributes:
        project: what the controller serves; its configuration is read again when the file has changed.
        report: called with what went wrong, for the log.
    """

    project: Project
    report: Callable[[str, BaseException], None]
    _seen: "tuple[int, int] | None" = None
    _spec: "ServiceSpec | None" = None
    _troubled: str = ""

    def serve(self, stop: threading.Event) -> None:
        """Looks at the timetables until `stop` is set."""
        while not stop.wait(LOOK_EVERY):
            try:
                for name in self._list_due():
                    _run(self.project.config, name, stop)
                self._troubled = ""
            except Exception as error:  # noqa: BLE001 -- what nobody thought of must not keep back all later trains
                # A configuration that is being edited may be wrong for minutes; once is enough.
                if str(error) != self._troubled:
                    self.report("trains", error)
                self._troubled = str(error)

    def _list_due(self) -> list[str]:
        """Names of trains that are to leave, or whose process was killed on the way."""
        from fairway.bootstrap.releasing import is_carried

        about = self.project.config.stat()
        if self._spec is None or self._seen != (about.st_mtime_ns, about.st_size):
            self._spec, self._seen = open_project(self.project.config).spec, (about.st_mtime_ns, about.st_size)
        if self._spec.cadence is None or not self._spec.cadence.trains:
            return []
        project = replace(self.project)
        project.__dict__.update(spec=self._spec, store=self.project.store)
        desk = train_desk_of(project)
        standings = [desk.look(train) for train in self._spec.cadence.trains]
        return [
            one.train.name
            for one in standings
            if one.state == "due" or (one.state == "under-way" and not is_carried(project, one.release))
        ]


def _run(config: Path, name: str, stop: threading.Event) -> None:
    """One train, to its end or until the controller stops; what it writes is kept."""
    path = config.parent / ".fairway" / LOG
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.replace(path.with_suffix(".log.1"))
    argv = (sys.executable, "-m", "fairway", "train", name, "--config", str(config))
    with path.open("ab") as log:
        process = subprocess.Popen(argv, cwd=config.parent, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    while process.poll() is None and not stop.wait(0.2):
        pass
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
