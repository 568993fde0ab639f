"""The words and the decisions of Fairway.

Pure: standard library and arithmetic only. No clock, no input or output, no logging, no async. Time is an
argument: seconds since the epoch, UTC, as a float. Sub-packages are named after capabilities.
"""
