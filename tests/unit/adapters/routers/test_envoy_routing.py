"""The tables that Envoy routes by."""

import pytest

from fairway.adapters.routers.envoy.names import from_tag, to_tag
from fairway.adapters.routers.envoy.routing import joint_pairs, main_routes, preview_routes, receivers
from fairway.domain.rollout.routes import Backend, Mirror, Routes, Stickiness

BACKENDS = (Backend("a", ()), Backend("b", ()))


def table(routes, try_timeout=None):
    return main_routes(routes, try_timeout)["virtual_hosts"][0]["routes"]


def destinations(routes):
    """Where requests go that name no revision, in order: (only reads, share of 10,000, cluster)."""
    found = []
    for route in table(routes):
        names = [header["name"] for header in route["match"].get("headers", ())]
        share = route["match"].get("runtime_fraction", {}).get("default_value", {}).get("numerator")
        if "x-fairway-revision" not in names:
            found.append((":method" in names, share, route.get("route", {}).get("cluster")))
    return found


@pytest.mark.parametrize(
    ("weight", "share"), [(0.01, 1), (0.07, 7), (0.29, 29), (1.15, 115), (33.33, 3333), (100, 10000)]
)
def test_a_weight_is_exact_to_a_hundredth_of_a_percent(weight, share):
    assert destinations(Routes("a", "b", weight, BACKENDS))[:2] == [(True, share, "b+a"), (False, share, "b+a")]


def test_what_is_left_goes_to_stable_and_without_one_to_nobody():
    assert destinations(Routes("a", "b", 10, BACKENDS))[2:] == [
        (True, None, "a"),
        (False, None, "a"),
        (False, None, None),
    ]
    assert destinations(Routes(None, "b", 10, BACKENDS))[2:] == [(False, None, None)]
    assert destinations(Routes("a", "b", 0, BACKENDS))[0] == (True, None, "a")


def test_only_reads_are_tried_again_after_an_answer_and_only_with_a_fallback():
    candidate_reads, candidate_writes, stable_reads, stable_writes = [
        route["route"]["retry_policy"]
        for route in table(Routes("a", "b", 10, BACKENDS))
        if "retry_policy" in route.get("route", {})
    ]
    assert "retriable-headers" in candidate_reads["retry_on"].split(",")
    assert [header["string_match"] for header in candidate_reads["retriable_headers"]] == [{"prefix": "b 5"}]
    for policy in (candidate_writes, stable_reads, stable_writes):
        assert "5xx" not in policy["retry_on"]
        assert "retriable-headers" not in policy["retry_on"]
    for policy in (candidate_writes, stable_writes):
        assert "reset" not in policy["retry_on"].split(",")


def test_no_answer_is_cut_unless_a_limit_was_asked_for():
    routes = Routes("a", "b", 10, BACKENDS)
    assert {route["route"]["timeout"] for route in table(routes) if "route" in route} == {"0s"}
    assert "per_try_timeout" not in str(table(routes))
    limited = [route for route in table(routes, 0.25) if "per_try_timeout" in str(route)]
    assert [r["route"]["retry_policy"]["per_try_timeout"] for r in limited] == ["0.250s", "0.250s"]
    # A WebSocket begins as a GET; it takes the route after the limited one.
    for route in limited:
        reads, plain = route["match"]["headers"]
        assert (reads["name"], plain) == (":method", {"name": "upgrade", "present_match": True, "invert_match": True})


def test_unknown_clusters_are_refused_by_envoy():
    assert main_routes(Routes("a", None, 0, BACKENDS), None)["validate_clusters"] is True
    assert preview_routes(Routes("a", None, 0, BACKENDS))["validate_clusters"] is True


def test_the_preview_has_no_fallback():
    (route,) = preview_routes(Routes("a", "b", 0, BACKENDS))["virtual_hosts"][0]["routes"]
    assert route["route"]["cluster"] == "b"


def test_pairs_and_receivers_follow_the_roles():
    assert joint_pairs(Routes("a", "b", 0, BACKENDS)) == (("b", "a"),)
    assert joint_pairs(Routes("a", "b", 0, BACKENDS, baseline="c")) == (("b", "a"), ("c", "a"))
    assert joint_pairs(Routes(None, "b", 0, BACKENDS)) == ()
    assert receivers(Routes("a", "b", 0, BACKENDS)) == ("a",)
    assert receivers(Routes("a", "b", 100, BACKENDS)) == ("b",)
    assert receivers(Routes(None, "b", 50, BACKENDS)) == ("b",)
    assert receivers(Routes("a", "b", 10, BACKENDS, baseline="c")) == ("a", "b")


@pytest.mark.parametrize(("weight", "edge"), [(0.07, 14), (10, 2000), (50, 10000), (75, 10000)])
def test_the_baseline_gets_as_much_as_the_candidate_and_at_most_what_is_left(weight, edge):
    found = destinations(Routes("a", "b", weight, BACKENDS, baseline="c"))
    share = round(weight * 100)
    # One random number decides: what lies below the first edge never comes to the second.
    assert found[:4] == [(True, share, "b+a"), (False, share, "b+a"), (True, edge, "c+a"), (False, edge, "c+a")]
    assert found[4:6] == [(True, None, "a"), (False, None, "a")]


@pytest.mark.parametrize("weight", [0, 100])
def test_without_a_weight_and_with_all_of_it_the_baseline_gets_nothing(weight):
    assert "c" not in str(destinations(Routes("a", "b", weight, BACKENDS, baseline="c")))


def test_users_are_divided_so_that_each_keeps_what_grows():
    sticky = Stickiness("cookie", "user")

    def parts(weight):
        (first, *_) = [
            r
            for r in table(Routes("a", "b", weight, BACKENDS, sticky=sticky, baseline="c"))
            if "route" in r and "weighted_clusters" in r["route"]
        ]
        return [(part["name"], part["weight"]) for part in first["route"]["weighted_clusters"]["clusters"]]

    assert parts(10) == [("b+a+reads", 1000), ("a", 8000), ("c+a+reads", 1000)]
    assert parts(75) == [("b+a+reads", 7500), ("c+a+reads", 2500)]


def test_copies_go_to_candidate_and_baseline():
    routes = Routes("a", "b", 0, BACKENDS, mirror=Mirror(20), baseline="c")
    copied = [r["route"]["request_mirror_policies"] for r in table(routes) if "request_mirror_policies" in str(r)]
    assert [[policy["cluster"] for policy in policies] for policies in copied] == [["b", "c"]]


@pytest.mark.parametrize("text", ["1.0.0-rc.1", "a_b", "a%2Eb", "überall", "x/y:z", ""])
def test_a_tag_holds_no_dot_and_reads_back(text):
    assert "." not in to_tag(text)
    assert from_tag(to_tag(text)) == text
