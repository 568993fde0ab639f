"""Whatever is typed in place of a name is answered with one short sentence, and nothing begins."""

import json
from pathlib import Path

import pytest
from services import configure, environment, release
from workshop import Workshop

from fairway.cli import run

LONG = "x" * 10_240
HOSTILE = {
    "blank": "a b",
    "quotes": "a'b\"c",
    "upwards": "../../etc/passwd",
    "line break": "a\nb",
    "escape": "\x1b[31mred",
    "unicode": "ü☃\u202e",
    "half a character": "\udcff",
    "ten kilobytes": LONG,
    "nothing": "",
    "option": "v1.0.0 --upload-pack=x",
    "statement": "'; DROP TABLE fairway_runs; --",
    "revision": "HEAD~1",
    "range": "a..b",
    "placeholder": "{port}%s$HOME",
}
COMMANDS = {
    "deploy": ("deploy", "NAME", "--env", "production"),
    "plan": ("plan", "NAME", "--env", "production"),
    "deploy to": ("deploy", "1.0.0", "--env", "NAME"),
    "status of": ("status", "--env", "NAME"),
    "history of": ("history", "--env", "NAME"),
    "logs of": ("logs", "--env", "NAME"),
    "up": ("up", "--env", "NAME"),
    "down": ("down", "--env", "NAME"),
    "watch": ("watch", "NAME"),
    "abort": ("abort", "NAME"),
    "rollback in": ("rollback", "--env", "NAME", "--reason", "r", "--confirm", "CONFIRM"),
    "rollback to": ("rollback", "--env", "production", "--to", "NAME", "--reason", "r", "--confirm", "CONFIRM"),
    "confirm": ("rollback", "--env", "production", "--reason", "r", "--confirm", "NAME"),
    "strategy": ("deploy", "1.0.0", "--env", "production", "--strategy", "NAME"),
    "timeout": ("deploy", "1.0.0", "--env", "production", "--timeout", "NAME"),
    "limit": ("history", "--env", "production", "--limit", "NAME"),
    "command": ("NAME",),
    "config": ("check", "--config", "NAME"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a release that was never deployed."""
    made = Workshop(tmp_path_factory.mktemp("hostile") / "repository")
    release(made, "1.0.0", **{"fairway.yaml": configure(environment("production", 1, "{kind: rolling, bake: 0s}"))})
    return made.folder


@pytest.mark.parametrize("command", COMMANDS)
def test_a_hostile_name_is_refused_in_one_sentence_and_nothing_begins(
    place: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    for kind, name in HOSTILE.items():
        arguments = [name if word == "NAME" else word for word in COMMANDS[command]]
        if command in ("command", "config") and not name:
            continue
        status = run([*arguments, "--json"])
        said = capsys.readouterr()
        assert status == 2, (kind, said)
        error = json.loads(said.out)["error"]
        for text in (error["message"], error["hint"]):
            assert len(text) < 400, kind
            assert all(each.isprintable() for each in text), (kind, text)
        assert said.err.startswith("fairway: "), kind
        assert "Traceback" not in said.err, kind
    assert not (place / ".fairway/supervisor").exists()
    assert run(["history", "--env", "production"]) == 0
    assert capsys.readouterr().out == "no run yet\n"


@pytest.mark.parametrize("name", ["blank", "upwards", "line break", "escape", "unicode", "ten kilobytes", "nothing"])
def test_a_hostile_name_in_the_configuration_is_refused_at_its_place(
    place: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    before = (place / "fairway.yaml").read_text()
    written = json.dumps(HOSTILE[name])
    changes = {
        "service": before.replace("service: corner", f"service: {written}"),
        "environments": before.replace("  production:", f"  {written}:"),
        "run.variables": before.replace("  drain:", f"  variables: {{{written}: 1}}\n  drain:"),
    }
    try:
        for key, text in changes.items():
            assert text != before
            (place / "fairway.yaml").write_text(text)
            assert run(["check", "--json"]) == 2, key
            problems = json.loads(capsys.readouterr().out)["problems"]
            assert problems[0]["line"] > 0, key
            assert all(len(each["message"]) < 400 and each["message"].isprintable() for each in problems), key
    finally:
        (place / "fairway.yaml").write_text(before)


def test_a_reason_is_one_line_of_plain_text(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    for reason in ("\x1b[31mred", "\u202edesrever", LONG):
        for command in (("deploy", "1.0.0", "--env", "production"), ("abort", "r-222222"), ("pause", "r-222222")):
            assert run([*command, "--reason", reason, "--json"]) == 2
            assert json.loads(capsys.readouterr().out)["error"]["code"] == "reason"
