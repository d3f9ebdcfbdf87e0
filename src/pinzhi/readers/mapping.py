"""Files of any tool, read by a mapping: a YAML file that says which columns hold what."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatch
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from pinzhi import paths, schemas
from pinzhi.platforms import platform_name
from pinzhi.readers import values
from pinzhi.readers.base import Cell, Expand, Layout, Note, Part, Reader, Shape
from pinzhi.readers.raw import Raw
from pinzhi.yaml_file import load_yaml

SUFFIXES = (".mapping.yaml", ".mapping.yml")
TABLES = ("posts", "comments", "accounts")
_SEE = "configs/mappings/"
_PLATFORM = r"^[a-z0-9][a-z0-9_-]*$"
_BODIES = ("text", "title", "quoted_text")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")  # names of columns may begin and end with spaces


class MadeId(_Part):
    """An id for records without one, made of columns that never change."""

    id_of: tuple[str, ...] = Field(min_length=1)

    def cell(self) -> Cell:
        """Where the value is."""
        return lambda raw: values.made_id(*(field_of(raw, name) for name in self.id_of))


class Constant(_Part):
    """The same value for every record."""

    constant: str

    def cell(self) -> Cell:
        """Where the value is."""
        return lambda _: self.constant


Place = str | MadeId | Constant


def _places(given: Any) -> tuple[Any, ...]:
    """One place or several, each a name, `id_of` or `constant`; numbers are names and values too."""
    places = []
    for one in given if isinstance(given, list | tuple) else (given,):
        if isinstance(one, int | float) and not isinstance(one, bool):
            one = str(one)
        if isinstance(one, dict) and one.keys() == {"constant"}:
            one = Constant(constant=str(one["constant"]))
        elif isinstance(one, dict) and one.keys() == {"id_of"} and isinstance(one["id_of"], list) and one["id_of"]:
            one = MadeId(id_of=tuple(map(str, one["id_of"])))
        if not isinstance(one, Place) or one == "":
            raise ValueError("expected a column, {id_of: [columns]} or {constant: value}, found " + repr(one)[:80])
        places.append(one)
    return tuple(places)


_Places = Annotated[tuple[Any, ...], BeforeValidator(_places)]


class When(_Part):
    """By what a file is known. Each part that is given must hold; a mapping without any reads every file that has its columns."""

    columns: tuple[str, ...] = ()  # all of these are there
    names: tuple[str, ...] = ()  # one of these words is in the name of the file or of its folders
    but: tuple[str, ...] = ()  # and none of these
    files: str = "*"  # the name of the file, with * and ?
    section: str | None = None  # of a workbook, database or JSON object


class Mapping(_Part):
    """Canonical columns, table by table, and where each is in a record: a column, several of which the first that is filled
    counts, an id made of columns, or a constant. `outer.inner` is a field within a field."""

    name: str = Field(pattern=r"^[\w-]+$")
    platform: Annotated[str | None, BeforeValidator(lambda said: platform_name(values.plain(said)))] = Field(
        default=None, pattern=_PLATFORM
    )
    when: When = When()
    tables: dict[str, dict[str, _Places]] = Field(min_length=1)

    @field_validator("tables", mode="before")
    @classmethod
    def _filled(cls, tables: Any) -> Any:
        for table, columns in tables.items() if isinstance(tables, dict) else ():
            if not isinstance(columns, dict) or not columns:
                raise ValueError(f"{table}: expected columns, found {'none' if not columns else repr(columns)[:80]}")
        return tables

    @field_validator("tables")
    @classmethod
    def _known(cls, tables: dict[str, dict[str, _Places]]) -> dict[str, dict[str, _Places]]:
        for table, columns in tables.items():
            if table not in TABLES:
                raise ValueError(f"expected tables of {', '.join(TABLES)}, found {table}")
            known = [name for name in schemas.CANONICAL[table].names if name not in ("count_floors", "time_precision")]
            if unknown := [name for name in columns if name not in known]:
                raise ValueError(f"{table}: expected columns of {', '.join(known)}, found {unknown[0]}")
        return tables

    @model_validator(mode="after")
    def _with_keys(self) -> "Mapping":
        for table, columns in self.tables.items():
            for key in schemas.KEYS[table]:
                if key not in columns and not (key == "platform" and self.platform):
                    hint = "; a record without one gets one by id_of" if key != "platform" else ""
                    raise ValueError(f"tables.{table}: expected the column {key}, found none{hint}")
        return self

    @classmethod
    def load(cls, path: Path) -> "Mapping":
        """Read a mapping. InputError names file, line and field."""
        return load_yaml(path, cls, "a mapping of columns", _SEE)

    @cached_property
    def digest(self) -> str:
        """Digest of the whole mapping."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]

    @cached_property
    def layouts(self) -> tuple[Layout, ...]:
        """One for each table."""
        return tuple(self._layout(table, columns) for table, columns in self.tables.items())

    def _layout(self, table: str, columns: dict[str, tuple[Place, ...]]) -> Layout:
        types = schemas.CANONICAL[table]
        cells = {
            name: tuple(_cell(place, types.field(name)) for place in places) for name, places in columns.items()
        }  # fmt: skip
        personal = {
            part
            for name in ("author_id", "author_name")
            for place in columns.get(name, ())
            for field in ((place,) if isinstance(place, str) else place.id_of if isinstance(place, MadeId) else ())
            for part in (field, field.rpartition(".")[2])
        }
        return Layout(f"{self.name} {table}", table, cells, self.platform, is_clean=True, personal=frozenset(personal))

    def fits(self, shape: Shape, section: str) -> bool:
        """Whether the mapping reads a section of a file."""
        when = self.when
        if when.section is not None and section != when.section:
            return False
        if not fnmatch(shape.path.name, when.files):
            return False
        named = f"{shape.path.parent.name}/{shape.name}".lower()  # and no folder further up: it may be called anything
        if when.names and not any(word.lower() in named for word in when.names):
            return False
        if any(word.lower() in named for word in when.but):
            return False
        there = shape.columns(section)
        return there.issuperset(when.columns) and all(self._has_keys(table, there) for table in self.tables)

    def _has_keys(self, table: str, there: set[str]) -> bool:
        """Whether a table finds its keys, and its text if it maps one, among the columns that are `there`."""
        columns = self.tables[table]
        asked = [*schemas.KEYS[table], *(("text",) if "text" in columns else ())]
        return all(any(_is_there(place, there) for place in columns[name]) for name in asked if name in columns)


def _is_there(place: Place, there: set[str]) -> bool:
    if isinstance(place, Constant):
        return True
    names = (place,) if isinstance(place, str) else place.id_of
    return all(name in there or name.partition(".")[0] in there for name in names)


def _cell(place: Place, field: pa.Field) -> Cell:
    if isinstance(place, Constant) and field.name == "platform":
        return lambda _: platform_name(place.constant)
    if not isinstance(place, str):
        return place.cell()
    if field.name == "platform":
        return lambda raw: platform_name(values.plain(field_of(raw, place)))
    if field.type == schemas.TIME:
        return lambda raw: values.clock(field_of(raw, place))
    if field.name in _BODIES:  # an article may be given as HTML
        return lambda raw: values.body(field_of(raw, place))
    return (lambda raw: field_of(raw, place)) if "." in place else place


def field_of(raw: Raw, name: str) -> Any:
    """The field `name` of a record; `outer.inner` is within another, unless a field is called just that."""
    if name in raw or "." not in name:
        return raw.get(name)
    outer, _, inner = name.partition(".")
    found = raw.get(outer)
    return field_of(found, inner) if isinstance(found, dict) else None


class MappingReader:
    """Reads what mappings fit, each section by the first that does; what none fits is left to the reader `base`, if there is one."""

    def __init__(self, mappings: Sequence[Mapping], base: Reader | None = None) -> None:
        self.mappings, self.base = tuple(mappings), base
        self.name = ", ".join([*(one.name for one in mappings), *([base.name] if base else [])])
        self.version = " ".join(["2", *(one.digest for one in mappings), *([base.name, base.version] if base else [])])

    def parts(self, shape: Shape) -> tuple[Part, ...]:
        """Every section that a mapping fits, and those of the other reader."""
        found: dict[str, Part] = {}
        for section in shape.sections:
            mapping = next((one for one in self.mappings if one.fits(shape, section)), None)
            if mapping is not None:
                main, *others = mapping.layouts
                found[section] = Part(main, section, _rows(main, others) if others else None)
        if found and self.base is not None:
            found = {part.section: part for part in self.base.parts(shape)} | found
        return tuple(found.values())

    def ignored(self, section: str) -> str | None:
        """What the other reader says of a section."""
        return self.base.ignored(section) if self.base else None


def mapped(shape: Shape, mappings: Sequence[Mapping], readers: Sequence[Reader]) -> MappingReader | None:
    """Who reads a file by some of `mappings`, None where no mapping fits."""
    fitting = [one for one in mappings if any(one.fits(shape, section) for section in shape.sections)]
    if not fitting:
        return None
    left = shape.sections.keys() - {part.section for part in MappingReader(fitting).parts(shape)}
    base = next((reader for reader in readers if any(part.section in left for part in reader.parts(shape))), None)
    return MappingReader(fitting, base)


def _rows(main: Layout, others: list[Layout]) -> Expand:
    """One record to a row of the first table, and of each other whose key it fills: a review without an answer has none."""
    keys: list[tuple[Layout, Callable[[Raw], bool]]] = [(layout, _fills(layout)) for layout in others]

    def rows(raw: Raw) -> Iterator[tuple[Layout, Raw] | Note]:
        yield main, raw
        for layout, fills in keys:
            if fills(raw):
                yield layout, raw

    return rows


def _fills(layout: Layout) -> Callable[[Raw], bool]:
    """Whether a record has a text, or where none is mapped an id, for a row of `layout`."""
    cells = layout.columns.get("text") or layout.columns[schemas.KEYS[layout.table][1]]

    def fills(raw: Raw) -> bool:
        found = (raw.get(cell) if isinstance(cell, str) else cell(raw) for cell in cells)
        return any(not values.is_null(one) for one in found)

    return fills


@cache
def shipped_mappings() -> tuple[Mapping, ...]:
    """Mappings that come with pinzhi."""
    return tuple(Mapping.load(path) for path in sorted((paths.configs() / "mappings").glob("*.yaml")))
