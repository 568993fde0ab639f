import pytest

from fairway.adapters.stores.sql import SqlStore
from fairway.adapters.stores.sql.baselines import SqlBaselines
from fairway.testing.baselines import FakeBaselines
from fairway.testing.baselines_contract import BaselinesContract


class TestSqlite(BaselinesContract):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path):
        self.url = str(tmp_path / "journal.db")
        self.stores = []
        yield
        for store in self.stores:
            store.close()

    def open_baselines(self):
        self.stores.append(SqlStore.open(self.url))
        return SqlBaselines(self.stores[-1].database)


class TestPostgres(TestSqlite):
    @pytest.fixture(autouse=True)
    def _server(self, postgres_url, _file):
        self.url = postgres_url


class TestFake(BaselinesContract):
    @pytest.fixture(autouse=True)
    def _memory(self):
        self.kept = FakeBaselines()

    def open_baselines(self):
        return self.kept
