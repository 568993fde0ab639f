"""Showing what will be done to git, asking whether it may be, and saying what became of it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from fairway.cli.options import Options
from fairway.cli.output import Exit, complain, note, print_json, say
from fairway.domain.branching.work import BranchPlan
from fairway.domain.errors import UserError
from fairway.usecases.answers import Declined
from fairway.usecases.branching.carry_out import Moved

if TYPE_CHECKING:
    from fairway.adapters.sources.git_work import GitWork
    from fairway.usecases.branching.desk import BranchDesk

_FLAG = Parameter(negative="")


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Doing:
    """How it is done.

    Attributes:
        push: a remote that the branch is sent to; what is there is never replaced.
        dry_run: only say what would be done.
        yes: do not ask.
    """

    push: str | None = None
    dry_run: Annotated[bool, _FLAG] = False
    yes: Annotated[bool, _FLAG] = False


DOING = Doing()


@dataclass(slots=True)
class _Dialogue:
    """Shows a plan, and asks.

    Attributes:
        shown: the plan, once it was.
    """

    doing: Doing
    options: Options
    shown: list[BranchPlan] = field(default_factory=list)

    def agree(self, plan: BranchPlan) -> bool:
        """The plan may be carried out."""
        self.shown.append(plan)
        if not self.options.json:
            _show(plan)
        if self.doing.dry_run or not self.has_work:
            return False
        return self.doing.yes or _ask()

    @property
    def has_work(self) -> bool:
        """Something is to be done."""
        return bool(self.shown[0].works or self.shown[0].push)


def carry_out(plan: "Callable[[BranchDesk], BranchPlan | Declined]", doing: Doing, options: Options) -> int:
    """Shows the plan, asks, and does it.

    Args:
        plan: makes the plan.
        doing: how.
        options: of every command.
    """
    from fairway.bootstrap.branching import open_branches
    from fairway.usecases.branching.carry_out import carry_out as do

    desk, writer = open_branches(options.config)
    if not (doing.dry_run or doing.yes) and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UserError("not-confirmed", "nobody can be asked here whether this may be done", "say --yes, or --dry-run")
    dialogue = _Dialogue(doing, options)
    answer = do(lambda: plan(desk), desk.branches, writer, dialogue.agree)
    if isinstance(answer, Declined):
        complain(answer.code, answer.sentence, answer.hint, as_json=options.json)
        return Exit.NO
    refusal = _rehearse(dialogue, desk, writer) if doing.dry_run else None
    if refusal is not None:
        complain(refusal.code, refusal.sentence, refusal.hint, as_json=options.json)
        return Exit.NO
    return _conclude(dialogue, answer)


def _rehearse(dialogue: _Dialogue, desk: "BranchDesk", writer: "GitWork") -> Declined | None:
    """Why what was shown could not be done."""
    from fairway.bootstrap.branching import rehearsal_of
    from fairway.usecases.branching.carry_out import rehearse

    return rehearse(dialogue.shown[0], desk.branches, rehearsal_of(writer))


def _conclude(dialogue: _Dialogue, answer: Moved | None) -> int:
    plan, dry_run = dialogue.shown[0], dialogue.doing.dry_run
    refused = answer is None and not dry_run and dialogue.has_work
    moved = {} if answer is None else dict(answer.branches)
    if dialogue.options.json:
        print_json(describe(plan, moved) | {"done": not dry_run and not refused})
    elif refused:
        note("fairway: nothing was done")
    elif not dry_run:
        for name, commit in moved.items():
            say(f"{name} is on {commit[:12]}")
        sys.stdout.flush()
        for line in plan.afterwards:
            note(f"next: {line}")
    return Exit.NO if refused else Exit.YES


def describe(plan: BranchPlan, moved: dict[str, str]) -> dict[str, Any]:
    """The plan as the JSON output has it, with the commits that the branches are on by now."""
    return {
        "title": plan.title,
        "git": list(plan.lines),
        "branches": [
            {
                "branch": work.branch,
                "start": work.start,
                "before": work.before,
                "commit": moved.get(work.branch),
                "changes": [
                    {"kind": one.kind, "commit": one.commit, "subject": one.subject, "merge": one.is_merge}
                    for one in work.changes
                ],
            }
            for work in plan.works
        ],
        "push": plan.push,
        "next": list(plan.afterwards),
    }


def _show(plan: BranchPlan) -> None:
    if any(work.changes for work in plan.works):
        say(f"{plan.title} (WORK is a folder of its own, removed in the end):")
    else:
        say(f"{plan.title}:" if plan.lines else plan.title)
    for line in plan.lines:
        say(f"  {line}")
    # Before anything is done, also into a pipe.
    sys.stdout.flush()


def _ask() -> bool:
    sys.stderr.write("Do this? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
