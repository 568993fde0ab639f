"""Histograms that other tools can read."""

import pytest

from fairway.domain.insight.histogram import decode, encode, merge, percentile

#: What hdrhistogram 0.10.8, the HdrHistogram project's own library for Python, wrote for these latencies.
LATENCIES = {0: 1, 1: 2, 57: 3, 2047: 1, 2048: 2, 2049: 1, 16383: 5, 123456: 7, 5_000_000: 1, 3_600_000_000: 1}
WRITTEN = "HISTFAAAADZ4nJNpmSzMwMAgygABzFCaEURcm7yEwf4DRICJJZetU56J7bc+10Q9vs8hTHenMzIBAO3QCoY="


def test_it_is_written_as_the_project_itself_writes_it():
    assert encode(LATENCIES) == WRITTEN


def test_what_is_read_lies_within_three_digits_of_what_was_counted():
    cells = decode(WRITTEN)
    assert sum(cells.values()) == sum(LATENCIES.values())
    for percent in (10, 50, 90, 99, 100):
        assert percentile(cells, percent) == pytest.approx(percentile(LATENCIES, percent), rel=0.001)


def test_every_latency_comes_back_to_three_digits():
    for microseconds in (*range(0, 5000, 7), *(3**n for n in range(8, 20))):
        (found,) = decode(encode({microseconds: 1}))
        assert microseconds <= found <= microseconds * 1.001


def test_nothing_is_an_empty_histogram():
    assert encode({}) == ""
    assert decode("") == {}
    assert percentile({}, 50) is None


def test_longer_than_an_hour_counts_as_an_hour():
    assert max(decode(encode({10**12: 1}))) == pytest.approx(3_600_000_000, rel=0.001)


def test_histograms_add_up():
    assert decode(merge(iter([encode({5: 1, 70_000: 2}), "", encode({5: 3})]))) == decode(encode({5: 4, 70_000: 2}))


@pytest.mark.parametrize("text", ["?", "aGVsbG8=", WRITTEN[:40], "HIST" + WRITTEN[:-6]])
def test_what_is_no_histogram_is_refused(text):
    with pytest.raises(ValueError, match="histogram"):
        decode(text)
