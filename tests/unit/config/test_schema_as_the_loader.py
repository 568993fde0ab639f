"""Editors and the loader agree: what the exported schema takes is what loads, and the other way round."""

from pathlib import Path

import pytest
from jsonschema_rs import validator_for

from fairway import catalog
from fairway.config import ConfigError, Known, json_schema, load, load_pipeline
from fairway.config.parse import parse

SCENARIOS = Path(__file__).parents[2] / "scenarios" / "config"
KNOWN = Known(registries=catalog.settings_by_kind("registry"))
SCHEMA = validator_for(json_schema())
LIBRARY = "service: lib\nrelease: {%s}\n"
SERVICE = (
    "service: shop\nrun: {command: 'serve --port {port}'}\n"
    "environments: {live: {target: local, router: {kind: envoy, listen: '127.0.0.1:8000'}}}\n%s\n"
)
CHECK = "validation: {checks: {one: {kind: http, %s}}}"
FLOW = "validation: {checks: {one: {kind: flow, requests: [%s]}}}"

#: With what is written, and whether that is a configuration.
ENTRIES = {
    # One entry by itself, a list of it, and what is neither.
    "test: {unit: {run: pytest}}": True,
    "test: {unit: {run: [pytest]}}": True,
    "test: {unit: {run: []}}": False,
    "test: {unit: {run: {}}}": False,
    "test: {unit: {run: true}}": False,
    "test: {unit: {run: [[pytest]]}}": False,
    "test: {unit: {run: pytest, inputs: src/**, outputs: dist/*}}": True,
    "test: {unit: {run: pytest, inputs: [src/**], outputs: [dist/*]}}": True,
    "test: {unit: {run: pytest, inputs: []}}": True,
    "test: {unit: {run: pytest, inputs: /etc}}": False,
    "test: {unit: {run: pytest, inputs: ../a}}": False,
    "test: {unit: {run: pytest, inputs: a/..}}": False,
    "test: {unit: {run: pytest, inputs: -x}}": False,
    "test: {unit: {run: pytest, inputs: ''}}": False,
    "test: {unit: {run: pytest, inputs: a..b}}": True,
    "test: {unit: {run: pytest, outputs: {a: b}}}": False,
    "security: {code: {scan: bandit}}": True,
    "security: {code: {scan: {tool: bandit, paths: src}}}": True,
    "security: {code: {scan: {tool: bandit, paths: [src, tools]}}}": True,
    "security: {code: {scan: {tool: bandit, paths: 1.5}}}": False,
    "security: {code: {scan: {tool: kingfisher, history: false}}}": True,
    "security: {code: {scan: {tool: kingfisher, history: 'no'}}}": False,
    "security: {code: {scan: {tool: bandit, waivers: [{rule: a, until: 2027-01-31, reason: b}]}}}": True,
    "security: {code: {scan: {tool: bandit, waivers: [{rule: a, until: '20270131', reason: b}]}}}": False,
    "security: {code: {scan: {tool: bandit, waivers: [{rule: a, until: 2027-W04-7, reason: b}]}}}": False,
    "images: {shop: {platforms: linux/amd64}}": True,
    "images: {shop: {platforms: [linux/amd64, linux/arm/v7]}}": True,
    "images: {shop: {platforms: arm}}": False,
    "images: {shop: {platforms: []}}": False,
    "build: {a: {run: make, outputs: a}}, publish: {p: {kind: npm, url: 'http://x.example', files: a}}": True,
    "build: {a: {run: make, outputs: a}}, publish: {p: {kind: npm, url: 'http://x.example', files: [a]}}": True,
    "build: {a: {run: make, outputs: a}}, publish: {p: {kind: npm, url: 'http://x.example', files: {a: b}}}": False,
    "images: {shop: {}}, publish: {p: {kind: oci, repository: r.example.org/a, images: shop}}": True,
    "images: {shop: {}}, publish: {p: {kind: oci, repository: r.example.org/a, images: [shop]}}": True,
    "images: {shop: {}}, publish: {p: {kind: oci, repository: r.example.org/a, images: Shop}}": False,
    "test: {unit: {run: x, matrix: {a: [1, b, 2.5]}}}": True,
    "test: {unit: {run: x, matrix: {a: [true]}}}": False,
    "test: {unit: {run: x, matrix: {a: b}}}": False,
}
SECTIONS = {
    "cadence: {windows: [{days: mon-thu, from: '09:00', to: '16:00'}]}": True,
    "cadence: {windows: [{days: [mon, tue-wed], from: '09:00', to: '16:00'}]}": True,
    "cadence: {windows: [{days: 5, from: '09:00', to: '16:00'}]}": False,
    "bench: {paths: /a}": True,
    "bench: {paths: [/a, /b]}": True,
    "bench: {paths: []}": False,
    "bench: {paths: a}": False,
    CHECK % "expect: 201": True,
    CHECK % "expect: [200, 201]": True,
    CHECK % "expect: {status: 201, contains: a}": True,
    CHECK % "expect: {status: [201], contains: [a, b]}": True,
    CHECK % "expect: 99": False,
    CHECK % "expect: {status: ok}": False,
    CHECK % "expect: {contains: 5}": False,
    CHECK % "expect: {body: {$.a: ok, $.b: [1], $.c: null, $.d: {at_least: 1}}}": True,
    FLOW % "GET /a": True,
    FLOW % "{send: GET /a, expect: 200}": True,
    FLOW % "5": False,
    "validation: {checks: {one: {kind: health, basic: /a, ready: {path: /b}, live: null}}}": True,
    "validation: {checks: {one: {kind: health, basic: a}}}": False,
}
FILES = [(LIBRARY % text, good) for text, good in ENTRIES.items()]
FILES += [(SERVICE % text, good) for text, good in SECTIONS.items()]


def loads(path):
    try:
        (load_pipeline if "release:" in path.read_text() else load)(path, KNOWN)
    except ConfigError:
        return False
    return True


def is_valid(path):
    return SCHEMA.is_valid(parse(str(path), path.read_text()).plain())


@pytest.mark.parametrize(("text", "good"), FILES, ids=[text.splitlines()[-1][:70] for text, _ in FILES])
def test_the_schema_takes_what_the_loader_takes_and_nothing_else(tmp_path, text, good):
    path = tmp_path / "fairway.yaml"
    path.write_text(text)
    assert (loads(path), is_valid(path)) == (good, good)


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*/fairway.yaml")), ids=lambda path: path.parent.name)
def test_the_schema_takes_every_file_that_loads(path):
    try:
        load(path)
    except ConfigError:
        return
    data = parse(str(path), path.read_text()).plain()
    assert SCHEMA.is_valid(data), [f"{one.instance_path} {one.message}" for one in SCHEMA.iter_errors(data)]
