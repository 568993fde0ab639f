"""Performing the checks of the running service in a rollout, on its way there and on its way back."""

from collections.abc import Iterator
from dataclasses import replace

from fairway.domain.codec import to_json
from fairway.domain.errors import TransientError
from fairway.domain.rollout.events import AttentionNeeded
from fairway.domain.rollout.run import Run
from fairway.domain.rollout.steps import CheckHttp
from fairway.domain.validation.checks import HttpCheck
from fairway.domain.validation.findings import Finding, Report
from fairway.engine.world import Finished, Outcome, Pending, Refused, World
from fairway.ports.checks import Place

#: Seconds for which the way back asks again while nobody answers, and seconds between.
SETTLE, ASK_AGAIN = 20.0, 0.5


def run_checks(run: Run, world: World, step: CheckHttp, *, at: float, spent: float) -> Outcome:
    """Asks, and says whether the step's condition holds.

    Args:
        run: whose step it is.
        world: what it acts through.
        step: the checks.
        at: now, seconds since the epoch, UTC.
        spent: seconds that were spent on the step.

    Raises:
        TransientError: on the way there, nobody answered; it may be tried again.
    """
    report = _report(run, world, step)
    if run.track == "rollback":
        return _verdict_back(run, report, at=at, spent=spent)
    worst = report.worst
    if report.verdict == "failed" and worst is not None:
        return Refused("http-check", _reason(report, worst))
    if report.verdict == "errored":
        sentence = _reason(report, worst) if worst else f"nothing was checked: {report.summary}"
        raise TransientError(f"check-{worst.code if worst else 'nothing'}", sentence, worst.advice if worst else "")
    return Finished(_done(step, report), {"findings": to_json(report.findings)})


def overdue(run: Run, step: CheckHttp, at: float) -> Outcome:
    """What follows when the checks have no answer in the time of the step."""
    reason = f"{step.title}: not answered within {step.timeout:g} s"
    return _tell(run, reason, at) if run.track == "rollback" else Refused("http-check", reason)


def _report(run: Run, world: World, step: CheckHttp) -> Report:
    state = world.router.observe()
    preview = step.where == "preview" and bool(state.preview)
    base = f"http://{state.preview if preview else state.address}"
    stable = f"http://{state.address}" if preview and run.plan.stable is not None else None
    answering = run.plan.stable if run.track == "rollback" else run.plan.candidate
    place = Place(base, step.settings, stable, answering.version if answering else None)
    return Report(base, tuple(_findings(world, step, place)))


def _findings(world: World, step: CheckHttp, place: Place) -> Iterator[Finding]:
    # A request of a stage has all the time of the stage, however slow the service is at first.
    patient = replace(place, settings=replace(place.settings, timeout=step.timeout))
    for check in step.checks:
        plain = isinstance(check, HttpCheck)
        for finding in world.checker.check(check, patient if plain else place):
            # It asks by one request that changes nothing: what went wrong on the way may be tried again.
            again = plain and finding.code in _ON_THE_WAY
            yield replace(finding, outcome="errored") if again else finding


_ON_THE_WAY = frozenset({"timeout", "reset", "incomplete", "not-http"})


def _verdict_back(run: Run, report: Report, *, at: float, spent: float) -> Outcome:
    """The way back ends whatever the checks say: there is nothing else to go back to, and a person must know."""
    if report.verdict == "passed":
        return Finished(_summary(report), {"findings": to_json(report.findings)})
    if report.verdict == "errored" and spent < SETTLE:
        return Pending(ASK_AGAIN)
    worst = report.worst
    return _tell(run, _reason(report, worst) if worst else "nothing was checked", at)


def _tell(run: Run, reason: str, at: float) -> Outcome:
    stable = run.plan.stable.version if run.plan.stable else "what serves now"
    sentence = f"rolled back to {stable}, and its checks do not pass either: {reason}"
    return Finished(reason, events=(AttentionNeeded(at, sentence),))


def _reason(report: Report, worst: Finding | None) -> str:
    if worst is None:
        return report.summary
    others = report.count(worst.outcome) - 1
    more = f" (and {others} more)" if others else ""
    cause = f"; likely {worst.cause}" if worst.cause else ""
    named = "" if worst.subject.endswith(f" {worst.check}") else f"{worst.check}: "
    return f"{named}{worst.sentence}{more}{cause}"


def _done(step: CheckHttp, report: Report) -> str:
    if all(isinstance(check, HttpCheck) for check in step.checks):
        return f"{len(step.checks)} of {len(step.checks)} as expected"
    return _summary(report)


def _summary(report: Report) -> str:
    return f"{len({one.check for one in report.findings})} checks: {report.summary}"
