"""The changelog and the next version of a long history, beside `git log` and git-cliff: `python -m benchmarks.versioning`."""
