"""Canary analysis: evidence from traffic, and the verdict.

Anytime-valid tests (e-processes) on blocks of finished requests. Standard library only, no clock, no input or
output: snapshots come in, an assessment goes out, and the whole state is a JSON value that can be stored.

Read `analysis.py` first, then `lanes/`, then `margin.py` and `capital.py` for the arithmetic.
"""
