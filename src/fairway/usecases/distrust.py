"""Whether an environment believes an artifact: it was not altered, and whoever must have signed it did."""

from fairway.domain.errors import InvariantError
from fairway.domain.provenance.statement import Subject
from fairway.domain.provenance.trust import Distrusted
from fairway.domain.rollout.revision import Artifact
from fairway.domain.rollout.spec import EnvironmentSpec
from fairway.ports.artifacts import ArtifactStore
from fairway.usecases.answers import Declined
from fairway.usecases.trusting import Verifier


def find_distrust(
    artifact: Artifact,
    environment: EnvironmentSpec,
    *,
    service: str,
    artifacts: ArtifactStore,
    verifier: Verifier | None,
) -> Declined | None:
    """Why the environment does not believe the artifact; None if it does, or demands nothing.

    Raises:
        InvariantError: it demands signatures, and there is nobody who asks for them.
    """
    if environment.signed is None:
        return None
    altered = artifacts.verify(artifact.digest)
    if altered is not None:
        return Declined("altered", altered, "it is not what was released: remove it, and release it anew")
    if verifier is None:
        raise InvariantError("no-verifier", f"{environment.name} demands signatures, and nobody asks for them", "")
    answer = verifier.verify(Subject(service, artifact.digest, tree=True), environment.signed)
    if isinstance(answer, Distrusted):
        sentence = f"{environment.name} refuses {artifact.version}: {answer.sentence}"
        return Declined(answer.code, sentence, answer.hint)
    return None
