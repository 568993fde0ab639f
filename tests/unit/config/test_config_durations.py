import pytest

from fairway.config.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("1h30m", 5400),
        ("250ms", 0.25),
        ("1d", 86_400),
        ("1m250ms", 60.25),
        ("0.5s", 0.5),
        ("0", 0),
    ],
)
def test_durations_are_read_as_seconds(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "5", "m", "5 m", "5M", "-5s", "1m1h", "5s5s", "1e3s", ".5s", "5min", "٣s", "5s\n", "1.s"]
)
def test_anything_else_is_no_duration(text):
    assert parse_duration(text) is None


def test_durations_are_written_as_short_as_possible():
    assert [format_duration(s) for s in (0, 0.25, 30, 90, 5400, 90_061)] == [
        "0s",
        "250ms",
        "30s",
        "1m30s",
        "1h30m",
        "1d1h1m1s",
    ]
