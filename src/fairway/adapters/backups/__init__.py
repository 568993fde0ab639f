"""Where backups are kept: a folder of this machine."""

from fairway.adapters.backups.folder import FolderBackups

__all__ = ["FolderBackups"]
