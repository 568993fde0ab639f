"""The target `local`: instances are units of this machine's supervisor, each with a port or a socket of its own.

Order of every change: first the record, then the process. What goes is put on record as leaving, is stopped by the
supervisor in its own time, and is forgotten once it is gone. Whatever kills us in between, the next call finds the
record and completes what it says.
"""

import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from fairway.adapters.targets.local.command import INSTANCE_VARIABLE, inherited_variables, make_unit
from fairway.adapters.targets.local.discovery import publish_instances
from fairway.adapters.targets.local.listeners import comes_from, observe_listener
from fairway.adapters.targets.local.logs import LogReader, remove_log
from fairway.adapters.targets.local.ports import choose_port
from fairway.adapters.targets.local.readiness import Answer, ReadinessProbe
from fairway.adapters.targets.local.records import InstanceRecord, LogRecord, Records, RecordStore, key_of
from fairway.adapters.targets.local.sockets import choose_socket, is_taken
from fairway.domain.errors import InvariantError, PermanentError
from fairway.domain.rollout.revision import Revision
from fairway.ports.supervisor import Supervisor, UnitStatus
from fairway.ports.target import Instance, InstanceState, LogLine

KEPT_REVISIONS = 5  # that ended, whose output is kept
KEPT_LOGS = 10  # of each of these, and of each that runs
_HOST = "127.0.0.1"
_LOG_POLL = 0.2  # seconds between looks at the logs while following


class LocalTarget:
    """Instances of one service in one environment, as processes of this machine.

    The output of the last five revisions that ended is kept, of at most ten instances each.

    Args:
        service: whose instances.
        environment: where they belong.
        folder: what is remembered; shared by all targets of this supervisor, so that no two take the same port.
        supervisor: keeps the processes running.
        clock: seconds since the epoch, UTC.
    """

    def __init__(
        self,
        *,
        service: str,
        environment: str,
        folder: Path,
        supervisor: Supervisor,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._service = service
        self._environment = environment
        self._supervisor = supervisor
        self._clock = clock
        self._folder = folder
        self._key = key_of(service, environment)
        self._folder = folder
        self._store = RecordStore(folder, self._key)
        # With the folder: the same service of two checkouts should not try the same ports at the same time.
        self._name = f"{folder.absolute()}/{self._key}"
        self._probe = ReadinessProbe()

    @property
    def unit_prefix(self) -> str:
        """What the ids of all its units begin with, and of no other target's."""
        return f"i.{self._key}."

    def ensure_instances(self, revision: Revision, count: int, *, epoch: int) -> tuple[Instance, ...]:
        """See the port. An instance whose port a stranger took meanwhile is replaced by one with another port."""
        if count < 0:
            raise InvariantError("negative-count", f"{count} instances of {revision.id} were asked for.")
        with self._store.changing():
            records = self._forget_gone(self._fence(epoch))
            present = records.of(revision.id)
            surplus = present[count:] + self._displaced(present[:count])
            records = self._retire(records, surplus)
            for record in reversed(records.leaving):
                self._supervisor.ensure_stopping(self._unit(record))
            for record in records.of(revision.id):
                self._supervisor.ensure_unit(make_unit(self._unit(record), revision, record))
            for _ in range(count - len(records.of(revision.id))):
                records = self._start(records, revision)
            publish_instances(self._folder, self._service, self._environment, records)
        return self.observe_instances(revision.id)

    def observe_instances(self, revision: str) -> tuple[Instance, ...]:
        """See the port."""
        every = self._store.read()
        leaving = [record for record in every.leaving if record.revision == revision]
        records = every.of(revision)
        if not records and not leaving:
            return ()
        statuses = self._supervisor.observe()
        asked = [
            (record, status.pid, status.since)
            for record in records
            if (status := statuses.get(self._unit(record))) and status.pid and status.state == "running"
        ]
        answers = dict(zip([record.id for record, _, _ in asked], self._probe.ask(asked), strict=True))
        found = [self._observed(record, statuses.get(self._unit(record)), answers.get(record.id)) for record in records]
        found += [self._on_its_way_out(record, status) for record, status in self._not_gone(leaving, statuses)]
        return tuple(sorted(found, key=lambda one: int(one.id.rpartition(".")[2])))

    def list_revisions(self) -> tuple[str, ...]:
        """See the port; in the order in which their oldest instances were started."""
        records = self._store.read()
        leaving = [record for record, _ in self._not_gone(records.leaving, self._supervisor.observe())]
        return tuple(dict.fromkeys(record.revision for record in (*leaving, *records.instances)))

    def read_logs(self, revision: str | None, *, lines: int, follow: bool) -> Iterator[LogLine]:
        """See the port; with `follow` it ends when a revision that was named has no instance any more."""
        readers: dict[str, LogReader] = {}
        first = True
        while True:
            last = not follow or (revision is not None and revision not in self.list_revisions())
            for source in self._log_sources(revision, readers):
                reader = readers.get(source.path) or LogReader(Path(source.path))
                readers[source.path] = reader
                # What appears while following is read from its beginning.
                texts = reader.tail(lines, whole=follow) if first else reader.read_on()
                yield from (LogLine(source.instance, source.revision, text) for text in texts)
            if last:
                return
            first = False
            time.sleep(_LOG_POLL)

    def _unit(self, record: InstanceRecord) -> str:
        return self.unit_prefix + record.id

    def _fence(self, epoch: int) -> Records:
        records = self._store.read()
        if epoch < records.epoch:
            raise PermanentError(
                "stale-epoch",
                f"Epoch {epoch} is stale: {self._service} in {self._environment} has been changed under"
                f" epoch {records.epoch}.",
                "Another controller has taken over; leave the rest to it.",
            )
        if epoch > records.epoch:
            records = replace(records, epoch=epoch)
            self._store.write(records)
        return records

    def _start(self, records: Records, revision: Revision) -> Records:
        with self._store.choosing_ports() as taken:
            number = records.next_number(revision.id)
            name, by_socket = f"{revision.id}.{number}", revision.run.wants_socket
            port = 0 if by_socket else choose_port(self._name, records.last_port, taken)
            record = InstanceRecord(
                id=name,
                revision=revision.id,
                number=number,
                host="" if by_socket else _HOST,
                port=port,
                inherited=inherited_variables(),
                ready=revision.run.health.ready,
                ready_body=revision.run.health.ready_body,
                timeout=revision.run.health.timeout,
                version=revision.version,
                socket=choose_socket(f"{self._name}/{name}", self._folder) if by_socket else "",
            )
            unit = make_unit(self._unit(record), revision, record)
            records = replace(records, instances=(*records.instances, record), last_port=port or records.last_port)
            self._store.write(records)
        self._supervisor.ensure_unit(unit)
        return records

    def _retire(self, records: Records, surplus: tuple[InstanceRecord, ...]) -> Records:
        """Puts instances on record as leaving; their output counts as that of ended ones from now on."""
        if not surplus:
            return records
        statuses = self._supervisor.observe()
        logs = tuple(
            LogRecord(record.id, record.revision, status.log)
            for record in surplus
            if (status := statuses.get(self._unit(record)))
        )
        left = records.retire(surplus)
        kept, dropped = left.divide_logs((*left.ended, *logs), revisions=KEPT_REVISIONS, each=KEPT_LOGS)
        records = replace(left, ended=kept)
        self._store.write(records)
        for record in surplus:
            self._probe.forget(record.id)
        for log in dropped:
            with suppress(OSError):  # no reason to stop short of what was asked for
                remove_log(Path(log.path))
        return records

    def _forget_gone(self, records: Records) -> Records:
        if not records.leaving:
            return records
        left = tuple(record for record, _ in self._not_gone(records.leaving, self._supervisor.observe()))
        if left != records.leaving:
            records = replace(records, leaving=left)
            self._store.write(records)
        return records

    def _not_gone(
        self, leaving: Iterable[InstanceRecord], statuses: Mapping[str, UnitStatus]
    ) -> list[tuple[InstanceRecord, UnitStatus]]:
        return [(record, statuses[unit]) for record in leaving if (unit := self._unit(record)) in statuses]

    def _displaced(self, records: tuple[InstanceRecord, ...]) -> tuple[InstanceRecord, ...]:
        """Instances on whose port or socket somebody else listens: they could never become ready."""
        statuses = self._supervisor.observe()
        found = []
        for record in records:
            status = statuses.get(self._unit(record))
            listener = observe_listener(record.endpoint, status.pid if status else None)
            stranger = listener.anyone and not listener.ours
            if stranger and (status is None or status.pid is None):
                # Children of its process, which has just been killed, are none: whoever starts it again ends them. Nor
                # is the process itself, of which the supervisor does not know yet that it runs: it will keep it.
                stranger = not comes_from(record.endpoint, f"{INSTANCE_VARIABLE}={record.id}")
            if stranger or (record.socket and is_taken(record.socket)):
                found.append(record)
        return tuple(found)

    def _on_its_way_out(self, record: InstanceRecord, status: UnitStatus) -> Instance:
        return Instance(
            id=record.id,
            revision=record.revision,
            endpoint=record.endpoint,
            state="stopping",
            restarts=status.restarts,
            last_exit=status.last_exit,
            since=status.since,
            pid=status.pid,
            detail="It is being stopped.",
        )

    def _observed(self, record: InstanceRecord, status: UnitStatus | None, answer: Answer | None) -> Instance:
        endpoint = record.endpoint
        if status is None:  # its record was written, and then something stopped us
            return Instance(record.id, record.revision, endpoint, "exited", restarts=0, last_exit="", since=0.0)
        detail = answer.detail if answer else ""
        if status.state == "crash-loop":
            detail = f"It ended within seconds of its start again and again, the last time by: {status.last_exit}."
        return Instance(
            id=record.id,
            revision=record.revision,
            endpoint=endpoint,
            state=self._state(record, status, answer),
            restarts=status.restarts,
            last_exit=status.last_exit,
            since=status.since,
            pid=status.pid,
            detail=detail,
        )

    def _state(self, record: InstanceRecord, status: UnitStatus, answer: Answer | None) -> InstanceState:
        if status.state == "stopped":
            return "exited"
        if answer is None or answer.pending or status.pid is None:
            return "starting" if status.state == "running" else status.state
        if not answer.detail:
            return "ready"
        was_ready = self._probe.has_seen_ready(record.id, status.pid, status.since)
        is_late = self._clock() - status.since >= record.timeout
        return "unready" if was_ready or is_late or answer.stranger else "starting"

    def _log_sources(self, revision: str | None, readers: Container[str]) -> list[LogRecord]:
        records = self._store.read()
        statuses = self._supervisor.observe()
        running = [
            LogRecord(record.id, record.revision, statuses[self._unit(record)].log)
            for record in records.instances
            if revision in {None, record.revision} and self._unit(record) in statuses
        ]
        # What ended is asked for by name, or has been read so far and may have said something at its end.
        ended = [log for log in records.ended if log.revision == revision or log.path in readers]
        return [*ended, *running]
