import os
import socket

import pytest

from fairway.adapters.targets.local.ports import FIRST, LAST, choose_port, observe_listener
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


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_listener_is_ours_if_its_session_is(address):
    with socket.create_server((address, 0)) as server:
        port = server.getsockname()[1]
        ours = observe_listener("127.0.0.1", port, os.getsid(0))
        assert (ours.anyone, ours.ours) == (True, True)
        theirs = observe_listener("127.0.0.1", port, 1 if os.getsid(0) != 1 else 2)
        assert (theirs.anyone, theirs.ours) == (True, False)
        assert observe_listener("127.0.0.1", port, None) == theirs
    assert observe_listener("127.0.0.1", port, os.getsid(0)).anyone is False


def test_a_listener_by_ipv6_for_both_families_counts():
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        assert observe_listener("127.0.0.1", server.getsockname()[1], os.getsid(0)).ours


def test_a_listener_on_another_address_of_the_machine_is_nobody():
    with socket.create_server(("127.0.0.2", 0)) as server:
        assert not observe_listener("127.0.0.1", server.getsockname()[1], None).anyone


def test_one_stranger_among_us_makes_the_port_foreign():
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as ours:
        port = ours.getsockname()[1]
        child = os.fork()
        if child == 0:
            os.setsid()
            ours.close()
            with socket.create_server(("127.0.0.1", port), reuse_port=True):
                os.kill(os.getpid(), 19)  # SIGSTOP: the test knows that it listens
            os._exit(0)
        os.waitpid(child, os.WUNTRACED)
        seen = observe_listener("127.0.0.1", port, os.getsid(0))
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert seen == (True, False)
