"""Templates of the users' own."""
