"""Secrets from variables, from files of this machine, plain or encrypted, and from commands."""

from fairway.adapters.secrets.local import LocalSecrets

__all__ = ["LocalSecrets"]
