"""The files of a repository, as far as `fairway init` needs them."""

from typing import Protocol


class Folder(Protocol):
    """A folder with the files of a project. Paths are relative to it, with `/`."""

    @property
    def name(self) -> str:
        """The folder's own name."""
        ...

    def list_files(self) -> tuple[str, ...]:
        """Its files, those nearest to the top first, then by name.

        Folders that a project does not write itself (`.git`, `node_modules`, virtual environments, caches) are left
        out, and so is what lies more than four levels down; at most 5,000 files.
        """
        ...

    def read_text(self, path: str) -> str | None:
        """A file's text; None if there is no such file, or it is larger than 512 kB or not UTF-8.

        Raises:
            UserError: it may not be read.
        """
        ...

    def write_text(self, path: str, text: str) -> None:
        """Replaces or makes a file, as a whole or not at all.

        Raises:
            UserError: it may not be written.
        """
        ...
