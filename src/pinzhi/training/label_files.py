"""Label files as the labelling tools write them: Label Studio JSON, JSON-MIN and CSV, doccano JSON lines, plain tables.

Nothing is dropped silently: what cannot be used is returned as a `Problem` with file, row and reason.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ValidationError

from pinzhi.labels import ORIGINALITY_CLASSES, Authenticity, Grade, Sentiment
from pinzhi.readers.raw import Broken, Raw
from pinzhi.readers.values import plain
from pinzhi.text import is_blank, normalise
from pinzhi.training.label_formats import read_records


class LabelTask(StrEnum):
    """What can be labelled and retrained."""

    SENTIMENT = "sentiment"
    AUTHENTICITY = "authenticity"
    COHERENCE = "coherence"
    ORIGINALITY = "originality"


# Spellings of each label, in the order of the guideline, as `_folded` leaves them; every tool adds its own.
SPELLINGS: dict[LabelTask, dict[str, tuple[str, ...]]] = {
    LabelTask.SENTIMENT: {
        str(int(Sentiment.NEGATIVE)): ("-1", "negative", "neg", "负面", "负", "消极", "负向", "差评"),
        str(int(Sentiment.NEUTRAL)): ("0", "neutral", "neu", "中性", "中", "中立", "中评"),
        str(int(Sentiment.POSITIVE)): ("1", "positive", "pos", "正面", "正", "积极", "正向", "好评"),
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
_FIELDS = {  # canonical field -> names that files give it
    "text": ("text", "content", "comment", "later", "b_text"),
    "context": ("context", "post", "post_text", "earlier", "a_text", "source_text"),
    "group": ("group", "account_id", "brand", "topic", "post_id"),
    "platform": ("platform",),
    "brand": ("brand",),
}
_CANONICAL = {
    task: {name: label for label, names in spellings.items() for name in names} for task, spellings in SPELLINGS.items()
}
VALUE_LISTS = ("expresses", "contradicts", "touches")
_MAY_NAME = {  # grade -> what may be listed beside it; the first of it must be
    Grade.CONTRADICTS: ("contradicts", "expresses", "touches"),
    Grade.UNRELATED: (),
    Grade.TOUCHES: ("touches",),
    Grade.EXPRESSES: ("expresses", "touches"),
}
_SEPARATORS = re.compile(r"[;；,，、\s]+")  # between value ids that were typed in one line
_WHOLE = re.compile(r"\+?(-?\d+)(?:\.0*)?")
_JOINTS = re.compile(r"[\s-]+")
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
        ("touches", pa.list_(pa.string())),  # null: nobody said which
        pa.field("n_annotators", pa.int32(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
    ],
    metadata={"pinzhi.table": "labels", "pinzhi.schema_version": "1"},
)


@dataclass(frozen=True)
class Problem:
    """A record that cannot be used; `source` is the path as it was given, `row` is 1-based: line, item or table row."""

    source: str
    row: int
    reason: str

    def __str__(self) -> str:
        return f"{self.source}, row {self.row}: {self.reason}"


@dataclass(frozen=True)
class _Vote:
    """What one annotator said: a label in its canonical spelling, or why it is none; and the values that were listed."""

    label: str
    fault: str = ""
    is_truth: bool = False  # an expert's annotation that settles the matter
    is_elsewhere: bool = False  # something was answered, but not this
    values: Mapping[str, list[str]] = field(default_factory=dict)


class _Answer(BaseModel):
    """One control of Label Studio's page, as it was filled in."""

    from_name: str = ""
    value: Any = None


class _Annotation(BaseModel):
    was_cancelled: bool | None = None  # skipped
    ground_truth: bool | None = None
    result: list[_Answer] | None = None


class _Task(BaseModel):
    """A record of Label Studio's JSON export."""

    data: Raw
    annotations: list[_Annotation] | None = None


def read_labels(paths: Sequence[Path], task: LabelTask) -> tuple[pa.Table, list[Problem]]:
    """Labelled rows of `task` (schema LABELS, in file order, equal repeats once) and all that could not be used.

    Several annotators of one record are settled by a ground truth, else by their majority; a tie is a problem, and so is
    one text with two labels. Raises InputError for a file that is no label file at all.
    """
    rows: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for path in paths:
        for number, found in _rows(path, task):
            if isinstance(found, str):
                problems.append(Problem(str(path), number, found))
            else:
                rows.append({**found, "source": str(path), "row": number})
    kept, conflicts = _without_conflicts(rows, task)
    return pa.Table.from_pylist(kept, schema=LABELS), sorted([*problems, *conflicts], key=lambda p: (p.source, p.row))


def _rows(path: Path, task: LabelTask) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Rows of a file without their source, or why there is none."""
    flat: dict[tuple[Any, ...], tuple[int, Raw, list[_Vote]]] = {}  # JSON-MIN and CSV repeat a task for each annotation
    for record in read_records(path):
        if isinstance(record, Broken):
            yield record.line or 1, record.reason
        elif isinstance(record.data.get("data"), dict):
            try:
                exported = _Task.model_validate(record.data)
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, first["loc"]))
                yield record.line, f"expected Label Studio's {where}, found {first['input']!r:.60} ({first['msg']})"
                continue
            yield record.line, _row(exported.data, list(_label_studio(exported.annotations or (), task)), task)
        else:
            is_vote = "annotation_id" in record.data or "annotator" in record.data
            place = record.data.get("id") if is_vote else None
            key = (str(place or record.line), str(_first(record.data, "text")) if place else None)
            _, _, votes = flat.setdefault(key, (record.line, record.data, []))
            votes += _flat(record.data, task)
    yield from ((number, _row(fields, votes, task)) for number, fields, votes in flat.values())


def _row(fields: Raw, votes: Sequence[_Vote], task: LabelTask) -> dict[str, Any] | str:
    """One row without its place, or why there is none."""
    row = {name: _first(fields, name) for name in _FIELDS}
    for name in ("group", "platform", "brand"):  # ids may be numbers, in Parquet with gaps even fractional ones
        if isinstance(row[name], int | float):
            row[name] = str(int(row[name]) if row[name] % 1 == 0 else row[name])
    odd = next((name for name, value in row.items() if not isinstance(value, str | None)), None)
    if odd:
        return f"expected {odd} to be a text, found {type(row[odd]).__name__}"
    row = {name: value and plain(value) for name, value in row.items()}
    if not row["text"] or is_blank(row["text"]):
        return f"expected a text, found {'none' if row['text'] is None else 'an empty one'}"
    if not votes:
        return "expected a label, found none (skipped or not yet annotated)"
    answered = [vote for vote in votes if not vote.is_elsewhere] or votes
    decisive = [vote for vote in answered if vote.is_truth] or answered
    fault = next((vote.fault for vote in decisive if vote.fault), None)
    if fault:
        return fault
    counted = Counter(vote.label for vote in decisive).most_common()
    label, n = counted[0]
    if len(counted) > 1 and counted[1][1] == n:
        return f"expected annotators to agree, found {label} and {counted[1][0]} equally often"
    row |= {"group": row["group"] or "", "label": label, "n_annotators": len(answered)}
    if task is LabelTask.COHERENCE:
        if not row["brand"]:
            return "expected the brand against which the post was graded, found none"
        values = _values([vote.values for vote in decisive if vote.label == label])
        if label == str(int(Grade.TOUCHES)) and not values["touches"]:
            values["touches"] = None  # it touches some, nobody said which
        return _misplaced(Grade(int(label)), values) or row | values
    if task is LabelTask.ORIGINALITY and label in ("duplicate", "rewrite") and not row["context"]:
        return f"expected the earlier text of a {label}, found none"
    return row


def _first(fields: Raw, name: str) -> Any:
    return next((fields[key] for key in _FIELDS[name] if fields.get(key) not in (None, "")), None)


def _values(votes: Sequence[Mapping[str, list[str]]]) -> dict[str, list[str] | None]:
    """The values that more than half of the annotators listed; None for a list that none of them filled in."""
    lists: dict[str, list[str] | None] = {}
    for name in VALUE_LISTS:
        named = [dict.fromkeys(part for one in vote[name] for part in _SEPARATORS.split(one) if part)
                 for vote in votes if name in vote]  # fmt: skip
        counted = Counter(value for values in named for value in values)
        lists[name] = [value for value, n in counted.items() if 2 * n > len(votes)] if named else None
    return lists


def _misplaced(grade: Grade, values: Mapping[str, list[str] | None]) -> str | None:
    """Why the lists of values do not belong to the grade, by the guideline."""
    allowed = _MAY_NAME[grade]
    if grade in (Grade.CONTRADICTS, Grade.EXPRESSES) and not values[allowed[0]]:
        return f"expected at least one value that the post {allowed[0]} (grade {int(grade)}), found none"
    for name, named in values.items():
        if named and name not in allowed:
            return f"expected no value that the post {name} (grade {int(grade)}), found {', '.join(named)}"
    return None


def _without_conflicts(rows: Sequence[dict[str, Any]], task: LabelTask) -> tuple[list[dict[str, Any]], list[Problem]]:
    """Each text once (under one post; for coherence, against one brand); where its labels differ, none of its rows."""
    keys = [(normalise(row["text"]).text, normalise(row["context"] or "").text,
             row["brand"] if task is LabelTask.COHERENCE else None) for row in rows]  # fmt: skip
    labels: dict[tuple[str | None, ...], set[str]] = {}
    for key, row in zip(keys, rows, strict=True):
        labels.setdefault(key, set()).add(_said(row))
    kept: dict[tuple[str | None, ...], dict[str, Any]] = {}
    problems = []
    for key, row in zip(keys, rows, strict=True):
        if len(labels[key]) > 1:
            given = " and ".join(sorted(labels[key]))
            problems.append(Problem(row["source"], row["row"], f"expected one label for one text, found {given}"))
        else:
            kept.setdefault(key, row)
    return list(kept.values()), problems


def _said(row: Mapping[str, Any]) -> str:
    """The label of a row with the values that it lists."""
    lists = [f"{name} {', '.join(sorted(row[name]))}" for name in VALUE_LISTS if row.get(name)]
    return f"{row['label']} ({'; '.join(lists)})" if lists else row["label"]


def _flat(record: Raw, task: LabelTask) -> Iterator[_Vote]:
    """The vote of a flat record that was not cancelled (skipped)."""
    if str(record.get("was_cancelled")).lower() not in ("true", "1"):
        names = [name for name in (*_places(task), *VALUE_LISTS) if name in record]
        yield from _vote({name: _answers(record[name]) for name in names}, record, task)


def _label_studio(annotations: Sequence[_Annotation], task: LabelTask) -> Iterator[_Vote]:
    """Votes of the annotations that were not cancelled (skipped)."""
    for annotation in annotations:
        said: dict[str, list[str]] = {}
        for answer in annotation.result or ():
            said.setdefault(answer.from_name, []).extend(_answers(answer.value))
        said = {name: answers for name, answers in said.items() if answers}
        unnamed = said.keys() - {*LabelTask, *VALUE_LISTS}
        if len(unnamed) == 1 and len(said.keys() - {*VALUE_LISTS}) == 1:  # whatever it is called, there is no other
            said[task.value] = said[unnamed.pop()]
        if not annotation.was_cancelled:
            yield from _vote(said, said, task, bool(annotation.ground_truth))


def _places(task: LabelTask) -> tuple[str, ...]:
    """Names under which a label of `task` may stand."""
    return (task.value, "label", "labels", "class", *(("grade",) if task is LabelTask.COHERENCE else ()))


def _vote(
    said: Mapping[str, list[str]], found: Collection[str], task: LabelTask, is_truth: bool = False
) -> Iterator[_Vote]:
    """The vote in what was `said` under which name; none where the place of the label is empty. `found` are all names."""
    places = _places(task)
    given = "+".join(next((said[name] for name in places if said.get(name)), ()))
    label = _CANONICAL[task].get(_folded(given))
    if label:
        yield _Vote(label, is_truth=is_truth, values={name: said[name] for name in VALUE_LISTS if name in said})
    elif given:
        yield _Vote("", f"expected a label of {', '.join(SPELLINGS[task])}, found {given:.60}", is_truth)
    elif found and not any(name in found for name in places):
        expected = f"expected a label under the name {task} or label"
        yield _Vote("", f"{expected}, found {', '.join(found):.200}", is_elsewhere=True)


def _answers(value: Any) -> list[str]:
    """What was answered, plain, listed, or as Label Studio nests it, in a CSV as JSON: {"choices": ["正面"]}."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        with suppress(ValueError, RecursionError):
            value = json.loads(value)
    if isinstance(value, dict):
        if "rating" in value:  # no label: nobody said which star is which
            return [f"a rating of {value['rating']} stars"]
        value = next((value[name] for name in ("choices", "text", "number") if name in value), str(value))
    if isinstance(value, list):
        return [answer for one in value for answer in _answers(one)]
    answer = "" if value is None else str(value).strip()
    return [answer] if answer else []


def _folded(label: str) -> str:
    """`label` as SPELLINGS has it, whatever its case, width and script, its spaces and hyphens; 1.0 and +1 are 1."""
    clean = normalise(label).text.replace("−", "-")
    whole = _WHOLE.fullmatch(clean)
    return str(int(whole[1])) if whole else _JOINTS.sub("_", clean)
