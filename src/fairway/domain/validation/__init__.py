"""What a check of a running service is, and how its answers are judged.

Here live the checks as data, what servers answered as data, and the judgements: pure functions from the one to
findings. Sending requests and connecting to databases never will: that is what adapters do.
"""
