"""Requests to servers, sent from this machine."""

from fairway.adapters.probes.local import LocalProbe

__all__ = ["LocalProbe"]
