"""What `status --evidence` and `status --plot` show: the course of one run's evidence."""

import sys
from collections.abc import Sequence
from pathlib import Path

from fairway.cli.output import note
from fairway.domain.errors import UserError
from fairway.usecases.course import Course

WIDEST = 120
"""Columns that a drawing has at most."""

_KINDS = (".svg", ".png")


def show(courses: Sequence[Course]) -> None:
    """Draws courses on the terminal, or as plain text where there is none."""
    from rich.console import Console

    from fairway.cli.plot.terminal import draw_text

    console = Console(file=sys.stdout, highlight=False)
    for number, course in enumerate(courses):
        console.print(*([""] if number else []), draw_text(course, width=min(console.width, WIDEST)), sep="\n")


def check_plot(path: Path) -> None:
    """Finds out before anything else whether such a file can be written.

    Raises:
        UserError: the name ends otherwise than in .svg or .png, its folder is missing, or what draws PNG is not
            installed.
    """
    if path.suffix.lower() not in _KINDS:
        raise UserError("plot-format", f"{path.name!r} is neither SVG nor PNG", "name a file that ends in .svg or .png")
    if not path.parent.is_dir():
        raise UserError("plot-folder", f'"{path.parent}" is not a folder', "name a file in a folder that is there")
    if path.suffix.lower() == ".png":
        from fairway.cli.plot.png import require_renderer

        require_renderer()


def save(courses: Sequence[Course], path: Path) -> None:
    """Writes one course as a picture; what the file held before is replaced.

    Args:
        courses: one; more or none is the user's mistake.
        path: as `check_plot` wants it.

    Raises:
        UserError: there is nothing to draw, or it was not said which.
    """
    from fairway.cli.plot.svg import draw_svg

    if not courses:
        raise UserError("no-run", "nothing was ever deployed here", "fairway history lists the runs")
    if len(courses) > 1:
        places = ", ".join(course.run.plan.environment for course in courses)
        sentence = f"{path.name!r} holds one run, and there are runs in {places}"
        raise UserError("plot-which", sentence, "say which by --env ENV or --run RUN")
    text = draw_svg(courses[0])
    if path.suffix.lower() == ".png":
        from fairway.cli.plot.png import render

        path.write_bytes(render(text))
    else:
        path.write_text(text, encoding="utf-8")
    note(f"wrote {path}")
