"""semgrep by its name, with rules of the repository and without anybody to ask."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

from scanner_place import make_place, not_run, scan

from fairway.engine.pipeline import Done, Refused
from python_programs import find_program

RULES = """\
rules:
  - {id: no-shell, languages: [python], severity: ERROR, message: a shell, pattern: "subprocess.run(..., shell=True)"}
  - {id: no-assert, languages: [python], severity: INFO, message: an assertion, pattern: "assert $X"}
"""
BAD = "import subprocess\n\n\ndef run(line):\n    subprocess.run(line, shell=True)\n    assert line\n"
SEMGREP = {"tool": "semgrep", "arguments": ["--config", "rules/own.yaml"], "paths": ["src"]}


@pytest.fixture
def place(tmp_path, monkeypatch):
    made = make_place(tmp_path, monkeypatch)
    program = find_program("semgrep", "semgrep==1.182.0")
    for name in ("semgrep", "pysemgrep"):
        (tmp_path / "bin" / name).symlink_to(program.with_name(name))
    # Nobody answers there: what would be sent to somebody fails.
    for name in ("HTTPS_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    made.commit({"rules/own.yaml": RULES})
    return made


def test_semgrep_finds_weighs_names_and_passes(place):
    assert isinstance(scan(place, {"scan": SEMGREP}), Done)
    place.commit({"src/app.py": BAD})
    outcome = scan(place, {"scan": SEMGREP})
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith(
        "1 findings, 1 below the level that blocks\n  rules.no-shell src/app.py:5: a shell"
    )
    place.commit({"src/app.py": BAD.replace("shell=True)", "shell=True)  # nosemgrep")})
    outcome = scan(place, {"scan": SEMGREP})
    assert isinstance(outcome, Done)
    assert outcome.data["left"] == {"error": 0, "warning": 0, "note": 1}


@pytest.mark.parametrize(
    ("files", "scanner", "said"),
    [
        ({}, "semgrep", "metrics"),
        ({}, {**SEMGREP, "arguments": ["--config", "rules/none.yaml"]}, "none.yaml"),
        ({"rules/own.yaml": "rules: [{id: x}]\n"}, SEMGREP, "could not be run"),
        ({"src/broken.py": "def (:\n"}, SEMGREP, "src/broken.py"),
    ],
    ids=["no rules", "rules that are not there", "rules that are none", "a file that cannot be parsed"],
)
def test_semgrep_that_did_not_look_at_everything_has_not_passed(place, files, scanner, said):
    place.commit(files or {"src/more.py": "x = 1\n"})
    assert said in not_run(place, {"scan": scanner})
