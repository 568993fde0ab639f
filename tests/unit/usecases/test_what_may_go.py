"""Which artifacts stay: what is live, what could be gone back to, and what is still young in the journal."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fairway.adapters.stores.sql import SqlStore
from fairway.testing.journal_samples import begin, deployed, plan, revision, way_back
from fairway.usecases.tidy import KEPT_RELEASES, KEPT_RUNS, list_needed


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with SqlStore.open(str(tmp_path / "journal.db")) as store:
        yield store


def digest(version: str) -> str:
    return revision(version).artifact.digest


def deploy(store: SqlStore, number: int, environment: str = "production") -> None:
    stable = revision(f"1.{number - 1}.0") if number else None
    deployed(store, f"{environment}-{number}", plan(f"1.{number}.0", stable, environment))


def test_an_empty_journal_says_nothing_about_what_may_go(store: SqlStore):
    assert list_needed(store, "shop") is None
    deploy(store, 0)
    assert list_needed(store, "books") is None


def test_the_last_releases_of_each_environment_stay(store: SqlStore):
    last = KEPT_RUNS + 10
    deploy(store, 0, "staging")
    for number in range(last + 1):
        deploy(store, number)
    for number in range(KEPT_RUNS):
        # Runs without an end that is good push releases out of the latest runs, but not out of the history.
        bad = plan(f"2.{number}.0", revision(f"1.{last}.0"))
        store.append(begin(store, f"bad-{number}", bad), way_back(bad), wake=None)
    needed = list_needed(store, "shop")
    assert needed is not None
    returnable = {digest(f"1.{number}.0") for number in range(last - KEPT_RELEASES, last + 1)}
    assert needed == returnable | {digest("1.0.0")} | {digest(f"2.{number}.0") for number in range(KEPT_RUNS)}


def test_a_release_counts_once_however_often_it_was_live(store: SqlStore):
    for number in range(KEPT_RELEASES + 1):
        deploy(store, number)
    live = revision(f"1.{KEPT_RELEASES}.0")
    for turn in range(KEPT_RUNS + 5):
        there = replace(plan("9.0.0", live), kind="rollback")
        deployed(store, f"there-{turn}", there)
        deployed(store, f"back-{turn}", replace(plan(live.version, revision("9.0.0")), kind="rollback"))
    needed = list_needed(store, "shop")
    assert needed is not None
    assert digest("1.1.0") in needed
    assert digest("1.0.0") not in needed
