"""Measuring a service under load, alone or in turn with another one, and asking what is known already."""
