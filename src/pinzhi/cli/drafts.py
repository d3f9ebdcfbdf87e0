"""`pinzhi score`: one draft before it is published."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinzhi.cli.options import Brand, Config, Examples, Json, Language, Models, Quiet, existing, labelled
from pinzhi.cli.terminal import Lang, console, marked, print_json, visible
from pinzhi.errors import InputError, UsageError
from pinzhi.labels import Originality, Verdict

if TYPE_CHECKING:
    from rich.text import Text

    from pinzhi.brand import BrandProfile
    from pinzhi.types import PostScore, Removal, Span

MAX_CHARACTERS = 100_000  # a draft, not a book; platforms stop far earlier

WORDS = {
    Lang.ZH: {
        "publish": "可以发布",
        "revise": "建议修改",
        "hold": "暂缓发布",
        "quality": "质量",
        "originality": "原创度",
        "original": "原创",
        "duplicate": "复制",
        "rewrite": "洗稿",
        "template": "模板",
        "quote": "转引",
        "undetermined": "先后不明",
        "coherence": "价值观契合",
        "grades": ("相悖", "无关", "触及", "体现"),
        "expresses": "体现",
        "contradicts": "违背",
        "source": "来源",
        "similarity": "重合",
        "legend": {"expresses": "体现价值观", "contradicts": "违背价值观", "shared": "与来源雷同"},
        "marked": "标出的词句：{kinds}",
        "next": "加 --without 再评一次，可看去掉哪一句能让价值观契合升级。",
        "compared": "已与 {n} 条更早的帖子比对",
        "removal": "去掉“{text}”，价值观契合由“{before}”变为“{after}”，结论：{verdict}（已重新评分）",
        "no_removal": "去掉任何一句都不会让价值观契合升级；需要改写或补充",
        "alone": "未与任何旧帖比对，抄没抄还说不准：用 --history 指定一次运行的目录",
    },
    Lang.EN: {
        "publish": "publish",
        "revise": "revise",
        "hold": "hold",
        "quality": "quality",
        "originality": "originality",
        "original": "original",
        "duplicate": "duplicate",
        "rewrite": "rewrite",
        "template": "template",
        "quote": "quote",
        "undetermined": "undetermined",
        "coherence": "coherence",
        "grades": ("contradicts", "unrelated", "touches", "expresses"),
        "expresses": "expresses",
        "contradicts": "contradicts",
        "source": "source",
        "similarity": "shared",
        "legend": {
            "expresses": "live up to a value",
            "contradicts": "contradict a value",
            "shared": "are shared with the source",
        },
        "marked": "marked words {kinds}",
        "next": "Score it again with --without to see which clause, left out, would raise coherence.",
        "compared": "compared with {n} earlier posts",
        "removal": "without “{text}” coherence would go from {before} to {after}, and the verdict would be: {verdict} (scored again)",
        "no_removal": "no clause left out would raise coherence; rewrite or add instead",
        "alone": "compared with no earlier post, so a copy would go unseen: name the folder of a run with --history",
    },
}

_STYLES = {Verdict.PUBLISH: "bold green", Verdict.REVISE: "bold yellow", Verdict.HOLD: "bold red"}
_STYLES_OF = {"expresses": "bold green", "contradicts": "bold red", "shared": "underline yellow"}


def score(
    brand: Brand,
    text: Annotated[str | None, typer.Argument(metavar="[TEXT or -]", help="The draft; - reads it from stdin.")] = None,
    history: Annotated[
        Path | None, typer.Option("--history", metavar="DIR", help="Folder of a run: what was published before.")
    ] = None,
    platform: Annotated[
        str | None, typer.Option("--platform", metavar="NAME", help="Where it is to appear, as in the archive: weibo.")
    ] = None,
    examples: Examples = None,
    without: Annotated[
        bool,
        typer.Option(
            "--without", help="Also: what the grade would be without each clause; takes several times as long."
        ),
    ] = False,
    config: Config = None,
    models: Models = None,
    lang: Language = Lang.ZH,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score one draft before publishing: publish, revise or hold, and why.

    Exit code 0: publish; 1: revise or hold; 2: the text, the profile or an option is wrong.
    """
    draft = _draft(text)
    existing([brand], "a brand profile")
    from pinzhi.brand import BrandProfile
    from pinzhi.config import ScoreConfig
    from pinzhi.scoring import Scorer

    (profile,) = labelled([BrandProfile.load(brand)], examples)
    scorer = Scorer.load(ScoreConfig.load(config), models)
    result = scorer.score(draft, brand=profile, history=history, platform=platform)
    removals = scorer.removals(draft, brand=profile, history=history, platform=platform) if without else []
    if json:
        document = as_json(result, profile, lang)
        print_json(document | {"without": [_removal(one) for one in removals]} if without else document)
    elif not quiet:
        show(draft, result, profile, lang)
        if without:
            console().print(_advice(result, removals, WORDS[lang]))
        elif result.coherence.grade < 3:
            console().print(WORDS[lang]["next"])
    raise typer.Exit(0 if result.verdict is Verdict.PUBLISH else 1)


def _draft(text: str | None) -> str:
    """The text given, or stdin. Raises UsageError when there is neither, InputError when it is no text."""
    if text is None and sys.stdin.isatty():
        raise UsageError("expected a text or - for stdin, found neither; try `pinzhi score - --brand FILE < draft.txt`")
    if text is None or text == "-":
        raw = sys.stdin.buffer.read(4 * MAX_CHARACTERS + 4)
    else:
        raw = text.encode("utf-8", "surrogateescape")
    try:
        draft = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"expected text in UTF-8, found byte 0x{raw[error.start]:02x} at position {error.start}; "
            "convert the text, for example with `iconv -f gb18030 -t utf-8`"
        ) from error
    if not draft.strip():
        raise InputError("expected a draft of at least one character, found none; write the text or pipe it in")
    if len(draft) > MAX_CHARACTERS:
        raise InputError(f"expected a draft of at most {MAX_CHARACTERS:,} characters, found more; score its parts")
    return draft


def as_json(result: "PostScore", brand: "BrandProfile", lang: Lang) -> dict[str, Any]:
    """The document of `pinzhi score --json`; docs/cli.md describes every key."""
    originality, coherence = result.originality, result.coherence
    return {
        "verdict": result.verdict,
        "reasons": list(result.reasons),
        "explanations": explanations(result, lang),
        "quality": result.quality,
        "brand": brand.id,
        "originality": {
            "score": originality.score,
            "label": originality.label,
            "probabilities": dict(originality.probabilities),
            "source_platform": originality.source_platform,
            "source_id": originality.source_id,
            "source_account_id": originality.source_account_id,
            "source_published_at": originality.source_published_at and originality.source_published_at.isoformat(),
            "source_similarity": originality.source_similarity,
            "source_text": originality.source_text,
            "spans": [vars(span) for span in originality.spans],
            "other_sources": list(originality.other_sources),
            "n_frame_accounts": originality.n_frame_accounts,
            "n_compared": originality.n_compared,
        },
        "coherence": {
            "score": coherence.score,
            "grade": int(coherence.grade),
            "values": [
                {
                    "value_id": value.value_id,
                    "p_expresses": value.p_expresses,
                    "p_touches": value.p_touches,
                    "p_contradicts": value.p_contradicts,
                    "spans": [vars(span) for span in value.spans],
                }
                for value in coherence.values.values()
            ],
        },
        "models": dict(result.models),
    }


def explanations(result: "PostScore", lang: Lang) -> list[str]:
    """Each reason as a sentence."""
    from pinzhi.decide import REASONS

    return [getattr(REASONS[code], lang) for code in result.reasons]


def show(draft: str, result: "PostScore", brand: "BrandProfile", lang: Lang) -> None:
    """The answer for a person: verdict, reasons, evidence, and the draft with its carrying words marked."""
    from rich.text import Text

    words: dict[str, Any] = WORDS[lang]
    out = console()
    head = Text(words[result.verdict], style=_STYLES[result.verdict])
    out.print(head.append(f"  {words['quality']} {result.quality:.0f}/100", style="default"))
    for sentence in explanations(result, lang):
        out.print(Text(f"  · {visible(sentence)}"))
    out.print(_originality(result, words))
    if result.originality.source_id:
        out.print(_source(result, words))
    out.print(_coherence(result, brand, words))
    out.print()
    marks = _marks(result)
    out.print(
        marked(
            draft,
            [(span.start, span.end, _STYLES_OF[kind]) for kind, span in marks],
            colour=out.color_system is not None,
        )
    )
    if marks:
        kinds = (Text(words["legend"][kind], style=style) for kind, style in _STYLES_OF.items() if kind in dict(marks))
        before, after = words["marked"].split("{kinds}")
        out.print(Text(before).append_text(Text(" · ").join(kinds)).append(after))


def _removal(removal: "Removal") -> dict[str, Any]:
    """One removed clause in the document of `pinzhi score --json --without`."""
    score = removal.score
    return {
        "start": removal.span.start, "end": removal.span.end, "text": removal.text, "verdict": score.verdict, "quality": score.quality,
        "coherence": {"score": score.coherence.score, "grade": score.coherence.grade},
    }  # fmt: skip


def _advice(result: "PostScore", removals: list["Removal"], words: dict[str, Any]) -> str:
    """The smallest removal after which the grade is higher, or that there is none."""
    before = result.coherence.grade
    if not removals or removals[0].score.coherence.grade <= before:
        return str(words["no_removal"])
    best = removals[0]
    grade = words["grades"][best.score.coherence.grade]
    told = {"text": visible(best.text.strip()), "before": words["grades"][before], "after": grade}
    return str(words["removal"].format(**told, verdict=words[best.score.verdict]))


def _originality(result: "PostScore", words: dict[str, Any]) -> "Text":
    from rich.text import Text

    found = result.originality
    compared = words["compared"].format(n=f"{found.n_compared:,}") if found.n_compared else words["alone"]
    return Text(f"{words['originality']} {found.score:.0f}/100 {words[found.label]}  ({compared})")


def _source(result: "PostScore", words: dict[str, Any]) -> "Text":
    from rich.text import Text

    found = result.originality
    name = visible(f"{found.source_platform}/{found.source_id}")
    if found.source_published_at:
        name += f" {found.source_published_at:%Y-%m-%d}"
    share = "" if found.source_similarity is None else f" {words['similarity']} {found.source_similarity:.0%}"
    excerpt = " ".join(visible(found.source_text or "").split())[:120]
    return Text(f"  {words['source']} {name}{share}  {excerpt}")


def _coherence(result: "PostScore", brand: "BrandProfile", words: dict[str, Any]) -> "Text":
    from rich.text import Text

    names = {value.id: value.name for value in brand.values}
    text = Text(f"{words['coherence']} {result.coherence.score:.0f}/100 {words['grades'][result.coherence.grade]}")
    for value in result.coherence.values.values():
        name = visible(names.get(value.value_id, value.value_id))
        if value.spans:
            p, kind, style = max((value.p_expresses, "expresses", "green"), (value.p_contradicts, "contradicts", "red"))
            text.append(f"\n  {words[kind]} {name} {p:.0%}", style=style)
    return text


def _marks(result: "PostScore") -> list[tuple[str, "Span"]]:
    """Spans of the draft, each with what it shows: a key of `legend`."""
    marks: list[tuple[str, Span]] = []
    for value in result.coherence.values.values():
        kind = "contradicts" if value.p_contradicts > value.p_expresses else "expresses"
        marks += [(kind, span) for span in value.spans]
    if result.originality.label is not Originality.ORIGINAL:
        marks += [("shared", span) for span in result.originality.spans]
    return marks
