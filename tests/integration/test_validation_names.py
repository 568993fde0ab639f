"""Names, asked of a real name server: late, wrong, missing, silent, absent and broken answers are told apart."""

import socket
import time

import pytest
from checked import PASSED, check, codes
from dns_server import dns_server

from fairway.domain.validation.needs import DnsCheck

NAMES = {
    "shop.example.": {"A": ["192.0.2.10", "192.0.2.11"], "MX": ["10 mail.shop.example."], "TXT": ['"v=spf1 -all"']},
    "www.shop.example.": {"CNAME": ["shop.example."]},
}
LONG = 30.0


def ask(server, host="shop.example", *, timeout=LONG, seconds=LONG, **more):
    (finding,) = check(DnsCheck(host, server=server, seconds=seconds, **more), timeout=timeout)
    return finding


@pytest.fixture(scope="module")
def server():
    with dns_server(NAMES) as address:
        yield address


def test_all_records_that_must_be_there_are_looked_for(server):
    probe = DnsCheck("shop.example", records=("192.0.2.11", "192.0.2.10"), server=server, seconds=LONG)
    assert codes(check(probe, timeout=LONG)) == PASSED
    assert ask(server, kind="MX", records=("10 mail.shop.example.",)).outcome == "passed"
    assert ask(server, kind="TXT", records=("v=spf1 -all",)).outcome == "passed"
    assert ask(server, "www.shop.example", kind="CNAME", records=("shop.example",)).outcome == "passed"


def test_a_wrong_record_is_another_fault_than_a_missing_name_or_a_missing_record(server):
    other = ask(server, records=("192.0.2.99", "192.0.2.10"))
    assert (other.outcome, other.code) == ("failed", "dns-other")
    assert other.came == "192.0.2.10, 192.0.2.11, without 192.0.2.99"
    missing = ask(server, "shops.example")
    assert (missing.outcome, missing.code) == ("failed", "dns-missing")
    assert "does not exist" in missing.came
    empty = ask(server, kind="AAAA")
    assert (empty.outcome, empty.code) == ("failed", "dns-no-record")
    assert empty.came == "the name exists, without a record AAAA"


def test_a_right_answer_that_comes_late_is_slow():
    with dns_server(NAMES, late=0.3) as address:
        finding = ask(address, seconds=0.2)
    assert (finding.outcome, finding.code, finding.expected) == ("failed", "dependency-slow", "an answer within 200 ms")
    assert finding.came.startswith("192.0.2.10, 192.0.2.11, after ")


def test_a_wrong_answer_that_comes_late_is_wrong_first_of_all():
    with dns_server(NAMES, late=0.3) as address:
        assert ask(address, records=("192.0.2.99",), seconds=0.1).code == "dns-other"


def test_a_server_that_is_silent_is_no_missing_name_and_ends_in_time():
    begin = time.monotonic()
    with dns_server(NAMES, silent=True) as address:
        finding = ask(address, timeout=0.5)
    assert (finding.outcome, finding.code) == ("failed", "dependency-timeout")
    assert finding.came == "no answer within 0.5 s"
    assert time.monotonic() - begin < LONG


def test_a_server_that_is_not_there_is_told_at_once_and_not_by_the_time_that_is_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    begin = time.monotonic()
    finding = ask(address, timeout=300)
    assert (finding.outcome, finding.code) == ("failed", "dependency-unreachable")
    assert "Connection refused" in finding.came
    assert time.monotonic() - begin < LONG


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED"])
def test_a_server_that_answers_with_a_fault_is_there(rcode):
    with dns_server(NAMES, rcode=rcode) as address:
        finding = ask(address)
    assert (finding.outcome, finding.code) == ("failed", "dependency-refused")
    assert finding.came.endswith(f"answers {rcode}")


@pytest.mark.parametrize("garbage", [b"x", b"GET / HTTP/1.1\r\n\r\n", bytes(600)])
def test_what_is_no_answer_is_not_waited_out(garbage):
    begin = time.monotonic()
    with dns_server(NAMES, garbage=garbage) as address:
        finding = ask(address, timeout=300)
    assert (finding.outcome, finding.code) == ("failed", "dependency-refused")
    assert "what is no answer" in finding.came
    assert time.monotonic() - begin < LONG


def test_a_question_that_was_lost_is_asked_again():
    with dns_server(NAMES, drops=1) as address:
        assert ask(address, timeout=4.0).outcome == "passed"


@pytest.mark.parametrize("server", ["127.0.0.1:port", "[::1]:x", ":53", "127.0.0.1:99999"])
def test_what_is_no_server_is_a_mistake_of_the_check(server):
    (finding,) = check(DnsCheck("shop.example", server=server))
    assert (finding.outcome, finding.code) == ("errored", "bad-url"), finding


def test_a_server_whose_own_name_has_no_address_is_unreachable():
    assert ask("no-such-host.invalid:53").code == "dependency-unreachable"
