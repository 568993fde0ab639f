"""Machines that projects are looked at on, and the files that were written for them."""

from pathlib import Path

from fairway.adapters.machine import LocalFolder
from fairway.config import Known, load
from fairway.ports.machine import Address

KNOWN = Known(targets={"local": None}, routers={"envoy": None}, notifiers={})
FASTAPI = 'from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get("/health/ready")\ndef ready():\n    return {}\n'
FLASK = "from flask import Flask\n\napp = Flask(__name__)\n"
PIP = ".venv/bin/pip install --disable-pip-version-check"


class Ports:
    """A machine that is asked for nothing but addresses."""

    def __init__(self, *taken: int):
        self.taken = taken

    def observe_address(self, host: str, port: int) -> Address:
        return Address(free=port not in self.taken)


def load_written(folder: LocalFolder):
    return load(path_of(folder), KNOWN)


def path_of(folder: LocalFolder) -> Path:
    return folder._path / "fairway.yaml"
