"""What every runner of commands and every probe must do. A subclass in a test module says how to make one."""

# ruff: noqa: D102 the names of tests are sentences

import time
from concurrent.futures import ThreadPoolExecutor

from fairway.domain.errors import PermanentError, TransientError
from fairway.domain.validation.checks import Check, HttpCheck
from fairway.domain.validation.findings import Finding
from fairway.ports.checks import Answer, Checker, Command, CommandResult, CommandRunner, HttpProbe, Place


class CommandRunnerContract:
    """The suite: `class TestMyRunner(CommandRunnerContract)` with the methods that this one leaves open.

    Attributes:
        patience: seconds that a command of this suite may take.
    """

    patience = 20.0

    def runner(self) -> CommandRunner:
        """The runner; when asked again the same one, or another one that knows what the first one ran."""
        raise NotImplementedError

    def command(self, key: str, result: CommandResult) -> Command:
        """A command that ends so, and can be counted."""
        raise NotImplementedError

    def missing(self, key: str) -> Command:
        """A command whose program does not exist."""
        raise NotImplementedError

    def executions(self, key: str) -> int:
        """How many times a command with this key was started."""
        raise NotImplementedError

    def finish(self, command: Command) -> CommandResult:
        """Its result, once there is one."""
        deadline = time.monotonic() + self.patience
        while (result := self.runner().ensure_run(command)) is None:
            assert time.monotonic() < deadline, f"{command.line} did not end"
            time.sleep(0.01)
        return result

    def test_a_command_runs_and_its_result_follows(self) -> None:
        command = self.command("one", CommandResult(0, "done"))
        assert self.runner().ensure_run(command) is None
        assert self.finish(command) == CommandResult(0, "done")

    def test_a_failure_is_a_result(self) -> None:
        assert self.finish(self.command("one", CommandResult(3, "no"))) == CommandResult(3, "no")

    def test_a_key_runs_once_however_often_it_is_asked_for(self) -> None:
        command = self.command("one", CommandResult(0, "done"))
        results = [self.finish(command) for _ in range(3)]
        assert results == [CommandResult(0, "done")] * 3
        assert self.executions("one") == 1

    def test_a_key_runs_once_however_many_ask_at_once(self) -> None:
        command = self.command("one", CommandResult(0, "done"))
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(lambda _: self.finish(command), range(8))) == {CommandResult(0, "done")}
        assert self.executions("one") == 1

    def test_another_key_is_another_execution(self) -> None:
        self.finish(self.command("one", CommandResult(0, "done")))
        self.finish(self.command("two", CommandResult(0, "done")))
        assert (self.executions("one"), self.executions("two")) == (1, 1)

    def test_a_missing_program_is_refused(self) -> None:
        refusal: PermanentError | None = None
        try:
            self.runner().ensure_run(self.missing("one"))
        except PermanentError as error:
            refusal = error
        assert refusal is not None
        assert refusal.message.endswith(".")
        assert self.executions("one") == 0


class HttpProbeContract:
    """The suite: `class TestMyProbe(HttpProbeContract)` with the methods that this one leaves open."""

    def probe(self) -> HttpProbe:
        """The probe."""
        raise NotImplementedError

    def url(self, answer: Answer | None) -> str:
        """A URL that answers so; None: where nobody listens."""
        raise NotImplementedError

    def test_gives_status_and_body(self) -> None:
        assert self.probe().get(self.url(Answer(200, "grüezi")), timeout=5.0) == Answer(200, "grüezi")

    def test_a_failure_of_the_server_is_an_answer(self) -> None:
        assert self.probe().get(self.url(Answer(503, "full")), timeout=5.0) == Answer(503, "full")

    def test_no_connection_is_an_error_that_passes(self) -> None:
        url = self.url(None)
        problem: TransientError | None = None
        try:
            self.probe().get(url, timeout=5.0)
        except TransientError as error:
            problem = error
        assert problem is not None
        assert url in problem.message


class CheckerContract:
    """The suite: `class TestMyChecker(CheckerContract)` with the methods that this one leaves open."""

    def checker(self) -> Checker:
        """The checker."""
        raise NotImplementedError

    def place(self, answer: Answer | None) -> Place:
        """A place whose every path answers so; None: where nobody listens."""
        raise NotImplementedError

    def ask(self, check: Check | HttpCheck, answer: Answer | None) -> Finding:
        """The only finding of a check."""
        (finding,) = self.checker().check(check, self.place(answer))
        return finding

    def test_an_answer_as_wanted_passes(self) -> None:
        finding = self.ask(HttpCheck("/health", 200, "well"), Answer(200, "all is well"))
        assert (finding.outcome, finding.code, finding.check) == ("passed", "ok", "/health")

    def test_an_answer_that_is_not_as_wanted_is_a_no_with_what_came(self) -> None:
        status = self.ask(HttpCheck("/health"), Answer(500, "boom"))
        assert (status.outcome, status.code) == ("failed", "status-5xx")
        assert "boom" in status.came
        body = self.ask(HttpCheck("/health", 200, "well"), Answer(200, "poorly"))
        assert (body.outcome, body.code) == ("failed", "body")

    def test_nobody_there_is_a_finding_and_no_error(self) -> None:
        finding = self.ask(HttpCheck("/health"), None)
        assert (finding.outcome, finding.code) == ("errored", "refused")
        assert finding.cause
        assert finding.advice

    def test_a_named_check_keeps_its_name(self) -> None:
        assert self.ask(Check("mine", HttpCheck("/")), Answer(200, "ok")).check == "mine"

    def test_what_is_not_required_is_a_warning(self) -> None:
        assert self.ask(Check("mine", HttpCheck("/"), required=False), Answer(404, "no")).outcome == "warning"
