"""The section `secrets` of an environment: where each secret's value is. No value ever stands in the file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from fairway.config.section import Section
from fairway.config.types import Command, FilePath, VariableName, refuse
from fairway.domain.validation.secret import SecretSource


class SecretSection(Section):
    """Where the value of a secret is: one of `variable`, `file` and `command`."""

    variable: VariableName | None = Field(
        default=None,
        description="Name of a variable of whoever runs the command.",
        examples=["STAGING_API_KEY"],
    )
    file: FilePath | None = Field(
        default=None,
        description="File that nobody else may read, absolute or beside this file. One that ends in `.age` is "
        "encrypted, and opened by the age identity in `FAIRWAY_AGE_IDENTITY`.",
        examples=["/etc/shop/production.env"],
    )
    entry: VariableName | None = Field(
        default=None,
        description="Of a file of lines `NAME=VALUE`: whose value it is. By default the whole file is the value.",
        examples=["API_KEY"],
    )
    command: Command | None = Field(
        default=None,
        description="Argument line whose output is the value, run beside this file without a shell.",
        examples=["vault kv get -field=api_key secret/shop"],
    )
    variables: list[VariableName] = Field(
        default_factory=list,
        description="Variables that `command` gets beside PATH, HOME, LANG and TZ.",
        examples=[["VAULT_ADDR", "VAULT_TOKEN"]],
    )

    @model_validator(mode="after")
    def _one_place(self) -> "SecretSection":
        given = [name for name in ("variable", "file", "command") if getattr(self, name) is not None]
        if len(given) != 1:
            raise refuse("needs one place where its value is", "give variable, file or command")
        if self.entry is not None and self.file is None:
            raise refuse("entry belongs to a file", "remove it")
        if self.variables and self.command is None:
            raise refuse("variables belong to a command", "remove them")
        return self


def _no_value(value: Any) -> Any:
    # What stands here may be the secret itself: it is not quoted.
    if not isinstance(value, dict):
        raise refuse("says no place, and a value does not belong into this file", "write {variable: NAME}")
    return value


Secrets = dict[VariableName, Annotated[SecretSection, BeforeValidator(_no_value)]]


def to_sources(sections: Mapping[str, SecretSection], folder: Path) -> tuple[SecretSource, ...]:
    """The section in the words of the domain.

    Args:
        sections: by name, valid.
        folder: of the file, absolute.
    """
    return tuple(_source(name, one, folder) for name, one in sections.items())


def _source(name: str, one: SecretSection, folder: Path) -> SecretSource:
    if one.file is not None:
        return SecretSource(name, "file", str(folder / one.file), one.entry or "")
    if one.command is not None:
        return SecretSource(name, "command", one.command, folder=str(folder), variables=tuple(one.variables))
    return SecretSource(name, "variable", one.variable or name)
