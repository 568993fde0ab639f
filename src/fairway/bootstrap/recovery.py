"""Putting backups and restores together: databases with their secrets, the folder of backups, the use cases."""

import secrets as chance
from pathlib import Path
from typing import TYPE_CHECKING

from fairway.bootstrap.ambient import actor, now
from fairway.bootstrap.project import Project

if TYPE_CHECKING:
    from fairway.adapters.backups import FolderBackups
    from fairway.domain.recovery.spec import DatabaseSpec
    from fairway.ports.databases import Database
    from fairway.usecases.recovery.backups import BackupDesk
    from fairway.usecases.recovery.restore import Restorer

#: The folder of backups in the state folder.
FOLDER = "backups"
_LETTERS = "23456789bcdfghjkmnpqrstvwxz"


def new_backup() -> str:
    """An id for a backup, short enough to be typed."""
    return "b-" + "".join(chance.choice(_LETTERS) for _ in range(6))


def backups_of(project: Project) -> "FolderBackups":
    """Where backups of this project are kept."""
    from fairway.adapters.backups import FolderBackups

    return FolderBackups(project.state / FOLDER)


def database_of(project: Project, spec: "DatabaseSpec") -> "Database":
    """The database that a configuration, or a plan, names.

    Raises:
        UserError: a secret of it has no value.
    """
    if spec.kind == "sqlite":
        from fairway.adapters.databases.sqlite import SqliteDatabase

        return SqliteDatabase(Path(spec.place))
    from fairway.adapters.databases.postgres import PostgresDatabase
    from fairway.domain.recovery.address import fill_url, hidden_in

    values = {one.name: project.secrets.read(one) for one in spec.secrets}
    url = fill_url(spec.place, values, dict(spec.variables))
    return PostgresDatabase(url, maintenance=spec.maintenance, programs=spec.programs, hidden=hidden_in(url, values))


def desk_of(project: Project) -> "BackupDesk":
    """What `fairway backup` needs."""
    from fairway.usecases.recovery.backups import BackupDesk

    return BackupDesk(
        service=project.spec,
        backups=backups_of(project),
        database_of=lambda spec: database_of(project, spec),
        new_backup=new_backup,
        clock=now,
        actor=actor(),
    )


def restorer_of(project: Project) -> "Restorer":
    """What `fairway restore` needs."""
    from fairway.bootstrap.ambient import new_run
    from fairway.usecases.recovery.restore import Restorer

    return Restorer(desk=desk_of(project), journal=project.store, records=project.store, new_run=new_run)
