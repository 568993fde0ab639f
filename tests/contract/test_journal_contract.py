import pytest

from fairway.adapters.stores.sql import SqlStore
from fairway.domain.rollout.events import Approved
from fairway.testing.journal_contract import JournalContract
from fairway.testing.journal_samples import BEGIN, begin, plan
from fairway.testing.leases_contract import LeasesContract
from fairway.testing.outbox_contract import OutboxContract
from fairway.testing.releases_contract import ReleasesContract
from fairway.testing.store_contract import outcome


class TestSqlite(JournalContract, LeasesContract, OutboxContract, ReleasesContract):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path):
        self.path = tmp_path / ".fairway" / "journal.db"
        self.stores = []
        yield
        for store in self.stores:
            store.close()

    def open_store(self, *, exclusive=False):
        self.stores.append(SqlStore.open(str(self.path), exclusive=exclusive))
        return self.stores[-1]

    def test_the_only_controller_takes_over_at_once_what_the_dead_one_held(self):
        begin(self.open_store(), "run-1", plan())
        (first,) = self.open_store(exclusive=True).claim("dead", now=BEGIN, ttl=1e9, limit=9)
        assert self.open_store().claim("careful", now=BEGIN, ttl=10, limit=9) == ()
        store = self.open_store(exclusive=True)
        (second,) = store.claim("next", now=BEGIN, ttl=10, limit=9)
        assert second.epoch == first.epoch + 1
        run = store.load("run-1")
        facts = [Approved(BEGIN, "ann")]
        assert outcome(lambda: store.append(run, facts, wake=None, epoch=first.epoch)) == "stale-epoch"


class TestPostgres(JournalContract, LeasesContract, OutboxContract, ReleasesContract):
    @pytest.fixture(autouse=True)
    def _server(self, postgres_url):
        self.url = postgres_url
        self.stores = []
        yield
        for store in self.stores:
            store.close()

    def open_store(self):
        self.stores.append(SqlStore.open(self.url, lease_clock=lambda: self.now))
        return self.stores[-1]
