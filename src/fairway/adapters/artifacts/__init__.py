"""Stores that keep artifacts."""
