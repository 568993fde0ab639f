"""The sections `bench` and `indicators`."""

import pytest

from fairway.config import ConfigError, Known, load, load_bench
from fairway.domain.insight.comparison import ComparisonPolicy
from fairway.domain.insight.expectations import Expectations
from fairway.domain.insight.indicators import DEFAULTS
from fairway.domain.insight.spec import BenchSpec

HEAD = """
service: shop
run: {command: "serve {port}"}
environments:
  production:
    router: {kind: envoy, listen: 127.0.0.1:8000}
"""


def read(tmp_path, text: str = "") -> BenchSpec:
    path = tmp_path / "fairway.yaml"
    path.write_text(HEAD + text)
    return load_bench(path, Known(sources={"prometheus": None}))


def problem(tmp_path, text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, text)
    (found,) = refused.value.problems
    return f"{found.key_path}: {found.message}"


def test_without_sections_the_defaults_hold(tmp_path):
    spec = read(tmp_path)
    assert spec == BenchSpec()
    assert spec.indicators == DEFAULTS
    assert spec.expect.is_empty


def test_expectations_come_in_the_units_of_measurements(tmp_path):
    """The load test of a usual deployment guide: 500 requests a second, P99 below 500 ms, nothing failed."""
    spec = read(
        tmp_path, "bench: {rate: 500, expect: {rate: 500, mean: 100ms, p99: 500ms, errors: 0%, processor: 2ms}}"
    )
    assert spec.expect == Expectations(rate=500.0, mean=100.0, p99=500.0, errors=0.0, processor=2000.0)
    assert spec.load.rate == 500.0


def test_the_load_is_as_written(tmp_path):
    text = """
bench:
  environment: production
  paths: [/a, /b?x=1]
  mix: {GET: 9, POST: 1}
  headers: {Accept: text/html}
  body: "{}"
  connections: 64
  duration: 2s
  warmup: 0
  rounds: 7
  fresh: 3
  timeout: 1s
  good: 200-299,404
"""
    spec = read(tmp_path, text)
    assert (spec.load.paths, spec.load.mix) == (("/a", "/b?x=1"), "GET:9,POST:1")
    assert (spec.load.headers, spec.load.body) == (("Accept: text/html",), "{}")
    assert (spec.load.duration, spec.load.warmup, spec.load.timeout) == (2.0, 0.0, 1.0)
    assert (spec.rounds, spec.fresh, spec.environment, spec.load.good) == (7, 3, "production", "200-299,404")


def test_what_must_be_shown_is_judged_too(tmp_path):
    values = "tolerance: 5%, confidence: 95%, drift: 20%, errors: 1%, patience: 0s"
    text = f"bench: {{compare: {{judge: [p99], require: [p50], {values}}}}}"
    wanted = ComparisonPolicy(("p99", "p50"), ("p50",), tolerance=0.05, confidence=0.95, drift=0.2, error_points=0.01)
    assert read(tmp_path, text).policy == wanted


def test_whoever_has_patience_looks_more_than_once_and_pays_for_it_in_risk(tmp_path):
    patient, hasty = (read(tmp_path, f"bench: {{compare: {{patience: {time}}}}}") for time in ("5m", "0s"))
    assert (patient.patience, patient.policy.looks) == (300.0, 3)
    assert (hasty.patience, hasty.policy.looks) == (0.0, 1)
    assert patient.policy.risk == hasty.policy.risk / 3


def test_rows_of_the_table_keep_what_is_not_given(tmp_path):
    text = """
indicators:
  source: {kind: prometheus, url: "http://127.0.0.1:9090"}
  p99: {target: 500ms}
  connections: {critical: 90%, query: "used / most"}
"""
    spec = read(tmp_path, text)
    rows = {row.name: row for row in spec.indicators}
    assert (rows["p99"].target, rows["p99"].critical) == (500.0, 2000.0)
    assert (rows["connections"].target, rows["connections"].critical) == (0.8, 0.9)
    assert rows["connections"].query == "used / most"
    assert spec.source.kind == "prometheus"


def test_gates_are_demands_of_the_environment(tmp_path):
    path = tmp_path / "fairway.yaml"
    path.write_text(HEAD + "    gates: {load: true, benchmark: true}\n")
    assert load(path).environments[0].demands == ("load", "benchmark")
    path.write_text(HEAD)
    assert load(path).environments[0].demands == ()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("bench: {rate: -1}", "bench.rate"),
        ("bench: {rounds: 0}", "bench.rounds"),
        ("bench: {connections: 0}", "bench.connections"),
        ("bench: {duration: 0}", "bench.duration"),
        ("bench: {paths: []}", "bench.paths"),
        ("bench: {paths: [no-slash]}", "bench.paths[0]"),
        ("bench: {mix: {TRACE: 1}}", "bench.mix"),
        ("bench: {good: fine}", "bench.good"),
        ("bench: {headers: {'a b': x}}", "bench.headers"),
        ("bench: {expect: {p99: 500}}", "bench.expect.p99"),
        ("bench: {expect: {p98: 500ms}}", "bench.expect.p98"),
        ("bench: {compare: {judge: [p98]}}", "bench.compare.judge"),
        ("bench: {compare: {confidence: 100%}}", "bench.compare.confidence"),
        ("bench: {compare: {confidence: 30%}}", "bench.compare.confidence"),
        ("indicators: {p99: {target: 2s, critical: 1s}}", "indicators.p99"),
        ("indicators: {p99: {target: 80%}}", "indicators.p99.target"),
        ("indicators: {cpu: {target: 80ms}}", "indicators.cpu.target"),
        ("indicators: {source: graphite}", "indicators.source"),
        ("indicators: {disk: {target: 80%}}", "indicators.disk"),
    ],
)
def test_a_mistake_is_told_at_its_place(tmp_path, text, place):
    assert place in problem(tmp_path, text)
