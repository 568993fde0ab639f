"""What all sections of the file have in common."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from fairway.config.types import bare_word


class Section(BaseModel):
    """A mapping with known keys."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class AdapterSection(BaseModel):
    """A named implementation with settings of its own."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)
    kind: str = Field(description="Name of the implementation.")


AnyAdapter = Annotated[AdapterSection, BeforeValidator(bare_word("kind"))]
