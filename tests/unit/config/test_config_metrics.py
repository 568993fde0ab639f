"""What metrics and rules of a file become."""

import json

from fairway.config import load
from fairway.domain.analysis.metrics.policy import Metric, Rule, Source
from fairway.domain.codec import from_json, to_json
from fairway.domain.rollout.spec import ServiceSpec

FILE = """\
service: shop
run: {command: ./serve}
environments:
  production:
    router: {kind: envoy, listen: 127.0.0.1:8001}
    analysis: %s
"""

OWN = """
      alpha: 0.01
      metrics:
        source: {kind: prometheus, url: "http://127.0.0.1:9090"}
        gauges:
          queue: sum(queue)
          memory: {query: 'm{r="{{revision}}"}', ratio: 1.2, interval: 30s}
        counters:
          orders: {total: 't{r="{{revision}}"}', failed: 'f{r="{{revision}}"}', points: 0.5}
      rules:
        full: queue > 20
        slow: {when: "candidate.p99 >\\n stable.p99 * 2", for: 5m, then: hold}
"""


def _analysis(tmp_path, text):
    path = tmp_path / "fairway.yaml"
    path.write_text(FILE % text)
    return load(path).environments[0].analysis


def test_metrics_and_rules_are_read_with_their_defaults(tmp_path):
    own = _analysis(tmp_path, OWN).metrics
    assert own.source == Source("prometheus", (("url", "http://127.0.0.1:9090"),))
    assert own.metrics == (
        Metric("queue", "gauge", query="sum(queue)"),
        Metric("memory", "gauge", query='m{r="{{revision}}"}', ratio=1.2, interval=30.0),
        Metric(
            "orders", "counter", total='t{r="{{revision}}"}', failed='f{r="{{revision}}"}', ratio=1.25, points=0.005
        ),
    )
    assert own.rules == (
        Rule("full", "queue > 20", ("queue",)),
        Rule("slow", "candidate.p99 > stable.p99 * 2", ("candidate.p99", "stable.p99"), 300.0, "hold"),
    )


def test_what_the_users_metrics_may_spend_of_alpha_is_taken_from_the_lanes(tmp_path):
    policy = _analysis(tmp_path, OWN)
    assert (policy.alpha, policy.metrics.alpha) == (0.008, 0.002)


def test_rules_alone_cost_the_lanes_nothing(tmp_path):
    policy = _analysis(tmp_path, "{rules: {errors: candidate.error_ratio > 0.01}}")
    assert (policy.alpha, policy.metrics.alpha) == (0.01, 0.0)


def test_a_plan_keeps_them_as_they_were(tmp_path):
    path = tmp_path / "fairway.yaml"
    path.write_text(FILE % OWN)
    spec = load(path)
    kept = from_json(ServiceSpec, json.loads(json.dumps(to_json(spec))))
    assert kept.environments[0].analysis.metrics.metrics == spec.environments[0].analysis.metrics.metrics
    assert kept.environments[0].analysis.metrics.rules == spec.environments[0].analysis.metrics.rules
    assert dict(kept.environments[0].analysis.metrics.source.settings) == {"url": "http://127.0.0.1:9090"}
