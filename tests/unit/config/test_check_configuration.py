"""Checks in the configuration: what they become, and mistakes with their line and column."""

import pytest
from jsonschema_rs import Draft202012Validator, validator_for

from fairway.config import ConfigError, json_schema, load, render
from fairway.config.parse import parse, read
from fairway.config.validation import CHECK_KINDS
from fairway.domain.codec import from_json, to_json
from fairway.domain.validation.checks import AFTER, Check, CheckSettings, Suite
from fairway.domain.validation.needs import PostgresCheck
from fairway.domain.validation.probes import AuthCheck, HealthCheck

HEAD = """\
service: shop
run: {command: "serve --port {port}", variables: {PLACE: eu, AREA: west}}
environments:
  staging:
    router: {kind: envoy, listen: "127.0.0.1:8100"}
    validation: {timeout: 30s, secrets: [STAGING_KEY], checks: {me: {kind: auth, path: /me, bearer: "{{STAGING_KEY}}"}}}
  production:
    router: {kind: envoy, listen: "127.0.0.1:8000"}
    variables: {AREA: east}
validation:
  secrets: [API_KEY]
  headers: {X-Area: "{{AREA}}"}
  checks:
    health: health
    me: {kind: auth, path: /me, bearer: "{{API_KEY}}", required: false}
    data: {kind: postgres, url: "postgresql://shop:{{API_KEY}}@db/shop", max_time: 250ms}
"""


@pytest.fixture
def suite(tmp_path):
    def read_suite(text, number=0):
        path = tmp_path / "fairway.yaml"
        path.write_text(text)
        return load(path).environments[number].suite

    return read_suite


@pytest.fixture
def complaint(suite):
    def told(check):
        text = HEAD.replace("    health: health\n", f"    bad: {check}\n")
        with pytest.raises(ConfigError) as caught:
            suite(text)
        return render(caught.value.problems)

    return told


def test_an_environment_takes_the_checks_of_the_service_and_its_own_over_them(suite):
    staging, production = suite(HEAD), suite(HEAD, 1)
    assert production == Suite(
        (
            Check("health", HealthCheck()),
            Check("me", AuthCheck("/me", bearer="{{API_KEY}}"), required=False),
            Check(
                "data",
                PostgresCheck("postgresql://shop:{{API_KEY}}@db/shop", 0.25),
                ("before", *AFTER),
            ),
        ),
        CheckSettings(
            headers=(("X-Area", "{{AREA}}"),),
            secrets=("API_KEY",),
            variables=(("AREA", "east"), ("PLACE", "eu")),
        ),
    )
    assert [check.name for check in staging.checks] == ["health", "me", "data"]
    assert staging.checks[1] == Check("me", AuthCheck("/me", bearer="{{STAGING_KEY}}"))
    assert (staging.settings.timeout, staging.settings.secrets) == (30.0, ("API_KEY", "STAGING_KEY"))


def test_what_is_kept_of_checks_comes_back_as_it_was(suite):
    found = suite(HEAD)
    assert from_json(Suite, to_json(found)) == found


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ("{kind: helth}", '"helth" is not a kind of check; known are health, http'),
        ("{kind: http, pfad: /x}", "validation.checks.bad.pfad: unknown key"),
        ("{kind: http, path: x}", 'the path "x" must begin with /'),
        ("{kind: auth, path: /me}", "needs one credential"),
        ("{kind: auth, path: /me, user: ann}", "half of the credential is missing"),
        ("{kind: flow, requests: [FETCH /x]}", '"FETCH /x" is not a request'),
        ("{kind: http, expect: {body: {status: ok}}}", '"status" is not a JSON path'),
        ("{kind: http, expect: {body: {$.a: {matches: '('}}}}", '"(" is not a regular expression'),
        ("{kind: http, expect: 2000}", "2000 is more than 599"),
        ("{kind: flow, requests: ['GET /{{USER}}']}", "{{USER}} stands for nothing"),
        ("{kind: http, headers: {A: '{{API_KAY}}'}}", "did you mean API_KEY?"),
        ("{kind: http, moments: [never]}", "one of the choices"),
        ("{kind: redis}", "is missing"),
        ("{kind: http, url: shop.example}", '"shop.example" is not a URL of HTTP'),
    ],
)
def test_a_mistake_is_told_with_its_place(complaint, check, words):
    told = complaint(check)
    assert words in told
    assert ":14:" in told, told


def test_the_schema_knows_each_kind_and_takes_what_loads(tmp_path):
    path = tmp_path / "fairway.yaml"
    path.write_text(HEAD)
    schema = validator_for(json_schema())
    assert isinstance(schema, Draft202012Validator)
    data = parse(str(path), read(path)).plain()
    assert schema.is_valid(data), [str(one) for one in schema.iter_errors(data)]
    data["validation"]["checks"]["health"] = {"kind": "health", "nonsense": 1}
    assert not schema.is_valid(data)


def test_the_schema_takes_a_library_that_is_only_released_and_no_half_of_a_service(tmp_path):
    schema = validator_for(json_schema())
    for text, is_file in {
        "release: {test: {unit: {run: [pytest]}}}": True,
        "versioning: {scheme: pep440}": True,
        "branches: gitflow": True,
        "bench: {}": False,
        "release: {test: {unit: {run: [pytest]}}}\nrun: {command: serve}": False,
        "versioning: {scheme: pep440}\nenvironments: {staging: {target: local}}": False,
        "release: {test: {unit: {run: [pytest]}}}\nnonsense: 1": False,
    }.items():
        path = tmp_path / "fairway.yaml"
        path.write_text(f"service: lib\n{text}\n")
        assert schema.is_valid(parse(str(path), read(path)).plain()) is is_file, text
        if is_file:
            assert load(path).service == "lib"
        else:
            with pytest.raises(ConfigError):
                load(path)


@pytest.mark.parametrize("kind", CHECK_KINDS)
def test_each_key_of_each_kind_is_described_with_an_example(kind):
    for name, field in CHECK_KINDS[kind].model_fields.items():
        assert field.description, name
        assert field.examples or name == "setup", name
