"""Secrets that checks use."""


class NoSecret(Exception):  # noqa: N818 -- it is what happened
    """A secret has no value."""
