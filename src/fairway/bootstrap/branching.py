"""What commands about branches work with: the repository, its rules, and what production runs."""

from pathlib import Path
from typing import TYPE_CHECKING

from fairway.bootstrap.versioning import open_versioning

if TYPE_CHECKING:
    from fairway.adapters.sources.git_rehearsal import GitRehearsal
    from fairway.adapters.sources.git_work import GitWork
    from fairway.bootstrap.project import Project
    from fairway.usecases.branching.desk import BranchDesk, Live


def open_branches(config: Path | None) -> "tuple[BranchDesk, GitWork]":
    """The branches of the working folder's repository. Works without a configuration, by the usual names then.

    Raises:
        UserError: the configuration is wrong.
        PermanentError: there is no repository, or a shallow clone.
    """
    from fairway.adapters.sources.git import GitSource
    from fairway.adapters.sources.git_branches import GitBranches
    from fairway.adapters.sources.git_work import GitWork
    from fairway.usecases.branching.desk import BranchDesk

    by = open_versioning(config)
    # A repository that cannot be read is said here, and not by whatever is asked first.
    by.history.locate()
    project = _project(config)
    folder = project.folder if project is not None and _is_repository(project.folder) else Path.cwd()
    source = GitSource(folder)
    desk = BranchDesk(
        policy=project.spec.branches if project is not None else None,
        versioning=by.spec.policy,
        branches=GitBranches(folder),
        history=by.history,
        resolve=source.find_commit,
        live=lambda: _live(project),
    )
    return desk, GitWork(folder)


def rehearsal_of(writer: "GitWork") -> "GitRehearsal":
    """What says beforehand what changes in the same repository would come to."""
    from fairway.adapters.sources.git_rehearsal import GitRehearsal

    return GitRehearsal(writer.folder)


def _is_repository(folder: Path) -> bool:
    return any((one / ".git").exists() or (one / "HEAD").is_file() for one in (folder, *folder.parents))


def _project(config: Path | None) -> "Project | None":
    """The project, None where there is no configuration."""
    from fairway.bootstrap.project import find_config, open_project
    from fairway.domain.errors import UserError

    try:
        path = find_config(config)
    except UserError as error:
        if error.code == "no-config":
            return None
        raise
    return open_project(path)


def _live(project: "Project | None") -> "tuple[Live, ...]":
    """What the environments of production run; nothing where nothing was ever deployed."""
    from fairway.usecases.branching.desk import Live

    if project is None or not project.spec.environments:
        return ()
    if "://" not in project.database and not Path(project.database).exists():
        return ()
    policy = project.spec.branches
    names = policy.production if policy is not None else (project.spec.environments[-1].name,)
    states = (project.store.environment(project.spec.service, name) for name in names)
    return tuple(
        Live(state.environment, state.live.version, state.live.artifact.commit)
        for state in states
        if state.live is not None and state.live.artifact.commit
    )
