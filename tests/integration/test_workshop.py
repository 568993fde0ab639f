"""Jobs of a release on this machine: real checkouts, real commands, real processes."""

import subprocess
import threading
import time
from pathlib import Path

import pytest

from fairway.adapters.artifacts.local.checkouts import LocalCheckouts
from fairway.adapters.builders import LocalWorkshop
from fairway.adapters.sources.git import GitSource
from fairway.adapters.sources.git_additions import GitAdditions
from fairway.adapters.sources.git_tree import GitTree
from fairway.domain.errors import UserError
from fairway.domain.pipeline.actions import RunSteps
from fairway.ports.artifacts import Commit
from fairway.ports.pipeline import Broken, Job, Made


class Place:
    """A repository and a workshop for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = folder / "repository"
        self.repository.mkdir()
        self.lines: list[str] = []
        self.environment: dict[str, str] = {}
        self._git("init", "-q", "-b", "main")
        self.commit({"src/app.py": "print(1)\n", "notes.md": "words\n"})
        self.workshop = LocalWorkshop(
            folder / "state",
            tree=GitTree(self.repository),
            checkouts=LocalCheckouts(GitSource(self.repository)),
            added=GitAdditions(self.repository),
            environment=self.environment,
        )

    def _git(self, *words: str) -> str:
        identity = ("-c", "user.name=test", "-c", "user.email=test@localhost")
        done = subprocess.run(
            ["git", *identity, *words], cwd=self.repository, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.repository / name).parent.mkdir(exist_ok=True)
            (self.repository / name).write_text(text)
        self._git("add", ".")
        self._git("commit", "-q", "-m", "change")

    def job(self, *steps: str, key: str = "rel-1/task", version: str = "1.0.0", laid=(), **more) -> Job:
        commit = Commit(self._git("rev-parse", "HEAD"), version, f"v{version}", "", 0.0)
        return Job(key, commit, RunSteps(steps, **more), laid=tuple(laid))

    def work(self, *steps: str, **more):
        return self.workshop.work(self.job(*steps, **more), log=self.lines.append)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def text_of(place, product):
    return Path(place.workshop.locate(product)).read_text()


def test_outputs_are_kept_by_the_digest_of_their_bytes_and_cannot_be_written_to(place):
    made = place.work("sh -c 'mkdir out; echo one > out/a; cp out/a out/b; chmod +x out/b'", outputs=("out/*",))
    assert isinstance(made, Made)
    first, second = made.products
    assert (first.path, second.path, first.digest == second.digest) == ("out/a", "out/b", True)
    assert (first.executable, second.executable) == (False, True)
    assert text_of(place, first) == "one\n"
    assert Path(place.workshop.locate(first)).stat().st_mode & 0o222 == 0


def test_an_execution_with_the_same_key_is_not_repeated(place):
    step = "sh -c 'date +%N > out'"
    first = place.work(step, outputs=("out",))
    second = place.work(step, outputs=("out",), key="rel-2/task")
    assert (first.cached, second.cached) == (False, True)
    assert second.products == first.products


@pytest.mark.parametrize(
    "change",
    [
        {"variables": (("A", "1"),)},
        {"version": "1.0.1"},
        {"outputs": ("ou*",)},
        {"cached": False},
    ],
    ids=["variables", "version", "outputs", "cache: false"],
)
def test_whatever_may_change_the_outcome_makes_it_run_again(place, change):
    step = "sh -c 'date +%N > out'"
    place.work(step, outputs=("out",))
    assert place.work(step, **{"outputs": ("out",), **change}).cached is False


def test_with_declared_inputs_only_they_decide_and_only_they_are_there(place):
    step = "sh -c 'find . -type f | sort > out'"
    more = {"inputs": ("src/**",), "outputs": ("out",), "versioned": False}
    made = place.work(step, **more)
    assert text_of(place, made.products[0]) == "./out\n./src/app.py\n"
    place.commit({"notes.md": "other words\n"})
    assert place.work(step, **more, version="1.1.0").cached is True
    place.commit({"src/app.py": "print(2)\n"})
    assert place.work(step, **more).cached is False


def test_what_sees_no_version_has_none_in_its_environment(place):
    made = place.work("sh -c 'env > out'", outputs=("out",), versioned=False)
    assert "FAIRWAY_VERSION" not in text_of(place, made.products[0])
    made = place.work("sh -c 'env > out'", outputs=("out",))
    assert "FAIRWAY_VERSION=1.0.0" in text_of(place, made.products[0])


def test_a_cached_output_that_is_gone_or_damaged_is_made_again(place):
    made = place.work("sh -c 'echo one > out'", outputs=("out",))
    kept = Path(place.workshop.locate(made.products[0]))
    kept.chmod(0o644)
    kept.write_text("two\n")
    assert place.workshop.holds(made.products[0]) is False
    kept.unlink()
    again = place.work("sh -c 'echo one > out'", outputs=("out",))
    assert (again.cached, place.workshop.holds(again.products[0])) == (False, True)


def test_products_of_other_tasks_lie_where_they_were_made(place):
    made = place.work("sh -c 'mkdir -p dist; echo one > dist/app; chmod +x dist/app'", outputs=("dist/app",))
    used = place.work(
        "sh -c 'test -x dist/app && cp dist/app out'", key="rel-1/test", laid=made.products, outputs=("out",)
    )
    assert text_of(place, used.products[0]) == "one\n"


def test_a_step_that_fails_says_how_and_the_rest_is_not_begun(place):
    broken = place.work("sh -c 'echo first; echo why >&2; exit 3'", "touch never")
    assert isinstance(broken, Broken)
    assert broken.reason.startswith("step 1 of 2 ")
    assert "ended with exit status 3" in broken.reason
    assert "why" in broken.reason
    assert not (place.folder / "state/rel-1/task/checkout/never").exists()
    assert "why" in place.workshop.log_of("rel-1/task").read_text()


def test_a_failure_is_never_taken_from_the_cache(place):
    assert isinstance(place.work("false"), Broken)
    assert isinstance(place.work("false"), Broken)


def test_an_output_that_was_not_made_is_a_failure_and_names_its_pattern(place):
    broken = place.work("true", outputs=("dist/*.whl",))
    assert broken.reason == "no file matches the output 'dist/*.whl'"


def test_steps_that_take_too_long_are_ended_with_all_that_they_started(place):
    began = time.monotonic()
    broken = place.work("sh -c 'sleep 60 & echo $! > pid; wait'", timeout=0.3)
    assert isinstance(broken, Broken)
    assert "still running after 0.3 s" in broken.reason
    assert time.monotonic() - began < 20
    pid = int((place.folder / "state/rel-1/task/checkout/pid").read_text())
    assert not Path(f"/proc/{pid}/cmdline").exists() or b"sleep" not in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_a_secret_reaches_the_command_and_is_found_nowhere_else(place):
    place.environment["TOKEN"] = "planted-one\nplanted-two"
    made = place.work(
        "sh -c 'echo ${#TOKEN} > out; echo token: $TOKEN; printf planted-; sleep 0.1; echo one; exit 0'",
        outputs=("out",),
        secrets=("TOKEN",),
    )
    assert text_of(place, made.products[0]) == "23\n"
    assert any("token: *** ***" in line for line in place.lines)
    state = place.folder / "state"
    everywhere = (
        b"".join(path.read_bytes() for path in state.rglob("*") if path.is_file()) + "".join(place.lines).encode()
    )
    assert b"planted" not in everywhere.replace(b"printf planted-", b"")


def test_a_secret_in_the_words_of_a_failure_is_hidden_too(place):
    place.environment["TOKEN"] = "planted-one"
    broken = place.work("sh -c 'echo $TOKEN; exit 1'", secrets=("TOKEN",))
    assert "planted-one" not in broken.reason
    assert "***" in broken.reason


def test_a_variable_that_is_passed_on_and_not_set_is_named_before_anything_runs(place):
    with pytest.raises(UserError, match="needs TOKEN, which is not set"):
        place.work("touch ran", secrets=("TOKEN",))
    assert not (place.folder / "state/rel-1").exists()


def test_what_an_interrupted_execution_left_is_ended_and_removed_before_the_next_one(place):
    results = []
    job = place.job("sh -c 'touch half; sleep 60'", "touch never")
    thread = threading.Thread(target=lambda: results.append(place.workshop.work(job, log=place.lines.append)))
    thread.start()
    half = place.folder / "state/rel-1/task/checkout/half"
    deadline = time.monotonic() + 20
    while not half.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    place.workshop.interrupt()
    thread.join(20)
    assert isinstance(results[0], Broken)
    assert not half.exists()
    assert isinstance(place.work("sh -c 'test ! -e half'"), Made)


def test_a_step_that_fails_after_its_checkout_was_removed_is_broken_like_any_other(place):
    broken = place.work("sh -c 'rm -rf \"$PWD\"; exit 3'")
    assert isinstance(broken, Broken)
    assert "ended with exit status 3" in broken.reason
