"""How requests are divided where a candidate is compared with a baseline of its own age.

A baseline is fresh instances of the stable release, started together with the candidate's: caches, compiled code and
pools of connections are as young on both sides. It gets as many requests as the candidate, so that load is equal as
well. Above a weight of 50 there are not that many left: it gets all the rest, and stable none. At 100 nothing is left
to compare with.

Nothing else follows from the age: what the candidate owes whatever others do (objectives, the budget, crashes, hangs)
it owes while it is young, too.
"""


def baseline_share(weight: float) -> float:
    """Percent of the requests that a baseline gets.

    Args:
        weight: percent of the requests that the candidate gets, 0 to 100.
    """
    return min(weight, 100.0 - weight)


def share_of_the_pair(weight: float) -> float:
    """The candidate's percent of the requests that it and a baseline get together; 0 where neither gets any."""
    both = weight + baseline_share(weight)
    return 100.0 * weight / both if both > 0.0 else 0.0
