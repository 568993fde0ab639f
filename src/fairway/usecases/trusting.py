"""Whether an artifact is what was released: its signatures, its provenance, its source."""

from collections.abc import Sequence
from dataclasses import dataclass

from fairway.domain.provenance.envelope import Envelope
from fairway.domain.provenance.statement import Subject
from fairway.domain.provenance.trust import Distrusted, Evidence, Trusted, TrustPolicy, judge
from fairway.ports.attestations import Attestations, Keys


@dataclass(frozen=True, slots=True)
class Verifier:
    """Asks the envelopes that are kept, with the keys of the project."""

    keys: Keys
    attestations: Attestations

    def verify(
        self, subject: Subject, policy: TrustPolicy, *, given: Sequence[Envelope] | None = None
    ) -> Trusted | Distrusted:
        """Whether the policy believes the artifact.

        Args:
            subject: the artifact, by the digest of its bytes as they are now.
            policy: what is demanded.
            given: envelopes that came with it; None: those that are kept.

        Raises:
            UserError: a key that the policy names does not exist.
        """
        envelopes = self.attestations.list_for(subject) if given is None else given
        return judge(subject, [self._evidence(one, policy) for one in envelopes], policy)

    def _evidence(self, envelope: Envelope, policy: TrustPolicy) -> Evidence:
        hints = tuple(one.key for one in envelope.signatures)
        try:
            statement = envelope.statement
        except ValueError:
            statement = None
        return Evidence(self.keys.signer_of(envelope, policy.keys), hints, statement)
