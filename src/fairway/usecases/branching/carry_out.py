"""Doing what a plan says to branches: everything is made first, and only then does any branch move."""

from collections.abc import Callable
from dataclasses import dataclass

from fairway.domain.branching.work import BranchPlan, BranchWork
from fairway.ports.branches import Branches, BranchWriter, Conflict, Rehearsal
from fairway.usecases.answers import Declined


@dataclass(frozen=True, slots=True)
class Moved:
    """Where the branches are now: full object name by name."""

    branches: tuple[tuple[str, str], ...]


def carry_out(
    plan: Callable[[], BranchPlan | Declined],
    branches: Branches,
    writer: BranchWriter,
    agree: Callable[[BranchPlan], bool],
) -> Moved | Declined | None:
    """Makes the plan, asks whether it may be done, and does it; None if it may not.

    What was interrupted is begun anew by the same call: a branch that is as it should be is left alone.

    Args:
        plan: looks at the repository, and says what is to be done.
        branches: looks at branches.
        writer: changes them.
        agree: shows the plan, and says whether it may be done.

    Raises:
        UserError: there is no such remote to send to.
        TransientError: a branch moved meanwhile, or the remote repository did not answer.
        PermanentError: git refuses.
    """
    shown = plan()
    if isinstance(shown, Declined):
        return shown
    if shown.push is not None:
        writer.require(shown.push)
    if not agree(shown):
        return None
    with writer.exclusively():
        # Somebody may have thought about it for long.
        present = plan()
        if isinstance(present, Declined):
            return present
        # Where nothing is left to be done, somebody else has done the same.
        if present != shown and present.works:
            sentence = "the branches have changed since the plan was shown"
            return Declined("plan-outdated", sentence, "run the command again, and look at the new plan")
        made = []
        for work in present.works:
            commit = writer.make(work.start, work.changes) if work.changes else work.start
            if isinstance(commit, Conflict):
                return _explain(commit, work, branches)
            made.append((work, commit))
        writer.put(made)
        if present.push is not None:
            writer.push(present.push, present.branches)
    return Moved(tuple((work.branch, commit) for work, commit in made))


def rehearse(plan: BranchPlan, branches: Branches, rehearsal: Rehearsal) -> Declined | None:
    """Why the plan cannot be carried out, without doing any of it; None: nothing speaks against it.

    Args:
        plan: what is to be done.
        branches: looks at branches.
        rehearsal: says what changes would come to.

    Raises:
        PermanentError: git refuses, or is too old to say.
    """
    for work in plan.works:
        conflict = rehearsal.foresee(work.start, work.changes) if work.changes else None
        if conflict is not None:
            return _explain(conflict, work, branches)
    return None


def _explain(conflict: Conflict, work: BranchWork, branches: Branches) -> Declined:
    change = conflict.change
    what = f"{change.kind} of {change.commit[:12]} ({change.subject[:80]})"
    if not conflict.files:
        sentence = f"the {what} changes nothing on top of {work.start[:12]}: it is not there any more"
        return Declined("no-effect", f"{sentence}; nothing was done", "leave that commit out")
    named = ", ".join(conflict.files[:5]) + (f" and {len(conflict.files) - 5} more" if len(conflict.files) > 5 else "")
    sentence = f"the {what} conflicts in {named}; nothing was done"
    later = branches.touching(conflict.files, since=change.commit, until=work.start)
    if change.kind == "merge":
        hint = f"merge it by hand: git switch {work.branch}, git merge --no-ff {change.commit[:12]}"
        return Declined("conflict", sentence, hint)
    command = f"git {' '.join(change.command[:-1])} {change.commit[:12]}"
    hint = f"by hand: git switch -c {work.branch} {work.start[:12]}, {command}"
    if later:
        hint = f"later commits change the same files; take them out too: {'; '.join(later[:5])}. Or {hint}"
    return Declined("conflict", sentence, hint)
