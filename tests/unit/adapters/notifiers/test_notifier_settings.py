import json

import pytest

from fairway.adapters.notifiers import CommandSettings, WebhookSettings
from fairway.config import ConfigError, Known, json_schema, load

KNOWN = Known(notifiers={"webhook": WebhookSettings, "command": CommandSettings})
FILE = """\
service: shop
run: {command: "serve --port {port}"}
environments:
  production:
    router: {kind: envoy, listen: "127.0.0.1:8000"}
notify:
  - """


@pytest.fixture
def loaded(tmp_path):
    def load_with(notifier):
        (tmp_path / "fairway.yaml").write_text(FILE + notifier + "\n")
        return load(tmp_path / "fairway.yaml", KNOWN)

    return load_with


@pytest.fixture
def problems(loaded):
    def problems_of(notifier):
        with pytest.raises(ConfigError) as caught:
            loaded(notifier)
        return [(problem.key_path, problem.message, problem.hint) for problem in caught.value.problems]

    return problems_of


@pytest.mark.parametrize(
    "notifier",
    [
        "{kind: webhook, url: 'https://chat.example/hook'}",
        "{kind: webhook, url: 'http://[::1]:8080/hook?x=1', events: [rolled-back, attention-needed], timeout: 500ms}",
        "{kind: webhook, url_variable: HOOK_URL, headers: {X-Team: shop}, secret_variable: HOOK_SECRET, timeout: 20s}",
        "{kind: webhook, url: 'https://x.example', authorization_variable: HOOK_AUTH, events: [started, completed]}",
        "{kind: command, run: './tell.sh \"the team\"', events: [waiting-approval], timeout: 1.5s}",
    ],
)
def test_what_is_right_is_accepted(loaded, notifier):
    assert len(loaded(notifier).notify) == 1


def test_the_reader_of_the_settings_gets_values_of_python():
    settings = WebhookSettings.model_validate({"url": "https://x.example", "events": ["started"], "timeout": "500ms"})
    assert settings.model_dump(exclude_unset=True) == {
        "url": "https://x.example",
        "events": ("started",),
        "timeout": 0.5,
    }


@pytest.mark.parametrize(
    ("notifier", "key", "words"),
    [
        ("webhook", "", "url"),
        ("{kind: webhook}", "", "a webhook needs one of url and url_variable"),
        ("{kind: webhook, url: 'http://x', url_variable: X}", "", "a webhook needs one of url and url_variable"),
        ("{kind: webhook, url: chat.example}", "url", "this is not the URL of a receiver"),
        ("{kind: webhook, url: 'ftp://chat.example/'}", "url", "this is not the URL of a receiver"),
        ("{kind: webhook, url: 'http://x:99999/'}", "url", "this is not the URL of a receiver"),
        ("{kind: webhook, url: 'http://x/a b'}", "url", "this is not the URL of a receiver"),
        ("{kind: webhook, url: 'http://ana:hush@x/'}", "url", "the URL holds a name or a password"),
        ("{kind: webhook, url: 'http://x', secret: hush}", "secret", "unknown key"),
        ("{kind: webhook, url: 'http://x', secret_variable: whsec_/+=}", "secret_variable", "not the name"),
        ("{kind: webhook, url: 'http://x', timeout: 10}", "timeout", "10 is not a time limit"),
        ("{kind: webhook, url: 'http://x', timeout: 0s}", "timeout", "a time limit of 0 s is not possible"),
        ("{kind: webhook, url: 'http://x', timeout: 1m}", "timeout", "a time limit of 60 s is not possible"),
        ("{kind: webhook, url: 'http://x', events: []}", "events", "empty"),
        ("{kind: webhook, url: 'http://x', events: [rolledback]}", "events[0]", "did you mean rolled-back?"),
        ("{kind: webhook, url: 'http://x', headers: {'X Y': a}}", "headers", "'X Y' is not the name of a header"),
        ("{kind: webhook, url: 'http://x', headers: {Authorization: a}}", "headers", "is secret"),
        ("{kind: webhook, url: 'http://x', headers: {Webhook-Id: a}}", "headers", "is set by Fairway"),
        ("{kind: webhook, url: 'http://x', headers: {X: \"a\\r\\nB: c\"}}", "headers", "possible value"),
        ("{kind: command}", "run", "is missing"),
        ('{kind: command, run: "say \'it"}', "run", "are not balanced"),
        ("{kind: command, run: ' '}", "run", "the command is empty"),
        ("{kind: command, run: 5}", "run", "5 is not text"),
        ("{kind: pigeon, run: x}", "kind", "not a notifier"),
    ],
)
def test_what_is_wrong_is_reported_at_its_key(problems, notifier, key, words):
    ((path, message, hint),) = problems(notifier)
    assert words in f"{message} {hint}"
    assert "hush" not in f"{message} {hint}"
    assert path.startswith("notify[0]")
    assert key in path


def test_every_key_is_described_for_editors():
    for model in (WebhookSettings, CommandSettings):
        for name, key in model.model_json_schema()["properties"].items():
            assert key["description"].endswith("."), name
    assert "attention-needed" in json.dumps(json_schema(KNOWN))
