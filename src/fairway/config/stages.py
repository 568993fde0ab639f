"""The section `stages`: the user's own work in the stages of a rollout."""

from pydantic import Field

from fairway.config.section import Section
from fairway.config.types import (
    Command,
    HttpPath,
    PositiveDuration,
)


class HttpCheckSection(Section):
    """A request whose answer must be as said."""

    path: HttpPath = Field(description="Path of the request.", examples=["/health/ready"])
    status: int = Field(default=200, description="The status that must come.", examples=[200], ge=100, le=599)
    contains: str | None = Field(
        default=None, description="Text that the body must contain.", examples=["ok"], min_length=1
    )


class CommandStage(Section):
    """The user's own work in a stage before anything runs."""

    run: list[Command] = Field(
        default_factory=list,
        description="Argument lines run in the artifact's folder; they may run again after a crash. They see "
        "FAIRWAY_URL, FAIRWAY_ENVIRONMENT, FAIRWAY_VERSION, FAIRWAY_COMMIT and the environment's variables.",
        examples=[["python3 manage.py migrate"]],
    )
    timeout: PositiveDuration = Field(
        default=300.0, description="Time for each command, and for all requests together.", examples=["5m"]
    )


class CheckStage(CommandStage):
    """The user's own work in a stage in which the candidate runs."""

    http: list[HttpCheckSection] = Field(
        default_factory=list,
        description="Requests whose answers must be as said.",
        examples=[[{"path": "/", "contains": "Welcome"}]],
    )


class StagesSection(Section):
    """The user's own work, by stage."""

    validate_: CommandStage | None = Field(default=None, alias="validate", description="Before anything is changed.")
    migrate: CommandStage | None = Field(default=None, description="Changes of the database that the release needs.")
    check: CheckStage | None = Field(
        default=None, description="On the candidate's own address, before it gets traffic."
    )
    verify: CheckStage | None = Field(default=None, description="On the users' address, after the switch.")
