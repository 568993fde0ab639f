import os

import pytest

from fairway.adapters.supervisor.logs import rotate
from fairway.adapters.targets.local.logs import LogReader, remove_log


@pytest.fixture
def log(tmp_path):
    return tmp_path / "unit.log"


def append(log, text):
    with log.open("ab") as file:
        file.write(text)


def test_a_log_that_does_not_exist_yet_is_empty(log):
    reader = LogReader(log)
    assert reader.tail(5, whole=False) == []
    assert reader.read_on() == []
    append(log, b"first\n")
    assert reader.read_on() == ["first"]


@pytest.mark.parametrize("lines", [0, 1, 3, 7, 100])
def test_the_tail_reaches_back_into_older_files(log, lines):
    for number in range(10):
        append(log, f"{number}\n".encode())
        if number in {2, 3, 6}:
            rotate(log)
    expected = [str(number) for number in range(10)][10 - min(lines, 10) :]
    assert LogReader(log).tail(lines, whole=False) == expected


def test_the_tail_of_a_long_file_is_exact(log):
    text = [f"{number} " + "x" * (number % 700) for number in range(3_000)]
    append(log, ("\n".join(text) + "\n").encode())
    assert LogReader(log).tail(500, whole=False) == text[-500:]


def test_a_line_without_an_end_is_given_once(log):
    append(log, b"a\nbeg")
    assert LogReader(log).tail(2, whole=False) == ["a", "beg"]
    reader = LogReader(log)
    assert reader.tail(2, whole=True) == ["a"]
    append(log, b"un\n")
    assert reader.read_on() == ["begun"]
    assert reader.read_on() == []


def test_a_rotation_loses_and_repeats_nothing(log):
    append(log, b"1\n2\n")
    reader = LogReader(log)
    assert reader.tail(1, whole=True) == ["2"]
    append(log, b"3\n4 be")
    rotate(log)
    append(log, b"gun\n5\n")
    assert reader.read_on() == ["3", "4 begun", "5"]
    rotate(log)
    append(log, b"6 is longer than all before it together\n")
    assert reader.read_on() == ["6 is longer than all before it together"]


def test_a_file_that_was_emptied_is_read_from_its_beginning(log):
    append(log, b"1\n2\n")
    reader = LogReader(log)
    reader.tail(1, whole=True)
    os.truncate(log, 0)
    append(log, b"3\n")
    assert reader.read_on() == ["3"]


def test_cut_characters_are_tolerated_and_whole_ones_survive_a_cut_read(log):
    append(log, "ä".encode()[1:] + b" cut\r\n" + "grü".encode()[:-1])
    reader = LogReader(log)
    assert reader.tail(5, whole=True) == ["\ufffd cut"]
    append(log, "ü".encode()[1:] + b"n\n")
    assert reader.read_on() == ["grün"]


def test_a_line_that_never_ends_comes_in_parts(log):
    reader = LogReader(log)
    append(log, b"x" * 100_000)
    assert reader.read_on() == ["x" * 100_000]


def test_removing_takes_the_older_files_too_and_nobody_elses(log):
    append(log, b"1\n")
    rotate(log)
    other = log.with_name("unit.log.bak")
    other.write_text("keep")
    remove_log(log)
    assert list(log.parent.iterdir()) == [other]
