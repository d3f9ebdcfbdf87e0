"""How a brand profile will be read: its values as the models see them, and what in them will not work."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pinzhi import schemas
from pinzhi.brand import BrandProfile, Value
from pinzhi.convert import convert
from pinzhi.decide import LEAST_POSTS, STANCES, coherence, named_values
from pinzhi.errors import InputError
from pinzhi.platforms import PLATFORMS
from pinzhi.tables import iter_tables
from pinzhi.text import han_share, letters, normalise
from pinzhi.yaml_file import line_of

if TYPE_CHECKING:
    from pinzhi.readers import Pseudonymiser
    from pinzhi.scoring import Scorer

# On brands that were never seen the value that a post expresses is named first in 0.70 of the posts where values are Chinese, in 0.66 where they
# are English and read word by word (chance 0.22 and 0.25). Share of Chinese characters below which likeness is not judged: what two wordings
# share through the glossary was not measured.
CHINESE_FROM = 0.3
FEW_LETTERS = 5  # different letters that a statement adds to its name; every labelled value adds more
EVERYTHING_FROM = 0.5  # of the own posts; the value most expressed of 199 labelled brands is so in 0.18 of their posts
MOST_POSTS = 400  # of an archive that are read, spread evenly over time


@dataclass(frozen=True)
class Warned:
    """What will not work as written: `code` is one of CODES, `field` and `line` say where, `value_ids` which values it is about, `n` of how
    many posts and `share` how large, where it is a matter of numbers."""

    code: str
    field: str
    line: int
    value_ids: tuple[str, ...] = ()
    share: float | None = None
    n: int | None = None


CODES = (
    "overlap", "same_words", "thin_statement", "not_chinese", "example_on_both_sides", "example_twice", "unknown_platform", "no_accounts",
    "matches_everything", "matches_nothing", "too_few_posts",
)  # fmt: skip


@dataclass(frozen=True)
class Coverage:
    """What the brand's own posts of an archive make of one value."""

    n_posts: int
    n_expresses: int
    n_touches: int
    n_contradicts: int


@dataclass(frozen=True)
class Checked:
    """A profile as it will be read; `likeness` [v, v] is None between values that are not judged."""

    brand: BrandProfile
    warnings: tuple[Warned, ...]
    likeness: Sequence[Sequence[float | None]]
    coverage: dict[str, Coverage] = field(default_factory=dict)  # by value id; empty without an archive


def check_brand(
    path: Path, scorer: "Scorer", archive: Path | None = None, pseudonymise: "Pseudonymiser | None" = None,
    brand: BrandProfile | None = None,
) -> Checked:  # fmt: skip
    """How the profile at `path` will be read (`brand` where examples were added to it), and, with `archive` (the folder of a run, or files
    that a reader knows), what its own posts make of each value. Raises BrandError with file, line and field, InputError, ModelError."""
    brand = brand or BrandProfile.load(path)
    likeness, same_from = _likeness(brand, scorer)
    found = [*_of_values(brand), *_of_pairs(brand, likeness, same_from), *_of_examples(brand), *_of_accounts(brand)]
    coverage = _coverage(brand, scorer, archive, pseudonymise) if archive else {}
    found += _of_archive(brand, coverage)
    located = [
        Warned(code, ".".join(map(str, at)), line_of(path, at), tuple(ids), share, n)
        for code, at, ids, share, n in found
    ]
    return Checked(brand, tuple(located), likeness, coverage)


_Found = tuple[str, tuple[int | str, ...], Sequence[str], float | None, int | None]


def _is_chinese(value: Value) -> bool:
    return han_share([value.name, value.statement]) >= CHINESE_FROM


def _likeness(brand: BrandProfile, scorer: "Scorer") -> tuple[list[list[float | None]], float]:
    """How alike each two values are, and from where on they say the same."""
    like, same_from = scorer.value_likeness(brand)
    rows = [
        [round(float(like[i, j]), 4) if _is_chinese(a) and _is_chinese(b) else None for j, b in enumerate(brand.values)]
        for i, a in enumerate(brand.values)
    ]
    return rows, same_from


def _of_values(brand: BrandProfile) -> Iterator[_Found]:
    """Statements that say little, or in a language of which the models know little."""
    for number, value in enumerate(brand.values):
        at = ("values", number, "statement")
        said, name = (set(letters(normalise(text).text)) for text in (value.statement, value.name))
        if len(said - name) < FEW_LETTERS:
            yield "thin_statement", at, [value.id], None, None
        if not _is_chinese(value):
            yield "not_chinese", at, [value.id], None, None


def _of_pairs(brand: BrandProfile, likeness: Sequence[Sequence[float | None]], same_from: float) -> Iterator[_Found]:
    """Values that say the same."""
    for (i, a), (j, b) in combinations(enumerate(brand.values), 2):
        at, like = ("values", j, "statement"), likeness[i][j]
        if letters(normalise(a.statement).text) == letters(normalise(b.statement).text):
            yield "same_words", at, [a.id, b.id], None, None
        elif like is not None and like >= same_from:
            yield "overlap", at, [a.id, b.id], like, None


def _of_examples(brand: BrandProfile) -> Iterator[_Found]:
    """Examples that draw a post to two sides at once."""
    seen: dict[str, tuple[str, str]] = {}
    for number, value in enumerate(brand.values):
        for side in ("examples_on", "examples_off"):
            for at, text in enumerate(getattr(value, side)):
                key = letters(normalise(text).text)
                first = seen.setdefault(key, (value.id, side))
                if first[0] == value.id and first[1] != side:
                    yield "example_on_both_sides", ("values", number, side, at), [value.id], None, None
                elif first[0] != value.id and first[1] == side:
                    yield "example_twice", ("values", number, side, at), [first[0], value.id], None, None


def _of_accounts(brand: BrandProfile) -> Iterator[_Found]:
    if not brand.accounts:
        yield "no_accounts", ("accounts",), [], None, None
    for number, account in enumerate(brand.accounts):
        if account.platform not in PLATFORMS:
            yield "unknown_platform", ("accounts", number, "platform"), [], None, None


def _of_archive(brand: BrandProfile, coverage: dict[str, Coverage]) -> Iterator[_Found]:
    """Values that say nothing of the brand's own posts, for all of them or none are like them."""
    if coverage and (n := next(iter(coverage.values())).n_posts) < LEAST_POSTS:
        yield "too_few_posts", ("accounts",), [], None, n
        return
    for number, value in enumerate(brand.values if coverage else ()):
        found, at = coverage[value.id], ("values", number, "statement")
        n_named = found.n_expresses + found.n_touches + found.n_contradicts
        if found.n_expresses >= EVERYTHING_FROM * found.n_posts:
            yield "matches_everything", at, [value.id], round(found.n_expresses / found.n_posts, 4), found.n_posts
        elif not n_named:
            yield "matches_nothing", at, [value.id], 0.0, found.n_posts


def _coverage(
    brand: BrandProfile, scorer: "Scorer", archive: Path, pseudonymise: "Pseudonymiser | None"
) -> dict[str, Coverage]:
    """What the brand's own posts of `archive` make of each value. Raises InputError where there are none."""
    with tempfile.TemporaryDirectory(prefix="pinzhi-check-") as scratch:
        folder = archive
        if not (archive / "runs").is_dir():
            convert([archive], folder := Path(scratch), pseudonymise)
        posts = _own_posts(brand, folder)
    if not posts.num_rows:
        raise InputError(
            f"{archive}: expected posts of the accounts of {brand.id}, found none; compare accounts in the profile with "
            "`pinzhi inspect`"
        )
    counts = {value.id: dict.fromkeys(STANCES, 0) for value in brand.values}
    for values in scorer.measure_coherence(posts, brand)["values"].to_pylist():
        for stance, ids in named_values(values, coherence(values)[1]).items():
            for value_id in ids:
                counts[value_id][stance] += 1
    return {
        value_id: Coverage(posts.num_rows, *(found[stance] for stance in STANCES)) for value_id, found in counts.items()
    }


def _own_posts(brand: BrandProfile, folder: Path) -> pa.Table:
    """At most MOST_POSTS of the brand's posts under `folder`/posts, spread evenly over time; every post where it names no accounts."""
    columns = ["platform", "post_id", "account_id", "published_at", "text", "title"]
    own = brand.account_keys
    parts = []
    for table in iter_tables(folder / "posts", schemas.POSTS, columns):
        accounts = zip(table["platform"].to_pylist(), table["account_id"].to_pylist(), strict=True)
        is_own = pa.array([not own or account in own for account in accounts], pa.bool_())
        parts.append(table.filter(pc.and_(is_own, pc.not_equal(pc.utf8_trim_whitespace(table["text"]), ""))))
    posts = pa.concat_tables(parts) if parts else schemas.POSTS.empty_table()
    posts = posts.sort_by([(name, "ascending") for name in ("published_at", "platform", "post_id")])
    step = max(1.0, posts.num_rows / MOST_POSTS)
    return posts.take(pa.array([int(at * step) for at in range(min(posts.num_rows, MOST_POSTS))], pa.int64()))
