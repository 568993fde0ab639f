"""Whatever is typed in place of the name of a release, branch, key or image: one short answer, and nothing begins."""

import json
import sys
from pathlib import Path

import pytest
from services import configure, environment, release
from test_hostile_names import HOSTILE
from workshop import Workshop

from fairway.cli import run

COMMANDS = {
    "changelog of": ("changelog", "NAME"),
    "changelog as": ("changelog", "--release-as", "NAME"),
    "next of": ("next", "--package", "NAME"),
    "next from": ("next", "--initial", "NAME"),
    "compare": ("versions", "compare", "NAME", "1.0.0"),
    "release": ("release", "NAME", "--dry-run"),
    "release commit": ("release", "1.1.0", "--commit", "NAME", "--dry-run"),
    "release pre": ("release", "--pre", "NAME", "--dry-run"),
    "release to": ("release", "1.1.0", "--to", "NAME", "--dry-run"),
    "release resume": ("release", "resume", "NAME"),
    "release abandon": ("release", "abandon", "NAME", "--reason", "r"),
    "release status": ("release", "status", "NAME"),
    "release logs": ("release", "logs", "NAME", "test"),
    "hotfix": ("hotfix", "start", "NAME", "--dry-run"),
    "hotfix from": ("hotfix", "start", "1.0.1", "--from", "NAME", "--dry-run"),
    "hotfix finish": ("hotfix", "finish", "NAME", "--dry-run"),
    "revert": ("revert", "NAME", "--dry-run"),
    "revert onto": ("revert", "HEAD", "--onto", "NAME", "--dry-run"),
    "revert branch": ("revert", "HEAD", "--branch", "NAME", "--dry-run"),
    "release branch": ("release-branch", "NAME", "--from", "1.0.0", "--dry-run"),
    "release branch from": ("release-branch", "release/1", "--from", "NAME", "--dry-run"),
    "train": ("train", "NAME"),
    "key": ("keys", "create", "NAME"),
    "verify": ("verify", "NAME"),
    "key vault": ("keys", "create", "release", "--vault", "NAME"),
    "key recipient": ("keys", "create", "release", "--recipient", "NAME"),
    "verify key": ("verify", "1.0.0", "--key", "NAME"),
    "verify source": ("verify", "1.0.0", "--source", "NAME"),
    "verify attestation": ("verify", "1.0.0", "--attestation", "NAME"),
    "bench": ("bench", "run", "NAME"),
    "bench env": ("bench", "run", "1.0.0", "--env", "NAME"),
    "bench stored": ("bench", "compare", "NAME", "NAME", "--stored"),
    "bench compare": ("bench", "compare", "NAME", "NAME"),
    "bench indicators": ("bench", "indicators", "--env", "NAME"),
    "bench report": ("bench", "report", "--output", "NAME"),
    "image": ("image", "show", "NAME"),
    "image tag": ("image", "show", "127.0.0.1:9/shop:NAME"),
    "image copy": ("image", "copy", "127.0.0.1:9/shop:1", "NAME"),
    "image copy for": ("image", "copy", "127.0.0.1:9/shop:1", "127.0.0.1:9/shop:2", "--env", "NAME"),
    "check only": ("validate", "http://127.0.0.1:9", "--only", "NAME"),
    "validate": ("validate", "NAME"),
    "validate env": ("validate", "--env", "NAME"),
    "channel": ("next", "--channel", "NAME"),
    "next as": ("next", "--release-as", "NAME"),
    "next pre": ("next", "--pre", "NAME"),
    "next build": ("next", "--build", "NAME"),
    "next branch": ("next", "--branch", "NAME"),
    "next revision": ("next", "--revision", "NAME"),
    "next tag": ("next", "--tag", "NAME"),
    "raise": ("versions", "bump", "NAME", "--bump", "minor"),
    "release branch without": ("release-branch", "release/1", "--from", "1.0.0", "--without", "NAME", "--dry-run"),
}
#: What is as good as not typed at all where it is empty.
OPTIONS = {"changelog as", "next from", "next of", "release pre", "release commit", "release to"}
OPTIONS |= {
    "revert onto",
    "revert branch",
    "release",
    "changelog of",
    "train",
    "hotfix",
    "hotfix from",
    "hotfix finish",
    "revert",
    "release branch",
}
#: Names that git takes, of branches that would be made.
BRANCHES = {"hotfix", "revert branch", "release branch"}
GOOD_BRANCHES = {"quotes", "unicode", "placeholder", "statement"}
#: What some of these are right to take: a version may be long, a revision is one that git knows, and a file or the name
#: of a branch may be anything; a branch that no rule names makes stable releases.
TAKEN = {
    "channel": {"ten kilobytes", "nothing"},
    "next as": {"nothing"},
    "next pre": {"ten kilobytes", "nothing"},
    "next build": {"ten kilobytes", "nothing"},
    "next branch": set(HOSTILE) - {"half a character"},
    "revert": {"revision"},
    "release branch from": {"revision"},
    "next revision": {"revision"},
    "next tag": {"nothing"},
    "release branch without": {"revision"},
    "bench report": set(HOSTILE) - {"ten kilobytes", "upwards", "nothing"},
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with one release."""
    made = Workshop(tmp_path_factory.mktemp("hostile") / "repository")
    release(made, "1.0.0", **{"fairway.yaml": configure(environment("production", 1, "{kind: rolling, bake: 0s}"))})
    made.git("commit", "--quiet", "--allow-empty", "--message", "feat: more")
    return made.folder


def refs(place: Path) -> set[str]:
    return {str(path.relative_to(place / ".git")) for path in (place / ".git/refs").rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_hostile_name_is_answered_shortly_and_nothing_begins(
    place: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("HOME", str(place))
    before = refs(place)
    for kind, name in HOSTILE.items():
        status = run([*(word.replace("NAME", name) for word in COMMANDS[command]), "--json"])
        said = capsys.readouterr()
        assert "Traceback" not in said.err, (kind, said.err)
        if status == 0:
            # Only said what it would do.
            taken = kind in GOOD_BRANCHES if command in BRANCHES and name else not name and command in OPTIONS
            taken = taken or kind in TAKEN.get(command, ())
            assert taken, (kind, said)
            continue
        assert status in (1, 2, 3), (kind, status, said)
        answer = json.loads(said.out)
        error = answer.get("error", answer)
        for text in (error.get("message", ""), error.get("hint", ""), error.get("reason", "")):
            assert len(text or "") < 600, (kind, text)
            assert (text or "").isprintable(), (kind, text)
    assert refs(place) == before
    assert not (place / ".fairway/supervisor").exists()


#: Where the configuration takes a name: the lines that hold it. `NAME` stands for what is hostile.
PLACES = {
    "a task": "release: {build: {NAME: {run: make}}}",
    "a test": "release: {build: {wheel: {run: make}}, test: {NAME: {run: make}}}",
    "what a task needs": "release: {build: {wheel: {run: make, needs: [NAME]}}}",
    "an image": "release: {images: {NAME: {}}}",
    "a platform": "release: {images: {shop: {platforms: [NAME]}}}",
    "a registry": "release: {publish: {NAME: {kind: command, files: a, publish: a, check: a}}}",
    "a kind": "release: {publish: {other: {kind: NAME, files: a}}}",
    "a place of images": "release: {images: {shop: {}}, publish: {other: {kind: oci, images: shop, repository: NAME}}}",
    "a key": "release: {key: NAME}",
    "a matrix": "release: {build: {wheel: {run: make, matrix: {NAME: [a]}}}}",
    "a secret of a task": "release: {build: {wheel: {run: make, secrets: [NAME]}}}",
    "a scanner": "release: {security: {scan: {scan: NAME}}}",
    "the day of a waiver": "release: {findings: {waivers: [{rule: a, until: NAME, reason: a}]}}",
    "a check": "validation: {checks: {NAME: {kind: http, path: /}}}",
    "a kind of check": "validation: {checks: {one: {kind: NAME}}}",
    "a secret": "environments: {production: {secrets: {NAME: {variable: A}}}}",
    "a train": "cadence: {trains: {NAME: {cron: '0 9 * * 1'}}}",
    "a time of a train": "cadence: {trains: {weekly: {cron: NAME}}}",
    "a time zone": "cadence: {time_zone: NAME, trains: {weekly: {cron: '0 9 * * 1'}}}",
    "a country": "cadence: {freezes: [{holidays: NAME}]}",
    "a token": "versioning: {channels: [{branch: main, pre: NAME}]}",
    "a package": "versioning: {packages: {NAME: {paths: [a]}}}",
    "a tag": "versioning: {tag: NAME}",
    "a first version": "versioning: {initial: NAME}",
    "a policy of branches": "branches: NAME",
    "an environment of a branch": "branches: {policy: own, rules: [{branch: main, environments: [NAME]}]}",
    "an environment of measurements": "bench: {environment: NAME}",
    "a header of measurements": "bench: {headers: {NAME: a}}",
    "a path of measurements": "bench: {paths: [NAME]}",
    "a metric": "environments: {production: {analysis: {metrics: {gauges: {NAME: {query: up}}}}}}",
    "a rule": "environments: {production: {analysis: {rules: {NAME: 'a > 1'}}}}",
    "a check that is demanded": "environments: {production: {gates: {passed: [NAME]}}}",
    "a key that must have signed": "environments: {production: {gates: {signed: {keys: [NAME]}}}}",
}
#: Free text, patterns and places of files: what is hostile as a name may be right here; it is never taken apart.
TEXTS = {
    "a value of a matrix": "release: {build: {wheel: {run: 'make {os}', matrix: {os: [NAME]}}}}",
    "outputs": "release: {build: {wheel: {run: make, outputs: NAME}}}",
    "inputs": "release: {build: {wheel: {run: make, inputs: NAME}}}",
    "files of a registry": "release: {publish: {other: {kind: command, files: NAME, publish: a, check: a}}}",
    "the rule of a waiver": "release: {findings: {waivers: [{rule: NAME, until: 2999-01-01, reason: a}]}}",
    "the path of a waiver": "release: {findings: {waivers: [{rule: a, path: NAME, until: 2999-01-01, reason: a}]}}",
    "a main branch": "branches: {policy: gitflow, main: NAME}",
    "a branch of a train": "cadence: {trains: {weekly: {cron: '0 9 * * 1', branch: NAME}}}",
    "a branch of a channel": "versioning: {channels: [NAME]}",
    "a remote": "release: {push: NAME}",
    "a file of an image": "release: {images: {shop: {file: NAME}}}",
    "a stage of an image": "release: {images: {shop: {target: NAME}}}",
    "an argument of an image": "release: {images: {shop: {arguments: {A: NAME}}}}",
    "a source of signed things": "environments: {production: {gates: {signed: {keys: [a], sources: [NAME]}}}}",
}
#: What is a name there, although it looks hostile: headers may hold most signs, and what has no limit may be long.
RIGHT = {
    "a header of measurements": {"revision", "range"},
    "a secret of a task": {"ten kilobytes"},
    "a token": {"ten kilobytes"},
}
_BASE = "service: corner\nrun: {command: 'serve {port}'}\n"
_PRODUCTION = "environments: {production: {router: {kind: envoy, listen: '127.0.0.1:9'}}}\n"


def written(text: str, name: str) -> str:
    """A configuration with a name in one place."""
    text = text.replace("NAME", json.dumps(name))
    if text.startswith("environments: {production: {"):
        return _BASE + text.replace("{production: {", "{production: {router: {kind: envoy, listen: '127.0.0.1:9'}, ", 1)
    return f"{_BASE}{_PRODUCTION}{text}\n"


@pytest.mark.parametrize("where", [*PLACES, *TEXTS])
def test_a_hostile_name_in_the_configuration_is_refused_at_its_line_or_taken_as_it_is(
    tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for kind, name in HOSTILE.items():
        if kind == "half a character":
            continue  # no text that YAML could hold
        (tmp_path / "fairway.yaml").write_text(written((PLACES | TEXTS)[where], name))
        status = run(["check", "--json"])
        said = json.loads(capsys.readouterr().out)
        if status == 0 and (where in TEXTS or kind in RIGHT.get(where, ())):
            continue
        assert status == 2, (kind, said)
        assert said["problems"], (kind, said)
        for problem in said["problems"]:
            assert problem["line"] > 0, (kind, problem)
            assert len(problem["message"]) < 400, (kind, problem)
            assert problem["message"].isprintable(), (kind, problem)


#: What may stand in a value of a matrix: each has to arrive in the command as one word, and in its variable as it is.
VALUES = ["a b", "a'b\"c", "$HOME", "`id`", "../..", "{version}", "--option", "ü☃", "long" * 250]


def test_hostile_values_of_a_matrix_arrive_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Workshop(tmp_path / "repository")
    tell = "import json,os,sys; print(json.dumps([sys.argv[1:], os.environ['MATRIX_WHAT']]))"
    command = f"{sys.executable} -c {json.dumps(tell)} {{what}}"
    task = {"run": command, "matrix": {"what": VALUES}, "cache": False}
    release_ = {"build": {"tell": task}, "artifact": False}
    made.release("0.1.0", {"fairway.yaml": f"service: lib\nrelease: {json.dumps(release_)}\n"})
    monkeypatch.chdir(made.folder)
    status = run(["release", "0.2.0", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert status == 0, said
    tasks = [one["task"] for one in said["tasks"] if one["task"].startswith("tell")]
    assert len(tasks) == len(VALUES)
    told = []
    for task_name in tasks:
        assert run(["release", "logs", said["release"], task_name]) == 0
        (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("[[")]
        told.append(json.loads(line))
    assert sorted(told) == sorted([[[one], one] for one in VALUES])
