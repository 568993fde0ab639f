"""What the load generator measures, and what it says of itself."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from raw_server import RawServer, answer

from fairway.adapters.load.process import Load
from fairway.adapters.load.report import Report
from fairway.domain.insight.histogram import decode, percentile

SERVER = [sys.executable, str(Path(__file__).with_name("static_server.py"))]


@contextmanager
def static_server() -> Iterator[str]:
    with subprocess.Popen(SERVER, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}/"
        finally:
            process.kill()


def load(url: str, *options: str, rate: float = 500.0, connections: int = 4, count: int = 100) -> Report:
    with Load(url, rate=rate, connections=connections, options=("--count", str(count), *options)) as run:
        return run.wait()


class TestWhoseFaultItIs:
    def test_ten_thousand_a_second_come_from_less_than_one_processor(self):
        with static_server() as url, Load(url, rate=10_000, duration=1, connections=64) as run:
            report = run.wait()
        assert report.sent + report.behind == 10_000
        assert report.failed == 0
        # Whatever else runs here: what it used itself, and that it says so if that was not enough.
        assert 0.05 < report.pace.processor < 1
        assert report.pace.limit == "" or report.pace.late > 100

    def test_a_generator_that_is_held_up_says_that_it_was_the_limit(self):
        with RawServer() as server, Load(server.url, rate=200, duration=1.5, connections=32) as run:
            while server.total < 20:
                time.sleep(0.005)
            os.kill(run._process.pid, signal.SIGSTOP)
            time.sleep(0.5)
            os.kill(run._process.pid, signal.SIGCONT)
            report = run.wait()
        assert report.pace.limit == "generator"
        assert report.pace.late_alone >= 50
        assert "the generator, not the service" in report.pace.sentence()
        assert "the generator, not the service" in str(report)
        assert report.max_ms >= 400, "what it did to latency is not hidden either"

    def test_a_service_that_stalls_is_not_taken_for_a_slow_generator(self):
        opened = threading.Event()
        opened.set()

        def respond(number, method, path):
            if number == 40:
                opened.clear()
                threading.Timer(0.4, opened.set).start()
            opened.wait(5)
            return answer()

        with RawServer(respond) as server, Load(server.url, rate=200, duration=1, connections=2) as run:
            report = run.wait()
        assert report.pace.limit == "connections"
        assert report.pace.late > report.pace.late_alone
        assert "all connections waited" in report.pace.sentence()

    def test_a_run_that_keeps_up_says_nothing(self):
        with RawServer() as server:
            report = load(server.url, rate=20, count=10, connections=4)
        assert report.pace.limit == "" or report.pace.late > 0
        assert ("limit" in str(report)) == (report.pace.limit == "generator")


class TestMeasures:
    def test_the_warm_up_is_sent_and_does_not_count(self):
        cold = threading.Event()

        def respond(number, method, path):
            return answer(503 if not cold.is_set() else 200)

        with RawServer(respond) as server:
            threading.Timer(0.3, cold.set).start()
            report = load(server.url, "--warmup", "0.6", rate=100, count=30)
            assert server.total == report.warmed + report.sent
        assert report.warmed == 60
        assert (report.sent, report.ok, report.failed) == (30, 30, 0)
        assert sum(interval.sent for interval in report.timeline) == 30

    def test_mean_and_percentiles_are_those_of_the_latencies(self):
        def respond(number, method, path):
            if number % 10 == 0:
                time.sleep(0.05)
            return answer()

        with RawServer(respond) as server:
            report = load(server.url, rate=50, count=50, connections=8)
        assert report.p95_ms >= 50
        assert report.p50_ms < 50
        assert 5 <= report.mean_ms < 25

    def test_the_histogram_holds_every_latency_to_three_digits(self):
        with RawServer() as server:
            report = load(server.url, count=200)
        cells = decode(report.histogram)
        assert sum(cells.values()) == 200
        assert percentile(cells, 99) == pytest.approx(report.p99_ms, rel=0.001)
        assert percentile(cells, 50) == pytest.approx(report.p50_ms, rel=0.001)


@pytest.fixture
def certificate(tmp_path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    year = [x509.base.datetime.datetime(2020 + part, 1, 1) for part in (0, 79)]
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), *year)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, secret = tmp_path / "certificate.pem", tmp_path / "key.pem"
    pem.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return pem, secret


class TlsFront:
    """Ends TLS before a server and hands bytes on."""

    def __init__(self, certificate: tuple[Path, Path], behind: str) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*certificate)
        self._behind = ("127.0.0.1", int(behind.rpartition(":")[2]))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._open: list[socket.socket] = [self._listener]

    def __enter__(self) -> int:
        self._threads[0].start()
        return self._listener.getsockname()[1]

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(60)
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            with suppress(OSError):  # a client that does not like the certificate
                front = self._context.wrap_socket(plain, server_side=True)
                back = socket.create_connection(self._behind)
                self._open += [front, back]
                for ends in ((front, back), (back, front)):
                    self._threads.append(threading.Thread(target=self._pump, args=ends))
                    self._threads[-1].start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class TestWhereItConnects:
    def test_a_service_within_tls_is_measured_with_its_certificate_checked(self, certificate):
        body = b"x" * 100_000  # more than one record of TLS
        with RawServer(lambda *_: answer(body=body)) as server, TlsFront(certificate, server.url) as port:
            report = load(f"https://localhost:{port}/", "--authority", str(certificate[0]))
            assert server.total == 100
        assert (report.ok, report.errors) == (100, {})

    def test_a_certificate_that_nobody_trusts_is_a_failure_of_its_kind(self, certificate):
        with RawServer() as server, TlsFront(certificate, server.url) as port:
            refused = load(f"https://localhost:{port}/", count=5)
            allowed = load(f"https://localhost:{port}/", "--insecure", count=5)
        assert refused.errors == {"tls": 5}
        assert (allowed.ok, allowed.errors) == (5, {})

    def test_a_unix_socket_is_as_good_as_a_port(self, tmp_path):
        path = tmp_path / "service.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                while connection.recv(1 << 16):
                    connection.sendall(answer())

        thread = threading.Thread(target=serve)
        thread.start()
        report = load("http://localhost/", "--socket", str(path), connections=1)
        thread.join(60)
        listener.close()
        assert (report.ok, report.errors) == (100, {})

    def test_a_unix_socket_that_nobody_made_refuses(self, tmp_path):
        report = load("http://localhost/", "--socket", str(tmp_path / "nobody"), count=5)
        assert report.errors == {"refused": 5}
