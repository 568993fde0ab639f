"""Real registries of images behind TLS, passwords and a proxy: what goes there, and what is said when it does not."""

import base64
import datetime
import json

import pytest
import trustme

from fairway.adapters.images.client import Repository
from fairway.adapters.images.publisher import OciRegistry
from fairway.adapters.images.registries import OciRegistries
from fairway.domain.errors import AmbiguousError, FairwayError, PermanentError, TransientError, UserError
from fairway.domain.images.reference import parse_reference
from fairway.domain.pipeline.products import Product
from fairway.ports.pipeline import Parcel
from image_tools import image_registry, make_image
from tunnels import tunnels

STAGING, PRODUCTION, RENAMED, EXPIRED = "staging.test", "production.test", "renamed.test", "expired.test"
PASSWORD = "secret-of-images"
LATE = datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def servers(tmp_path_factory, authority):
    """Two registries, and a third one whose certificate has expired."""
    folder = tmp_path_factory.mktemp("registries")
    old = authority.issue_cert(EXPIRED, not_before=LATE - datetime.timedelta(1), not_after=LATE)
    with (
        image_registry(folder / "staging", closed=True, identity=authority.issue_cert(STAGING)) as staging,
        image_registry(folder / "production", closed=True, identity=authority.issue_cert(PRODUCTION)) as production,
        image_registry(folder / "expired", identity=old) as expired,
    ):
        yield {STAGING: staging, PRODUCTION: production, RENAMED: production, EXPIRED: expired}


@pytest.fixture
def world(tmp_path, monkeypatch, servers, authority):
    """The proxy that knows the names, and the variables by which it and the authority are found."""
    for server in servers.values():
        server.start()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    for name in ("NO_PROXY", "no_proxy", "https_proxy", "ALL_PROXY", "all_proxy", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    with tunnels({name: int(server.url.rpartition(":")[2].strip("/")) for name, server in servers.items()}) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        yield proxy


@pytest.fixture
def parcel(tmp_path):
    digest = make_image(tmp_path / "parts", f"shop {tmp_path}" + "x" * (4 << 20))
    return Parcel(Product("shop", digest, 1, kind="image"), str(tmp_path / "parts" / digest[7:]), "1.0.0")


def registry(name=STAGING, password=PASSWORD, path="acme/shop"):
    return OciRegistry(
        repository=f"{name}/{path}",
        user="release",
        password_variable="TOKEN",
        environment={"TOKEN": password},
        timeout=30.0,
    )


def refusal(call, kind=PermanentError):
    with pytest.raises(FairwayError) as error:
        call()
    assert isinstance(error.value, kind), repr(error.value)
    return error.value


def test_an_image_goes_there_with_a_password_and_through_the_proxy(world, parcel):
    registry().publish(parcel)
    assert registry().observe(parcel).state == "same"
    assert world.sent > 4 << 20


@pytest.mark.parametrize("password", ["another", "another:with-a-colon"])
def test_a_wrong_password_is_refused_in_one_sentence_that_does_not_hold_it(world, parcel, password):
    error = refusal(lambda: registry(password=password).observe(parcel))
    assert error.code == "registry-refused"
    assert error.message.startswith("staging.test/acme/shop answered 401 Unauthorized: UNAUTHORIZED: ")
    encoded = base64.b64encode(f"release:{password}".encode()).decode()
    assert not {password, encoded} & set(repr(error).split())
    assert "user and password_variable" in error.hint


@pytest.mark.parametrize(
    ("name", "file", "said"),
    [
        (STAGING, "other", "unable to get local issuer certificate"),
        (EXPIRED, "own", "certificate has expired"),
        (RENAMED, "own", "certificate is not valid for 'renamed.test'"),
    ],
    ids=["unknown authority", "expired", "another name"],
)
def test_a_certificate_that_is_not_accepted_is_no_matter_of_patience(
    world, parcel, monkeypatch, tmp_path, name, file, said
):
    if file == "other":
        trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
    error = refusal(lambda: registry(name).publish(parcel))
    assert error.code == "registry-certificate"
    assert error.message.startswith(f"{name}/acme/shop has a certificate that is not accepted: ")
    assert said in error.message
    assert "SSL_CERT_FILE" in error.hint


def test_authorities_that_are_not_there_are_a_mistake_of_who_named_them(world, parcel, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/authority.pem")
    error = refusal(lambda: registry().observe(parcel), UserError)
    assert "SSL_CERT_FILE is '/nowhere/authority.pem'" in error.hint


def test_a_registry_that_does_not_speak_tls_is_told_as_that(world, parcel, tmp_path):
    with image_registry(tmp_path / "plain") as plain:
        world.ports["plain.test"] = int(plain.url.rpartition(":")[2].strip("/"))
        error = refusal(lambda: registry("plain.test").observe(parcel), TransientError)
    assert "could not be reached by TLS: " in error.message


def test_a_registry_that_dies_while_a_layer_travels_gets_the_rest_when_it_is_back(world, servers, parcel):
    def die():
        servers[STAGING].process.kill()

    # Given a registry that is killed in the middle of the first layer
    world.cut, world.limit = die, world.sent + (2 << 20)
    other = registry(path="killed/shop")
    error = refusal(lambda: other.publish(parcel), AmbiguousError)
    assert error.message.startswith("staging.test/killed/shop gave no answer to an upload: ")
    assert refusal(lambda: other.observe(parcel), TransientError).code == "registry-silent"

    # When it is back, and is killed once more behind the first of the two layers
    servers[STAGING].process.wait(timeout=60)
    servers[STAGING].start()
    assert other.observe(parcel).state == "absent"
    world.limit = world.sent + (6 << 20)
    refusal(lambda: other.publish(parcel), AmbiguousError)
    servers[STAGING].process.wait(timeout=60)
    servers[STAGING].start()
    before = world.sent
    other.publish(parcel)

    # Then only what was missing travelled, and the image is there under its digest
    assert 4 << 20 < world.sent - before < 5 << 20
    assert other.observe(parcel).state == "same"


def test_a_copy_has_the_digest_of_the_first_place_and_signs_in_at_both(world, parcel, tmp_path):
    registry(path="acme/copied").publish(parcel)
    entry = {"auth": base64.b64encode(f"release:{PASSWORD}".encode()).decode()}
    login = tmp_path / "auth.json"
    login.write_text(json.dumps({"auths": {STAGING: entry, f"{PRODUCTION}/acme": entry}}))
    told = []
    places = OciRegistries({"REGISTRY_AUTH_FILE": str(login)}, timeout=30.0, tell=told.append)
    source = parse_reference(f"{STAGING}/acme/copied").at(tag="1.0.0", digest=parcel.product.digest)
    for expected in ((7, 0), (0, 1)):
        done = places.copy(source, parse_reference(f"{PRODUCTION}/acme/spare:1.0.0"))
        assert (done.digest, (done.sent, done.present)) == (parcel.product.digest, expected)
    assert places.resolve(parse_reference(f"{PRODUCTION}/acme/spare:1.0.0")).digest == parcel.product.digest
    assert [line.split()[1] for line in told if not line.endswith("bytes)")] == ["manifest", "manifest", "index"]
    error = refusal(lambda: places.copy(source, parse_reference(f"{PRODUCTION}/elsewhere/shop:1.0.0")))
    assert error.message.startswith("production.test/elsewhere/shop answered 401 ")


def test_a_name_that_the_proxy_does_not_know_is_not_reached(world):
    repository = Repository(parse_reference("unknown.test/shop"), lambda _: None, timeout=30.0)
    try:
        assert "could not be reached: " in refusal(lambda: repository.resolve("1"), TransientError).message
    finally:
        repository.close()
