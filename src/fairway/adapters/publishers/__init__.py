"""Registries that products are published to. Each is asked what it has before anything is sent."""
