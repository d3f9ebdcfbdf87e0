"""Label files as the labelling tools write them: Label Studio JSON, JSON-MIN and CSV, doccano JSON lines, plain tables.

Nothing is dropped silently: what cannot be used is returned as a `Problem` with file, row and reason.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ValidationError

from pinzhi.errors import InputError
from pinzhi.labels import ORIGINALITY_CLASSES, Authenticity, Grade, Sentiment
from pinzhi.readers.raw import Broken, Raw, Record
from pinzhi.readers.values import BadValue, identifier, plain
from pinzhi.text import is_blank
from pinzhi.training.corpus import text_key
from pinzhi.training.label_formats import by_name, folded, read_records


class LabelTask(StrEnum):
    """What can be labelled and retrained."""

    SENTIMENT = "sentiment"
    AUTHENTICITY = "authenticity"
    COHERENCE = "coherence"
    ORIGINALITY = "originality"


# Spellings of each label, in the order of the guideline, as `folded` leaves them; every tool adds its own.
SPELLINGS: dict[LabelTask, dict[str, tuple[str, ...]]] = {
    LabelTask.SENTIMENT: {
        str(int(Sentiment.NEGATIVE)): ("-1", "negative", "neg", "负面", "负", "消极", "负向", "差评", "贬义"),
        str(int(Sentiment.NEUTRAL)): ("0", "neutral", "neu", "中性", "中", "中立", "中评"),
        str(int(Sentiment.POSITIVE)): ("1", "positive", "pos", "正面", "正", "积极", "正向", "好评", "褒义"),
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
            (("原创",), ("复制", "重复"), ("洗稿", "改写"), ("模板", "模版"), ("转引", "引用")),
            strict=True,
        )
    },
}
_UNSURE: dict[LabelTask, dict[str, tuple[str, ...]]] = {  # what people call several labels of the guideline
    LabelTask.AUTHENTICITY: {"正常": ("genuine", "incentive", "empty")},
    LabelTask.ORIGINALITY: {"抄袭": ("duplicate", "rewrite"), "转载": ("quote", "duplicate")},
}
_FIELDS = {  # canonical field -> names that files give it
    "text": ("text", "content", "comment", "later", "b_text", "data", "文本", "内容", "评论", "评论内容", "正文"),
    "context": ("context", "post", "post_text", "earlier", "a_text", "source_text", "帖子", "原帖"),
    "group": ("group", "account_id", "brand", "topic", "post_id", "分组", "品牌"),
    "platform": ("platform", "平台"),
    "brand": ("brand", "品牌"),
}
_PLACES = {  # names under which the label of a task may stand, besides its own
    task: (*own, "label", "labels", "class", "cats", "标签", "类别", "分类")
    for task, own in {
        LabelTask.SENTIMENT: ("情感", "情感倾向"),
        LabelTask.AUTHENTICITY: ("真实性",),
        LabelTask.COHERENCE: ("grade", "等级"),
        LabelTask.ORIGINALITY: ("原创性",),
    }.items()
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
_SEPARATORS = re.compile(r"[;；,，、|｜\s]+")  # between value ids that were typed in one line
_MISSING = frozenset({"", "nan", "none", "null"})  # what tables write where nothing is
_NO_NUMBER = re.compile(r"[+-]?inf(?:inity)?", re.IGNORECASE)
_NO_TEXT = re.compile(r"#(?:NAME\?|N/A|REF!|VALUE!|DIV/0!|NULL!|NUM!)")  # what a spreadsheet could not compute
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
    """A record that is not used; `source` is the path as it was given, `row` is 1-based: line, item or table row. One that
    `is_repeat` is whole, but its text was there already."""

    source: str
    row: int
    reason: str
    is_repeat: bool = False

    def __str__(self) -> str:
        return f"{self.source}, row {self.row}: {self.reason}"


@dataclass(frozen=True)
class _Vote:
    """What one annotator said: a label in its canonical spelling, or why it is none; and the values that were listed."""

    label: str
    fault: str = ""
    spelled: str = ""  # the label as it was given, folded
    is_truth: bool = False  # an expert's annotation that settles the matter
    is_elsewhere: bool = False  # something was answered, but not this
    values: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass
class _Labelled:
    """A text and what was said of it, in one record or in several."""

    source: str
    row: int
    fields: dict[str, str | None]
    votes: list[_Vote]
    annotators: set[str]  # those whose names are known
    task_id: str | None = None  # that records of several annotators have in common

    def takes(self, other: "_Labelled") -> bool:
        """Whether `other`, of the same text, is what further annotators said: of one task, or ones that had not spoken yet."""
        if self.task_id is not None and (self.source, self.task_id) == (other.source, other.task_id):
            return True
        return bool(self.annotators and other.annotators) and self.annotators.isdisjoint(other.annotators)

    def add(self, other: "_Labelled") -> None:
        """Count what `other` says, and take what it knows beside the text and this does not."""
        place = f"{other.source}, row {other.row}"
        self.fields = {name: value or other.fields[name] for name, value in self.fields.items()}
        self.votes += [replace(vote, fault=vote.fault and f"{place}: {vote.fault}") for vote in other.votes]
        self.annotators |= other.annotators


class _Answer(BaseModel):
    """One control of Label Studio's page, as it was filled in."""

    from_name: str = ""
    value: Any = None


class _Annotation(BaseModel):
    was_cancelled: bool | None = None  # skipped
    ground_truth: bool | None = None
    completed_by: Any = None
    result: list[_Answer] | None = None


class _Task(BaseModel):
    """A record of Label Studio's JSON export."""

    data: Raw
    annotations: list[_Annotation] | None = None


def read_labels(paths: Sequence[Path], task: LabelTask) -> tuple[pa.Table, list[Problem]]:
    """Labelled rows of `task` (schema LABELS, each text once, in the order of the files) and all that was not used.

    Several annotators of one text are settled by a ground truth, else by their majority; a tie is a problem, and so is one
    text (under one post; for coherence, against one brand) with two labels. Raises InputError for a file that is no label
    file at all, or whose labels may mean two things.
    """
    texts: dict[tuple[bytes, bytes, str | None], list[_Labelled]] = {}
    problems: list[Problem] = []
    for path in paths:
        found = list(_labelled(path, task))
        problems += [one for one in found if isinstance(one, Problem)]
        labelled = [one for one in found if isinstance(one, _Labelled)]
        _refuse_two_classes(path, labelled, task)
        for one in labelled:
            brand = one.fields["brand"] if task is LabelTask.COHERENCE else None
            key = (text_key(one.fields["text"] or ""), text_key(one.fields["context"] or ""), brand)
            same = texts.setdefault(key, [])
            known = next((other for other in same if other.takes(one)), None)
            if known:
                known.add(one)
            else:
                same.append(one)
    rows = [row for same in texts.values() for row in _settled(same, task, problems)]
    return pa.Table.from_pylist(rows, schema=LABELS), sorted(problems, key=lambda p: (p.source, p.row))


def _labelled(path: Path, task: LabelTask) -> Iterator[_Labelled | Problem]:
    """What the records of a file say, and those that say nothing."""
    for record in read_records(path):
        if isinstance(record, Broken):
            yield Problem(str(path), record.line or 1, record.reason)
            continue
        try:
            yield _read(str(path), record, task)
        except BadValue as error:
            yield Problem(str(path), record.line, str(error))


def _refuse_two_classes(path: Path, labelled: Sequence[_Labelled], task: LabelTask) -> None:
    """Raise InputError for sentiment of 0 and 1 alone: in sets of two classes 0 is negative, by the guideline it is neutral."""
    if task is LabelTask.SENTIMENT and {v.spelled for one in labelled for v in one.votes if v.label} == {"0", "1"}:
        raise InputError(
            f"{path}: expected labels that tell negative from neutral, found 0 and 1 alone; write -1 or neutral instead of 0"
        )


def _read(source: str, record: Record, task: LabelTask) -> _Labelled:
    """The text of a record and what was said of it. Raises BadValue."""
    raw = by_name(record.data)
    if isinstance(raw.get("data"), dict):
        exported = _exported(raw)
        given = [one for one in exported.annotations or () if not one.was_cancelled]
        votes = [vote for one in given for vote in _label_studio(one, task)]
        fields, annotators = _fields(by_name(exported.data)), _names(one.completed_by for one in given)
        return _Labelled(source, record.line, fields, votes, annotators)
    if isinstance(raw.get("meta"), dict):  # doccano
        known = {name for names in _FIELDS.values() for name in names}
        raw = {name: value for name, value in by_name(raw["meta"]).items() if name in known} | raw
    if isinstance(raw.get("annotations"), list) and raw.keys().isdisjoint(_places(task)):
        said = _doccano(raw["annotations"])
        votes = [vote for answers in said.values() for vote in _vote({task.value: answers}, raw, task)]
        return _Labelled(source, record.line, _fields(raw), votes, _names(said))
    is_vote = not raw.keys().isdisjoint(("annotation_id", "annotator"))
    task_id = str(raw["id"]) if is_vote and not _is_missing(raw.get("id")) else None
    return _Labelled(source, record.line, _fields(raw), list(_flat(raw, task)), _names([raw.get("annotator")]), task_id)


def _exported(raw: Raw) -> _Task:
    """A record as Label Studio exports it. Raises BadValue."""
    try:
        return _Task.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadValue(f"expected Label Studio's {where}, found {first['input']!r:.60} ({first['msg']})") from error


def _names(annotators: Iterable[Any]) -> set[str]:
    """Annotators as they are known, by number or address."""
    return {str(one.get("id", one) if isinstance(one, dict) else one) for one in annotators if not _is_missing(one)}


def _fields(raw: Raw) -> dict[str, str | None]:
    """What stands beside the labels of a record. Raises BadValue for a text that is none or may be one of several, and for an
    id that a spreadsheet has damaged."""
    filled = {name: [key for key in keys if key in raw and not _is_missing(raw[key])] for name, keys in _FIELDS.items()}
    texts, empty = filled["text"], next((key for key in _FIELDS["text"] if key in raw), None)
    if not texts and empty:
        raise BadValue(f"expected a text, found {raw[empty]!r} under {empty}")
    if not texts:
        accepted = ", ".join(_FIELDS["text"])
        raise BadValue(f"expected a text under one of the names {accepted}, found {', '.join(raw) or 'no field':.200}")
    if len(texts) > 1 and "text" not in texts:
        raise BadValue(f"expected one text, found one under {' and one under '.join(texts)}; call the right one text")
    row: dict[str, Any] = {name: raw[keys[0]] if keys else None for name, keys in filled.items()}
    for name in ("text", "context"):
        value = row[name]
        if value is not None and (not isinstance(value, str) or _NO_TEXT.fullmatch(value.strip())):
            raise BadValue(f"expected {name} to be a text, found {type(value).__name__} {value!r:.40}")
        row[name] = value and plain(value)
    for name in ("group", "platform", "brand"):
        try:
            row[name] = identifier(row[name])
        except BadValue as error:
            raise BadValue(f"{name}: {error}") from error
        if row[name] and _NO_NUMBER.fullmatch(row[name]):
            raise BadValue(f"{name}: expected an id, found {row[name]}")
    return row


def _is_missing(value: Any) -> bool:
    """Whether nothing was filled in."""
    return str(value).strip().lower() in _MISSING or (isinstance(value, str) and is_blank(value))


def _settled(same: Sequence[_Labelled], task: LabelTask, problems: list[Problem]) -> Iterator[dict[str, Any]]:
    """The one row of a text of which `same` was said, if it can be told; what cannot be used of it goes to `problems`."""
    rows = []
    for one in same:
        try:
            rows.append(_row(one, task) | {"source": one.source, "row": one.row})
        except BadValue as error:
            problems.append(Problem(one.source, one.row, str(error)))
    said = sorted(set(map(_said, rows)))
    if len(said) > 1:
        reason = f"expected one label for one text, found {' and '.join(said)}"
        problems += [Problem(row["source"], row["row"], reason) for row in rows]
    elif said:
        first, *others = rows
        reason = f"expected each text once, found that of {first['source']}, row {first['row']} again"
        problems += [Problem(row["source"], row["row"], reason, is_repeat=True) for row in others]
        yield first


def _row(labelled: _Labelled, task: LabelTask) -> dict[str, Any]:
    """What the annotators of a text agree on. Raises BadValue."""
    fields, votes = labelled.fields, labelled.votes
    if not votes:
        raise BadValue("expected a label, found none (skipped or not yet annotated)")
    answered = [vote for vote in votes if not vote.is_elsewhere] or votes
    decisive = [vote for vote in answered if vote.is_truth] or answered
    fault = next((vote.fault for vote in decisive if vote.fault), None)
    if fault:
        raise BadValue(fault)
    counted = Counter(vote.label for vote in decisive).most_common()
    label, n = counted[0]
    if len(counted) > 1 and counted[1][1] == n:
        raise BadValue(f"expected annotators to agree, found {label} and {counted[1][0]} equally often")
    row = {**fields, "group": fields["group"] or "", "label": label, "n_annotators": len(answered)}
    if task is LabelTask.COHERENCE:
        if not fields["brand"]:
            raise BadValue("expected the brand against which the post was graded, found none")
        return row | _values(Grade(int(label)), [vote.values for vote in decisive if vote.label == label])
    if task is LabelTask.ORIGINALITY and label in ("duplicate", "rewrite") and not fields["context"]:
        raise BadValue(f"expected the earlier text of a {label}, found none")
    return row


def _values(grade: Grade, votes: Sequence[Mapping[str, list[str]]]) -> dict[str, list[str] | None]:
    """The values that more than half of the annotators listed; None for a list that none of them filled in, and for what a
    post touches where nobody said which. Raises BadValue where they do not belong to the grade, by the guideline."""
    counted = {name: Counter(value for vote in votes for value in vote.get(name, ())) for name in VALUE_LISTS}
    lists: dict[str, list[str] | None] = {
        name: [value for value, n in counted[name].items() if 2 * n > len(votes)]
        if any(name in vote for vote in votes)
        else None
        for name in VALUE_LISTS
    }
    if grade is Grade.TOUCHES and not lists["touches"]:
        lists["touches"] = None
    allowed = _MAY_NAME[grade]
    if grade in (Grade.CONTRADICTS, Grade.EXPRESSES) and not lists[allowed[0]]:
        unsettled = " and ".join(counted[allowed[0]])
        found = f"{unsettled}, none of them from more than half of the annotators" if unsettled else "none"
        raise BadValue(f"expected at least one value that the post {allowed[0]} (grade {int(grade)}), found {found}")
    for name, named in lists.items():
        if named and name not in allowed:
            raise BadValue(f"expected no value that the post {name} (grade {int(grade)}), found {', '.join(named)}")
    return lists


def _said(row: Mapping[str, Any]) -> str:
    """The label of a row with the values that it lists."""
    lists = [f"{name} {', '.join(sorted(row[name]))}" for name in VALUE_LISTS if row.get(name)]
    return f"{row['label']} ({'; '.join(lists)})" if lists else row["label"]


def _flat(record: Raw, task: LabelTask) -> Iterator[_Vote]:
    """The vote of a flat record that was not cancelled (skipped)."""
    if str(record.get("was_cancelled")).lower() not in ("true", "1"):
        names = [name for name in (*_places(task), *VALUE_LISTS) if name in record]
        yield from _vote({name: _answers(record[name]) for name in names}, record, task)


def _doccano(annotations: Sequence[Any]) -> dict[str, list[str]]:
    """What each annotator of an old export said. Raises BadValue for labels that have numbers in place of their names."""
    said: dict[str, list[str]] = {}
    for one in annotations:
        label = one.get("label") if isinstance(one, dict) else None
        if not isinstance(label, str):
            raise BadValue(
                f"expected annotations with the names of labels, found {one!r:.60}; export JSONL (text label)"
            )
        said.setdefault(str(one.get("user")), []).append(label)
    return said


def _label_studio(annotation: _Annotation, task: LabelTask) -> Iterator[_Vote]:
    """The vote of an annotation."""
    said: dict[str, list[str]] = {}
    for answer in annotation.result or ():
        said.setdefault(folded(answer.from_name), []).extend(_answers(answer.value))
    said = {name: answers for name, answers in said.items() if answers}
    unnamed = said.keys() - {*LabelTask, *VALUE_LISTS}
    if len(unnamed) == 1 and len(said.keys() - {*VALUE_LISTS}) == 1:  # whatever it is called, there is no other
        said[task.value] = said[unnamed.pop()]
    yield from _vote(said, said, task, bool(annotation.ground_truth))


def _places(task: LabelTask) -> tuple[str, ...]:
    """Names under which a label of `task` may stand."""
    return (task.value, *_PLACES[task])


def _vote(
    said: Mapping[str, list[str]], found: Collection[str], task: LabelTask, is_truth: bool = False
) -> Iterator[_Vote]:
    """The vote in what was `said` under which name; none where the place of the label is empty. `found` are all names."""
    places = _places(task)
    given = "+".join(next((said[name] for name in places if said.get(name)), ()))
    spelled = folded(given)
    label = _CANONICAL[task].get(spelled)
    if label:
        values = {name: _ids(said[name]) for name in VALUE_LISTS if name in said}
        yield _Vote(label, spelled=spelled, is_truth=is_truth, values=values)
    elif given:
        unsure = _UNSURE.get(task, {}).get(spelled)
        hint = f", which may be {' or '.join(unsure)}" if unsure else ""
        yield _Vote("", f"expected a label of {', '.join(SPELLINGS[task])}, found {given:.60}{hint}", is_truth=is_truth)
    elif found and not any(name in found for name in places):
        expected = f"expected a label under the name {task} or label"
        yield _Vote("", f"{expected}, found {', '.join(found):.200}", is_elsewhere=True)


def _ids(answers: Sequence[str]) -> list[str]:
    """The different ids in lines that may hold several each."""
    return list(dict.fromkeys(part for one in answers for part in _SEPARATORS.split(one) if part))


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
