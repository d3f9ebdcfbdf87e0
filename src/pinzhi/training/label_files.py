"""Label files as the labelling tools write them: Label Studio JSON and JSON-MIN, doccano JSON lines, JSON lines, CSV, Parquet.

Nothing is dropped silently: what cannot be used is returned as a `Problem` with file, row and reason.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pinzhi.errors import InputError
from pinzhi.labels import ORIGINALITY_CLASSES, Authenticity, Grade, Sentiment
from pinzhi.text import is_blank, normalise

Raw = Mapping[str, Any]


class LabelTask(StrEnum):
    """What can be labelled and retrained."""

    SENTIMENT = "sentiment"
    AUTHENTICITY = "authenticity"
    COHERENCE = "coherence"
    ORIGINALITY = "originality"


# Spellings of each label, in the order of the guideline; every tool adds its own.
SPELLINGS: dict[LabelTask, dict[str, tuple[str, ...]]] = {
    LabelTask.SENTIMENT: {
        str(int(Sentiment.NEGATIVE)): ("-1", "negative", "neg", "负面", "负", "消极"),
        str(int(Sentiment.NEUTRAL)): ("0", "neutral", "neu", "中性", "中"),
        str(int(Sentiment.POSITIVE)): ("1", "positive", "pos", "正面", "正", "积极"),
    },
    LabelTask.AUTHENTICITY: {
        Authenticity.GENUINE.value: ("genuine", "真实"),
        Authenticity.INCENTIVE.value: ("incentive", "激励", "抽奖", "打卡"),
        Authenticity.WATER_ARMY.value: ("water_army", "水军"),
        Authenticity.SPAM.value: ("spam", "广告", "垃圾"),
        Authenticity.EMPTY.value: ("empty", "空", "无内容"),
    },
    LabelTask.COHERENCE: {
        str(int(Grade.CONTRADICTS)): ("0", "contradicts", "相悖", "违背"),
        str(int(Grade.UNRELATED)): ("1", "unrelated", "无关"),
        str(int(Grade.TOUCHES)): ("2", "touches", "触及"),
        str(int(Grade.EXPRESSES)): ("3", "expresses", "体现"),
    },
    LabelTask.ORIGINALITY: {
        label.value: (label.value, *more)
        for label, more in zip(
            ORIGINALITY_CLASSES,
            (("原创",), ("复制", "重复"), ("洗稿", "改写"), ("模板",), ("转引", "引用")),
            strict=True,
        )
    },
}
_NAMES = {  # canonical field -> names that files give it
    "text": ("text", "content", "comment", "later", "b_text"),
    "context": ("context", "post", "post_text", "earlier", "a_text", "source_text"),
    "group": ("group", "account_id", "brand", "topic", "post_id"),
    "platform": ("platform",),
    "brand": ("brand",),
    "expresses": ("expresses",),
    "contradicts": ("contradicts",),
}
_LISTS = ("expresses", "contradicts")
_SEPARATORS = re.compile(r"[;；,，、\s]+")  # between value ids that were typed in one line
LABELS = pa.schema(
    [
        pa.field("text", pa.string(), nullable=False),
        ("context", pa.string()),  # the post of a comment, the earlier text of a pair
        pa.field("label", pa.string(), nullable=False),  # canonical spelling
        pa.field("group", pa.string(), nullable=False),  # what a split must not cut; "" where the file has none
        ("platform", pa.string()),
        ("brand", pa.string()),
        ("expresses", pa.list_(pa.string())),
        ("contradicts", pa.list_(pa.string())),
        pa.field("n_annotators", pa.int32(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
    ],
    metadata={"pinzhi.table": "labels", "pinzhi.schema_version": "1"},
)


@dataclass(frozen=True)
class Problem:
    """A record that cannot be used; `row` is 1-based: line, item or table row."""

    source: str
    row: int
    reason: str

    def __str__(self) -> str:
        return f"{self.source}, row {self.row}: {self.reason}"


@dataclass(frozen=True)
class _Vote:
    label: str
    is_truth: bool = False  # an expert's annotation that settles the matter
    more: Raw | None = None


def read_labels(paths: Sequence[Path], task: LabelTask) -> tuple[pa.Table, list[Problem]]:
    """Labelled rows of `task` (schema LABELS, in file order, equal repeats once) and all that could not be used.

    Several annotators of one record are settled by a ground truth, else by their majority; a tie is a problem, and so is
    one text with two labels. Raises InputError for a file that is no label file at all.
    """
    spelling = {name: label for label, names in SPELLINGS[task].items() for name in names}
    rows: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for path in paths:
        for number, fields, votes in _records(path, task):
            found = _row(fields, votes, task, spelling)
            if isinstance(found, str):
                problems.append(Problem(path.name, number, found))
            else:
                rows.append({**found, "source": path.name, "row": number})
    kept, conflicts = _without_conflicts(rows)
    return pa.Table.from_pylist(kept, schema=LABELS), sorted([*problems, *conflicts], key=lambda p: (p.source, p.row))


def _row(fields: Raw, votes: Sequence[_Vote], task: LabelTask, spelling: Mapping[str, str]) -> dict[str, Any] | str:
    """One row without its place, or why there is none."""
    row: dict[str, Any] = {
        name: next((fields[key] for key in keys if fields.get(key) not in (None, "")), None)
        for name, keys in _NAMES.items()
    }
    for name in ("group", "platform", "brand"):  # ids may be numbers in JSON
        row[name] = str(row[name]) if isinstance(row[name], int) else row[name]
    odd = next((name for name, value in row.items() if name not in _LISTS and not isinstance(value, str | None)), None)
    if odd:
        return f"expected {odd} to be a text, found {type(row[odd]).__name__}"
    text = row["text"]
    if text is None or is_blank(text):
        return f"expected a text, found {'none' if text is None else 'an empty one'}"
    if not votes:
        return "expected a label, found none (skipped or not yet annotated)"
    unknown = [vote.label for vote in votes if vote.label not in spelling]
    if unknown:
        return f"expected a label of {', '.join(SPELLINGS[task])}, found {unknown[0]}"
    decisive = [vote for vote in votes if vote.is_truth] or list(votes)
    counted = Counter(spelling[vote.label] for vote in decisive).most_common()
    if len(counted) > 1 and counted[0][1] == counted[1][1]:
        return f"expected annotators to agree, found {counted[0][0]} and {counted[1][0]} equally often"
    label = counted[0][0]
    winner = next(vote for vote in decisive if spelling[vote.label] == label)
    for name in _LISTS:
        value = (winner.more or {}).get(name, row[name])
        named = [value] if isinstance(value, str) else value
        if not isinstance(named, list | None) or not all(isinstance(one, str) for one in named or ()):
            return f"expected {name} to be a list of value ids, found {value!r:.60}"
        row[name] = None if named is None else [part for one in named for part in _SEPARATORS.split(one) if part]
    if task is LabelTask.COHERENCE and not row["brand"]:
        return "expected the brand against which the post was graded, found none"
    if task is LabelTask.COHERENCE:
        for name, grade in (("expresses", Grade.EXPRESSES), ("contradicts", Grade.CONTRADICTS)):
            if label == str(int(grade)) and not row[name]:
                return f"expected at least one value that the post {name} (grade {int(grade)}), found none"
    if task is LabelTask.ORIGINALITY and label in ("duplicate", "rewrite") and not row["context"]:
        return f"expected the earlier text of a {label}, found none"
    return {**row, "group": row["group"] or "", "label": label, "n_annotators": len(votes)}


def _without_conflicts(rows: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[Problem]]:
    """Each (text, context, brand) once; where its labels differ, none of its rows."""
    labels: dict[tuple[str, ...], set[str]] = {}
    keys = [(normalise(row["text"]).text, normalise(row["context"] or "").text, row["brand"] or "") for row in rows]
    for key, row in zip(keys, rows, strict=True):
        labels.setdefault(key, set()).add(row["label"])
    kept: dict[tuple[str, ...], dict[str, Any]] = {}
    problems = []
    for key, row in zip(keys, rows, strict=True):
        if len(labels[key]) > 1:
            given = " and ".join(sorted(labels[key]))
            problems.append(Problem(row["source"], row["row"], f"expected one label for one text, found {given}"))
        else:
            kept.setdefault(key, row)
    return list(kept.values()), problems


def _records(path: Path, task: LabelTask) -> Iterator[tuple[int, Raw, list[_Vote]]]:
    """Numbered records of a file: its fields and its votes. Raises InputError."""
    readers = {".json": _json, ".jsonl": _json_lines, ".csv": _table, ".tsv": _table, ".parquet": _table}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"{path}: expected a label file (.json, .jsonl, .csv, .tsv, .parquet), found {path.suffix or 'no ending'}"
        )
    try:
        for number, record in reader(path):
            if not isinstance(record, dict):
                raise InputError(f"{path}, row {number}: expected an object, found {type(record).__name__}")
            if isinstance(record.get("data"), dict):
                yield number, record["data"], list(_label_studio(record.get("annotations") or (), task))
            else:
                yield number, record, _flat(record, task)
    except OSError as error:
        raise InputError(f"{path}: expected a label file, found none ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: expected UTF-8, found byte {error.start} of another encoding; save as UTF-8"
        ) from error
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}, line {error.lineno}: expected JSON, found {error.msg}; export the labels again"
        ) from error
    except pa.ArrowInvalid as error:
        raise InputError(f"{path}: expected Parquet, found {error}; export the labels again") from error


def _json(path: Path) -> Iterable[tuple[int, Any]]:
    content = json.loads(path.read_text("utf-8-sig"))
    return enumerate(content if isinstance(content, list) else [content], 1)


def _json_lines(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, json.loads(line)


def _table(path: Path) -> Iterator[tuple[int, Raw]]:
    if path.suffix.lower() == ".parquet":
        yield from enumerate(pq.read_table(path).to_pylist(), 1)
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
        yield from enumerate(csv.DictReader(file, delimiter=delimiter), 2)  # row 1 is the header


def _flat(record: Raw, task: LabelTask) -> list[_Vote]:
    """The one vote of a flat record: under the name of the task, or doccano's `label` or `labels`."""
    for name in (task.value, "label", "labels", "grade", "class"):
        value = record.get(name)
        if isinstance(value, dict):  # a choice of JSON-MIN with several answers
            value = value.get("choices")
        if isinstance(value, list):
            value = value[0] if len(value) == 1 else "+".join(map(str, value)) or None
        if value not in (None, ""):
            return [_Vote(str(value).strip())]
    return []


def _label_studio(annotations: Iterable[Raw], task: LabelTask) -> Iterator[_Vote]:
    """Votes of the annotations that were not cancelled (skipped)."""
    for annotation in annotations:
        if not isinstance(annotation, dict) or annotation.get("was_cancelled"):
            continue
        answers: dict[str, list[str]] = {}
        for part in annotation.get("result") or ():
            if not isinstance(part, dict) or not isinstance(part.get("value"), dict):
                continue
            value = part["value"]
            given = value.get("choices") or ([value["rating"]] if "rating" in value else value.get("text"))
            if given is not None:
                answers[part.get("from_name", "")] = [
                    str(one) for one in ([given] if isinstance(given, str) else given)
                ]
        named = answers.get(task.value) or answers.get("label") or (
            next(iter(answers.values())) if len(answers) == 1 else None
        )  # fmt: skip
        if named:
            yield _Vote("+".join(named), bool(annotation.get("ground_truth")), answers)
