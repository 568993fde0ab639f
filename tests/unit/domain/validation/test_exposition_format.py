"""The format in which Prometheus reads metrics: what is read, and every way in which a line can be wrong."""

import pytest

from fairway.domain.validation.exposition import Malformed, parse_exposition

GOOD = """\
# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3

# a remark
escaped{path="C:\\\\DIR\\\\",error="Cannot find:\\n\\"file\\""} 1.458255915e9
plain 12.47
odd{} +Inf
nothing NaN
# TYPE took histogram
took_bucket{le="0.1"} 1
took_bucket{le="+Inf"} 2
took_sum 5
took_count 2
"""


def test_what_the_format_allows_is_read():
    found = parse_exposition(GOOD)
    assert found.types == {"http_requests_total": "counter", "took": "histogram"}
    assert found.series["http_requests_total"][(("code", "200"), ("method", "post"))] == 1027
    assert found.knows("took")
    assert found.knows("plain")
    assert not found.knows("http_requests")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("up 1", "line 1 does not end with a newline"),
        ("9up 1\n", "line 1: a name that is none of a metric"),
        ("up-down 1\n", "a name that is none of a metric"),
        ("up\n", "expected a value"),
        ("up 1 2 3\n", "expected a value"),
        ("up one\n", "'one' is not a number"),
        ("up 1_000\n", "is not a number"),
        ("up{a=1} 1\n", "labels that are not written as they should be"),
        ('up{a="1} 1\n', "labels that are not written"),
        ('up{a="1" b="2"} 1\n', "labels that are not written"),
        ('up{a="1",a="2"} 1\n', "the same label twice"),
        ('up{a="1"} 1\nup{a="1"} 2\n', "line 2: the same series twice"),
        ("# TYPE up counted\nup 1\n", "an unknown type"),
        ("# TYPE up gauge\n# TYPE up gauge\nup 1\n", "a second TYPE"),
        ("up 1\n# TYPE up gauge\n", "TYPE after the metric's samples"),
        ('# TYPE t histogram\nt_bucket{le="1"} 1\n', "has no bucket +Inf"),
        ('# TYPE t histogram\nt_bucket{le="1"} 3\nt_bucket{le="+Inf"} 2\n', "are not cumulative"),
        ("# TYPE t histogram\nt_bucket 1\n", "has no label le"),
        ("<!doctype html>\n", "line 1: a name that is none of a metric"),
    ],
)
def test_a_line_that_prometheus_would_refuse_is_told(text, words):
    with pytest.raises(Malformed, match=words.replace("+", r"\+")):
        parse_exposition(text)


def test_openmetrics_has_an_end_and_exemplars():
    text = '# TYPE t counter\nt_total 1 # {trace="x"} 0.5\n# EOF\n'
    assert parse_exposition(text, openmetrics=True).knows("t")
    with pytest.raises(Malformed, match="# EOF"):
        parse_exposition("t_total 1\n", openmetrics=True)
