"""The settings of the router `envoy`."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from fairway.adapters.routers.envoy.addresses import parse_address
from fairway.domain.errors import UserError

_UNITS = {"ms": 0.001, "s": 1.0}


def _address(value: Any) -> str:
    try:
        parse_address(str(value))
    except UserError as error:
        text = "{text} is not an address; write an IP address and a port, as in 127.0.0.1:8000"
        raise PydanticCustomError("address", text, {"text": repr(value)[:60]}) from error
    return str(value)


def _seconds(value: Any) -> float:
    text = str(value)
    unit = "ms" if text.endswith("ms") else text[-1:]
    number = text.removesuffix(unit)
    if unit not in _UNITS or not number.replace(".", "", 1).isdecimal():
        raise PydanticCustomError("duration", "{text} is not a duration; write 250ms or 2s", {"text": repr(value)[:60]})
    return float(number) * _UNITS[unit]


Address = Annotated[str, BeforeValidator(_address)]
_DURATION = {"type": "string", "pattern": r"^([0-9]+\.?[0-9]*|\.[0-9]+)(ms|s)$"}
Seconds = Annotated[float, BeforeValidator(_seconds), WithJsonSchema(_DURATION)]


class EnvoySettings(BaseModel):
    """What may stand beside `kind: envoy`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: Address = Field(description="Where users connect, `IP:PORT`.", examples=["127.0.0.1:8000"])
    preview: Address | None = Field(
        default=None, description="Where only the candidate answers; default: a free port.", examples=["127.0.0.1:8001"]
    )
    try_timeout: Seconds | None = Field(
        default=None,
        description="How long one try of a safe request may take before the fallback is tried; default: no limit.",
        examples=["250ms"],
    )
    trusted_hops: int = Field(
        default=0,
        ge=0,
        le=10,
        description=(
            "How many proxies stand before this one, one that ends TLS for example. What they say in X-Forwarded-For "
            "and X-Forwarded-Proto reaches the application; from anybody else X-Forwarded-Proto is overwritten."
        ),
        examples=[1],
    )
