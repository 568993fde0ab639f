"""Recognises pages that are served as they are."""

from fairway.ports.folder import Folder
from fairway.usecases.init.finding import Finding

_PLACES = ("", "public", "site", "_site", "dist", "build", "www", "html", "docs")


def find_static(_: Folder, files: tuple[str, ...]) -> Finding | None:
    """What serves the pages; None if there is no index.html where one is expected."""
    for place in _PLACES:
        if (f"{place}/index.html" if place else "index.html") in files:
            directory = f" --directory {place}" if place else ""
            notes = (
                "Python's own server answers with the files of this folder, this one included." if not place else "",
                "It is meant for few visitors; put a web server of your own here for many.",
            )
            command = f"python3 -m http.server --bind {{host}}{directory} {{port}}"
            where = f"pages in {place}/" if place else "pages"
            return Finding("static", where, (), command, notes=tuple(note for note in notes if note))
    return None
