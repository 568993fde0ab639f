"""Backups of a service's databases, and the way back to one: what a backup is, and what must be so after a restore.

Here stand values and rules. What dumps and loads is behind `fairway.ports.databases`.
"""
