"""The strategies that an environment may choose from, with their settings."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from fairway.config.section import Section
from fairway.config.types import Duration, InstanceCount, PositiveDuration, Token, bare_value, bare_word


class RollingSection(Section):
    """Instances are replaced one batch after the other, each ready before the next."""

    kind: Literal["rolling"]
    max_surge: InstanceCount = Field(
        default=1,
        description="How many instances may exist above `instances`; a percentage of them is rounded up.",
        examples=[1, "25%"],
    )
    max_unavailable: InstanceCount = Field(
        default=0,
        description="How many of `instances` may be missing meanwhile; a percentage is rounded down.",
        examples=[0, "25%"],
    )
    bake: Duration = Field(default=5.0, description="How long to watch after each batch.", examples=["30s"])


class BlueGreenSection(Section):
    """A complete second set of instances is validated on its own address and switched to at once."""

    kind: Literal["blue-green"]
    keep: Duration = Field(
        default=1800.0,
        description="How long the old set runs on after the switch, for an instant way back.",
        examples=["30m"],
    )


class StepSection(Section):
    """One step of a canary with times of its own."""

    weight: float = Field(description="Share of the candidate in percent.", examples=[10], ge=0.1, le=100)
    bake: Duration | None = Field(
        default=None, description="In place of the strategy's `bake` at this weight.", examples=["30m"]
    )
    min_bake: Duration | None = Field(
        default=None, description="In place of the strategy's `min_bake` at this weight.", examples=["2m"]
    )


class StickySection(Section):
    """By what a user is known, so that all requests of one user go to the same revision: a cookie or a header.

    The analysis then compares users and not requests: its guarantee does not hold, and one broken client can look like
    a bad release.
    """

    cookie: Token | None = Field(default=None, description="Name of a cookie of your own.", examples=["session"])
    header: Token | None = Field(
        default=None, description="Name of a header, in place of a cookie.", examples=["X-User"]
    )


class MirrorSection(Section):
    """Copies of users' requests go to the candidate before it gets any itself; nobody sees what it answers.

    A copy has the header `x-fairway-mirrored: true`. The candidate is judged by them as by requests.
    """

    share: float = Field(default=100.0, description="Percent of the requests.", examples=[10], ge=0.01, le=100)
    bake: PositiveDuration = Field(default=300.0, description="How long.", examples=["5m"])
    unsafe: bool = Field(
        default=False,
        description="Whether requests that change something are copied as well, so that each changes it twice. Else "
        "only GET, HEAD and OPTIONS are.",
        examples=[True],
    )


class CanarySection(Section):
    """Requests move to the candidate in steps of weight, each watched."""

    kind: Literal["canary"]
    steps: list[Annotated[StepSection, BeforeValidator(bare_value("weight"))]] = Field(
        default_factory=lambda: [StepSection(weight=weight) for weight in (10.0, 50.0, 100.0)],
        description="Rising weights of the candidate in percent, from 0.1; the last one is 100. A step with times of "
        "its own is a mapping.",
        examples=[[10, 50, 100], [{"weight": 1, "bake": "30m"}, 10, 100]],
        min_length=1,
        max_length=100,
    )
    bake: Duration = Field(
        default=300.0,
        description="How long to watch at each weight below 100; with `min_bake` at most so long.",
        examples=["5m"],
    )
    min_bake: Duration | None = Field(
        default=None,
        description="From here on a step ends as soon as the candidate is shown to be good enough; if that is not "
        "shown by the end of `bake`, there is no answer. By default a step takes all of `bake`.",
        examples=["1m"],
    )
    sticky: StickySection | None = Field(
        default=None,
        description="By what users are kept on one revision; by default each request is divided by itself.",
        examples=[{"cookie": "session"}],
    )
    mirror: MirrorSection | None = Field(
        default=None,
        description="What the candidate gets copies of before the first step; by default nothing.",
        examples=[{"share": 10, "bake": "5m"}],
    )
    baseline: bool = Field(
        default=False,
        description="Whether the candidate is compared with fresh instances of the stable release, as many and as old "
        "as its own, which get as many requests; by default with stable itself.",
        examples=[True],
    )


STRATEGIES: dict[str, type[Section]] = {
    "rolling": RollingSection,
    "blue-green": BlueGreenSection,
    "canary": CanarySection,
}


def _strategy_kind(value: Any) -> str | None:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return f"<{kind}>" if isinstance(kind, str) else None


StrategySection = Annotated[
    # The tags are in brackets so that they can never be taken for a key of the file.
    Annotated[RollingSection, Tag("<rolling>")]
    | Annotated[BlueGreenSection, Tag("<blue-green>")]
    | Annotated[CanarySection, Tag("<canary>")],
    Discriminator(_strategy_kind),
    BeforeValidator(bare_word("kind")),
]
