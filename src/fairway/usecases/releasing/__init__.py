"""Releases: planning, starting, resuming and abandoning them; what becomes of them is the engine's."""
