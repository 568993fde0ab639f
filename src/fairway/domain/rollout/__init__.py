"""Rollouts: revisions, strategies, plans, the events of a run, and what to do next.

A strategy compiles to a plan once; `decide` picks the next step; `evolve` folds facts. No effect happens here.
"""
