import socket

import pytest

from fairway.adapters.targets.local.ports import FIRST, LAST, choose_port
from fairway.domain.errors import TransientError


def test_the_same_name_begins_at_the_same_place_and_goes_on_from_the_last():
    first = choose_port("shop.production", 0, frozenset())
    assert first == choose_port("shop.production", 0, frozenset())
    assert first != choose_port("shop.staging", 0, frozenset())
    assert choose_port("shop.production", first, frozenset()) > first or first == LAST
    assert FIRST <= choose_port("shop.production", LAST, frozenset()) < LAST


def test_ports_that_are_listened_on_or_taken_are_passed_over():
    first = choose_port("a name", 0, frozenset())
    with socket.create_server(("127.0.0.1", first)):
        second = choose_port("a name", 0, frozenset())
        assert second != first
        assert choose_port("a name", 0, frozenset({second})) not in {first, second}
    with socket.create_server(("", first)):
        assert choose_port("a name", 0, frozenset()) != first


def test_no_port_left_is_something_to_try_again():
    with pytest.raises(TransientError) as error:
        choose_port("a name", 0, frozenset(range(FIRST, LAST + 1)))
    assert error.value.code == "no-free-port"
