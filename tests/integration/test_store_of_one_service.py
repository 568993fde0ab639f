"""Several services in one database: the controller of one leaves the runs and messages of the others alone."""

from dataclasses import replace

from fairway.adapters.stores.sql import SqlStore
from fairway.domain.rollout.spec import Adapter
from fairway.testing.journal_samples import BEGIN, begin, plan

HOOK = Adapter("webhook", (("url", "http://127.0.0.1:1/hook"),))


def test_a_controller_takes_runs_and_messages_of_its_own_service_only(store_url):
    with SqlStore.open(store_url) as anybody, SqlStore.open(store_url, service="books") as books:
        begin(anybody, "run-shop", plan("1.0.0", None, "production", HOOK))
        begin(anybody, "run-books", replace(plan("1.0.0", None, "production", HOOK), service="books"))
        assert [claim.run for claim in books.claim("b", now=BEGIN + 1, ttl=10, limit=9)] == ["run-books"]
        assert [message.body["service"] for message in books.list_due(now=BEGIN + 1, limit=9)] == ["books"]
    with SqlStore.open(store_url, service="shop") as shop:
        assert [claim.run for claim in shop.claim("s", now=BEGIN + 1, ttl=10, limit=9)] == ["run-shop"]
        assert [message.body["service"] for message in shop.list_due(now=BEGIN + 1, limit=9)] == ["shop"]
