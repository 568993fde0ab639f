"""The demonstration: a real application in a real repository, good and bad releases, users all the while."""
