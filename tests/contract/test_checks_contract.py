from collections import Counter

import pytest

from fairway.adapters.checks import LocalChecker
from fairway.adapters.commands import LocalCommands
from fairway.adapters.commands.confidential import LocalSecretCommands
from fairway.adapters.probes import LocalProbe
from fairway.adapters.secrets import LocalSecrets
from fairway.domain.errors import PermanentError
from fairway.domain.validation.checks import Check
from fairway.domain.validation.findings import failed
from fairway.domain.validation.probes import HealthCheck
from fairway.ports.checks import Command, Place
from fairway.testing.checks import FakeChecker, FakeCommands, FakeProbe
from fairway.testing.checks_contract import CheckerContract, CommandRunnerContract, HttpProbeContract
from servers import http_server, unused_address


class TestLocalCommands(CommandRunnerContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path):
        self.folder = tmp_path

    def runner(self):
        return LocalCommands(self.folder / "commands")

    def command(self, key, result):
        count = f'echo "$KEY" >> "{self.folder}/count"; echo {result.tail}; exit {result.status}'
        return Command(key, f"sh -c '{count}'", str(self.folder), (("KEY", key),), 10.0)

    def missing(self, key):
        return Command(key, "no-such-program-anywhere", str(self.folder), (), 10.0)

    def executions(self, key):
        found = self.folder / "count"
        return Counter(found.read_text().split())[key] if found.exists() else 0


class TestFakeCommands(CommandRunnerContract):
    @pytest.fixture(autouse=True)
    def _memory(self):
        self.fake = FakeCommands()

    def runner(self):
        return self.fake

    def command(self, key, result):
        self.fake.results[f"exit {result.status}"] = result
        return Command(key, f"exit {result.status}", "/nowhere", (), 10.0)

    def missing(self, key):
        self.fake.refused["missing"] = PermanentError("program-missing", "The program 'missing' does not exist.")
        return Command(key, "missing", "/nowhere", (), 10.0)

    def executions(self, key):
        return self.fake.executions[key]

    def test_runs_as_long_as_the_script_says(self):
        self.fake.looks = 2
        command = self.missing("one")
        self.fake.refused.clear()
        assert [self.fake.ensure_run(command) is None for _ in range(4)] == [True, True, True, False]


class TestLocalProbe(HttpProbeContract):
    @pytest.fixture(autouse=True)
    def _server(self):
        with http_server() as self.server:
            yield

    def probe(self):
        return LocalProbe()

    def url(self, answer):
        if answer is None:
            return f"http://{unused_address()}/"
        self.server.status, self.server.body = answer.status, answer.body.encode()
        return f"{self.server.url}/"


class TestFakeProbe(HttpProbeContract):
    @pytest.fixture(autouse=True)
    def _memory(self):
        self.fake = FakeProbe()

    def probe(self):
        return self.fake

    def url(self, answer):
        self.fake.answers["http://candidate/"] = answer
        return "http://candidate/"

    def test_answers_of_a_function_may_change(self):
        answers = iter([self.fake.otherwise, None])
        self.fake.answers["http://candidate/"] = lambda: next(answers)
        assert self.fake.get("http://candidate/", timeout=1.0) == self.fake.otherwise
        with pytest.raises(Exception, match="nobody listens"):
            self.fake.get("http://candidate/", timeout=1.0)
        assert self.fake.asked == ["http://candidate/"] * 2


class TestLocalChecker(CheckerContract):
    @pytest.fixture(autouse=True)
    def _server(self):
        with http_server() as self.server:
            yield

    def checker(self):
        return LocalChecker(LocalSecrets(LocalSecretCommands()))

    def place(self, answer):
        if answer is None:
            return Place(f"http://{unused_address()}")
        self.server.status, self.server.body = answer.status, answer.body.encode()
        return Place(self.server.url)


class TestFakeChecker(CheckerContract):
    @pytest.fixture(autouse=True)
    def _memory(self):
        self.fake = FakeChecker()

    def checker(self):
        return self.fake

    def place(self, answer):
        self.fake.probe.otherwise = answer
        return Place("http://candidate")

    def test_what_a_check_finds_can_be_said_beforehand(self):
        no = failed("slow", "it", "x", "y")
        self.fake.findings["mine"] = (no,)
        assert self.fake.check(Check("mine", HealthCheck()), Place("http://candidate")) == (no,)
        assert [name for name, _ in self.fake.asked] == ["mine"]
