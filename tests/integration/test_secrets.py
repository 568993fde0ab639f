"""Secrets of an environment: variables, files and commands, and what they say when they give nothing."""

import os
import time
from pathlib import Path

import pyrage
import pytest

from fairway.adapters.commands.confidential import LocalSecretCommands
from fairway.adapters.secrets import LocalSecrets
from fairway.adapters.secrets import commands as commands_of_secrets
from fairway.domain.errors import FairwayError, TransientError, UserError
from fairway.domain.validation.secret import IDENTITY, SecretSource

VALUE = "correct horse battery"


@pytest.fixture
def private(tmp_path):
    """Writes a file that nobody else may read."""

    def write(content: str | bytes, name="secret") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(0o600)
        return path

    return write


def read(source: SecretSource, **variables: str) -> str:
    return LocalSecrets(LocalSecretCommands(), variables).read(source)


def complaint(source: SecretSource, kind: type[FairwayError] = UserError, **variables: str) -> str:
    with pytest.raises(kind) as caught:
        read(source, **variables)
    assert VALUE not in caught.value.message + caught.value.hint
    return caught.value.message


def command(line: str, *variables: str) -> SecretSource:
    return SecretSource("KEY", "command", line, variables=variables)


def test_a_variable_that_is_not_set_or_empty_is_no_value():
    source = SecretSource("KEY", "variable", "STAGING_KEY")
    assert "the variable STAGING_KEY is not set" in complaint(source)
    assert "the variable STAGING_KEY is not set" in complaint(source, STAGING_KEY="")
    assert read(source, STAGING_KEY=VALUE) == VALUE


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_file_that_others_may_read_or_write_is_refused_with_the_command_that_mends_it(private, mode):
    path = private(VALUE)
    path.chmod(mode)
    with pytest.raises(UserError, match=f"may be read by others: its mode is {mode:04o}") as caught:
        read(SecretSource("KEY", "file", str(path)))
    assert caught.value.hint == f"chmod 600 {path}"


def test_a_file_is_its_value_without_the_end_of_its_line(private):
    assert read(SecretSource("KEY", "file", str(private(VALUE + "\n")))) == VALUE
    several = "-----BEGIN\nabc\n-----END"
    assert read(SecretSource("KEY", "file", str(private(several + "\r\n")))) == several


def test_an_entry_is_the_value_of_its_last_line_as_it_stands_there(private):
    path = private(f"# KEY=no\nexport KEY='first'\nOTHER=1\n KEY = \"{VALUE}\" \nKEYS=x\nEQUAL=a=b=$KEY\n")
    assert read(SecretSource("KEY", "file", str(path), "KEY")) == VALUE
    assert read(SecretSource("KEY", "file", str(path), "EQUAL")) == "a=b=$KEY"
    assert "entry NONE of the file" in complaint(SecretSource("KEY", "file", str(path), "NONE"))


def test_what_is_no_file_of_text_is_said(private, tmp_path):
    assert "No such file" in complaint(SecretSource("KEY", "file", str(tmp_path / "nowhere")))
    assert "is no plain file" in complaint(SecretSource("KEY", "file", str(tmp_path)))
    assert "is no text" in complaint(SecretSource("KEY", "file", str(private(b"\xff\xfe\x00abc"))))
    assert "longer than 64 KiB" in complaint(SecretSource("KEY", "file", str(private(b"x" * 70_000))))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    assert "is no plain file" in complaint(SecretSource("KEY", "file", str(pipe)))


def test_an_encrypted_file_may_be_read_by_all_and_is_opened_by_the_identity_only(private):
    identity, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    sealed = pyrage.encrypt(f"KEY={VALUE}\n".encode(), [identity.to_public()], armored=True)
    path = private(sealed, "production.env.age")
    path.chmod(0o644)
    source = SecretSource("KEY", "file", str(path), "KEY")
    assert read(source, **{IDENTITY: str(identity)}) == VALUE
    assert f"{IDENTITY} is not set" in complaint(source)
    assert f"{IDENTITY} does not fit it" in complaint(source, **{IDENTITY: str(other)})
    assert f"{IDENTITY} does not fit it" in complaint(source, **{IDENTITY: "no identity"})


def test_a_value_that_no_output_could_be_kept_free_of_is_refused(private):
    assert "fewer than 4 characters" in complaint(SecretSource("KEY", "file", str(private("abc"))))
    assert "fewer than 4 characters" in complaint(SecretSource("KEY", "file", str(private("\n"))))


def test_a_command_gives_what_it_prints_and_sees_no_variable_that_is_not_named():
    given = {"PATH": os.environ["PATH"], "TOKEN": VALUE, "OTHER": "x"}
    assert read(command("""sh -c 'echo "$TOKEN"'""", "TOKEN"), **given) == VALUE
    assert read(command("""sh -c 'echo "none: $TOKEN$OTHER"'"""), **given) == "none: "
    assert "the variable TOKEN that its command needs is not set" in complaint(command("sh -c true", "TOKEN"))


def test_how_a_command_failed_is_said_and_not_what_it_printed():
    line = f"sh -c 'echo {VALUE.replace(' ', '_')}; echo {VALUE.replace(' ', '_')} >&2; exit 7'"
    told = LocalSecrets(LocalSecretCommands(), {"PATH": os.environ["PATH"]})
    with pytest.raises(TransientError) as caught:
        told.read(SecretSource("KEY", "command", line))
    assert caught.value.message.endswith("ended with status 7")
    assert "No such file" in complaint(command("no-such-program-anywhere"))
    assert "cannot be run: No closing quotation" in complaint(command("echo 'open"))
    assert "no text in UTF-8" in complaint(command(r"printf '\377\376abcd'"), PATH=os.environ["PATH"])


def test_a_command_without_an_end_is_stopped_with_all_that_it_started(monkeypatch, tmp_path):
    monkeypatch.setattr(commands_of_secrets, "_PATIENCE", 0.5)
    marker = tmp_path / "pid"
    begin = time.monotonic()
    line = f"sh -c 'sleep 600 & echo $! > {marker}; wait'"
    assert "did not end within" in complaint(command(line), TransientError, PATH=os.environ["PATH"])
    assert time.monotonic() - begin < 30
    deadline = time.monotonic() + 30
    while Path(f"/proc/{int(marker.read_text())}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_command_that_prints_without_end_is_stopped_before_it_fills_the_memory():
    assert "printed more than 64 KiB" in complaint(command("yes"), TransientError, PATH=os.environ["PATH"])


def test_a_vault_is_not_asked_for_each_request_and_a_rotated_value_arrives(tmp_path):
    now = [0.0]
    path = tmp_path / "secret"
    path.write_text("first value")
    path.chmod(0o600)
    secrets = LocalSecrets(LocalSecretCommands(), {}, clock=lambda: now[0])
    source = SecretSource("KEY", "file", str(path))
    assert secrets.read(source) == "first value"
    path.write_text("second value")
    assert secrets.read(source) == "first value"
    now[0] = 31.0
    assert secrets.read(source) == "second value"
