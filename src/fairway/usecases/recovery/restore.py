"""Restoring a backup: in place by a run of the environment, or into a new database by the command itself."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from fairway.domain.errors import FairwayError, UserError
from fairway.domain.recovery.backup import (
    Backup,
    Contents,
    derived_name,
    find_difference,
    name_problem,
    told,
    told_ago,
)
from fairway.domain.recovery.spec import DatabaseSpec
from fairway.domain.recovery.steps import Recovery
from fairway.domain.rollout.events import RunStarted
from fairway.domain.rollout.plan import Plan
from fairway.domain.rollout.restoring import compile_restore
from fairway.ports.databases import Database
from fairway.ports.journal import Journal, Records
from fairway.usecases.answers import Declined, Started
from fairway.usecases.deploy import busy, find_environment
from fairway.usecases.reasons import as_reason
from fairway.usecases.recovery.backups import BackupDesk

#: What has to be typed, so that nobody loses data by accident.
CONFIRMATION = "CONFIRM"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to restore.

    Attributes:
        database: of the environment, by its name; None: the one that the backup is of.
        other_schema: also where tables were defined otherwise since the backup.
    """

    backup: str
    environment: str
    database: str | None = None
    other_schema: bool = False


@dataclass(frozen=True, slots=True)
class Outlook:
    """A restore in place that can begin.

    Attributes:
        plan: what would be done.
        lost: what would no longer be there afterwards, in a sentence.
        run: id under which it would be done.
    """

    run: str
    plan: Plan
    lost: str


@dataclass(frozen=True, slots=True)
class Restored:
    """A new database."""

    backup: Backup
    name: str


@dataclass(frozen=True, slots=True)
class Restorer:
    """What restoring needs.

    Attributes:
        desk: knows the backups and databases.
        new_run: makes the id of a run.
    """

    desk: BackupDesk
    journal: Journal
    records: Records
    new_run: Callable[[], str]

    def prepare(self, wish: Wish) -> Outlook | Declined:
        """What a restore in place would do; nothing is changed.

        Raises:
            UserError: no such backup, environment or database, or one that does not belong to the other.
            FairwayError: the database could not be looked at.
        """
        backup, spec = self._find(wish)
        environment = find_environment(self.desk.service, wish.environment)
        state = self.records.environment(self.desk.service.service, environment.name)
        if state.run is not None:
            return busy(self.journal.load(state.run))
        if state.live is None:
            sentence = f"nothing is live in {environment.name}, so that no checks could show what a restore has come to"
            return Declined("nothing-live", sentence, "deploy a release first, or restore --into a new database")
        damage = self.desk.backups.verify(backup).damage
        if damage is not None:
            return Declined("backup-altered", damage, f"fairway backup list --env {environment.name} has others")
        database = self.desk.database_of(spec)
        present = database.inspect()
        refusal = None if wish.other_schema else _refuse_schema(backup, present, self._lost(backup, database, present))
        if refusal is not None:
            return refusal
        run = self.new_run()
        recovery = Recovery(
            database=spec,
            backup=backup.id,
            taken=backup.at,
            saved=self.desk.new_backup() if present is not None else "",
            own=database.name,
            beside=derived_name(database.name, "restored", run),
            aside=derived_name(database.name, "before", run),
        )
        plan = compile_restore(
            self.desk.service, environment, recovery=recovery, live=state.live, instances=state.instances
        )
        return Outlook(run, plan, self._lost(backup, database, present))

    def start(self, outlook: Outlook, *, reason: str, confirmation: str) -> Started | Declined:
        """Begins what was prepared.

        Raises:
            UserError: no reason, or no confirmation.
            TransientError: another release has become live since.
        """
        insist(reason, confirmation)
        event = RunStarted(self.desk.clock(), self.desk.actor, as_reason(reason), outlook.plan)
        occupant = self.journal.start(outlook.run, event)
        return busy(self.journal.load(occupant)) if occupant is not None else Started(outlook.run, outlook.plan)

    def look_into(self, wish: Wish, name: str) -> Backup | Declined:
        """Whether the backup could be restored into a new database; nothing is changed.

        Raises:
            As `prepare` does; and UserError: the name is none, or taken.
        """
        backup, spec = self._find(wish)
        database = self.desk.database_of(spec)
        problem = name_problem(name, database.name)
        if problem is not None:
            raise UserError("data-name", problem, "letters, digits, _, - and dots; at most 63")
        if database.inspect(name) is not None:
            raise UserError("data-there", f"there is a database {name!r} already", "choose another name")
        damage = self.desk.backups.verify(backup).damage
        return backup if damage is None else Declined("backup-altered", damage, "fairway backup list has others")

    def restore_into(self, wish: Wish, name: str) -> Restored | Declined:
        """Restores into a new database and touches nothing else. One that differs from the record is removed again.

        Raises:
            As `look_into` does.
        """
        backup = self.look_into(wish, name)
        if isinstance(backup, Declined):
            return backup
        database = self.desk.database_of(self._find(wish)[1])
        try:
            database.load(self.desk.backups.verify(backup).path, name)
            difference = find_difference(backup.contents, database.inspect(name))
        except BaseException:
            # What nobody has compared must not look like a restored database.
            with suppress(FairwayError):
                database.drop(name)
            raise
        if difference is None:
            return Restored(backup, name)
        database.drop(name)
        return Declined("restore-differs", f"what {backup.id} restores is not what was recorded: {difference}", "")

    def _find(self, wish: Wish) -> tuple[Backup, DatabaseSpec]:
        environment = find_environment(self.desk.service, wish.environment).name
        self.desk.list_databases(environment)
        backup = self.desk.find(wish.backup)
        spec = self.desk.find_database(environment, wish.database or backup.database)
        if backup.environment != environment:
            sentence = f"backup {backup.id} is of {backup.environment}, not of {environment}"
            raise UserError("other-environment", sentence, f"fairway backup list --env {environment}")
        if (backup.database, backup.kind) != (spec.name, spec.kind):
            of, wanted = f"{backup.database} ({backup.kind})", f"{spec.name} ({spec.kind})"
            sentence = f"backup {backup.id} is of the database {of}, not of {wanted}"
            raise UserError("other-database", sentence, f"fairway backup list --env {environment}")
        return backup, spec

    def _lost(self, backup: Backup, database: Database, present: Contents | None) -> str:
        since = f"{told(backup.at)} ({told_ago(self.desk.clock() - backup.at)} ago)"
        if present is None:
            return f"there is no database {database.name} now; it will be as it was at {since}"
        return f"what was written to {database.name} since {since} will not be in it any more"


def insist(reason: str, confirmation: str) -> None:
    """A restore in place takes a reason and a word.

    Raises:
        UserError: one of them is missing.
    """
    if not reason.strip():
        raise UserError("no-reason", "a restore needs a reason", "add --reason TEXT")
    if confirmation != CONFIRMATION:
        given = confirmation[:40]
        raise UserError("not-confirmed", f"--confirm is {given!r}, not {CONFIRMATION!r}", "add --confirm CONFIRM")


def _refuse_schema(backup: Backup, present: Contents | None, lost: str) -> Declined | None:
    """The tables were changed since: what runs now may not be able to work with those of the backup."""
    if present is None or present.damage or present.schema == backup.contents.schema:
        return None
    sentence = f"the tables are defined otherwise by now than in backup {backup.id}; and {lost}"
    hint = "return to a release that fits, or add --other-schema if what is live works with both"
    return Declined("schema-changed", sentence, hint)
