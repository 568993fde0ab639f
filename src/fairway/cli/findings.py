"""Findings as people read them: a table, and below it what went wrong and what to do."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fairway.domain.validation.findings import Finding, Report

_MARKS = {
    "passed": Text("✓ passed", "green"),
    "failed": Text("✗ failed", "bold red"),
    "warning": Text("! warning", "yellow"),
    "errored": Text("? no answer", "magenta"),
    "skipped": Text("- skipped", "dim"),
}
#: Columns of a table that is not shown in a terminal.
_WIDTH = 140


def print_report(report: Report, *, verbose: bool) -> None:
    """Prints a report on stdout.

    Args:
        report: of one validation.
        verbose: also what was expected where all was well.
    """
    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(_table(report, verbose=verbose))
    for one in report.findings:
        if one.outcome in ("failed", "errored") or (verbose and one.outcome == "warning"):
            _explain(console, one)
    console.print(
        Text(f"{report.target}: {report.verdict} ({report.summary}) in {report.seconds:.1f} s", style="bold"),
        soft_wrap=True,
    )


def _table(report: Report, *, verbose: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("result", no_wrap=True)
    table.add_column("check", no_wrap=True)
    table.add_column("what", overflow="fold", ratio=2)
    if verbose:
        table.add_column("expected", overflow="fold", ratio=2)
    table.add_column("came", overflow="fold", ratio=3)
    table.add_column("time", justify="right", no_wrap=True)
    for one in report.findings:
        expected = (Text(_printable(one.expected)),) if verbose else ()
        cells = (Text(one.check), Text(_printable(one.subject)), *expected, Text(_printable(one.came)))
        table.add_row(_MARKS[one.outcome], *cells, Text(_time(one.seconds)))
    return table


def _explain(console: Console, one: Finding) -> None:
    console.print(Text.assemble(_MARKS[one.outcome], f"  {one.check}: {_printable(one.subject)}"), soft_wrap=True)
    lines = (("expected", one.expected), ("came", one.came), ("likely", one.cause), ("to do", one.advice))
    for label, text in lines:
        if text:
            console.print(Text.assemble((f"    {label:<9} ", "dim"), _printable(text)), soft_wrap=True)


def _time(seconds: float) -> str:
    if not seconds:
        return ""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _printable(text: str) -> str:
    """Without what would move the cursor or change colours: answers are other people's words."""
    return "".join(c if c.isprintable() else "·" for c in text)
