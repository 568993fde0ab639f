"""From a word on the command line to what is measured."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from fairway.domain.errors import UserError
from fairway.domain.insight.baseline import Baseline, Subject
from fairway.domain.rollout.compile import revision_of
from fairway.domain.rollout.revision import Artifact
from fairway.domain.rollout.spec import EnvironmentSpec, ServiceSpec
from fairway.ports.artifacts import ArtifactStore, Source
from fairway.ports.baselines import Baselines
from fairway.ports.target import Target
from fairway.usecases.bench.subjects import Address, Measurable, Release


@dataclass(frozen=True, slots=True)
class Chooser:
    """What choosing needs.

    Attributes:
        environment: whose configuration releases run with.
        target: where they run.
        clock: seconds, of any beginning.
        pause: waits so many seconds.
        log: receives the output of a build, line by line.
    """

    service: ServiceSpec
    environment: EnvironmentSpec
    source: Source
    artifacts: ArtifactStore
    target: Target
    baselines: Baselines
    clock: Callable[[], float]
    pause: Callable[[float], None]
    log: Callable[[str], None]

    def choose(self, word: str, *, role: str = "") -> Measurable:
        """What runs at a URL, or a release by version, tag, commit or digest.

        Args:
            word: what the user typed.
            role: tells the instances of two that may be the same release; of `[a-z0-9]`.

        Raises:
            UserError: it is neither.
            PermanentError: the release cannot be built.
        """
        if "://" in word:
            return Address(Subject(word, url=word.rstrip("/")))
        return self._release(word, self._artifact(word), role)

    def choose_again(self, word: str, *, role: str = "") -> Measurable:
        """As `choose`, but a word may also be the name of a measurement: then what was measured then.

        Raises:
            As `choose` does.
        """
        known = self.baselines.find_baseline(self.service.service, word)
        if known is None:
            return self.choose(word, role=role)
        if known.subject.url:
            return Address(known.subject)
        artifact = self.artifacts.find(known.subject.digest)
        if artifact is not None:
            return self._release(known.subject.name, artifact, role)
        return self.choose(known.subject.name, role=role)

    def _release(self, word: str, artifact: Artifact, role: str) -> Release:
        revision = revision_of(self.service, self.environment, artifact)
        name = f"{revision.id[:50]}-{role}" if role else revision.id
        subject = Subject(word, artifact.version, artifact.digest)
        return Release(subject, self.target, replace(revision, id=name), self.clock, self.pause)

    def _artifact(self, release: str) -> Artifact:
        if release.startswith("sha256:"):
            kept = self.artifacts.find(release)
            if kept is None:
                raise UserError("unknown-digest", f"no artifact {release!r} is kept", "name a version, tag or commit")
            return kept
        if self.service.artifact_path is not None:
            return self.artifacts.adopt(self.service.artifact_path, version=release)
        commit = self.source.resolve(release)
        return self.artifacts.build(commit, self.service.build_steps, timeout=self.service.build_timeout, log=self.log)


def stored_pair(baselines: Baselines, service: str, names: tuple[str, str]) -> tuple[Baseline, Baseline]:
    """Two measurements as they are kept.

    Raises:
        UserError: there is none of that name; the two were not measured with the same load.
    """
    found = tuple(baselines.find_baseline(service, name) for name in names)
    for name, one in zip(names, found, strict=True):
        if one is None:
            known = ", ".join(dict.fromkeys(kept.name for kept in baselines.list_baselines(service, limit=20)))
            hint = f"there are {known}" if known else "fairway bench run --name NAME makes one"
            raise UserError("unknown-baseline", f"there is no measurement {name[:60]!r}", hint)
    first, second = (one for one in found if one is not None)
    different = first.load.differences(second.load)
    if different:
        sentence = f"{names[0]} and {names[1]} were measured with different loads: {'; '.join(different)}"
        raise UserError("different-loads", sentence, "measure one of them again, or compare without --stored")
    return first, second
