"""The packages that lie in a folder: Python distributions and node modules, by what they say about themselves."""

import json
import os
from email.parser import HeaderParser
from pathlib import Path

from fairway.domain.provenance.bill import Component


def find_installed(folder: Path) -> set[Component]:
    """Every `*.dist-info` and `node_modules` package below the folder; links out of it are not followed."""
    found: set[Component] = set()
    for place, _, names in os.walk(folder):
        path = Path(place)
        if path.name.endswith(".dist-info") and "METADATA" in names:
            headers = HeaderParser().parsestr((path / "METADATA").read_text(encoding="utf-8", errors="replace"))
            if headers["Name"] and headers["Version"]:
                found.add(Component("pypi", str(headers["Name"]).lower().replace("_", "-"), str(headers["Version"])))
        if "package.json" in names and _is_module(path):
            found |= _node_package(path / "package.json")
    return found


def _is_module(path: Path) -> bool:
    """`node_modules/NAME` or `node_modules/@SCOPE/NAME`."""
    parent = path.parent
    return parent.name == "node_modules" or (parent.name.startswith("@") and parent.parent.name == "node_modules")


def _node_package(path: Path) -> set[Component]:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        return {Component("npm", str(about["name"]), str(about["version"]))}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
