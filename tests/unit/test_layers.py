"""Imports point down only, as docs/architecture.md draws them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

LEVEL = {
    "errors": 0, "labels": 0, "schemas": 0, "types": 0, "paths": 0, "memory": 0, "platforms": 0,
    "text": 1, "minhash": 2, "segment": 2, "tables": 1, "glossary": 1, "yaml_file": 1, "quotation": 2, "brand": 2, "config": 1, "decide": 2, "readers": 2,
    "originality": 3, "heads": 3, "interaction": 3, "scoring": 4,
    "report": 5, "archive": 6, "inspect": 6, "convert": 7, "brand_check": 8, "examples": 8, "evaluation": 8, "training": 7, "cli": 9, "": 0,
}  # fmt: skip
SIBLINGS = [{"originality", "heads", "interaction"}]


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "pinzhi":
            names = node.module.split(".")[1:2] or [alias.name for alias in node.names]
            found.update(names)
        if (
            isinstance(node, ast.ImportFrom)
            and node.module
            and node.module.split(".")[0] in ("prefect", "torch", "pipelines")
        ):
            found.add("!" + node.module.split(".")[0])
        if isinstance(node, ast.Import):
            found.update("!" + alias.name for alias in node.names if alias.name in ("prefect", "torch"))
    return found


def _package(path: Path) -> str:
    return path.relative_to(ROOT / "src" / "pinzhi").parts[0].removesuffix(".py").replace("__init__", "")


@pytest.mark.parametrize(
    "path", sorted((ROOT / "src" / "pinzhi").rglob("*.py")), ids=lambda p: p.relative_to(ROOT).as_posix()
)
def test_imports_point_down(path: Path) -> None:
    here = _package(path)
    if here == "":
        return  # the public names
    for other in _imports(path):
        if other == "!prefect" or other == "!pipelines":
            assert path.name == "schedule.py", f"{path}: only the schedule command may import {other[1:]}"
        elif other == "!torch":
            assert here in ("heads", "training"), f"{path}: torch enters in heads and training only"
        elif other != here and not (here == "training" and other == "evaluation"):
            assert LEVEL[other] <= LEVEL[here], f"{path} ({here}) imports upwards: {other}"
            assert not any({here, other} <= group for group in SIBLINGS), f"{path}: {here} and {other} are siblings"


def test_import_is_fast_and_light() -> None:
    code = (
        "import time, sys; start = time.perf_counter(); import pinzhi; took = time.perf_counter() - start; "
        "assert not {'torch', 'prefect', 'duckdb', 'transformers'} & set(sys.modules); print(took)"
    )
    best = min(float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(3))
    assert best < 0.3
