import hashlib
import itertools
import json
import subprocess
import urllib.request

import pytest

from fairway.adapters.publishers.command import CommandRegistry
from fairway.adapters.publishers.npm import NpmRegistry
from fairway.adapters.publishers.pypi import PypiRegistry
from fairway.domain.errors import PermanentError, TransientError, UserError
from fairway.domain.pipeline.products import Product
from fairway.ports.pipeline import Parcel
from fairway.testing.pipeline import FakeRegistry
from fairway.testing.registry_contract import RegistryContract
from packages import make_npm, make_sdist, make_wheel
from registries import npm_server, pypi_server


def parcel_of(path, version="1.0.0"):
    digest = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    return Parcel(Product(f"dist/{path.name}", digest, path.stat().st_size), str(path), version)


NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def pypi(tmp_path_factory):
    with pypi_server(tmp_path_factory.mktemp("pypi") / "server") as server:
        yield server


@pytest.fixture(scope="module")
def npm(tmp_path_factory):
    with npm_server(tmp_path_factory.mktemp("npm") / "server") as server:
        yield server


class TestPypiRegistry(RegistryContract):
    @pytest.fixture(autouse=True)
    def _server(self, tmp_path, pypi):
        self.folder, self.server, self.name = tmp_path, pypi, f"shop_core{next(NUMBERS)}"
        pypi.start()

    def registry(self, password="secret-of-pypi"):
        environment = {"PYPI_TOKEN": password}
        return PypiRegistry(
            url=self.server.url, user="release", password_variable="PYPI_TOKEN", environment=environment
        )

    def place(self, content):
        place = self.folder / content
        place.mkdir(exist_ok=True)
        return place

    def parcel(self, content):
        return parcel_of(make_wheel(self.place(content), self.name, "1.0.0", text=content))

    def stop(self):
        self.server.stop()

    def test_a_source_archive_goes_beside_its_wheel(self):
        registry, source = self.registry(), parcel_of(make_sdist(self.folder, self.name, "1.0.0"))
        registry.publish(self.parcel("one"))
        registry.publish(source)
        assert registry.observe(source).state == "same"
        assert registry.observe(self.parcel("one")).state == "same"
        found = sorted(path.name for path in (self.server.folder / "packages").glob(f"{self.name}-*"))
        assert found == [f"{self.name}-1.0.0-py3-none-any.whl", f"{self.name}-1.0.0.tar.gz"]

    def test_a_wrong_password_is_refused_and_not_tried_again(self):
        with pytest.raises(PermanentError, match=r"40[13]"):
            self.registry("wrong").publish(self.parcel("one"))

    def test_a_password_that_is_not_set_names_its_variable(self):
        registry = PypiRegistry(url=self.server.url, password_variable="PYPI_TOKEN", environment={})
        with pytest.raises(UserError, match="PYPI_TOKEN, which is not set"):
            registry.publish(self.parcel("one"))

    def test_what_is_no_package_is_refused_by_name(self):
        path = self.folder / "notes.txt"
        path.write_text("words")
        with pytest.raises(UserError, match=r"dist/notes\.txt is neither a wheel nor a source archive"):
            self.registry().observe(parcel_of(path))


class TestNpmRegistry(RegistryContract):
    @pytest.fixture(autouse=True)
    def _server(self, tmp_path, npm):
        self.folder, self.server, self.name = tmp_path, npm, f"@acme/shop{next(NUMBERS)}"
        npm.start()

    def registry(self, name="latest"):
        environment = {"NPM_TOKEN": self.server.token}
        return NpmRegistry(url=self.server.url, token_variable="NPM_TOKEN", tag=name, environment=environment)

    def place(self, content):
        place = self.folder / content
        place.mkdir(exist_ok=True)
        return place

    def parcel(self, content):
        return parcel_of(make_npm(self.place(content), self.name, "1.0.0", text=content))

    def stop(self):
        self.server.stop()

    def test_npm_itself_gets_the_same_bytes_back(self):
        parcel = self.parcel("one")
        self.registry("next").publish(parcel)
        with urllib.request.urlopen(f"{self.server.url}{self.name.replace('/', '%2F')}", timeout=60) as answer:
            document = json.loads(answer.read())
        assert document["dist-tags"]["next"] == "1.0.0"
        with urllib.request.urlopen(document["versions"]["1.0.0"]["dist"]["tarball"], timeout=60) as answer:
            assert f"sha256:{hashlib.sha256(answer.read()).hexdigest()}" == parcel.product.digest

    def test_who_has_no_token_is_refused(self):
        with pytest.raises(PermanentError, match=r"40[13]"):
            NpmRegistry(url=self.server.url).publish(self.parcel("one"))


class TestCommandRegistry(RegistryContract):
    @pytest.fixture(autouse=True)
    def _place(self, tmp_path):
        self.folder = tmp_path
        self.there = tmp_path / "there"
        self.there.mkdir()
        script = tmp_path / "check.sh"
        script.write_text('#!/bin/sh\ncd "$1" || exit 9\n[ -e "$2" ] || exit 1\nsha256sum "$2"\n')
        script.chmod(0o755)

    def registry(self):
        return CommandRegistry(
            publish=f"cp --update=none-fail {{file}} {self.there}/{{name}}"
            if _copies_fail()
            else f"ln {{file}} {self.there}/{{name}}",
            check=f"{self.folder}/check.sh {self.there} {{name}}",
        )

    def parcel(self, content):
        path = self.folder / content / "notes.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        return parcel_of(path)

    def stop(self):
        self.there.rename(self.folder / "gone")

    def test_a_check_that_is_unclear_is_not_taken_for_an_answer(self):
        registry = CommandRegistry(publish="true", check="sh -c 'exit 7'")
        with pytest.raises(TransientError, match="ended with status 7"):
            registry.observe(self.parcel("one"))

    def test_secrets_reach_the_command_and_no_sentence(self):
        environment = {"TOKEN": "planted-1234", "PATH": "/usr/bin:/bin"}
        registry = CommandRegistry(
            publish="sh -c 'echo token is $TOKEN; exit 3'", check="true", secrets=["TOKEN"], environment=environment
        )
        with pytest.raises(PermanentError, match=r"token is \*\*\*") as error:
            registry.publish(self.parcel("one"))
        assert "planted-1234" not in str(error.value)


def _copies_fail():
    done = subprocess.run(["cp", "--update=none-fail", "--version"], capture_output=True, check=False)
    return done.returncode == 0


class TestFakeRegistry(RegistryContract):
    @pytest.fixture(autouse=True)
    def _fake(self):
        self.fake = FakeRegistry()

    def registry(self):
        return self.fake

    def parcel(self, content):
        digest = f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"
        return Parcel(Product("dist/shop.whl", digest, 1), "/nowhere", "1.0.0")

    def stop(self):
        self.fake.observe = _silent


def _silent(parcel):
    raise TransientError("registry-silent", "no answer")
