import os
import tempfile
from pathlib import Path

import pytest

from fairway.config import ConfigError, load
from fairway.domain.errors import UserError

GOOD = "service: shop\nrun: {command: ./serve}\nenvironments: {a: {router: {kind: envoy, listen: '127.0.0.1:8000'}}}\n"


def refusal(path: Path) -> UserError:
    with pytest.raises(UserError) as caught:
        load(path)
    return caught.value


def test_a_missing_file_says_how_to_make_one(tmp_path):
    error = refusal(tmp_path / "fairway.yaml")
    assert error.code == "config-missing"
    assert str(tmp_path / "fairway.yaml") in error.message
    assert "fairway init" in error.hint


def test_a_missing_file_is_named_without_detours(tmp_path):
    error = refusal(tmp_path / "inner/../nope.yaml")
    assert error.message == f'there is no configuration file "{tmp_path}/nope.yaml"'


def test_a_folder_is_named_as_such(tmp_path):
    assert "is a folder" in refusal(tmp_path).message


def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path):
    os.mkfifo(tmp_path / "fairway.yaml")
    assert "not a regular file" in refusal(tmp_path / "fairway.yaml").message


def test_a_link_that_goes_round_in_a_circle_is_refused_with_the_reason(tmp_path):
    (tmp_path / "fairway.yaml").symlink_to("fairway.yaml")
    error = refusal(tmp_path / "fairway.yaml")
    assert error.code == "config-unreadable"
    assert "symbolic links" in error.message


def test_a_file_that_this_user_may_not_read_is_refused_with_the_reason():
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        path = Path(name, "fairway.yaml")
        path.write_text(GOOD)
        path.chmod(0)
        assert as_somebody_else(path) == "config-unreadable: Permission denied"


def as_somebody_else(path: Path) -> str:
    """What `load` says to a user who is not root, for whom permissions count for nothing."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        answer = "nothing"
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setuid(65534)
            load(path)
        except UserError as error:
            answer = f"{error.code}: {error.message.rpartition(': ')[2]}"
        finally:
            os.write(writer, answer.encode())
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as said:
        return said.read()


def test_the_folder_is_absolute_and_paths_of_artifacts_lie_in_it(tmp_path, monkeypatch):
    (tmp_path / "fairway.yaml").write_text(GOOD + "artifact: {path: dist}\n")
    monkeypatch.chdir(tmp_path)
    spec = load(Path("fairway.yaml"))
    assert spec.folder == str(tmp_path)
    assert spec.artifact_path == str(tmp_path / "dist")


def test_problems_name_the_file_as_it_was_given(tmp_path, monkeypatch):
    (tmp_path / "fairway.yaml").write_text("service: shop\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load(Path("fairway.yaml"))
    assert {problem.file for problem in caught.value.problems} == {"fairway.yaml"}
    assert caught.value.code == "config-invalid"
    assert caught.value.message.startswith("fairway.yaml has 2 problems, the first one: fairway.yaml:1:1: ")


def test_a_single_problem_is_the_message_itself(tmp_path):
    (tmp_path / "fairway.yaml").write_text(GOOD.replace("shop", "Shop"))
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "fairway.yaml")
    assert caught.value.message == str(caught.value.problems[0])
    assert '"Shop" is not a valid name' in caught.value.message
