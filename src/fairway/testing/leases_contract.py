"""What every storage of the journal must do with leases: one holder a run, and a fencing number that only rises."""

# ruff: noqa: D102 the names of tests are sentences

from functools import partial

from fairway.domain.rollout.events import Approved
from fairway.ports.journal import Claim
from fairway.testing.journal_samples import BEGIN, begin, plan, promotion, way_back
from fairway.testing.store_contract import StoreContract, at_once, outcome


class LeasesContract(StoreContract):
    """The suite for `Leases`."""

    def test_a_new_run_is_due_at_once_also_if_the_clock_of_who_started_it_is_ahead(self) -> None:
        store = self.open_store()
        begin(store, "run-1", plan(), at=self.now + 99)
        assert store.claim("a", now=self.now, ttl=10, limit=9) == (Claim("run-1", 1),)
        assert store.environment("shop", "production").epoch == 1

    def test_a_run_is_due_when_its_last_append_said_so(self) -> None:
        store = self.open_store()
        run = store.append(begin(store, "run-1", plan()), [Approved(BEGIN, "ann")], wake=self.now + 5)
        assert store.claim("a", now=self.now + 4.9, ttl=10, limit=9) == ()
        assert [claim.run for claim in store.claim("a", now=self.now + 5, ttl=10, limit=9)] == ["run-1"]
        run = store.append(run, [], wake=None)
        assert store.claim("a", now=self.now + 9e9, ttl=10, limit=9) == ()
        assert store.load("run-1").version == run.version == 2
        store.append(run, [Approved(BEGIN, "bob")], wake=self.now)
        assert [claim.run for claim in store.claim("a", now=self.now, ttl=10, limit=9)] == ["run-1"]

    def test_nobody_else_gets_a_run_while_the_lease_lasts(self) -> None:
        store, other = self.open_store(), self.open_store()
        begin(store, "run-1", plan())
        store.claim("a", now=self.now, ttl=10, limit=9)
        self.now += 9.9
        assert other.claim("b", now=self.now, ttl=10, limit=9) == ()

    def test_another_takes_over_under_a_higher_epoch_when_the_lease_has_ended(self) -> None:
        store, other = self.open_store(), self.open_store()
        begin(store, "run-1", plan())
        (first,) = store.claim("a", now=self.now, ttl=10, limit=9)
        self.now += 10.1
        (second,) = other.claim("b", now=self.now, ttl=10, limit=9)
        assert second.epoch == first.epoch + 1
        assert store.renew("a", now=self.now, ttl=10) == ()
        assert store.claim("a", now=self.now, ttl=10, limit=9) == ()

    def test_the_holder_keeps_its_epoch_also_when_it_comes_late(self) -> None:
        store = self.open_store()
        begin(store, "run-1", plan())
        first = store.claim("a", now=self.now, ttl=10, limit=9)
        self.now += 99
        assert store.claim("a", now=self.now, ttl=10, limit=9) == first
        self.now += 9.9
        assert self.open_store().claim("b", now=self.now, ttl=10, limit=9) == ()

    def test_a_claim_of_an_own_lease_leaves_at_least_half_of_it(self) -> None:
        store, other = self.open_store(), self.open_store()
        begin(store, "run-1", plan())
        for _ in range(8):
            store.claim("a", now=self.now, ttl=10, limit=9)
            self.now += 4.9
            assert other.claim("b", now=self.now, ttl=10, limit=9) == ()

    def test_renewing_keeps_all_runs_of_the_holder(self) -> None:
        store, other = self.open_store(), self.open_store()
        run = begin(store, "run-1", plan())
        begin(store, "run-2", plan(environment="staging"))
        claims = store.claim("a", now=self.now, ttl=10, limit=9)
        store.append(run, [], wake=None)
        for _ in range(5):
            self.now += 9
            assert sorted(store.renew("a", now=self.now, ttl=10), key=str) == sorted(claims, key=str)
            assert other.claim("b", now=self.now, ttl=10, limit=9) == ()

    def test_a_released_run_can_be_taken_at_once_under_a_higher_epoch(self) -> None:
        store, other = self.open_store(), self.open_store()
        begin(store, "run-1", plan())
        (first,) = store.claim("a", now=self.now, ttl=10, limit=9)
        other.release("b")
        assert other.claim("b", now=self.now, ttl=10, limit=9) == ()
        store.release("a")
        assert store.renew("a", now=self.now, ttl=10) == ()
        (second,) = other.claim("b", now=self.now, ttl=10, limit=9)
        assert second.epoch == first.epoch + 1

    def test_the_next_run_of_an_environment_has_a_higher_epoch(self) -> None:
        store = self.open_store()
        run = begin(store, "run-1", plan())
        (first,) = store.claim("a", now=self.now, ttl=10, limit=9)
        store.append(run, way_back(plan()), wake=None, epoch=first.epoch)
        begin(store, "run-2", plan("1.1.0"))
        (second,) = store.claim("a", now=self.now, ttl=10, limit=9)
        assert (second.run, second.epoch) == ("run-2", first.epoch + 1)

    def test_a_holder_that_was_replaced_can_write_nothing(self) -> None:
        store, other = self.open_store(), self.open_store()
        run = begin(store, "run-1", plan())
        (first,) = store.claim("a", now=self.now, ttl=10, limit=9)
        self.now += 11
        (second,) = other.claim("b", now=self.now, ttl=10, limit=9)
        assert outcome(lambda: store.append(run, [], wake=None, epoch=first.epoch)) == "stale-epoch"
        assert outcome(lambda: store.append(run, promotion(), wake=None, epoch=first.epoch)) == "stale-epoch"
        assert outcome(lambda: store.save_evidence("run-1", {}, epoch=first.epoch)) == "stale-epoch"
        assert other.append(run, promotion(), wake=None, epoch=second.epoch).version == 3

    def test_a_lease_that_ended_and_was_not_taken_still_allows_to_write(self) -> None:
        store = self.open_store()
        run = begin(store, "run-1", plan())
        (claim,) = store.claim("a", now=self.now, ttl=10, limit=9)
        self.now += 99
        run = store.append(run, promotion(), wake=None, epoch=claim.epoch)
        store.save_evidence("run-1", {"n": 1}, epoch=claim.epoch)
        assert run.version == 3

    def test_people_write_without_a_lease(self) -> None:
        store = self.open_store()
        run = begin(store, "run-1", plan())
        store.claim("a", now=self.now, ttl=10, limit=9)
        assert self.open_store().append(run, [Approved(BEGIN, "ann")], wake=self.now).approvals == ("ann",)

    def test_the_longest_due_come_first_up_to_the_limit(self) -> None:
        store = self.open_store()
        for place in (3, 1, 4, 2):
            store.append(begin(store, f"run-{place}", plan(environment=f"e{place}")), [], wake=self.now + place)
        claims = store.claim("a", now=self.now + 9, ttl=10, limit=3)
        assert [claim.run for claim in claims] == ["run-1", "run-2", "run-3"]

    def test_a_run_that_has_ended_is_never_due(self) -> None:
        store = self.open_store()
        run = begin(store, "run-1", plan())
        (claim,) = store.claim("a", now=self.now, ttl=10, limit=9)
        store.append(run, way_back(plan()), wake=self.now, epoch=claim.epoch)
        assert store.claim("a", now=self.now + 99, ttl=10, limit=9) == ()
        assert store.renew("a", now=self.now, ttl=10) == ()

    def test_holders_that_claim_at_once_get_different_runs(self) -> None:
        stores = [self.open_store() for _ in range(3)]
        for number in range(24):
            begin(stores[0], f"run-{number}", plan(environment=f"e{number}"))
        taken: list[str] = []
        for _ in range(4):
            answers = at_once(
                [
                    partial(store.claim, f"h{place}", now=self.now, ttl=10, limit=24)
                    for place, store in enumerate(stores)
                ]
            )
            runs = [claim.run for claims in answers for claim in claims]
            assert len(runs) == len(set(runs))
            taken = runs
        assert sorted(taken) == sorted(f"run-{number}" for number in range(24))
