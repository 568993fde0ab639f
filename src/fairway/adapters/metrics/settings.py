"""What `source` in a configuration may say about Prometheus.

Secrets never stand here: what is secret is in an environment variable, and only that variable's name is written down.
"""

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

TIMEOUT = 5.0
"""Seconds for one query, where a configuration does not say."""

DELAY = 1.0
"""Seconds by which queries look back, where a configuration does not say."""

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}


def _refuse(message: str, hint: str = "") -> PydanticCustomError:
    return PydanticCustomError("fairway", "{message}", {"message": message, "hint": hint})


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment:
        raise _refuse("this is not the URL of a Prometheus", "write http://HOST:PORT, with a path if it has one")
    if parts.password or parts.username:
        raise _refuse("a URL with a password does not belong here", "use authorization_variable")
    return value.rstrip("/")


def _time(value: Any) -> float:
    if isinstance(value, float):
        return value
    found = re.fullmatch(r"([0-9]{1,5}(?:\.[0-9]{1,3})?)(ms|s|m)", value) if isinstance(value, str) else None
    if found is None:
        raise _refuse(f"{value!r} is not a time", "write 500ms or 5s")
    return float(found[1]) * _SECONDS[found[2]]


def _limit(seconds: float) -> float:
    if not 0.0 < seconds <= 60.0:
        raise _refuse(f"a time limit of {seconds:g} s is not possible", "write more than 0s and at most 60s")
    return seconds


Time = Annotated[float, BeforeValidator(_time), WithJsonSchema({"type": "string"})]


class PrometheusSettings(BaseModel):
    """A Prometheus, or anything else that answers its HTTP API."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    url: Annotated[str, AfterValidator(_url)] = Field(description="Where it answers, such as http://127.0.0.1:9090.")
    timeout: Annotated[Time, AfterValidator(_limit)] = Field(default=TIMEOUT, description="Time for one query.")
    delay: Time = Field(
        default=DELAY,
        description="How far queries look back, so that a scrape that is being stored shows in all of them or in none.",
    )
    authorization_variable: str | None = Field(
        default=None, description="Name of the environment variable that holds the value of the header Authorization."
    )
