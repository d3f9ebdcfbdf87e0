"""YAML that a user writes by hand: read whole, checked against a model; faults are told with file, line and field."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from pinzhi.errors import InputError

MAX_BYTES = 1 << 20  # nobody writes more by hand
Model = TypeVar("Model", bound=BaseModel)


def load_yaml(path: Path, model: type[Model], what: str, see: str, error: type[InputError] = InputError) -> Model:
    """The content of `path` as a `model`. Raises `error`, which says that `what` was expected, and to `see` examples there."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise error(
                f"{path}: expected {what}, found a file of more than {MAX_BYTES >> 20} MiB; see {see} for examples"
            )
        text = path.read_text("utf-8-sig")
    except OSError as failed:
        raise error(f"{path}: expected {what}, found none ({failed.strerror}); see {see} for examples") from failed
    except UnicodeDecodeError as failed:
        raise error(f"{path}: expected UTF-8, found byte {failed.start} of another encoding; save as UTF-8") from failed
    try:
        content = yaml.load(text, Loader=_UniqueKeys)
    except RecursionError as failed:
        raise error(f"{path}: expected {what}, found YAML that is nested too deep; see {see} for examples") from failed
    except (yaml.YAMLError, ValueError, TypeError) as failed:  # a date that does not exist is a ValueError
        found = " ".join(str(failed).replace('in "<unicode string>", ', "").split())
        raise error(f"{path}: expected YAML, found {found}; see {see} for examples") from failed
    if not isinstance(content, dict):
        found = "nothing" if content is None else f"a single {'list' if isinstance(content, list) else 'value'}"
        required = [name for name, field in model.model_fields.items() if field.is_required()]
        wanted = f"{', '.join(required[:-1])} and {required[-1]}"
        raise error(f"{path}: expected a mapping with {wanted}, found {found}; see {see} for examples")
    try:
        return model.model_validate(content)
    except ValidationError as failed:
        first = failed.errors()[0]
        line = _line(yaml.compose(text), first["loc"])
        field = ".".join(map(str, first["loc"]))
        said = first["msg"].removeprefix("Value error, ")
        place = f"{path}, line {line}: {field}" if field else f"{path}, line {line}"
        raise error(f"{place}: {said}; see {see} for examples") from failed


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


def line_of(path: Path, location: tuple[int | str, ...]) -> int:
    """Line of a part of a file that `load_yaml` has read, or of the deepest part above it that is there; 1-based."""
    return _line(yaml.compose(path.read_text("utf-8-sig")), location)


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
