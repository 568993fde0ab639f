"""What the user judges by besides the built-in lanes: named metrics, rules over them, tests on counters and gauges.

What lives here: what a reading means, when a rule has held for long enough, and the evidence that counters and gauges
give. What never will: queries that are sent, expressions that are evaluated, a clock.

Read `policy.py` for what the user may say, then `judgement.py`.
"""
