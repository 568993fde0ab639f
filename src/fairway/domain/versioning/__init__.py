"""Versions, commit messages, and which commit belongs to which release.

Here live the schemes (SemVer, PEP 440, calendar versions), what a commit message says, the set difference on the
graph of commits, the algebra of reverts, and the decision what the next version is and why. Everything is a function
of its arguments: the history is read by a port, the date is given. Nothing here ever reads a repository, a clock or a
file, and nothing guesses: what cannot be decided is an error with the reason.
"""
