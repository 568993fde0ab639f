import os
import socket

import pytest

from fairway.adapters.targets.local.listeners import Listener, observe_listener
from fairway.domain.rollout.revision import Endpoint


def at(port):
    return Endpoint("r1.1", "127.0.0.1", port)


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_listener_is_ours_if_its_session_is(address):
    with socket.create_server((address, 0)) as server:
        port = server.getsockname()[1]
        ours = observe_listener(at(port), os.getsid(0))
        assert (ours.anyone, ours.ours) == (True, True)
        theirs = observe_listener(at(port), 1 if os.getsid(0) != 1 else 2)
        assert (theirs.anyone, theirs.ours) == (True, False)
        assert observe_listener(at(port), None) == theirs
    assert observe_listener(at(port), os.getsid(0)).anyone is False


def test_a_listener_by_ipv6_for_both_families_counts():
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        assert observe_listener(at(server.getsockname()[1]), os.getsid(0)).ours


def test_a_listener_on_another_address_of_the_machine_is_nobody():
    with socket.create_server(("127.0.0.2", 0)) as server:
        assert not observe_listener(at(server.getsockname()[1]), None).anyone


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
        try:
            seen = observe_listener(at(port), os.getsid(0))
        finally:
            os.kill(child, 9)
            os.waitpid(child, 0)
    assert seen == (True, False)


def test_who_accepts_connections_on_a_socket_is_told_from_who_was_connected_there(tmp_path):
    path = str(tmp_path / "a socket")
    place = Endpoint("r1.1", "", 0, path)
    assert observe_listener(place, os.getsid(0)) == Listener(anyone=False, ours=False)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        assert not observe_listener(place, os.getsid(0)).anyone, "bound, but not listening yet"
        server.listen()
        assert observe_listener(place, os.getsid(0)) == Listener(anyone=True, ours=True)
        assert observe_listener(place, 1 if os.getsid(0) != 1 else 2) == Listener(anyone=True, ours=False)
        assert not observe_listener(Endpoint("r1.2", "", 0, str(tmp_path / "socket")), os.getsid(0)).anyone
        with socket.socket(socket.AF_UNIX) as user:
            user.connect(path)
            accepted, _ = server.accept()
            server.close()
            with accepted:
                assert not observe_listener(place, os.getsid(0)).anyone, "a connection is no listener"
