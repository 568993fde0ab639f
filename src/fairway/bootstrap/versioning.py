"""The repository and the rules that versions are decided by."""

import datetime
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fairway.adapters.sources.git_history import GitHistory
from fairway.bootstrap.ambient import today
from fairway.domain.versioning.level import Level
from fairway.domain.versioning.policy import Channel, Policy
from fairway.domain.versioning.scheme import find_scheme
from fairway.domain.versioning.spec import VersioningSpec

if TYPE_CHECKING:
    from fairway.domain.versioning.changelog import Release

CONFIG_NAME = "fairway.yaml"
_KEPT = "versioning.json"
#: What build machines say about the branch of a bare commit, the surest first.
_BRANCH_VARIABLES = ("FAIRWAY_BRANCH", "CI_COMMIT_BRANCH", "BITBUCKET_BRANCH", "BUILDKITE_BRANCH", "CIRCLE_BRANCH")


class Versioning(NamedTuple):
    """A repository with its rules."""

    history: GitHistory
    spec: VersioningSpec

    @property
    def today(self) -> datetime.date:
        """The day where the project lives."""
        return today(self.spec.time_zone)

    def repository(self) -> str:
        """The address that links lead to, empty if there is none."""
        from fairway.domain.versioning.markdown import web_address

        return self.spec.repository.rstrip("/") or web_address(self.history.remote())


def open_versioning(
    config: Path | None,
    *,
    package: str | None = None,
    branch: str | None = None,
    revision: str = "HEAD",
    **overrides: object,
) -> Versioning:
    """The repository of the working folder, and the rules of the nearest configuration in it, if there is one.

    Args:
        config: the configuration file; None: the nearest one within the repository.
        package: whose versions are asked for.
        branch: in place of what the repository says.
        revision: the commit that is asked about.
        overrides: fields of the policy in place of the configured ones; None leaves a field as it is.

    Raises:
        UserError: the configuration is wrong, or has no such package.
    """
    path = _find(config)
    folder = Path.cwd() if path is None or not _is_in_repository(path.absolute().parent) else path.absolute().parent
    history = GitHistory(folder, revision, branch, _branch_of_build())
    spec = VersioningSpec() if path is None else _read(path, package)
    if path is None and package is not None:
        from fairway.config.versioning import VersioningSection, to_policy

        to_policy(VersioningSection(), package)
    given = {name: value for name, value in overrides.items() if value is not None}
    policy = spec.policy._replace(**given)  # type: ignore[arg-type]
    if policy.initial:
        find_scheme(policy.scheme, policy.calver).parse(policy.initial)
    return Versioning(history, spec._replace(policy=policy))


def _find(config: Path | None) -> Path | None:
    if config is not None:
        return config / CONFIG_NAME if config.is_dir() else config
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / CONFIG_NAME).is_file():
            return folder / CONFIG_NAME
        if (folder / ".git").exists():
            return None
    return None


def _is_in_repository(folder: Path) -> bool:
    return any((one / ".git").exists() or (one / "HEAD").is_file() for one in (folder, *folder.parents))


def _branch_of_build() -> str | None:
    """The branch of the build, where the machine that builds says it; git's own answer is asked first."""
    if os.environ.get("GITHUB_REF_TYPE") == "branch":
        return os.environ.get("GITHUB_REF_NAME")
    return next((os.environ[name] for name in _BRANCH_VARIABLES if os.environ.get(name)), None)


def _read(path: Path, package: str | None) -> VersioningSpec:
    """The rules, without reading the file again if nothing has changed since the last time."""
    from fairway.bootstrap.digests import digest_of

    state = path.absolute().parent / ".fairway"
    digest = digest_of(path)
    kept = _kept(state / _KEPT, f"{digest} {package}") if digest else None
    if kept is not None:
        return kept
    from fairway.config.load_versioning import load_versioning

    spec = load_versioning(path, package)
    if digest is not None and digest == digest_of(path) and state.is_dir():
        _keep(state / _KEPT, f"{digest} {package}", spec)
    return spec


def _kept(path: Path, digest: str) -> VersioningSpec | None:
    import json

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _from_json(content["spec"]) if content["digest"] == digest else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _keep(path: Path, digest: str, spec: VersioningSpec) -> None:
    import json

    policy = spec.policy._asdict() | {"channels": [one._asdict() for one in spec.policy.channels]}
    text = json.dumps({"digest": digest, "spec": spec._asdict() | {"policy": policy}})
    if _from_json(json.loads(text)["spec"]) != spec:
        return
    with suppress(OSError):
        draft = path.with_name(f".{_KEPT}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(text, encoding="utf-8")
        draft.rename(path)


def _from_json(value: dict[str, object]) -> VersioningSpec:
    policy = dict(value.pop("policy"))  # type: ignore[call-overload]
    policy["levels"] = {kind: Level(level) for kind, level in policy["levels"].items()}
    policy["channels"] = tuple(Channel(**one) for one in policy["channels"])
    policy["paths"] = tuple(policy["paths"])
    return VersioningSpec(policy=Policy(**policy), **value)  # type: ignore[arg-type]


def render_by_template(path: Path, releases: "list[Release]", repository: str, *, single: bool) -> str:
    """The text that a template of the user's own makes.

    Raises:
        UserError: the template is wrong.
    """
    from fairway.adapters.templates.jinja import render_template

    return render_template(path, releases, repository, single=single)
