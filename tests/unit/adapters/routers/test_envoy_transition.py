"""Which changes give requests back to stable, so that they wait for nothing."""

import pytest

from fairway.adapters.routers.envoy.transition import _returns
from fairway.domain.rollout.routes import Backend, Routes

BACKENDS = (Backend("a", ()), Backend("b", ()), Backend("c", ()))


def routes(weight, *, baseline="c", candidate="b"):
    return Routes("a", candidate, weight, BACKENDS, baseline=baseline)


@pytest.mark.parametrize(
    "after", [routes(0), routes(10), routes(0, baseline=None), routes(0, candidate=None, baseline=None)]
)
def test_less_for_candidate_and_baseline_is_a_return(after):
    assert _returns(routes(25), after)


@pytest.mark.parametrize("after", [routes(30), routes(25), routes(10, baseline="d"), Routes("c", "b", 0, BACKENDS)])
def test_more_for_either_or_another_revision_is_none(after):
    assert not _returns(routes(25), after)


def test_less_for_the_candidate_is_no_return_where_the_baseline_gets_more():
    assert not _returns(routes(90), routes(60))
    assert not _returns(routes(100), routes(50))
    assert _returns(routes(100), routes(0))
