"""A branch that takes commits or pull requests back, or brings them back once production runs without them."""

from dataclasses import dataclass

from fairway.domain.branching.selection import Log
from fairway.domain.branching.work import BranchPlan, BranchWork
from fairway.domain.errors import UserError
from fairway.domain.versioning.commits import Commit
from fairway.usecases.answers import Declined
from fairway.usecases.branching.desk import Base, BranchDesk, revert_of

_SHORT = 8


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants taken back, or brought back.

    Attributes:
        commits: versions, tags or (abbreviated) commits; with `#` or `!` before it the number of a pull request.
        requests: numbers of pull or merge requests.
        restore: bring them back: their reverts are reverted.
        early: bring them back although production does not run without them yet.
        onto: the branch that the new one is on top of; None: the one that finished work goes to.
        branch: name of the new branch; None: by what is taken back.
        push: the remote that it is sent to; None: none.
    """

    commits: tuple[str, ...] = ()
    requests: tuple[str, ...] = ()
    restore: bool = False
    early: bool = False
    onto: str | None = None
    branch: str | None = None
    push: str | None = None


def plan_revert(desk: BranchDesk, wanted: Wanted) -> BranchPlan | Declined:
    """The plan of a branch with one revert for each commit, the newest first.

    Raises:
        UserError: nothing is named, or a name means no commit of the branch.
    """
    base = desk.base_of(wanted.onto or desk.integration)
    if isinstance(base, Declined):
        return base
    log = desk.log_of(base.commit)
    found = find_named(desk, log, wanted.commits, wanted.requests, base.branch)
    chosen = _restored(desk, log, found, wanted) if wanted.restore else _taken_back(log, found, base)
    if isinstance(chosen, Declined):
        return chosen
    changes = tuple(revert_of(one) for one in chosen)
    name = wanted.branch or _name(wanted, found)
    what = "brings back" if wanted.restore else "takes back"
    title = f"{name} on top of {base.branch} {what} {', '.join(one.message.subject[:60] for one in found[:3])}"
    title += f" and {len(found) - 3} more" if len(found) > 3 else ""
    work = BranchWork(name, base.commit, changes)
    afterwards = [] if wanted.push else [f"git push origin {name}"]
    afterwards.append(f"open a pull request of {name} into {base.branch}")
    if not wanted.restore:
        again = " ".join(f"{one.id[:_SHORT]}" for one in found)
        afterwards.append(f"once production runs without it: fairway revert --restore {again}")
    return new_branch(desk, title, work, wanted.push, tuple(afterwards))


def find_named(
    desk: BranchDesk, log: Log, commits: tuple[str, ...], requests: tuple[str, ...], where: str
) -> list[Commit]:
    """The commits that are named, the newest first.

    Raises:
        UserError: one is not in the log.
    """
    numbers = [*requests, *(one for one in commits if one[:1] in ("#", "!"))]
    found: list[str] = []
    for number in numbers:
        of_it = log.of_request(number)
        if not of_it:
            sentence = f"no commit of {where} names the pull request {number[:20]}"
            raise UserError("unknown-request", sentence, "name the commit, as git log shows it")
        found += [one.id for one in of_it]
    for name in commits:
        if name[:1] in ("#", "!"):
            continue
        commit = desk.resolve(name)
        if commit not in log.commits:
            sentence = f"{where} does not hold {name[:60]!r} ({commit[:12]})"
            raise UserError("not-on-branch", sentence, "name a commit that it holds")
        found.append(commit)
    return log.ordered(found)


def new_branch(
    desk: BranchDesk, title: str, work: BranchWork, push: str | None, afterwards: tuple[str, ...]
) -> BranchPlan | Declined:
    """The plan that makes a branch; one without work if it is there already, with these changes."""
    tip = desk.branches.observe(work.branch)
    if tip.local is None:
        return BranchPlan(title, (work,), push, (work.branch,), afterwards)
    own = desk.history.read([tip.local], [work.start])
    made = {name for one in own.values() if one.message.revert for name in one.message.revert.commits}
    if desk.history.holds(tip.local, work.start) and {one.commit for one in work.changes} <= made:
        return BranchPlan(f"{work.branch} is there already", (), push, (work.branch,), afterwards)
    sentence = f"there is a branch {work.branch!r} already, and it is something else"
    return Declined("branch-exists", sentence, f"name another one, or delete it: git branch -D {work.branch}")


def _taken_back(log: Log, found: list[Commit], base: Base) -> list[Commit] | Declined:
    if not found:
        raise UserError(
            "nothing-to-revert", "no commit and no pull request is named", "fairway revert COMMIT, or --pr 12"
        )
    for one in found:
        by = log.taken_back(one.id)
        if by is not None:
            sentence = f"{one.id[:_SHORT]} ({one.message.subject[:60]}) is taken back on {base.branch} by {by[:_SHORT]}"
            return Declined("reverted-already", sentence, f"fairway revert --restore {one.id[:_SHORT]} brings it back")
    return found


def _restored(desk: BranchDesk, log: Log, found: list[Commit], wanted: Wanted) -> list[Commit] | Declined:
    """The reverts of these commits, the newest first."""
    if not found:
        raise UserError("nothing-to-revert", "no commit and no pull request is named", "say what is to come back")
    reverts = []
    for one in found:
        by = log.taken_back(one.id)
        if by is None:
            sentence = f"{one.id[:_SHORT]} ({one.message.subject[:60]}) is not taken back by any commit"
            return Declined("not-reverted", sentence, "name the commit or pull request that was reverted")
        reverts.append(by)
    for live in () if wanted.early else desk.live():
        missing = next((one for one in reverts if not desk.history.holds(live.commit, one)), None)
        if missing is not None:
            sentence = f"{live.environment} runs {live.version}, which the revert {missing[:_SHORT]} is not part of"
            hint = "deploy a release with the revert first; --early does not wait for that"
            return Declined("revert-not-live", sentence, hint)
    return log.ordered(reverts)


def _name(wanted: Wanted, found: list[Commit]) -> str:
    kind = "restore" if wanted.restore else "revert"
    numbers = [*wanted.requests, *(one for one in wanted.commits if one[:1] in ("#", "!"))]
    words = [one.lstrip("#!") for one in numbers] or [found[0].id[:_SHORT]]
    return f"{kind}/{'-'.join(words)}"
