"""Secrets that a commit added and a later one took away: found by the real scanner, in real histories."""

import re
import subprocess
import tracemalloc

import pytest
from scanner_place import install, make_place, scan

from fairway.adapters.sources.git_additions import GitAdditions
from fairway.domain.errors import PermanentError
from fairway.domain.pipeline.additions import Additions
from fairway.engine.pipeline import Done, Refused

# Put together here, so that nobody finds them in this file.
TOKEN = "AKIA" + "IOSFODNN7" + "EXAMPLF"
SECRET = "wJalrXUtnFEMI/" + "K7MDENG/bPxRfiCYzzz9Gk3q1L"
SETTINGS = f'KEY = "{TOKEN}"\naws_secret_access_key = "{SECRET}"\n'


@pytest.fixture
def place(tmp_path, monkeypatch):
    made = make_place(tmp_path, monkeypatch)
    install(made, "kingfisher")
    return made


def looked(place, *, since="", **scanner):
    """What kingfisher says of the release of what is checked out."""
    return scan(place, {"scan": {"tool": "kingfisher", **scanner}}, previous=since)


def head(place):
    return place._git("rev-parse", "HEAD")


def take_away(place, path):
    place._git("rm", "--quiet", "-r", path)
    place._git("commit", "--quiet", "-m", "take it away")


def kept(place):
    """All that a scan left on the disk, but for the repository."""
    return "".join(path.read_text(errors="replace") for path in (place.folder / "state").rglob("*") if path.is_file())


def test_a_key_that_was_committed_and_deleted_is_found_with_its_commit_and_file_and_may_be_waived(place):
    place.commit({"src/a b.py": SETTINGS})
    wrong = head(place)
    take_away(place, "src/a b.py")
    outcome = looked(place)
    assert isinstance(outcome, Refused)
    assert outcome.rule == "findings"
    assert f"src/a b.py in commit {wrong[:12]}" in outcome.reason
    assert "out of commits that are not pushed yet" in outcome.hint
    told = outcome.reason + "\n".join(place.lines) + kept(place)
    assert not {TOKEN, SECRET} & {word for word in (TOKEN, SECRET) if word in told}
    rules = set(re.findall(r"^  (\S+) src", outcome.reason, re.MULTILINE))
    waivers = [{"rule": rule, "path": "src/**", "until": "2027-06-30", "reason": "revoked"} for rule in rules]
    outcome = looked(place, waivers=waivers)
    assert isinstance(outcome, Done), outcome
    assert f"in commit {wrong[:12]}" in outcome.data["waived"][0]["place"]


def test_an_earlier_release_is_not_looked_at_again_and_a_later_commit_is_with_the_same_files(place):
    place.commit({"src/settings.py": SETTINGS})
    take_away(place, "src/settings.py")
    since = head(place)
    assert isinstance(looked(place, since=since), Done)
    place.commit({"src/settings.py": SETTINGS})
    take_away(place, "src/settings.py")
    # The same files as before, whose report was kept, and another history.
    assert isinstance(looked(place, since=since), Refused)
    assert not list((place.folder / "state").rglob("history"))


def added(place, since="", keep=lambda _: True, folder=None):
    """What commits added to which files, by their subjects."""
    laid = place.folder / f"laid-{len(list(place.folder.glob('laid-*')))}"
    laid.mkdir()
    GitAdditions(folder or place.repository).lay(head(place), since, str(laid), keep=keep)
    return {str(path.relative_to(laid)): path.read_bytes() for path in laid.rglob("*") if path.is_file()}


def test_only_the_lines_that_a_commit_added_are_laid(place):
    place.commit({"src/app.py": "one\ntwo\nthree\n"})
    since = head(place)
    place.commit({"src/app.py": "one\n+++ b/two\n--- no\nthree"})
    assert added(place, since) == {f"{head(place)}/src/app.py": b"+++ b/two\n--- no\nthree\n"}
    assert added(place, head(place)) == {}


def test_what_lies_on_a_side_of_a_merge_of_which_nothing_is_left_is_laid(place):
    place._git("switch", "--quiet", "--create", "side")
    place.commit({"deploy/env": "key\n"})
    wrong = head(place)
    take_away(place, "deploy/env")
    place._git("switch", "--quiet", "main")
    place._git("merge", "--quiet", "--no-ff", "-m", "merge", "side")
    assert added(place)[f"{wrong}/deploy/env"] == b"key\n"
    # As for a service in a folder of its own.
    assert added(place, folder=place.repository / "src").keys() == {
        f"{place._git('rev-list', '--max-parents=0', 'HEAD')}/app.py"
    }


def test_what_only_a_merge_brought_is_laid_and_what_it_merged_is_not_laid_twice(place):
    place._git("switch", "--quiet", "--create", "side")
    place.commit({"src/app.py": "theirs\n", "other": "other\n"})
    place._git("switch", "--quiet", "main")
    place.commit({"src/app.py": "ours\n"})
    with pytest.raises(subprocess.CalledProcessError):
        place._git("merge", "--quiet", "side")
    place.commit({"src/app.py": "ours\ntyped by hand\n"})
    found = added(place)
    assert found[f"{head(place)}/src/app.py"] == b"typed by hand\n"
    assert f"{head(place)}/other" not in found


@pytest.mark.parametrize(
    "name", ["a b.py", 'quo"te.py', "umläut.py", "tab\there.py", "-dash.py", "back\\slash", "a\nb"]
)
def test_strange_names_are_what_they_are(place, name):
    place.commit({f"src/{name}": "key\n"})
    wrong = head(place)
    take_away(place, "src")
    assert added(place)[f"{wrong}/src/{name}"] == b"key\n"


def test_neither_attributes_nor_settings_hide_anything(place):
    place.commit({".gitattributes": "*.env binary\n*.lock -diff\n", "src/a.env": "key\n", "src/b.lock": "key\0\xff\n"})
    for name in ("diff.noprefix", "diff.mnemonicPrefix", "log.showSignature", "diff.relative"):
        place._git("config", name, "true")
    for name, value in (("diff.context", "9"), ("color.ui", "always"), ("diff.external", "false")):
        place._git("config", name, value)
    found = added(place)
    assert found[f"{head(place)}/src/a.env"] == b"key\n"
    assert found[f"{head(place)}/src/b.lock"] == "key\0\xff\n".encode()


def test_a_line_of_many_megabytes_is_laid_whole_in_little_memory(place):
    text = "x" * 32_000_000
    place.commit({"bundle.js": f"{text}\nlast\n"})
    tracemalloc.start()
    found = place.folder / "laid"
    found.mkdir()
    GitAdditions(place.repository).lay(head(place), "", str(found), keep=lambda path: path == "bundle.js")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found / head(place) / "bundle.js").read_text() == f"{text}\nlast\n"
    assert most < 12_000_000


def test_paths_that_do_not_count_are_left_out(place):
    place.commit({"old/settings.py": "key\n", "src/settings.py": "key\n"})
    wanted = Additions(paths=("./old/",))
    assert added(place, keep=wanted.has).keys() == {f"{head(place)}/old/settings.py"}


def test_a_history_that_is_not_whole_and_a_release_that_is_not_known_are_no_empty_histories(place, tmp_path):
    place.commit({"src/settings.py": "key\n"})
    shallow = tmp_path / "shallow"
    place._git("clone", "--quiet", "--depth", "1", f"file://{place.repository}", str(shallow))
    with pytest.raises(PermanentError) as error:
        added(place, folder=shallow)
    assert error.value.code == "shallow-repository"
    with pytest.raises(PermanentError) as error:
        added(place, "0" * 40)
    assert error.value.code == "git-refused"
