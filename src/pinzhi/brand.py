"""Brand profiles: who the brand is, and the values by which its posts are read."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from pinzhi.errors import BrandError
from pinzhi.glossary import in_chinese, is_english, shipped
from pinzhi.platforms import platform_name
from pinzhi.yaml_file import load_yaml

_ID = r"^[\w-]+$"  # it names columns and rows: letters of any script, digits, _ and -


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def _said(name: str, statement: str) -> str:
    return f"{name}：{statement}"


def value_text(name: str, statement: str) -> str:
    """A value as the models read it, an English one through the glossary. Raises ConfigError."""
    return in_chinese(_said(name, statement))


class Value(_Part):
    """One declared value; the statement may be Chinese or English."""

    id: str = Field(pattern=_ID)
    name: str = Field(min_length=1)
    statement: str = Field(min_length=2)
    examples_on: tuple[str, ...] = ()
    examples_off: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The value as the models read it. Raises ConfigError."""
        return value_text(self.name, self.statement)


class AccountRef(_Part):
    """An account that speaks for the brand."""

    platform: Annotated[str, BeforeValidator(lambda said: platform_name(said) if isinstance(said, str) else said)]
    account_id: str


class BrandProfile(_Part):
    """A brand and its 3 to 6 values."""

    id: str = Field(pattern=_ID)
    name: str = Field(min_length=1)
    industry: str = ""
    audience: str = ""
    tone: str = ""
    values: tuple[Value, ...] = Field(min_length=3, max_length=6)
    avoid: tuple[str, ...] = ()
    accounts: tuple[AccountRef, ...] = ()

    @field_validator("values")
    @classmethod
    def _distinct(cls, values: tuple[Value, ...]) -> tuple[Value, ...]:
        seen: set[str] = set()
        for value in values:
            if value.id in seen:
                raise ValueError(f"expected distinct value ids, found {value.id} twice")
            seen.add(value.id)
        return values

    @classmethod
    def load(cls, path: Path | str) -> "BrandProfile":
        """Read a profile. BrandError names file, line and field."""
        return load_yaml(Path(path), cls, "a brand profile", "configs/brands/", BrandError)

    def with_examples(self, on: Mapping[str, Sequence[str]], off: Mapping[str, Sequence[str]]) -> "BrandProfile":
        """This profile with more posts, by value id, that live a value (`on`) or break it (`off`); one that it has already is not repeated."""
        values = [
            value.model_copy(
                update={
                    "examples_on": tuple(dict.fromkeys((*value.examples_on, *on.get(value.id, ())))),
                    "examples_off": tuple(dict.fromkeys((*value.examples_off, *off.get(value.id, ())))),
                }
            )
            for value in self.values
        ]
        return self.model_validate(self.model_dump() | {"values": [value.model_dump() for value in values]})

    @property
    def account_keys(self) -> frozenset[tuple[str, str]]:
        """(platform, account_id) of the accounts that speak for the brand."""
        return frozenset((account.platform, account.account_id) for account in self.accounts)

    def essence(self) -> "BrandProfile":
        """What scores rest on: the profile without what is written for people."""
        return BrandProfile(id=self.id, name=self.name, values=self.values, accounts=self.accounts)

    @cached_property
    def digest(self) -> str:
        """Digest of what scores rest on."""
        read = self.essence().model_dump_json()
        if any(is_english(_said(value.name, value.statement)) for value in self.values):
            read += shipped().digest
        return hashlib.sha256(read.encode()).hexdigest()[:16]
