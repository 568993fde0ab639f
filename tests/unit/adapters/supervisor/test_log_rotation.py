import os

import pytest

from fairway.adapters.supervisor import logs
from fairway.adapters.supervisor.logs import LogKeeper, rotate


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "LIMIT", 10_000)
    return tmp_path / "unit.log"


def test_rotating_keeps_three_and_the_writer_goes_on(log):
    with log.open("ab", buffering=0) as writer:
        for number in range(5):
            writer.write(f"{number}\n".encode())
            rotate(log)
        writer.write(b"5\n")
    assert log.read_text() == "5\n"
    assert [log.with_name(f"unit.log.{number}").read_text() for number in (1, 2, 3)] == ["4\n", "3\n", "2\n"]
    assert len(os.listdir(log.parent)) == 4  # noqa: PTH208


def test_of_what_outgrew_the_limit_the_end_is_kept_in_whole_lines(log):
    lines = [f"{number:06}" for number in range(5_000)]
    log.write_text("\n".join(lines) + "\n")
    rotate(log)
    kept = log.with_name("unit.log.1").read_text().splitlines()
    assert kept == lines[-len(kept) :]
    assert 1_400 < len(kept) <= 1_428
    assert log.read_text() == ""


def test_a_full_disk_empties_the_file_all_the_same(log, monkeypatch, capsys):
    log.write_text("x" * 20_000)

    def refuse(source, destination):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(logs, "_copy_end", refuse)
    rotate(log)
    assert log.stat().st_size == 0
    assert "No space left" in capsys.readouterr().out


def test_only_large_files_are_rotated_and_fast_ones_are_watched_closely(log):
    keeper = LogKeeper(log.parent)
    log.write_text("small\n")
    calm = keeper.advance(100.0) - 100.0
    assert not log.with_name("unit.log.1").exists()
    log.write_text("x" * 9_000)
    busy = keeper.advance(110.0) - 110.0
    assert busy < calm
    log.write_text("x" * 10_000)
    keeper.advance(120.0)
    assert log.stat().st_size == 0


def test_a_log_that_is_removed_while_it_is_rotated_does_no_harm(log, monkeypatch, capsys):
    log.write_text("x" * 20_000)
    monkeypatch.setattr(logs, "_copy_end", lambda source, destination: source.unlink())
    LogKeeper(log.parent).advance(100.0)
    assert "not rotated" in capsys.readouterr().out


def test_a_hole_that_an_emptying_left_is_no_content(log):
    with log.open("wb") as writer:
        writer.seek(50_000)
        writer.write(b"new\n")
    LogKeeper(log.parent).advance(100.0)
    assert not log.with_name("unit.log.1").exists()
