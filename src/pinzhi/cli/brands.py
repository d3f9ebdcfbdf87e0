"""`pinzhi brand check`: how a profile will be read."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinzhi.cli.options import Config, Examples, Json, Language, Models, Quiet, existing, labelled
from pinzhi.cli.terminal import Lang, console, print_json, visible

if TYPE_CHECKING:
    from pinzhi.brand_check import Checked, Warned

app = typer.Typer(help="Brand profiles.", no_args_is_help=True, rich_markup_mode=None)

WARNINGS = {
    Lang.ZH: {
        "overlap": "“{0}”与“{1}”意思相近（相似度 {share:.2f}），模型难以分清；合并，或写明各自独有的做法",
        "same_words": "“{0}”与“{1}”的说明是同一句话；合并，或改写其一",
        "thin_statement": "“{0}”的说明几乎没有内容；写出读者能认出的具体做法",
        "not_chinese": "“{0}”的说明不是中文：只能逐词对照词表来读，不如中文准，也不判断它是否与别的价值观重叠；请附中文说明",
        "example_on_both_sides": "“{0}”的同一示例既算体现又算违背；留一处",
        "example_twice": "同一示例列在“{0}”和“{1}”下，两者更难分清；若确实兼有可保留",
        "unknown_platform": "没有任何读取器给出这个平台名，帖子不会归到该账号；核对拼写",
        "no_accounts": "没有写明品牌自己的账号：所有未被其他资料认领的帖子都会算作它的",
        "matches_everything": "“{0}”在自家 {n} 条帖子里有 {share:.0%} 被认为体现，几乎什么都算；写窄一些",
        "matches_nothing": "自家 {n} 条帖子没有一条体现、触及或违背“{0}”；写得更具体，或加示例",
        "too_few_posts": "档案里只有 {n} 条自家帖子，不足以判断哪条价值观过宽或落空",
    },
    Lang.EN: {
        "overlap": "{0} and {1} say nearly the same (likeness {share:.2f}), the models will hardly tell them apart; merge them, or say what each alone asks for",
        "same_words": "{0} and {1} have one and the same statement; merge them, or rewrite one",
        "thin_statement": "the statement of {0} says next to nothing; name the acts by which a reader would know it",
        "not_chinese": "the statement of {0} is not Chinese: it is read word by word through a glossary, less well than Chinese, and whether it overlaps another value is not judged; state it in Chinese too",
        "example_on_both_sides": "one example of {0} stands on both sides; keep one",
        "example_twice": "one example stands under {0} and {1}, which makes them harder to tell apart; keep it if it is both",
        "unknown_platform": "no reader gives this name of a platform, so that no post will be the account's; check the spelling",
        "no_accounts": "no account of the brand is named: every post that no other profile claims will count as its own",
        "matches_everything": "{0} is found expressed in {share:.0%} of {n} own posts, so that it says little; narrow it",
        "matches_nothing": "none of {n} own posts expresses, touches or contradicts {0}; make it more concrete, or give examples",
        "too_few_posts": "the archive has {n} own posts, too few to tell whether a value is too wide or empty",
    },
}  # fmt: skip
_WORDS = {
    Lang.ZH: {"line": "第 {line} 行 {field}：", "fine": "没有发现问题。", "on": "体现示例", "off": "违背示例", "accounts": "账号", "avoid": "避免（仅供人看）",
              "coverage": "自家 {n} 条：体现 {e}，触及 {t}，违背 {c}", "people": "仅供人看", "unnamed": "未写明"},
    Lang.EN: {"line": "line {line}, {field}: ", "fine": "Nothing to note.", "on": "examples on", "off": "examples off", "accounts": "accounts", "avoid": "avoid (for people)",
              "coverage": "own posts {n}: express {e}, touch {t}, contradict {c}", "people": "for people", "unnamed": "none named"},
}  # fmt: skip


@app.callback()
def brand() -> None:
    """Brand profiles."""


@app.command("check")
def check(
    profile: Annotated[Path, typer.Argument(metavar="FILE", help="Brand profile (YAML).")],
    archive: Annotated[
        Path | None,
        typer.Option("--archive", "-a", metavar="PATH", help="Folder of a run, or an archive: what the own posts say."),
    ] = None,
    examples: Examples = None,
    config: Config = None,
    models: Models = None,
    lang: Language = Lang.ZH,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show how a brand profile will be read, and warn of values that overlap, say nothing, or match everything or nothing."""
    existing([profile], "a brand profile")
    existing([archive] if archive else [], "the folder of a run or an archive")
    from pinzhi.brand import BrandProfile
    from pinzhi.brand_check import check_brand
    from pinzhi.cli.archives import pseudonymiser
    from pinzhi.config import ScoreConfig
    from pinzhi.scoring import Scorer

    (read,) = labelled([BrandProfile.load(profile)], examples)
    scorer = Scorer.load(ScoreConfig.load(config), models)
    checked = check_brand(profile, scorer, archive, pseudonymiser(False) if archive else None, read)
    if json:
        print_json(as_json(checked, profile, lang))
    elif not quiet:
        _show(checked, lang)


def as_json(checked: "Checked", path: Path, lang: Lang) -> dict[str, Any]:
    """The document of `pinzhi brand check --json`; docs/cli.md describes every key."""
    return {
        "file": str(path),
        "brand": checked.brand.model_dump(mode="json"),
        "warnings": [
            dataclasses.asdict(one) | {"explanation": explanation(one, checked, lang)} for one in checked.warnings
        ],
        "likeness": checked.likeness,
        "coverage": {value_id: dataclasses.asdict(one) for value_id, one in checked.coverage.items()},
    }


def explanation(warned: "Warned", checked: "Checked", lang: Lang) -> str:
    """A warning as a sentence."""
    names = {value.id: value.name for value in checked.brand.values}
    said = WARNINGS[lang][warned.code]
    return said.format(*(names[one] for one in warned.value_ids), share=warned.share, n=warned.n)


def _show(checked: "Checked", lang: Lang) -> None:
    words, profile = _WORDS[lang], checked.brand
    lines = [f"{profile.name} ({profile.id})"]
    lines += [f"  {words['people']}: {text}" for text in (profile.industry, profile.audience, profile.tone) if text]
    for value in profile.values:
        lines.append(f"{value.name} ({value.id}): {value.statement}")
        for name, texts in (("on", value.examples_on), ("off", value.examples_off)):
            lines += [f"  {words[name]}: {text[:60]}{'…' * (len(text) > 60)}" for text in texts]
        if found := checked.coverage.get(value.id):
            told = {"n": found.n_posts, "e": found.n_expresses, "t": found.n_touches, "c": found.n_contradicts}
            lines.append("  " + words["coverage"].format(**told))
    accounts = ", ".join(f"{one.platform}/{one.account_id}" for one in profile.accounts)
    lines.append(f"{words['accounts']}: {accounts or words['unnamed']}")
    lines += [f"{words['avoid']}: {text}" for text in profile.avoid]
    screen = console()
    for line in lines:
        screen.print(visible(line))
    screen.print()
    for one in checked.warnings:
        where = words["line"].format(line=one.line, field=one.field)
        screen.print(visible(f"! {where}{explanation(one, checked, lang)}"), style="yellow")
    if not checked.warnings:
        screen.print(words["fine"], style="green")
