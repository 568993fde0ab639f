"""Canary analysis: evidence from traffic, and the verdict.

Anytime-valid tests (e-processes) on blocks of finished requests. Standard library only, no clock, no input or
output: snapshots come in, an assessment goes out, and the whole state is a JSON value that can be stored.

Read `analysis.py` first, then `gathering.py`, `rules.py` and `saying.py` for the way of a reading, `lanes/` for what
judges it, `margin.py` and `capital.py` for the arithmetic. `waiting.py` is there for speed alone.
"""
