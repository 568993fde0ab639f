"""Taking backups, listing and proving them, and letting go of those that have expired."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from fairway.domain.errors import UserError
from fairway.domain.recovery.backup import Backup, derived_name, find_difference, list_expired
from fairway.domain.recovery.spec import DatabaseSpec
from fairway.domain.rollout.spec import ServiceSpec
from fairway.ports.databases import Backups, Database
from fairway.usecases.answers import Declined
from fairway.usecases.deploy import find_environment

#: How many backups are named to somebody who asked for one that there is not.
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that was taken, and what went to make room for it."""

    backup: Backup
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BackupDesk:
    """What backups need.

    Attributes:
        database_of: the database that the configuration names.
        new_backup: makes the id of a backup.
        clock: now, seconds since the epoch, UTC.
        actor: who asks.
    """

    service: ServiceSpec
    backups: Backups
    database_of: Callable[[DatabaseSpec], Database]
    new_backup: Callable[[], str]
    clock: Callable[[], float]
    actor: str

    def create(self, environment: str, database: str | None = None) -> tuple[Taken, ...]:
        """Backs up one database of an environment, or all of them, one after the other.

        Raises:
            UserError: there is no such environment or database.
            FairwayError: as the ports do; the backups before are kept.
        """
        specs = self.list_databases(environment) if database is None else (self.find_database(environment, database),)
        return tuple(self._take(environment, spec) for spec in specs)

    def _take(self, environment: str, spec: DatabaseSpec) -> Taken:
        wanted = Backup(
            self.new_backup(), self.service.service, environment, spec.name, spec.kind, self.clock(), actor=self.actor
        )
        taken = self.backups.keep(wanted, self.database_of(spec).dump)
        # Only now: what was just taken is good, so that one that is good always stays.
        of_it = [one for one in self.list_backups(environment) if one.database == spec.name]
        expired = list_expired(of_it, now=self.clock(), keep=spec.keep)
        for one in expired:
            self.backups.remove(one.id)
        return Taken(taken, tuple(one.id for one in expired))

    def list_backups(self, environment: str) -> tuple[Backup, ...]:
        """The backups of an environment, newest first.

        Raises:
            UserError: there is no such environment.
        """
        name = find_environment(self.service, environment).name
        kept = self.backups.list_backups()
        return tuple(one for one in kept if (one.service, one.environment) == (self.service.service, name))

    def find(self, backup: str) -> Backup:
        """The backup of that id.

        Raises:
            UserError: there is none; the hint names the latest.
        """
        kept = [one for one in self.backups.list_backups() if one.service == self.service.service]
        for one in kept:
            if one.id == backup:
                return one
        latest = ", ".join(one.id for one in kept[:MOST_NAMED])
        hint = f"the latest are {latest}" if latest else "fairway backup create --env ENV takes one"
        raise UserError("unknown-backup", f"there is no backup {backup[:60]!r}", hint)

    def prove(self, backup: str) -> Backup | Declined:
        """Restores the backup into a database of its own, compares, and removes that again.

        Returns:
            The backup with the time of the proof; or in which way it is no good.

        Raises:
            UserError: there is no such backup, or its database is no longer configured.
        """
        found = self.find(backup)
        kept = self.backups.verify(found)
        if kept.damage is not None:
            return Declined("backup-altered", kept.damage, "take another backup; keep this one out of use")
        database = self.database_of(self.find_database(found.environment, found.database))
        name = derived_name(database.name, "proof", found.id)
        try:
            database.load(kept.path, name)
            difference = find_difference(found.contents, database.inspect(name))
        finally:
            database.drop(name)
        if difference is not None:
            sentence = f"what {found.id} restores is not what was recorded: {difference}"
            return Declined("backup-differs", sentence, "take another backup")
        proved = replace(found, proved=self.clock())
        self.backups.replace(proved)
        return proved

    def list_databases(self, environment: str) -> tuple[DatabaseSpec, ...]:
        """The databases of an environment.

        Raises:
            UserError: there is no such environment, or it has none.
        """
        spec = find_environment(self.service, environment)
        if not spec.databases:
            hint = f"name them under environments.{spec.name}.databases"
            raise UserError("no-databases", f"{spec.name} has no databases that could be backed up", hint)
        return spec.databases

    def find_database(self, environment: str, name: str) -> DatabaseSpec:
        """The database of that name.

        Raises:
            UserError: there is none.
        """
        known = self.list_databases(environment)
        for one in known:
            if one.name == name:
                return one
        names = ", ".join(one.name for one in known)
        raise UserError("unknown-database", f"{environment} has no database {name[:60]!r}", f"known are {names}")
