"""Brand profiles: who the brand is, and the values by which its posts are read."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pinzhi.errors import BrandError

_ID = r"^[\w-]+$"  # it names columns and rows: letters of any script, digits, _ and -


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Value(_Part):
    """One declared value; the statement may be Chinese or English."""

    id: str = Field(pattern=_ID)
    name: str = Field(min_length=1)
    statement: str = Field(min_length=2)
    examples_on: tuple[str, ...] = ()
    examples_off: tuple[str, ...] = ()


class AccountRef(_Part):
    """An account that speaks for the brand."""

    platform: str
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
        path = Path(path)
        try:
            text = path.read_text("utf-8-sig")
        except OSError as error:
            raise BrandError(
                f"{path}: expected a brand profile, found none ({error.strerror}); see configs/brands/ for examples"
            ) from error
        except UnicodeDecodeError as error:
            raise BrandError(
                f"{path}: expected UTF-8, found byte {error.start} of another encoding; save as UTF-8"
            ) from error
        try:
            content = yaml.load(text, Loader=_UniqueKeys)
        except (yaml.YAMLError, ValueError, TypeError) as error:  # a date that does not exist is a ValueError
            found = " ".join(str(error).replace('in "<unicode string>", ', "").split())
            raise BrandError(f"{path}: expected YAML, found {found}; see configs/brands/ for examples") from error
        if not isinstance(content, dict):
            found = "nothing" if content is None else f"a single {'list' if isinstance(content, list) else 'value'}"
            raise BrandError(
                f"{path}: expected a mapping with id, name and values, found {found}; see configs/brands/ for examples"
            )
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            line = _line(yaml.compose(text), first["loc"])
            field = ".".join(map(str, first["loc"]))
            raise BrandError(
                f"{path}, line {line}: {field}: {first['msg']}; see configs/brands/ for examples"
            ) from error

    @cached_property
    def digest(self) -> str:
        """Digest of the whole profile."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


class _UniqueKeys(yaml.SafeLoader):
    """YAML that refuses a key given twice instead of forgetting the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key that is no plain word", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value} given twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _line(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """Line of the deepest part of `location` that the file has; 1-based."""
    line = 1
    for step in location:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == step), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
        else:
            break
        if node is None:
            break
        line = node.start_mark.line + 1
    return line
