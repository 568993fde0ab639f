"""Databases that are backed up and restored: SQLite files, and databases of a PostgreSQL server."""
