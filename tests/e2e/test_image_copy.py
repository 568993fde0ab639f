"""Which images `fairway image copy` lets pass: signatures by real keys, attached in a real registry."""

import json
from pathlib import Path

import pyrage
import pytest
from release_project import Project

from fairway.adapters.commands.confidential import LocalSecretCommands
from fairway.adapters.images.publisher import OciRegistry
from fairway.adapters.images.registries import OciRegistries
from fairway.adapters.signing import LocalAttestations, LocalAttestor, LocalKeys
from fairway.adapters.signing.attestor import subject_of
from fairway.domain.images.reference import parse_reference
from fairway.domain.pipeline.actions import RunSteps
from fairway.domain.pipeline.plan import Task
from fairway.domain.pipeline.products import Product
from fairway.domain.provenance.envelope import write_envelope
from fairway.ports.attestations import Origin
from fairway.ports.pipeline import Parcel
from image_tools import host_of, image_registry, make_image

OURS, THEIRS = "https://git.example/acme/shop", "https://git.example/mallory/shop"
CONFIGURATION = f"""\
service: shop
run: {{command: "true {{port}}", health: {{ready: /}}}}
environments:
  staging: {{router: {{kind: envoy, listen: 127.0.0.1:8100}}}}
  production:
    router: {{kind: envoy, listen: 127.0.0.1:8000}}
    gates: {{signed: {{keys: [release], sources: ["{OURS}"]}}}}
"""


class Shop:
    """A project with two keys, and a registry with its images."""

    def __init__(self, folder: Path, host: str) -> None:
        self.folder, self.host = folder, host
        self.identity = pyrage.x25519.Identity.generate()
        self.project = Project(folder, CONFIGURATION, {})
        place = self.project.folder
        self.keys = LocalKeys(
            place / "release-keys",
            place / ".fairway/keys",
            commands=LocalSecretCommands(),
            environment={"FAIRWAY_AGE_IDENTITY": str(self.identity)},
        )
        for name in ("release", "mallory"):
            self.keys.create(name, recipient=str(self.identity.to_public()))

    def push(self, tag: str, *, key: str = "", source: str = OURS, foreign: bool = False) -> str:
        """An image, signed by the key; foreign: what is attached is about another one. Gives its digest."""
        parts = self.folder / tag
        digest = make_image(parts, tag)
        product = Product("shop", digest, 1, kind="image")
        about = Product("shop", make_image(parts, f"other than {tag}"), 1, kind="image") if foreign else product
        envelopes = self.sign(about, key, source) if key else ()
        registry = OciRegistry(repository=f"{self.host}/acme/shop", tag="{version}", environment={})
        registry.publish(Parcel(product, str(parts / digest[7:]), tag, envelopes))
        return digest

    def sign(self, product: Product, key: str, source: str) -> tuple[str, ...]:
        kept = LocalAttestations(self.folder / "signed")
        attestor = LocalAttestor(keys=self.keys, attestations=kept, locks=lambda _: {}, installed=lambda _: set())
        task = Task("shop", "build", RunSteps(("make",)))
        origin = Origin("shop", "1.0.0", "v1.0.0", "c" * 40, source, "rel-1", task, (), {})
        attestor.ensure_attested(product, origin, key=key)
        return tuple(write_envelope(one) for one in kept.list_for(subject_of(product)))

    def copy(self, tag: str, *more: str) -> tuple[int, dict[str, object]]:
        """Status and answer."""
        target = f"{self.host}/spare/{tag}"
        done = self.project.run("image", "copy", f"{self.host}/acme/shop:{tag}", target, *more, "--json")
        return done.returncode, json.loads(done.stdout)

    def is_there(self, tag: str) -> bool:
        """The copy."""
        return OciRegistries({}).resolve(parse_reference(f"{self.host}/spare/{tag}:{tag}")) is not None


@pytest.fixture
def shop(tmp_path):
    with image_registry(tmp_path / "registry") as registry:
        made = Shop(tmp_path, host_of(registry))
        yield made
        made.project.close()


def test_an_image_that_nobody_or_somebody_else_signed_is_not_copied(shop):
    refused = {"bare": "unsigned", "stranger": "unknown-key", "swapped": "altered", "elsewhere": "source-refused"}
    shop.push("bare")
    shop.push("stranger", key="mallory")
    shop.push("swapped", key="release", foreign=True)
    shop.push("elsewhere", key="release", source=THEIRS)
    for tag, code in refused.items():
        status, answer = shop.copy(tag, "--env", "production")
        assert (status, answer["copied"], answer["code"]) == (1, False, code), answer
        assert not shop.is_there(tag)
    digest = shop.push("good", key="release")
    status, answer = shop.copy("good", "--env", "production")
    assert (status, answer["copied"], answer["digest"]) == (0, True, digest)
    assert shop.is_there("good")


def test_a_key_alone_asks_for_no_source_and_a_key_beside_an_environment_is_asked_for_too(shop):
    shop.push("elsewhere", key="release", source=THEIRS)
    assert shop.copy("elsewhere", "--key", "mallory")[1]["code"] == "unknown-key"
    assert not shop.is_there("elsewhere")
    assert shop.copy("elsewhere", "--key", "release")[0] == 0
    shop.push("ours", key="release")
    status, answer = shop.copy("ours", "--env", "production", "--key", "mallory")
    assert (status, answer["code"]) == (1, "unknown-key")


def test_a_demand_that_nobody_can_meet_is_a_mistake_and_nothing_is_copied(shop):
    shop.push("good", key="release")
    demands = {
        ("--key", "nobody"): "unknown-key",
        ("--env", "staging"): "no-demands",
        ("--env", "moon"): "unknown-environment",
    }
    for demand, code in demands.items():
        status, answer = shop.copy("good", *demand)
        assert (status, answer["error"]["code"]) == (2, code)
    assert not shop.is_there("good")
