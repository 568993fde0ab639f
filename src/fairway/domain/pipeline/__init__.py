"""From a commit to published artifacts: the plan of a release, its events and its state.

Here live the tasks of a pipeline, their order, what a cache key covers, and how a release goes on after it stopped.
What a task does to the world is not known here, only what should be so afterwards.
"""
