import json
import sys

import pytest

from fairway.adapters.notifiers import CommandNotifier, WebhookNotifier
from fairway.testing.notifier import FakeNotifier
from fairway.testing.notifier_contract import NotifierContract
from servers import http_server

# What a team's own script may look like: its mood is a file, what it got lies in another one.
SCRIPT = """#!{python}
import json, os, pathlib, sys
here = pathlib.Path(__file__).parent
if (here / "mood").read_text() == "fails":
    sys.exit("the chat is down")
entry = json.dumps([os.environ["FAIRWAY_KEY"], json.load(sys.stdin)]) + "\\n"
descriptor = os.open(here / "received", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.write(descriptor, entry.encode())
"""


class TestWebhookNotifier(NotifierContract):
    @pytest.fixture(autouse=True)
    def _receiver(self):
        with http_server() as self.server:
            yield

    def notifier(self):
        return WebhookNotifier(url=f"{self.server.url}/hook", timeout=60.0)

    def set_mood(self, mood):
        self.server.status = {"accepts": 204, "fails": 503, "refuses": 404}[mood]

    def received(self):
        accepted = [one for one in self.server.requests if one.status == 204]
        return [(one.headers["idempotency-key"], json.loads(one.body)) for one in accepted]


class TestCommandNotifier(NotifierContract):
    @pytest.fixture(autouse=True)
    def _receiver(self, tmp_path):
        self.folder = tmp_path
        self.script = tmp_path / "tell.py"
        self.script.write_text(SCRIPT.format(python=sys.executable))
        self.set_mood("accepts")

    def notifier(self):
        return CommandNotifier(run="./tell.py", folder=self.folder, timeout=60.0)

    def set_mood(self, mood):
        (self.folder / "mood").write_text(mood)
        self.script.chmod(0o600 if mood == "refuses" else 0o700)

    def received(self):
        found = self.folder / "received"
        lines = found.read_text().splitlines() if found.exists() else []
        return [tuple(json.loads(line)) for line in lines]


class TestFakeNotifier(NotifierContract):
    @pytest.fixture(autouse=True)
    def _memory(self):
        self.fake = FakeNotifier()

    def notifier(self):
        return self.fake

    def set_mood(self, mood):
        self.fake.mood = mood

    def received(self):
        return self.fake.delivered
