"""How sure one has to be, and how much one block may say."""

BETA = 0.05
"""Greatest probability that a step ends early with a candidate beyond a promotion margin."""

CAP = BETA ** (-1.0 / 3.0) * (1.0 + 1e-12)
"""Greatest e-value of one block; a little above the third root, or three blocks would miss 1/beta by a last digit."""
