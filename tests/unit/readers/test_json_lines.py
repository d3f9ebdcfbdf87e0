"""Lines of JSON that hold more, or less, than one object each."""

import json
from pathlib import Path

import pytest

from pinzhi.readers.jsons import json_lines
from pinzhi.readers.raw import Broken, Record

A, B, C = ({"note_id": f"n{at}", "title": "秋茶", "user": {"note_id": "x"}, "likes": at} for at in range(3))


def line(*rows: dict[str, object]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) for row in rows)


def read(path: Path, text: str) -> tuple[list[object], list[Broken]]:
    """Records of a file with `text`, and what was broken."""
    path.write_text(text, "utf-8")
    found = list(json_lines(path))
    return [one.data for one in found if isinstance(one, Record)], [one for one in found if isinstance(one, Broken)]


@pytest.mark.parametrize(
    "text",
    [
        f"{line(A)}\n{line(B, C)}\n",
        f"{line(A)}\n{line(B)},\n{line(C)}\n",
        f"{line(A)}\n\ufeff{line(B)}\n{line(C)}",
        f"{line(A)}\n[{line(B)}, {line(C)}]\n",
        f"{line(A)}, {line(B)} \x00{line(C)}",
    ],
    ids=["two in a line", "a comma behind", "joined by copying", "an array in a line", "all in one"],
)
def test_all_that_is_whole_is_read(text: str, tmp_path: Path) -> None:
    assert read(tmp_path / "a.jsonl", text) == ([A, B, C], [])


@pytest.mark.parametrize("cut", [18, 30, 41, 55])
def test_what_was_appended_to_a_cut_line_is_read(cut: int, tmp_path: Path) -> None:
    rows, broken = read(tmp_path / "a.jsonl", f"{line(A)}\n{line(B)[:cut]}{line(C)}\n{line(A)}\n")
    assert rows == [A, C, A]
    (lost,) = broken
    assert lost.line == 2 and lost.raw == line(B)[:cut]


def test_what_stands_within_a_cut_object_is_no_record(tmp_path: Path) -> None:
    text = line(A)
    within = text[: text.index("}") + 1]  # up to the end of its user, who has a key of the same name
    rows, broken = read(tmp_path / "a.jsonl", f"{within}\n{line(B)}\n")
    assert rows == [B] and broken[0].raw == within


def test_what_is_no_object_is_named(tmp_path: Path) -> None:
    rows, broken = read(tmp_path / "a.jsonl", f'{line(A)}\n[]\n12\n"x" {line(B)}\n')
    assert rows == [A, B] and [one.line for one in broken] == [2, 3, 4]
