"""Scanners by their names: the real ones, in clean checkouts, with the commands that a configuration would run."""

import pytest
from scanner_place import advisories, install, make_place, not_run, scan

from fairway.engine.pipeline import Done, Refused

BAD = "import subprocess\n\n\ndef run(line):\n    subprocess.run(line, shell=True)\n"
# Put together here, so that nobody finds it in this file.
TOKEN = "AKIA" + "IOSFODNN7" + "EXAMPLF"
SECRET = "wJalrXUtnFEMI/" + "K7MDENG/bPxRfiCYzzz9Gk3q1L"


@pytest.fixture
def place(tmp_path, monkeypatch):
    return make_place(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("tool", "got"),
    [
        # Not by pip, whose virtual environment steps do not see.
        ("bandit", "pipx install bandit, or uv tool install bandit"),
        ("kingfisher", "pipx install kingfisher-bin, or uv tool install kingfisher-bin"),
        ("uv audit", "pipx install uv, or see https://docs.astral.sh/uv"),
        ("npm audit", "it comes with Node.js"),
        ("trivy", "see https://trivy.dev"),
    ],
)
def test_a_scanner_that_is_not_there_could_not_be_run_and_says_how_to_get_it(place, tool, got):
    said = not_run(place, {"scan": tool})
    assert "the scan scan could not be run" in said
    assert said.endswith(f"it never counts as passed; if it is not there: {got}")


def test_bandit_finds_weighs_and_names(place):
    install(place, "bandit")
    place.commit({"src/app.py": BAD})
    outcome = scan(place, {"scan": "bandit"})
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith("1 findings, 1 below the level that blocks\n  B602 src/app.py:5: subprocess call")


def test_bandit_that_cannot_parse_a_file_has_not_passed_though_it_found_nothing(place):
    install(place, "bandit")
    place.commit({"src/broken.py": "x = (\n"})
    assert "could not look at src/broken.py (syntax error" in not_run(place, {"scan": "bandit"})


def test_bandit_that_has_nothing_to_look_at_has_not_passed(place):
    install(place, "bandit")
    place.commit({"docs/notes.md": "words\n"})
    assert "there was no Python to look at" in not_run(place, {"scan": {"tool": "bandit", "paths": ["docs"]}})


@pytest.mark.parametrize("tool", ["bandit", "ruff", "kingfisher"])
def test_a_path_that_is_not_there_is_not_a_clean_one(place, tool):
    install(place, tool)
    assert "(test -e srk)" in not_run(place, {"scan": {"tool": tool, "paths": ["srk"]}})


def test_ruff_is_weighed_as_bandit_weighs_the_same_rules(place):
    install(place, "ruff")
    place.commit({"src/app.py": BAD + "\n\nassert run\n"})
    outcome = scan(place, {"scan": {"tool": "ruff", "block": "error"}})
    assert outcome.reason.startswith("1 findings, 1 below the level that blocks\n  S602 src/app.py:5: ")
    place.commit({"src/app.py": "assert True\n"})
    outcome = scan(place, {"scan": "ruff"})
    assert isinstance(outcome, Done)
    assert outcome.data["left"] == {"error": 0, "warning": 0, "note": 1}


def test_ruff_that_cannot_parse_or_has_no_file_has_not_passed(place):
    install(place, "ruff")
    place.commit({"docs/notes.md": "words\n"})
    assert "could not be run" in not_run(place, {"scan": {"tool": "ruff", "paths": ["docs"]}})
    place.commit({"src/broken.py": "x = (\n"})
    assert "src/broken.py cannot be parsed" in not_run(place, {"scan": "ruff"})


def test_kingfisher_finds_a_token_in_the_tree_and_repeats_it_nowhere(place):
    install(place, "kingfisher")
    place.commit({"src/settings.py": f'KEY = "{TOKEN}"\naws_secret_access_key = "{SECRET}"\n'})
    outcome = scan(place, {"scan": "kingfisher"})
    assert isinstance(outcome, Refused)
    assert "src/settings.py" in outcome.reason
    kept = "".join(path.read_text(errors="replace") for path in (place.folder / "state").rglob("*.sarif"))
    assert TOKEN not in outcome.reason + "\n".join(place.lines) + kept


def test_a_waiver_of_all_scans_covers_a_vulnerability_by_any_of_its_names(place):
    install(place, "pip-audit")
    place.commit({"requirements.txt": "idna==3.4\n"})
    with advisories() as url:
        scanner = {"tool": "pip-audit", "arguments": ["--vulnerability-service", "osv", "--osv-url", f"{url}/v1/query"]}
        waiver = {"rule": "CVE-2024-3651", "until": "2027-06-30", "reason": "no foreign names here"}
        outcome = scan(place, {"scan": scanner}, findings={"waivers": [waiver]})
        assert isinstance(outcome, Done)
        assert outcome.detail == "no findings, 1 waived"
