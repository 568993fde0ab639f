"""What every storage of the journal must do with messages: in the events' transaction, in order for each receiver."""

# ruff: noqa: D102 the names of tests are sentences

from fairway.domain.errors import TransientError
from fairway.domain.rollout.events import Held, Paused
from fairway.domain.rollout.spec import Adapter
from fairway.ports.journal import Message
from fairway.testing.journal_samples import BEGIN, begin, deployed, plan, promotion, revision, way_back
from fairway.testing.store_contract import Store, StoreContract, caught

HOOK = Adapter("webhook", (("url", "http://127.0.0.1:1/hook"),))
BELL = Adapter("command", (("run", "ring-the-bell"), ("events", ["rolled-back", "promoted"])))


class OutboxContract(StoreContract):
    """The suite for `Outbox`."""

    def test_a_message_says_to_whom_and_what(self) -> None:
        store = self.open_store()
        begin(store, "run-1", plan("1.0.0", None, "production", HOOK))
        (message,) = due(store)
        assert message.receiver == {"kind": "webhook", "settings": {"url": "http://127.0.0.1:1/hook"}}
        assert message.body["event"] == "started"
        assert message.body["run"] == "run-1"
        assert message.tries == 0
        assert due(store) == (message,)

    def test_there_are_no_messages_without_receivers(self) -> None:
        store = self.open_store()
        store.append(begin(store, "run-1", plan()), promotion(), wake=None)
        assert due(store) == ()

    def test_a_message_is_due_at_once_also_if_the_clock_of_who_caused_it_is_ahead(self) -> None:
        store = self.open_store()
        begin(store, "run-1", plan("1.0.0", None, "production", HOOK), at=BEGIN + 99)
        assert len(due(store, at=BEGIN)) == 1

    def test_facts_that_nobody_is_told_of_make_no_message(self) -> None:
        store = self.open_store()
        run = begin(store, "run-1", plan("1.0.0", None, "production", HOOK))
        store.append(run, [Held(BEGIN, "no-data", "no data")], wake=None)
        assert delivered(store) == ["started"]

    def test_messages_come_in_the_order_of_their_events(self) -> None:
        store = self.open_store()
        wanted = plan("1.0.0", None, "production", HOOK)
        run = store.append(begin(store, "run-1", wanted), promotion(), wake=None)
        store.append(run, way_back(wanted), wake=None)
        assert delivered(store) == ["started", "promoted", "rolling-back", "rolled-back"]
        assert due(store) == ()

    def test_a_receiver_gets_the_events_that_it_wants(self) -> None:
        store = self.open_store()
        wanted = plan("1.0.0", None, "production", BELL)
        run = store.append(begin(store, "run-1", wanted), promotion(), wake=None)
        store.append(run, way_back(wanted), wake=None)
        assert delivered(store) == ["promoted", "rolled-back"]

    def test_a_refused_append_leaves_no_message(self) -> None:
        store = self.open_store()
        outdated = begin(store, "run-1", plan("1.0.0", None, "production", HOOK))
        store.append(outdated, [Paused(BEGIN, "ann", "lunch")], wake=None)
        assert caught(TransientError, lambda: store.append(outdated, promotion(), wake=None))
        assert delivered(store) == ["started"]

    def test_what_could_not_be_delivered_comes_again_with_the_same_key(self) -> None:
        store = self.open_store()
        begin(store, "run-1", plan("1.0.0", None, "production", HOOK))
        (first,) = due(store)
        store.postpone(first.id, until=BEGIN + 200, error="503 \x00")
        assert due(store, at=BEGIN + 199) == ()
        (second,) = due(store, at=BEGIN + 200)
        assert (second.id, second.tries, second.body) == (first.id, 1, first.body)

    def test_later_messages_wait_for_the_one_before_of_the_same_receiver_only(self) -> None:
        store = self.open_store()
        begin(store, "run-1", plan("1.0.0", None, "production", HOOK))
        (late,) = due(store)
        store.postpone(late.id, until=BEGIN + 200, error="503")
        run = begin(store, "run-2", plan("1.0.0", None, "staging", HOOK, BELL))
        store.append(run, promotion(), wake=None)
        assert delivered(store, at=BEGIN + 199) == ["promoted"]
        assert delivered(store, at=BEGIN + 200) == ["started", "started", "promoted"]

    def test_what_is_given_up_holds_up_nothing(self) -> None:
        store = self.open_store()
        run = begin(store, "run-1", plan("1.0.0", None, "production", HOOK))
        store.append(run, promotion(), wake=None)
        (first,) = due(store)
        store.postpone(first.id, until=BEGIN, error="410", give_up=True)
        assert delivered(store) == ["promoted"]

    def test_what_is_done_is_forgotten_when_its_run_ended_long_enough_ago(self) -> None:
        store = self.open_store()
        deployed(store, "run-1", plan("1.0.0", None, "production", HOOK), BEGIN)
        told = len(delivered(store))
        begin(store, "run-2", plan("1.1.0", revision("1.0.0"), "production", HOOK), BEGIN + 100)
        ended = store.list_runs(limit=9)[-1].ended or 0.0
        assert store.forget(before=ended) == 0
        assert store.forget(before=ended + 1) == told > 1
        assert store.forget(before=ended + 1) == 0
        assert delivered(store) == ["started"]
        assert store.forget(before=BEGIN + 9e9) == 0

    def test_what_waits_is_never_forgotten(self) -> None:
        store = self.open_store()
        deployed(store, "run-1", plan("1.0.0", None, "production", HOOK, BELL), BEGIN)
        (first, *_) = due(store)
        store.postpone(first.id, until=BEGIN, error="410", give_up=True)
        assert store.forget(before=BEGIN + 9e9) == 1
        assert "promoted" in delivered(store)

    def test_what_was_delivered_stays_delivered(self) -> None:
        store = self.open_store()
        begin(store, "run-1", plan("1.0.0", None, "production", HOOK))
        (message,) = due(store)
        store.mark_delivered(message.id)
        store.mark_delivered(message.id)
        store.postpone(message.id, until=BEGIN, error="late answer")
        assert due(store) == ()

    def test_at_most_so_many_are_given_as_asked_for_the_oldest_first(self) -> None:
        store = self.open_store()
        receivers = [Adapter("webhook", (("url", f"http://127.0.0.1:{port}"),)) for port in (1, 2, 3)]
        begin(store, "run-1", plan("1.0.0", None, "production", *receivers))
        urls = [message.receiver["settings"]["url"] for message in store.list_due(now=BEGIN, limit=2)]
        assert urls == ["http://127.0.0.1:1", "http://127.0.0.1:2"]


def due(store: Store, at: float = BEGIN + 100) -> tuple[Message, ...]:
    """What is due then."""
    return store.list_due(now=at, limit=99)


def delivered(store: Store, at: float = BEGIN + 100) -> list[str]:
    """Delivers all that is due then and returns the events in their order."""
    names = []
    while messages := due(store, at):
        for message in messages:
            names.append(message.body["event"])
            store.mark_delivered(message.id)
    return names
