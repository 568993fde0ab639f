"""Backing databases up, proving backups, and restoring them."""
