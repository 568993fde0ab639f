"""verify: whether something is what was released."""

from collections.abc import Iterator, Sequence
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
    findings = list(_findings(artifact, verifier, policy, given, options))
    good = all(not isinstance(answer, Distrusted) for _, answer in findings)
    if options.json:
        print_json({"verified": good, "artifacts": [_describe(subject, answer) for subject, answer in findings]})
    else:
        for subject, answer in findings:
            _show(subject, answer)
    return Exit.YES if good else Exit.NO


def _findings(
    artifact: str, verifier: "Verifier", policy: TrustPolicy, given: list[Envelope] | None, options: Options
) -> Iterator[tuple[Subject, Trusted | Distrusted]]:
    """Each thing that the name stands for, and what can be said of it."""
    if not Path(artifact).exists() and looks_like_reference(artifact):
        subject, attached = _in_registry(artifact)
        yield subject, verifier.verify(subject, policy, given=attached if given is None else given)
        return
    for subject, altered in _subjects(artifact, options):
        answer = verifier.verify(subject, policy, given=given)
        yield subject, answer if altered is None else Distrusted("altered", altered, "it is not what was released")


def _show(subject: Subject, answer: Trusted | Distrusted) -> None:
    if isinstance(answer, Distrusted):
        say(f"✗ {subject.name}: {answer.sentence}")
        note(f"    {answer.hint}")
    else:
        origin = f" from {answer.source}" if answer.source else ""
        say(f"✓ {subject.name}: signed by {answer.signer}, commit {answer.commit[:12]}{origin}")


def _in_registry(artifact: str) -> tuple[Subject, Sequence[Envelope]]:
    """An image by the digest that its registry gives now, and the statements that are attached to it there."""
    from fairway.bootstrap.images import open_registries
    from fairway.usecases.images import resolve_image

    registries = open_registries()
    found = resolve_image(parse_reference(artifact), registries)
    return Subject(found.repository, str(found.digest)), registries.list_envelopes(found)


def _subjects(artifact: str, options: Options) -> list[tuple[Subject, str | None]]:
    """What is to be verified, each with what is wrong with its bytes, if anything."""
    from fairway import bootstrap
    from fairway.bootstrap import signing

    path = Path(artifact)
    if path.is_file():
        return [(signing.subject_of_path(path), None)]
    project = bootstrap.open_project(options.config)
    if artifact.startswith("sha256:"):
        return [_sealed(project, artifact)]
    for one in project.store.list_releases(project.spec.service, limit=1000):
        if one.release == artifact and one.phase != "abandoned":
            return _released(project, one.id)
    hint = "give the path of a file, a digest, or a version that fairway release status lists"
    raise UserError("unknown-artifact", f"{artifact[:80]!r} is no file, digest or released version", hint)


def _sealed(project: "Project", digest: str) -> tuple[Subject, str | None]:
    store = project.artifacts(project.spec.service)
    if store.find(digest) is None:
        raise UserError("unknown-digest", f"no artifact {digest!r} is kept", "name a file or a version")
    return Subject(project.spec.service, digest, tree=True), store.verify(digest, thorough=True)


def _released(project: "Project", release: str) -> list[tuple[Subject, str | None]]:
    from fairway.bootstrap import releasing

    workshop, found = releasing.workshop_of(project), []
    for product in project.store.load_release(release).products:
        if product.kind == "artifact":
            found.append(_sealed(project, product.digest))
        else:
            altered = (
                None if workshop.holds(product) else f"{product.path} is not kept as it was made ({product.digest})"
            )
            found.append((Subject(product.path, product.digest), altered))
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
