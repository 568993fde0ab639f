"""Histories that releases are named in."""
