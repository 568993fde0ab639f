"""Predicting, before a rollout, what its analysis could find: how fast, and at what cost in failed requests.

The same bets, blocks, caps and capital as in the lanes, fed with expected counts in place of real ones. Nothing here
decides anything, and nothing here is random.

Read `premises.py` (what is assumed) first, then `course.py` (one fault through a rollout), `forecast.py` (what is told)
and `ladder.py` (a better ladder). The arithmetic is in `growth.py`.
"""
