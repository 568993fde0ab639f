"""Publishing an image to a real registry, killed before and after everything that it changes there."""

import itertools
import json
import urllib.request

import pytest

from fairway.adapters.images.client import Repository
from fairway.adapters.images.publisher import OciRegistry
from fairway.domain.errors import PermanentError, TransientError
from fairway.domain.pipeline.products import Product
from fairway.domain.provenance.envelope import Envelope, Signature, write_envelope
from fairway.ports.pipeline import Parcel
from image_tools import host_of, image_registry, make_image

NUMBERS = itertools.count(1)


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    with image_registry(tmp_path_factory.mktemp("images") / "server") as server:
        yield server


@pytest.fixture
def changes(monkeypatch):
    """Everything that is changed in the registry, and where to be killed."""
    seen = Changes()
    for name in ("send_blob", "send_manifest"):
        monkeypatch.setattr(Repository, name, seen.watched(getattr(Repository, name)))
    return seen


class Changes:
    def __init__(self):
        self.boundaries, self.sent, self.kill_at = [], [], None

    def watched(self, send):
        def sending(repository, *arguments, **more):
            what = arguments[2] if send.__name__ == "send_manifest" else arguments[0].digest
            self._pass(f"before {what}")
            answer = send(repository, *arguments, **more)
            self.sent.append(what)
            self._pass(f"after {what}")
            return answer

        return sending

    def _pass(self, what):
        self.boundaries.append(what)
        if self.kill_at is not None and len(self.boundaries) - 1 == self.kill_at:
            raise Killed(what)

    def clear(self, kill_at=None):
        self.boundaries, self.sent, self.kill_at = [], [], kill_at


def statement(text):
    body = {"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://slsa.dev/provenance/v1", "a": text}
    return write_envelope(Envelope(json.dumps(body).encode(), (Signature("k" * 64, b"signed"),)))


@pytest.fixture
def parcel(tmp_path):
    digest = make_image(tmp_path / "parts", "shop")
    product = Product("shop", digest, 1, kind="image")
    envelopes = (statement("provenance"), statement("bill"))
    return Parcel(product, str(tmp_path / "parts" / digest[7:]), "1.0.0", envelopes)


def referring(server, registry, parcel):
    """Digests of what is listed as being about the image."""
    place = f"{registry._reference.path}/manifests/{parcel.product.digest.replace(':', '-')}"
    kind = "application/vnd.oci.image.index.v1+json"
    with urllib.request.urlopen(
        urllib.request.Request(f"{server.url}v2/{place}", headers={"accept": kind}), timeout=30
    ) as answer:
        return [one["digest"] for one in json.loads(answer.read())["manifests"]]


def fresh(server):
    return OciRegistry(
        repository=f"{host_of(server)}/killed/shop{next(NUMBERS)}", moving=["latest"], environment={}, timeout=30.0
    )


def test_a_publication_killed_after_any_of_its_changes_converges_with_nothing_doubled(images, changes, parcel):
    calm = fresh(images)
    changes.clear()
    calm.publish(parcel)
    everything = list(changes.sent)
    # Layer, configuration and manifest of two platforms, the index; two statements, each a blob, a manifest and a line
    # in the list of what is about the image, with one empty configuration; the tag that moves, the version's own last.
    assert len(everything) == 6 + 1 + 6 + 1 + 2
    assert everything[-2:] == ["latest", "1.0.0"]
    listed = parcel.product.digest.replace(":", "-")
    # Before a change the registry is as after the one before it.
    for boundary in (0, *range(1, 2 * len(everything), 2)):
        registry = fresh(images)
        changes.clear(kill_at=boundary)
        with pytest.raises(Killed):
            registry.publish(parcel)
        first = list(changes.sent)
        changes.clear()
        seen = registry.observe(parcel).state
        # The version's tag is there only once everything else is.
        assert seen == ("same" if first == everything else "absent"), first
        if seen == "absent":
            registry.publish(parcel)
        again = [one for one in first if one in changes.sent and one != listed]
        # A statement that is not listed yet is put there once more, under its digest: the same at the same place.
        assert again in ([], first[-1:]), first
        assert set(first + changes.sent) == set(everything)
        assert registry.observe(parcel).state == "same"
        assert len(referring(images, registry, parcel)) == 2


def test_a_tag_that_somebody_else_took_meanwhile_is_refused_and_kept(images, changes, parcel, tmp_path):
    registry = fresh(images)
    other = make_image(tmp_path / "other", "of somebody else")
    theirs = Parcel(Product("shop", other, 1, kind="image"), str(tmp_path / "other" / other[7:]), "1.0.0")
    changes.clear(kill_at=0)
    with pytest.raises(Killed):
        registry.publish(parcel)
    changes.clear()
    registry.publish(theirs)
    with pytest.raises(PermanentError, match=f"1.0.0 stands for {other}, not for {parcel.product.digest}") as error:
        registry.publish(parcel)
    assert error.value.code == "published-otherwise"
    assert registry.observe(theirs).state == "same"


def test_a_part_that_was_altered_on_this_machine_is_refused_by_the_registry(images, parcel, tmp_path):
    registry = fresh(images)
    layer = next(path for path in (tmp_path / "parts").iterdir() if path.read_bytes() == b"shop for arm64")
    layer.write_bytes(b"SHOP for arm64")
    with pytest.raises(PermanentError, match="DIGEST_INVALID"):
        registry.publish(parcel)
    assert registry.observe(parcel).state == "absent"


def test_a_registry_that_sends_other_bytes_than_were_asked_for_is_not_believed(images, parcel):
    registry = fresh(images)
    registry.publish(parcel)
    name = parcel.product.digest.removeprefix("sha256:")
    blob = images.folder / f"storage/docker/registry/v2/blobs/sha256/{name[:2]}/{name}/data"
    content = blob.read_bytes()
    reference = registry._reference
    repository = Repository(reference, lambda _: None, timeout=30.0)
    try:
        assert repository.read(parcel.product.digest) == content
        blob.write_bytes(content.replace(b"1.0.0", b"1.0.1"))
        with pytest.raises((TransientError, PermanentError)):
            repository.read(parcel.product.digest)
    finally:
        blob.write_bytes(content)
        repository.close()


def test_the_registry_itself_serves_what_was_published(images, parcel):
    registry = fresh(images)
    registry.publish(parcel)
    path = registry._reference.path
    kind = "application/vnd.oci.image.index.v1+json"
    request = urllib.request.Request(f"{images.url}v2/{path}/manifests/1.0.0", headers={"accept": kind})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers["docker-content-digest"] == parcel.product.digest
