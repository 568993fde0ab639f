from dataclasses import replace

from fairway.adapters.supervisor.client import _define
from fairway.ports.supervisor import Unit

UNIT = Unit("web", ("serve", "--port", "80"), "/", (("PATH", "/bin"),), 3.0, ("127.0.0.1", 80, "/live"))


def test_what_an_earlier_version_started_is_not_restarted_by_this_one():
    # Changes with the definition: a new key for every unit would restart all that run when Fairway is upgraded.
    assert _define(UNIT)["fingerprint"] == "ba8922aec2c7a9e702cef6613b268558fa678212f818da97f1d4b61001eda490"


def test_another_socket_is_another_definition():
    one, other = (_define(replace(UNIT, socket=f"/tmp/{name}/socket")) for name in "ab")
    assert len({_define(UNIT)["fingerprint"], one["fingerprint"], other["fingerprint"]}) == 3
