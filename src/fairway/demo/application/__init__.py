"""The application of the demonstration; its source is copied into the repository that the demonstration makes."""
