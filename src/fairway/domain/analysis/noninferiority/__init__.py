"""Non-inferiority: evidence that the candidate is good enough, so that a step may end before its time.

"No sign of harm" is what a candidate shows that nobody asked for anything. To promote early the opposite has to be
shown: that the candidate is worse than the promotion margin has become hard to believe, for its errors, its latency and
each objective of the user's alike. What lives here is that evidence for one step; what becomes of it is decided by the
rollout.

Rules:
- The null hypothesis of each test says that the candidate is worse than the margin. All tests must refute it
  (intersection and union: the probability that a candidate beyond any one margin passes is at most beta, without
  correction for the number of tests).
- Each step begins at 1: that a candidate was good at 10 % does not show that it is at 50 %. A watch that is begun again
  at the same weight goes on with what it has.
- Blocks are like those of the error lane: they close by time, leave out warm-up and shared incidents, need requests of
  both revisions. One block's e-value is capped at the third root of 1/beta, so that at least three have to testify, and
  a burst of failures that happened to hit stable cannot promote.
- The promotion margin is never below the margin of harm, or a candidate could be promoted and taken back at once.
"""

from fairway.domain.analysis.noninferiority.margins import promotion_margin
from fairway.domain.analysis.noninferiority.step import NonInferiority
from fairway.domain.analysis.noninferiority.words import about, explain_shown, explain_unshown, is_shown
from fairway.domain.analysis.within import BETA, CAP

__all__ = ["BETA", "CAP", "NonInferiority", "about", "explain_shown", "explain_unshown", "is_shown", "promotion_margin"]
