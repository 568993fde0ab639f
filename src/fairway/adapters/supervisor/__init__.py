"""Keeps processes of this machine alive: a small process of its own, and the client that speaks to it through files.

This file imports nothing, so that `python -m fairway.adapters.supervisor` stays small; the client is in `client.py`.
"""
