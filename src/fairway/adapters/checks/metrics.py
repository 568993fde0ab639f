"""The check of the metrics that a service offers."""

from fairway.adapters.checks.asking import Asker
from fairway.domain.validation.exchange import Exchange
from fairway.domain.validation.exposition import Malformed, parse_exposition
from fairway.domain.validation.findings import Finding, failed, passed, skipped
from fairway.domain.validation.probes import MetricsCheck
from fairway.domain.validation.status import describe_status, judge_status


def ask_metrics(check: MetricsCheck, asker: Asker) -> tuple[Finding, ...]:  # noqa: PLR0911 -- one return a finding
    """Fetches the metrics as Prometheus does, and reads them more strictly."""
    subject = f"GET {check.path}"
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4"
    answer = asker.get(check.path, (("Accept", accept),))
    expected = "metrics in the exposition format"
    if not isinstance(answer, Exchange):
        return (answer.finding(subject, expected),)
    if check.optional and answer.status == 404:
        return (skipped("absent", subject, describe_status(answer)),)
    status = judge_status(answer, subject, (200,))
    if status.outcome != "passed":
        return (status,)
    kind = (answer.header("content-type") or "").partition(";")[0]
    try:
        found = parse_exposition(answer.text, openmetrics=kind == "application/openmetrics-text")
    except Malformed as error:
        return (failed("metrics-malformed", subject, expected, f"{kind or 'no Content-Type'}: {error}"),)
    count = sum(len(samples) for samples in found.series.values())
    if not count:
        return (failed("metrics-missing", subject, expected, "no series"),)
    missing = [name for name in check.series if not found.knows(name)]
    if missing:
        wanted = f"the series {', '.join(check.series)}"
        return (failed("metrics-missing", subject, wanted, f"{count} series, without {', '.join(missing)}"),)
    return (passed(subject, expected, f"{count} series in {len(found.series)} metrics"),)
