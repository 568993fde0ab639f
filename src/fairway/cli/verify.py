"""verify: whether something is what was released."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fairway.cli.options import DEFAULTS, Options
from fairway.cli.output import Exit, note, print_json, say
from fairway.domain.errors import UserError
from fairway.domain.images.reference import looks_like_reference, parse_reference
from fairway.domain.provenance.envelope import Envelope, read_envelope
from fairway.domain.provenance.statement import Subject
from fairway.domain.provenance.trust import Distrusted, Trusted, TrustPolicy

if TYPE_CHECKING:
    from fairway.bootstrap import Project
    from fairway.usecases.trusting import Verifier


def verify(
    artifact: str,
    /,
    *,
    key: list[str] | None = None,
    source: list[str] | None = None,
    attestation: list[Path] | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Check that a file, an image, a sealed artifact or all of a release was signed, and is what was signed.

    Args:
        artifact: path of a file, a digest, a version that was released, or an image such as
            registry.example.org/acme/shop:1.2.0.
        key: keys of which one must have signed; default: any in release-keys.
        source: repositories of which one must be the source; default: any.
        attestation: files with envelopes that came with the artifact; default: those that are kept here.
    """
    from fairway.bootstrap import signing
    from fairway.usecases.trusting import Verifier

    # First what is asked about: where it does not exist, it does not matter who could have signed it.
    things = _things(artifact, options)
    home = signing.home_of(options.config)
    keys = signing.keys_in(home)
    names = tuple(key or (one.name for one in keys.list_keys()))
    if not names:
        raise UserError(
            "no-keys", f"there is no public key in {home / signing.PUBLIC_FOLDER}", "fairway keys create NAME"
        )
    policy = TrustPolicy(names, tuple(source or ()))
    given = [_read(path) for path in attestation] if attestation else None
    verifier = Verifier(keys, signing.attestations_in(home))
    findings = [(thing.subject, _judge(thing, verifier, policy, given)) for thing in things]
    good = all(not isinstance(answer, Distrusted) for _, answer in findings)
    if options.json:
        print_json({"verified": good, "artifacts": [_describe(subject, answer) for subject, answer in findings]})
    else:
        for subject, answer in findings:
            _show(subject, answer)
    return Exit.YES if good else Exit.NO


@dataclass(frozen=True, slots=True)
class _Thing:
    """Something to verify.

    Attributes:
        altered: what is wrong with its bytes; None: nothing.
        attached: statements that came with it; None: those that are kept here count.
    """

    subject: Subject
    altered: str | None = None
    attached: Sequence[Envelope] | None = None


def _things(artifact: str, options: Options) -> list[_Thing]:
    """Each thing that the name stands for.

    Raises:
        UserError: it stands for nothing.
    """
    if not Path(artifact).exists() and looks_like_reference(artifact):
        return [_in_registry(artifact)]
    return _kept(artifact, options)


def _judge(
    thing: _Thing, verifier: "Verifier", policy: TrustPolicy, given: list[Envelope] | None
) -> Trusted | Distrusted:
    answer = verifier.verify(thing.subject, policy, given=thing.attached if given is None else given)
    return answer if thing.altered is None else Distrusted("altered", thing.altered, "it is not what was released")


def _show(subject: Subject, answer: Trusted | Distrusted) -> None:
    if isinstance(answer, Distrusted):
        say(f"✗ {subject.name}: {answer.sentence}")
        note(f"    {answer.hint}")
    else:
        origin = f" from {answer.source}" if answer.source else ""
        say(f"✓ {subject.name}: signed by {answer.signer}, commit {answer.commit[:12]}{origin}")


def _in_registry(artifact: str) -> _Thing:
    """An image by the digest that its registry gives now, and the statements that are attached to it there."""
    from fairway.bootstrap.images import open_registries
    from fairway.usecases.images import resolve_image

    registries = open_registries()
    found = resolve_image(parse_reference(artifact), registries)
    return _Thing(Subject(found.repository, str(found.digest)), attached=registries.list_envelopes(found))


def _kept(artifact: str, options: Options) -> list[_Thing]:
    """A file, or what the project here keeps under this digest or version."""
    from fairway import bootstrap
    from fairway.bootstrap import signing

    path = Path(artifact)
    if path.is_file():
        return [_Thing(signing.subject_of_path(path))]
    try:
        project = bootstrap.open_project(options.config)
    except UserError as error:
        if error.code != "no-config":
            raise
        hint = "versions and digests are looked up in a project, and there is no fairway.yaml here or above"
        raise UserError("unknown-artifact", f"{artifact[:80]!r} is no file", hint) from error
    if artifact.startswith("sha256:"):
        return [_sealed(project, artifact)]
    for one in project.store.list_releases(project.spec.service, limit=1000):
        if one.release == artifact and one.phase != "abandoned":
            return _released(project, one.id)
    hint = "give the path of a file, a digest, or a version that fairway release status lists"
    raise UserError("unknown-artifact", f"{artifact[:80]!r} is no file, digest or released version", hint)


def _sealed(project: "Project", digest: str) -> _Thing:
    store = project.artifacts(project.spec.service)
    if store.find(digest) is None:
        raise UserError("unknown-digest", f"no artifact {digest!r} is kept", "name a file or a version")
    return _Thing(Subject(project.spec.service, digest, tree=True), store.verify(digest, thorough=True))


def _released(project: "Project", release: str) -> list[_Thing]:
    from fairway.bootstrap import releasing

    workshop, found = releasing.workshop_of(project), []
    for product in project.store.load_release(release).products:
        if product.kind == "artifact":
            found.append(_sealed(project, product.digest))
        else:
            altered = (
                None if workshop.holds(product) else f"{product.path} is not kept as it was made ({product.digest})"
            )
            found.append(_Thing(Subject(product.path, product.digest), altered))
    if not found:
        raise UserError("no-products", f"release {release} made nothing that could be verified", "")
    return found


def _read(path: Path) -> Envelope:
    try:
        return read_envelope(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            "bad-attestation", f'"{path}" holds no envelope: {error}', "name a file *.intoto.json"
        ) from error


def _describe(subject: Subject, answer: object) -> dict[str, object]:
    body: dict[str, object] = {"name": subject.name, "digest": subject.digest, "verified": True}
    if isinstance(answer, Distrusted):
        return body | {"verified": False, "code": answer.code, "reason": answer.sentence}
    return body | {name: getattr(answer, name) for name in ("signer", "source", "commit", "builder")}
