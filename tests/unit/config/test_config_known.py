"""The catalog's word on adapters: kinds and the models of their settings."""

import pytest
from pydantic import BaseModel, ConfigDict

from fairway.config import ConfigError, Known, json_schema, load


class EnvoySettings(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    listen: str
    preview: str | None = None
    timeout_ms: int = 15


class WebhookSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    kind: str
    url: str
    events: list[str] = []


KNOWN = Known(
    targets={"local": None}, routers={"envoy": EnvoySettings, "none": None}, notifiers={"webhook": WebhookSettings}
)


@pytest.fixture
def loaded(tmp_path):
    def of(router: str, notify: str = "[]"):
        file = tmp_path / "fairway.yaml"
        file.write_text(
            f"service: shop\nrun: {{command: x}}\nenvironments: {{a: {{router: {router}}}}}\nnotify: {notify}\n"
        )
        return load(file, KNOWN)

    return of


def problems(call, *arguments) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        call(*arguments)
    return [str(problem).partition("fairway.yaml:")[2] for problem in caught.value.problems]


def test_settings_are_passed_on_as_written(loaded):
    spec = loaded(
        "{kind: envoy, listen: '127.0.0.1:1', timeout_ms: 3}", "[{kind: webhook, url: http://x, events: [a]}]"
    )
    assert spec.environments[0].router.settings == (("listen", "127.0.0.1:1"), ("timeout_ms", 3))
    assert spec.notify[0].get("events") == ["a"]


def test_a_setting_that_the_model_refuses_is_reported_at_its_place(loaded):
    assert problems(loaded, "{kind: envoy, listen: '127.0.0.1:1', timeout_ms: soon, pre: 1}") == [
        '3:77: environments.a.router.timeout_ms: "soon" stands where a whole number is wanted; write a number',
        "3:83: environments.a.router.pre: unknown key; known keys are listen, preview, timeout_ms"
        "; did you mean preview?",
    ]


def test_what_a_rule_and_a_model_both_see_is_told_once(loaded):
    (problem,) = problems(loaded, "{kind: envoy, listen: 5}")
    assert "5 is not an address to listen on" in problem


def test_a_bare_word_gets_its_missing_settings_reported(loaded):
    assert problems(loaded, "envoy") == ["3:20: environments.a.router.listen: is missing; it is required"]


def test_a_model_with_a_kind_of_its_own_gets_it(loaded):
    assert problems(loaded, "none", "[{kind: webhook}]") == ["4:10: notify[0].url: is missing; it is required"]


def test_an_unknown_kind_is_answered_with_the_known_ones(loaded):
    (problem,) = problems(loaded, "{kind: nginx}")
    assert problem.endswith('environments.a.router.kind: "nginx" is not a router; known are envoy, none')


def test_without_a_catalog_any_kind_goes(tmp_path):
    file = tmp_path / "fairway.yaml"
    file.write_text(
        "service: s\nrun: {command: x}\nenvironments: {a: {target: mars, router: nginx}}\nnotify: [pigeon]\n"
    )
    assert load(file).environments[0].target.kind == "mars"


def test_the_schema_names_the_kinds_and_their_settings():
    router = json_schema(KNOWN)["$defs"]["EnvironmentSection"]["properties"]["router"]["anyOf"]
    assert router[0] == {"enum": ["envoy", "none"]}
    assert router[1]["properties"]["kind"] == {"const": "envoy"}
    assert router[1]["required"] == ["kind", "listen"]
