"""What to label next: the posts or comments of a scored archive that the models are least sure of and that differ from
one another, as files for the labelling tools. Ids stay in the archive; what is written names no author, and an account only by
a digest that keeps its rows on one side of a split. Mentions inside a text are masked."""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from html import escape
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pinzhi import schemas
from pinzhi.brand import BrandProfile
from pinzhi.decide import any_value
from pinzhi.errors import InputError, UsageError
from pinzhi.tables import iter_tables, write_text
from pinzhi.text import is_blank, normalise
from pinzhi.training.corpus import text_key
from pinzhi.training.label_files import SPELLINGS, VALUE_LISTS, LabelTask, read_labels
from pinzhi.training.label_formats import files_within

MOST = 2000  # rows of one file; more than a person labels before the model has learnt from them
POOL = 10  # candidates for each row that is wanted: the least sure, among which the most different are taken
CHINESE = {  # what an annotator reads
    task: [next(name for name in names if not name.isascii()) for names in spellings.values()]
    for task, spellings in SPELLINGS.items()
}


class LabelFormat(StrEnum):
    """The tool that will read the file."""

    LABEL_STUDIO = "label-studio"
    DOCCANO = "doccano"

    @property
    def suffix(self) -> str:
        """By which the file is known when it comes back."""
        return ".json" if self is LabelFormat.LABEL_STUDIO else ".jsonl"


@dataclass(frozen=True)
class Unlabelled:
    """A text worth labelling: what an annotator sees, what the model said, and how unsure it was (0-1)."""

    fields: dict[str, Any]
    prediction: str
    probability: float | None  # of the prediction; a grade has none of its own
    doubt: float
    models: str
    beside: tuple[str, str] | None = None  # platform and id of the post that is shown with it


_PROBABILITIES = {
    LabelTask.SENTIMENT: schemas.P_SENTIMENT,
    LabelTask.AUTHENTICITY: schemas.P_AUTHENTICITY,
    LabelTask.ORIGINALITY: schemas.P_ORIGINALITY,
}
_MENTION = re.compile(r"@[^\s@:：,，。!！?？]{1,30}")


def export_labels(
    out: Path, task: LabelTask, target: Path, n: int, form: LabelFormat, *, brands: Sequence[BrandProfile] = (),
    labelled: Sequence[Path] = (), overwrite: bool = False,
) -> int:  # fmt: skip
    """Write up to `n` rows of the scored archive `out` to `target`, the most telling first; returns how many. Beside a
    Label Studio file lies its labelling page, `<target>.xml`; that of coherence shows the profiles of `brands`. Texts of the
    label files, or folders of them, `labelled` are left out. Raises InputError when `out` holds nothing to label."""
    if not 1 <= n <= MOST:
        raise UsageError(f"expected 1 to {MOST} rows, found {n}")
    if task is LabelTask.COHERENCE and form is LabelFormat.DOCCANO:
        raise UsageError("expected --format label-studio for coherence: doccano has no place for the values of a grade")
    if target.suffix.lower() != form.suffix:
        found = target.suffix or "no ending"
        raise UsageError(
            f"{target}: expected a name that ends in {form.suffix}, as {form} is read again, found {found}"
        )
    page = target.with_name(target.name + ".xml") if form is LabelFormat.LABEL_STUDIO else None
    present = next((path for path in (target, page) if path is not None and path.exists()), None)
    if present and not overwrite:
        raise UsageError(f"{present}: expected no file yet, found one; name another with --out, or add --force")
    table, _ = read_labels(files_within(labelled), task)
    known = {_key(text) for text in table["text"].to_pylist()}
    chosen = _with_posts(out, task, choose(list(_candidates(out, task, POOL * n, known)), n), brands)
    if not chosen:
        what, remedy = f"a scored archive with texts for {task}", "run `pinzhi run` first"
        if known:
            what, remedy = f"{what} that are not labelled yet", "score more posts with `pinzhi run`"
        raise InputError(f"{out}: expected {what}, found none; {remedy}")
    if form is LabelFormat.DOCCANO:
        write_text("".join(json.dumps(_doccano(row), ensure_ascii=False) + "\n" for row in chosen), target)
    else:
        tasks = [_label_studio(row, task) for row in chosen]
        write_text(json.dumps(tasks, ensure_ascii=False, indent=1) + "\n", target)
    if page:
        write_text(labelling_page(task), page)
    return len(chosen)


def choose(rows: Sequence[Unlabelled], n: int) -> list[Unlabelled]:
    """Up to `n` of `rows`: the least sure first, then again and again the one that is unsure and unlike those chosen."""
    from sklearn.feature_extraction.text import HashingVectorizer

    if not rows:
        return []
    order = sorted(rows, key=lambda row: (-row.doubt, row.fields["text"]))
    vectors = HashingVectorizer(analyzer="char", ngram_range=(1, 2), n_features=1 << 14).transform(
        [normalise(row.fields["text"]).text for row in order]
    )
    doubt = np.array([row.doubt for row in order])
    likeness = np.zeros(len(order))
    taken: list[int] = []
    while len(taken) < min(n, len(order)):
        worth = doubt * (1 - likeness)
        worth[taken] = -1
        taken.append(int(worth.argmax()))
        likeness = np.maximum(likeness, (vectors @ vectors[taken[-1]].T).toarray().ravel())
    return [order[i] for i in taken]


def _candidates(out: Path, task: LabelTask, n: int, known: Collection[bytes]) -> Iterator[Unlabelled]:
    """The `n` least sure rows, each wording once and none that is `known`. The tables are read file by file, and no more than the best are held."""
    best: dict[bytes, Unlabelled] = {}
    for table in _tables(out, task):
        for row in table:
            key = _key(row.fields["text"])
            if key not in known and (key not in best or best[key].doubt < row.doubt):
                best[key] = row
        if len(best) > 4 * n:
            best = dict(sorted(best.items(), key=lambda item: (-item[1].doubt, item[0]))[:n])
    yield from sorted(best.values(), key=lambda row: (-row.doubt, row.fields["text"]))[:n]


def _tables(out: Path, task: LabelTask) -> Iterator[Iterator[Unlabelled]]:
    if task in (LabelTask.SENTIMENT, LabelTask.AUTHENTICITY):
        columns = ["platform", "comment_id", "post_id", "text", "is_owner", "models", task.value, *_PROBABILITIES[task]]
        for table in iter_tables(out / "comments", schemas.SCORED_COMMENTS, columns):
            yield _comments(table, task)
        return
    columns = ["platform", "post_id", "account_id", "text", "models", "brand", "values", "coherence_grade",
               "originality_label", "source_platform", "source_post_id", *schemas.P_ORIGINALITY]  # fmt: skip
    for table in iter_tables(out / "posts", schemas.SCORED_POSTS, columns):
        yield _posts(table, task)


def _with_posts(
    out: Path, task: LabelTask, rows: Sequence[Unlabelled], brands: Sequence[BrandProfile]
) -> list[Unlabelled]:
    """`rows` with what they are shown with: the values of their brand, or the texts of posts, which are looked up for these
    few alone. A comment belongs to the account of its post."""
    if task is LabelTask.COHERENCE:
        profiles = {brand.id: brand for brand in brands}
        return [_with_values(row, profiles) for row in rows]
    wanted = {row.beside for row in rows if row.beside is not None}
    ids = pa.array(sorted({post_id for _, post_id in wanted}), pa.string())
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for table in iter_tables(out / "posts", schemas.SCORED_POSTS, ["platform", "post_id", "account_id", "text"]):
        for post in table.filter(pc.is_in(table["post_id"], ids)).to_pylist():
            found[post["platform"], post["post_id"]] = (post["text"], post["account_id"] or "")
    full = []
    for row in rows:
        text, account = found.get(row.beside, ("", "")) if row.beside is not None else ("", "")
        if task is LabelTask.ORIGINALITY:
            if row.beside is not None and not text:
                continue  # nor without a source that this archive lacks
            fields = row.fields | {"earlier": _masked(text)}
        else:
            fields = row.fields | {"post": _masked(text), "group": account_digest(row.fields["platform"], account)}
        full.append(replace(row, fields=fields))
    return full


def _with_values(row: Unlabelled, profiles: Mapping[str, BrandProfile]) -> Unlabelled:
    """`row` with its brand and values in words, and the values as the choices of the page, which give their ids back."""
    brand, scored = row.fields["brand"], row.fields["values"]
    values = profiles[brand].values if brand in profiles else ()
    if {value.id for value in values} != set(scored):
        found = ", ".join(value.id for value in values) or f"profiles of {', '.join(profiles) or 'no brand'}"
        raise InputError(
            f"expected the profile of {brand} with the values {', '.join(scored)}, found {found}; name it with --brand"
        )
    shown = {
        "brand_name": profiles[brand].name,
        "values": "\n".join(f"{value.name}（{value.id}）：{value.statement}" for value in values),
        "options": [{"value": value.id, "html": escape(value.name)} for value in values],
    }
    return replace(row, fields=row.fields | shown)


def _comments(table: pa.Table, task: LabelTask) -> Iterator[Unlabelled]:
    for row in table.to_pylist():
        if row["is_owner"] or is_blank(row["text"]):
            continue
        fields = _fields(row["platform"], None, row["text"], post="")
        yield replace(_row(fields, task, row, row[task.value]), beside=(row["platform"], row["post_id"]))


def _posts(table: pa.Table, task: LabelTask) -> Iterator[Unlabelled]:
    for row in table.to_pylist():
        if is_blank(row["text"]):
            continue
        if task is LabelTask.ORIGINALITY:
            source = (row["source_platform"], row["source_post_id"]) if row["source_post_id"] else None
            if source is None and row["p_duplicate"] + row["p_rewrite"] > row["p_template"] + row["p_quote"]:
                continue  # nobody could tell a rewrite without its source
            fields = _fields(row["platform"], row["account_id"], row["text"], earlier="")
            yield replace(_row(fields, task, row, row["originality_label"]), beside=source)
        elif row["coherence_grade"] is not None:
            likely = any_value(row["values"])
            doubt = max(1 - abs(2 * p - 1) for p in (likely.expresses, likely.contradicts))
            fields = _fields(row["platform"], row["account_id"], row["text"], brand=row["brand"])
            fields["values"] = [value["value_id"] for value in row["values"]]
            yield Unlabelled(fields, str(row["coherence_grade"]), None, doubt, _versions(row["models"], task.value))


def _fields(platform: str, account: str | None, text: str, **beside: str) -> dict[str, Any]:
    return {"text": _masked(text), **beside, "group": account_digest(platform, account), "platform": platform}


def _key(text: str) -> bytes:
    """Two texts of one key are one wording, mentions masked or not."""
    return text_key(_masked(text))


def _masked(text: str) -> str:
    return _MENTION.sub("@…", text)


def account_digest(platform: str, account: str | None) -> str:
    """What stands for an account outside its archive; "" for none."""
    return hashlib.blake2b(f"{platform}/{account}".encode(), digest_size=6).hexdigest() if account else ""


def _row(fields: dict[str, str], task: LabelTask, row: dict[str, Any], label: Any) -> Unlabelled:
    """`label` is what the archive says; doubt is the entropy of the probabilities, 1 where all classes are equally likely."""
    probabilities = np.array([row[name] for name in _PROBABILITIES[task]], dtype=float)
    shares = probabilities / max(1e-9, probabilities.sum())
    doubt = float(-(shares * np.log(np.maximum(shares, 1e-12))).sum() / np.log(len(shares)))
    spelled = str(label)
    known = list(SPELLINGS[task])
    prediction = spelled if spelled in known else known[int(shares.argmax())]  # undetermined is no label
    return Unlabelled(
        fields, prediction, float(shares[known.index(prediction)]), doubt, _versions(row["models"], task.value)
    )


def _versions(models: Any, head: str) -> str:
    return dict(models or ()).get(head, "")


def _doccano(row: Unlabelled) -> dict[str, Any]:
    """doccano shows every further key beside the text. The prediction is no label: nobody has looked at it yet."""
    return {
        **row.fields,
        "label": [],
        "prediction": row.prediction,
        "probability": row.probability and round(row.probability, 4),
    }


def _label_studio(row: Unlabelled, task: LabelTask) -> dict[str, Any]:
    shown = CHINESE[task][list(SPELLINGS[task]).index(row.prediction)]
    return {
        "data": row.fields,
        "predictions": [
            {
                "model_version": row.models,
                **({} if row.probability is None else {"score": round(row.probability, 4)}),
                "result": [
                    {"from_name": task.value, "to_name": "text", "type": "choices", "value": {"choices": [shown]}}
                ],
            }
        ],
    }


def labelling_page(task: LabelTask) -> str:
    """The labelling configuration of Label Studio: the text, what it stands beside, and the labels of the guideline."""
    beside = {LabelTask.ORIGINALITY: "earlier", LabelTask.COHERENCE: "brand_name"}.get(task, "post")
    lines = [
        "<View>", f'  <Header value="{beside}"/>', f'  <Text name="beside" value="${beside}"/>',
        '  <Header value="text"/>', '  <Text name="text" value="$text"/>',
        f'  <Choices name={quoteattr(task.value)} toName="text" choice="single" showInline="true">',
        *(f"    <Choice value={quoteattr(label)}/>" for label in CHINESE[task]),
        "  </Choices>",
    ]  # fmt: skip
    if task is LabelTask.COHERENCE:
        lines[3:3] = ['  <Text name="values" value="$values"/>']
        for name in VALUE_LISTS:
            lines += [
                f'  <Header value="{name}"/>',
                f'  <Choices name="{name}" toName="text" choice="multiple" value="$options"/>',
            ]
    return "\n".join([*lines, "</View>"]) + "\n"
