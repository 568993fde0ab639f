"""The next version, the changelog, and what they are decided from."""
