"""A real registry of images as a place to publish to."""

import hashlib
import itertools
import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from fairway.adapters.images.publisher import OciRegistry
from fairway.domain.errors import PermanentError, UserError
from fairway.domain.pipeline.products import Product
from fairway.domain.provenance.envelope import Envelope, Signature, write_envelope
from fairway.ports.pipeline import Parcel
from fairway.testing.registry_contract import RegistryContract
from image_tools import host_of, image_registry, make_image

NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    with image_registry(tmp_path_factory.mktemp("images") / "server") as server:
        yield server


@pytest.fixture(scope="module")
def closed(tmp_path_factory):
    with image_registry(tmp_path_factory.mktemp("closed") / "server", closed=True) as server:
        yield server


def image_parcel(folder: Path, content: str, version: str = "1.0.0", envelopes=()) -> Parcel:
    digest = make_image(folder, content, version=version)
    product = Product("shop", digest, 1, kind="image")
    return Parcel(product, str(folder / digest[7:]), version, tuple(envelopes))


def envelope(text: str) -> str:
    body = {"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://slsa.dev/provenance/v1", "a": text}
    return write_envelope(Envelope(json.dumps(body).encode(), (Signature("k" * 64, b"signed"),)))


class TestOciRegistry(RegistryContract):
    @pytest.fixture(autouse=True)
    def _server(self, tmp_path, images):
        self.folder, self.server, self.path = tmp_path, images, f"acme/shop{next(NUMBERS)}"
        images.start()

    def registry(self, **settings):
        return OciRegistry(repository=f"{host_of(self.server)}/{self.path}", environment={}, **settings)

    def parcel(self, content, version="1.0.0", envelopes=()):
        return image_parcel(self.folder / content, content, version, envelopes)

    def stop(self):
        self.server.stop()

    def digest_of(self, tag):
        """What the registry itself says."""
        kind = "application/vnd.oci.image.index.v1+json"
        request = urllib.request.Request(f"{self.server.url}v2/{self.path}/manifests/{tag}", headers={"accept": kind})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return f"sha256:{hashlib.sha256(answer.read()).hexdigest()}"
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return None

    def test_the_digest_in_the_registry_is_that_of_the_build(self):
        parcel = self.parcel("one")
        self.registry().publish(parcel)
        assert self.digest_of("1.0.0") == parcel.product.digest
        assert self.registry().observe(parcel).detail == parcel.product.digest

    def test_a_tag_of_a_version_with_a_plus_has_an_underscore(self):
        self.registry(tag="v{version}").publish(self.parcel("one", "1.0.0+5"))
        assert self.digest_of("v1.0.0_5") is not None

    def test_moving_tags_follow_stable_releases_and_never_go_back(self):
        registry = self.registry(moving=["{major}", "latest"])
        first, newer, older, early = (
            self.parcel("one", "1.0.0"),
            self.parcel("two", "1.2.0"),
            self.parcel("late", "1.1.5"),
            self.parcel("beta", "2.0.0-beta.1"),
        )
        registry.publish(first)
        assert self.digest_of("1") == self.digest_of("latest") == first.product.digest
        registry.publish(newer)
        assert self.digest_of("latest") == newer.product.digest
        registry.publish(older)
        registry.publish(early)
        assert self.digest_of("1") == self.digest_of("latest") == newer.product.digest
        assert self.digest_of("2") is None
        assert self.digest_of("2.0.0-beta.1") == early.product.digest

    def test_a_missing_signature_is_not_yet_published_and_is_added_without_touching_the_image(self):
        bare, signed = self.parcel("one"), self.parcel("one", envelopes=[envelope("a"), envelope("b")])
        self.registry().publish(bare)
        seen = self.registry().observe(signed)
        assert (seen.state, seen.detail) == ("absent", "2 signed statements are missing")
        self.registry().publish(signed)
        assert self.registry().observe(signed).state == "same"
        assert self.digest_of("1.0.0") == bare.product.digest
        # This registry keeps no list of them; the tag in its place names each once, also after a second time.
        place = signed.product.digest.replace(":", "-")
        listed = self.digest_of(place)
        self.registry().publish(signed)
        assert self.digest_of(place) == listed

    def test_parts_that_an_interrupted_upload_left_are_not_sent_again(self):
        parcel = self.parcel("one")
        registry = self.registry()
        registry.publish(parcel)
        other = self.registry(tag="again-{version}")
        before = {path: path.stat().st_mtime_ns for path in self.server.folder.rglob("data")}
        other.publish(parcel)
        assert {path: path.stat().st_mtime_ns for path in self.server.folder.rglob("data")} == before
        assert self.digest_of("again-1.0.0") == parcel.product.digest

    def test_a_file_is_refused_by_name(self):
        parcel = Parcel(Product("dist/shop.whl", "sha256:" + "0" * 64), "/nowhere", "1.0.0")
        with pytest.raises(UserError, match=r"dist/shop\.whl is no image"):
            self.registry().observe(parcel)


class TestClosedRegistry:
    def registry(self, closed, environment, **settings):
        return OciRegistry(repository=f"{host_of(closed)}/acme/shop", environment=environment, **settings)

    def test_a_password_of_the_environment_signs_in(self, closed, tmp_path):
        parcel = image_parcel(tmp_path, "signed in")
        registry = self.registry(
            closed, {"IMAGES": "secret-of-images"}, user="release", password_variable="IMAGES", tag="a-{version}"
        )
        registry.publish(parcel)
        assert registry.observe(parcel).state == "same"

    def test_what_a_login_kept_signs_in(self, closed, tmp_path):
        parcel = image_parcel(tmp_path, "kept")
        place = tmp_path / "auth.json"
        # base64 of release:secret-of-images
        entry = {"auth": "cmVsZWFzZTpzZWNyZXQtb2YtaW1hZ2Vz"}
        place.write_text(json.dumps({"auths": {host_of(closed): entry}}))
        registry = self.registry(closed, {"REGISTRY_AUTH_FILE": str(place)}, tag="b-{version}")
        registry.publish(parcel)
        assert registry.observe(parcel).state == "same"

    @pytest.mark.parametrize(
        ("environment", "settings"),
        [({}, {}), ({"IMAGES": "wrong-password"}, {"user": "release", "password_variable": "IMAGES"})],
        ids=["nobody", "wrong password"],
    )
    def test_who_may_not_is_refused_at_once_and_no_password_is_told(self, closed, tmp_path, environment, settings):
        with pytest.raises(PermanentError, match="401") as error:
            self.registry(closed, environment, **settings).publish(image_parcel(tmp_path, "refused"))
        assert "wrong-password" not in f"{error.value} {error.value.hint}"

    def test_a_password_that_is_not_set_names_its_variable(self, closed, tmp_path):
        with pytest.raises(UserError, match="IMAGES, which is not set"):
            self.registry(closed, {}, user="a", password_variable="IMAGES").publish(image_parcel(tmp_path, "unset"))
