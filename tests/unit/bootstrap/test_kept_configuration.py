"""What was read of fairway.yaml is used again only while nothing has changed that it was made from."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from fairway.adapters.notifiers import settings
from fairway.bootstrap import digests
from fairway.bootstrap.kept import NAME, read_spec
from fairway.bootstrap.project import load_spec
from fairway.config import models
from fairway.domain.rollout import spec
from fairway.domain.rollout.spec import Adapter, ServiceSpec

YAML = """\
service: shop
run: {command: "serve {port}", variables: {LEVEL: info}}
environments:
  production:
    router: {kind: envoy, listen: "127.0.0.1:8000"}
    strategy: {kind: canary, steps: [10, 50, 100], bake: 5m}
    stages: {check: {run: [make smoke], http: [{path: /}]}}
notify:
  - {kind: webhook, url: "https://example.org/hook", events: [promoted, completed]}
"""


@pytest.fixture
def shop(tmp_path: Path) -> SimpleNamespace:
    """A project; `reads` counts how often its file was read."""
    config = tmp_path / "fairway.yaml"
    config.write_text(YAML)
    (tmp_path / ".fairway").mkdir()
    told = SimpleNamespace(config=config, state=tmp_path / ".fairway", reads=0, load=load_spec)

    def load(path: Path) -> ServiceSpec:
        told.reads += 1
        return told.load(path)

    told.read = lambda: read_spec(told.config, told.state, load)
    return told


def test_a_file_that_has_not_changed_is_read_once(shop):
    first = shop.read()
    assert shop.read() == first == load_spec(shop.config)
    assert shop.reads == 1


def write_again(shop: SimpleNamespace) -> None:
    shop.config.write_text(YAML.replace("shop", "shoe"))


def move(shop: SimpleNamespace) -> None:
    place = shop.config.parent / "elsewhere"
    place.mkdir()
    shop.config = shop.config.rename(place / "fairway.yaml")
    shop.state = shop.state.rename(place / ".fairway")


def damage(shop: SimpleNamespace) -> None:
    (shop.state / NAME).write_text("{")


def shorten(shop: SimpleNamespace) -> None:
    (shop.state / NAME).write_text((shop.state / NAME).read_text().replace('"folder"', '"holder"'))


@pytest.mark.parametrize("change", [write_again, move, damage, shorten])
def test_after_a_change_it_is_read_again(shop, change: Callable[[SimpleNamespace], None]):
    shop.read()
    change(shop)
    assert shop.read() == load_spec(shop.config)
    assert shop.reads == 2


def test_another_version_of_the_code_reads_it_again(shop, monkeypatch: pytest.MonkeyPatch):
    shop.read()
    code = list(digests._code())
    assert {models.__file__, spec.__file__, settings.__file__} <= {name for name, _ in code}
    name, about = code[-1]
    later = SimpleNamespace(st_size=about.st_size, st_mtime_ns=about.st_mtime_ns + 1)
    monkeypatch.setattr(digests, "_code", lambda: [*code[:-1], (name, later)])
    shop.read()
    assert shop.reads == 2


def test_what_is_written_while_it_is_read_is_not_taken_for_what_was_read(shop):
    def load(path: Path) -> ServiceSpec:
        found = load_spec(path)
        write_again(shop)
        return found

    shop.load = load
    assert shop.read().service == "shop"
    shop.load = load_spec
    assert shop.read().service == "shoe"


def test_what_would_not_come_back_as_it_was_is_not_kept(shop):
    shop.load = lambda path: replace(load_spec(path), notify=(Adapter("webhook", (("headers", ("a", "b")),)),))
    shop.read()
    assert not (shop.state / NAME).exists()


def test_it_is_for_the_owner_only_and_nothing_else_is_left(shop):
    shop.read()
    assert [(one.name, one.stat().st_mode & 0o777) for one in os.scandir(shop.state)] == [(NAME, 0o600)]
