"""Changelog and next version of a long history, beside `git log` and git-cliff: `python -m benchmarks.versioning`."""
