"""Whom an environment believes, and what is said of an artifact that it does not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fairway.domain.provenance.statement import BUILDER, PROVENANCE, Subject, builder_of, commit_of, is_about, source_of


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """What an environment demands of an artifact.

    Attributes:
        keys: names of the keys of which one must have signed.
        sources: repositories of which one must be its source; empty: any.
    """

    keys: tuple[str, ...]
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """An envelope that was found for an artifact.

    Attributes:
        signer: name of the trusted key whose signature holds; None: none does.
        hints: whose signatures they say they are.
        statement: the in-toto statement; None if the payload is none.
    """

    signer: str | None
    hints: tuple[str, ...]
    statement: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class Trusted:
    """The artifact may be used."""

    signer: str
    source: str
    commit: str
    builder: str


@dataclass(frozen=True, slots=True)
class Distrusted:
    """The artifact may not be used.

    Attributes:
        code: `unsigned`, `altered`, `unknown-key` or `source-refused`.
    """

    code: Literal["unsigned", "altered", "unknown-key", "source-refused"]
    sentence: str
    hint: str


def judge(subject: Subject, evidence: Sequence[Evidence], policy: TrustPolicy) -> Trusted | Distrusted:
    """Whether an artifact is believed: one provenance about it, signed by a trusted key, from an allowed source.

    Args:
        subject: the artifact, by the digest that its bytes have now.
        evidence: the envelopes found for it.
        policy: what is demanded.
    """
    signed = [one for one in evidence if one.signer is not None]
    if not evidence:
        return Distrusted("unsigned", f"{subject.name} ({subject.digest}) is not signed", _SIGN)
    if not signed:
        names = ", ".join(sorted({hint[:16] for one in evidence for hint in one.hints})) or "nobody"
        sentence = f"{subject.name} is signed by {names}, none of the keys {', '.join(policy.keys)}"
        return Distrusted("unknown-key", sentence, "fairway keys list shows the keys; gates.signed.keys names them")
    kinds = [one for one in signed if one.statement is not None and one.statement.get("predicateType") == PROVENANCE]
    about = [one for one in kinds if one.statement is not None and is_about(one.statement, subject)]
    if not about:
        if kinds:
            sentence = f"{subject.name} has the digest {subject.digest}, which is not the one that was signed"
            return Distrusted("altered", sentence, "it is not what was released: build and release it anew")
        return Distrusted("unsigned", f"{subject.name} ({subject.digest}) has no signed provenance", _SIGN)
    return _judge_source(subject, about, policy)


_SIGN = "release it with a key: release.key in the configuration, then fairway release VERSION"


def _judge_source(subject: Subject, about: Sequence[Evidence], policy: TrustPolicy) -> Trusted | Distrusted:
    seen = []
    for one in about:
        found = one.statement or {}
        source, builder = source_of(found), builder_of(found)
        if builder == BUILDER and (not policy.sources or source in policy.sources):
            return Trusted(one.signer or "", source, commit_of(found), builder)
        seen.append((source or "no known repository") if builder == BUILDER else f"the builder {builder or 'nobody'}")
    sentence = f"{subject.name} comes from {', '.join(seen)}, and only {', '.join(policy.sources)} is allowed"
    if not policy.sources:
        sentence = f"{subject.name} comes from {', '.join(seen)}, which is not Fairway's"
    return Distrusted("source-refused", sentence, "release it from an allowed repository: gates.signed.sources")
