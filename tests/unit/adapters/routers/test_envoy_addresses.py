"""Addresses to listen on."""

import os
import socket
import sys

import pytest

from fairway.adapters.routers.envoy.addresses import Address, check_free, find_listener, parse_address
from fairway.domain.errors import PermanentError, UserError


@pytest.mark.parametrize("text", ["127.0.0.1:8000", "0.0.0.0:80", "[::1]:65535"])
def test_an_address_reads_as_it_is_written(text):
    assert str(parse_address(text)) == text


@pytest.mark.parametrize("text", ["", "8000", ":8000", "localhost:8000", "127.0.0.1:0", "127.0.0.1:65536", "1.2.3.4:x"])
def test_what_is_no_address_is_quoted(text):
    with pytest.raises(UserError) as refusal:
        parse_address(text)
    assert f'"{text}"' in refusal.value.message


def test_who_listens_is_found_and_may_be_ourselves():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        address = Address("127.0.0.1", listener.getsockname()[1])
        assert find_listener(address.port) == os.getpid()
        check_free(address, ours=sys.argv[0])
        with pytest.raises(PermanentError, match=f"process {os.getpid()} "):
            check_free(address)
    assert find_listener(address.port) is None
    check_free(address)


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(PermanentError) as refusal:
        check_free(Address("203.0.113.1", 8000))
    assert refusal.value.code == "address-refused"
    assert '"203.0.113.1:8000"' in refusal.value.message
