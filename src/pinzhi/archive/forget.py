"""A person out of a scored archive: rows, measures, index and tables; and out of whatever is read into it later."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pinzhi import schemas
from pinzhi.archive.store import MEASURES, Store
from pinzhi.errors import StorageError, UsageError
from pinzhi.originality.index import remove_posts
from pinzhi.originality.rows import Key
from pinzhi.platforms import PLATFORMS, platform_name
from pinzhi.readers import Pseudonymiser, values
from pinzhi.readers.pseudonym import key_path
from pinzhi.tables import read_file, write_parquet, write_partition, write_text

_BY = {"posts": ("account_id",), "comments": ("author_id",), "accounts": ("account_id",),
       "community": ("author_id", "account_id"), "copies": ("account_id",), "account_months": ("account_id",), "value_months": ("account_id",), "coordination": ("author_ids", "account_ids"),
       "overlap": ("account_id", "other_account_id"), "months": ("account_id",), "campaigns": ("account_id",),
       }  # whom a row is by or about  # fmt: skip
_KEYED = ("posts", "comments")
_SOURCE = ("source_platform", "source_post_id", "source_account_id", "source_published_at")
_BATCH = 5000


@dataclass(frozen=True)
class Forgotten:
    """Who and what is to be forgotten, as pseudonyms: they name nobody to whom the key is unknown. What a person wrote is known by
    its own id too, for some exports do not say by whom it is."""

    pseudonymise: Pseudonymiser
    people: frozenset[str] = frozenset()
    posts: frozenset[str] = frozenset()
    comments: frozenset[str] = frozenset()
    is_pending: bool = False  # a call that was killed has not removed all of it

    @classmethod
    def load(cls, store: Store, pseudonymise: Callable[[], Pseudonymiser]) -> "Forgotten | None":
        """What `store` has to forget, None for nothing; the key is not asked for then. Raises StorageError for another key than the
        one of the list."""
        path = _list(store)
        if not path.exists():
            return None
        listed, hidden = json.loads(path.read_text("utf-8")), pseudonymise()
        if listed["key"] != _mark(hidden):
            raise StorageError(
                f"{path}: expected the pseudonym key by which people were forgotten here, found another; "
                f"restore that key, or name it in PINZHI_KEY_FILE ({key_path()})"
            )
        sets = {kind: frozenset(listed[kind]) for kind in ("people", *_KEYED)}
        return cls(hidden, **sets, is_pending=listed["is_pending"])

    def with_more(self, people: Sequence[str], posts: Sequence[Key], comments: Sequence[Key]) -> "Forgotten":
        """This and more."""
        return Forgotten(
            self.pseudonymise, self.people.union(people), self.posts.union(map(self._of, posts)),
            self.comments.union(map(self._of, comments)),
        )  # fmt: skip

    def save(self, store: Store, is_pending: bool) -> None:
        """Note it, for later runs."""
        listed = {kind: sorted(getattr(self, kind)) for kind in ("people", *_KEYED)}
        write_text(
            json.dumps({"key": _mark(self.pseudonymise), "is_pending": is_pending, **listed}) + "\n", _list(store)
        )

    def _of(self, key: Key) -> str:
        return self.pseudonymise.id(*key)

    def has_post(self, platform: str | None, post: str | None) -> bool:
        """Whether a post is forgotten."""
        return platform is not None and post is not None and self._of((platform, post)) in self.posts

    def without(self, table: str, rows: pa.Table) -> pa.Table:
        """`rows` of a canonical table, or of results or measures of its keys, but for the forgotten ones. Rejects lose what was read:
        by whom a record is that could not be read, nobody knows."""
        if table == "rejects":
            return _changed(rows, "raw", [None] * rows.num_rows)
        platforms = rows["platform"].to_pylist()
        gone = [False] * len(platforms)
        asked = [(name, self.people) for name in _BY.get(table, ()) if name in rows.column_names]
        if table in _KEYED:
            asked.append((schemas.KEYS[table][1], getattr(self, table)))
        if table == "coordination":  # a group that lost one of its own is found anew by the next run
            asked += [("post_ids", self.posts), ("comment_ids", self.comments)]
        for name, known in asked:
            if known:
                ids = rows[name].to_pylist()
                gone = [
                    before or any(self._of((platform, one)) in known for one in _each(listed))
                    for before, platform, listed in zip(gone, platforms, ids, strict=True)
                ]
        return rows.filter(pa.array([not one for one in gone], pa.bool_())) if any(gone) else rows


def _each(ids: str | list[str] | None) -> Sequence[str]:
    """The ids that a cell holds: one, several or none."""
    return [ids] if isinstance(ids, str) else ids or []


def forget(
    out: Path, authors: Sequence[str], pseudonymise: Pseudonymiser, platform: str | None = None
) -> dict[str, int]:
    """Remove `authors`, named by their ids (on every platform, or on `platform` alone) or pseudonyms, from the folder of a run, and have later
    runs pass over them; returns the rows removed by canonical table. What rested on their rows is measured anew by the next run. What a
    killed call left is done by the next call or run. Raises UsageError, StorageError.
    """
    store = Store(out)
    if not store.files.is_dir():
        raise UsageError(f"{out}: expected the folder of a run, found none; name the one given to --out")
    asked = platform_name(platform)
    with store.held():
        platforms = {asked} if asked else _platforms(store) | PLATFORMS
        named = [one for author in authors if (one := values.identifier(author))]
        people = {pseudonymise.id(one, author) for one in platforms for author in named}
        gone = Forgotten.load(store, lambda: pseudonymise) or Forgotten(pseudonymise)
        return finish_forgetting(store, gone.with_more(sorted(people), (), ()))


def finish_forgetting(store: Store, gone: Forgotten) -> dict[str, int]:
    """Remove all of `gone` from `store`, which is held; returns the rows removed by canonical table."""
    keys = {table: sorted(_keys(store, table, gone)) for table in _KEYED}
    gone = gone.with_more((), keys["posts"], keys["comments"])
    gone.save(store, is_pending=True)
    for folder in sorted(store.index.iterdir()) if store.index.is_dir() else []:
        remove_posts(folder, keys["posts"])
    for kind, schema in MEASURES.items():
        for path in sorted(store.measures(kind).glob("*.parquet")):
            _rewrite(path, schema, partial(_measures, gone, kind))
    for table in _BY:
        for path in sorted((store.out / table).rglob("*.parquet")):
            _rewrite_partition(path, table, gone)
    for path in (store.out / "brand_values").rglob("*.parquet"):
        _rewrite_evidence(path, gone)
    for path in (*store.files.glob("*/rejects.parquet"), *(store.out / "rejects").rglob("*.parquet")):
        if any(rows["raw"].null_count < rows.num_rows for rows in _batches(path)):
            write_parquet((gone.without("rejects", rows) for rows in _batches(path)), path, schemas.REJECTS)
    (store.out / schemas.GRAPH).unlink(missing_ok=True)  # drawn anew by the next run
    if (store.out / "report.html").exists():
        from pinzhi.report import write_report

        write_report(store.out)
    # The rows themselves last: a call that is killed before finds all that hangs on them again.
    removed = dict.fromkeys(schemas.KEYS, 0)
    for table in removed:
        for path in sorted(store.files.glob(f"*/{table}.parquet")):
            removed[table] += _rewrite(path, schemas.CANONICAL[table], partial(gone.without, table))
    store.scratch.mkdir(parents=True, exist_ok=True)  # the tables are no longer those of the last run
    gone.save(store, is_pending=False)
    return removed


def _mark(pseudonymise: Pseudonymiser) -> str:
    """What tells one key from another, and nothing else."""
    return pseudonymise.id("", "forgotten")


def _list(store: Store) -> Path:
    return store.out / "canonical" / "forgotten.json"


def _batches(path: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_BATCH):
            yield pa.Table.from_batches([batch])


def _platforms(store: Store) -> set[str]:
    """Every platform of the canonical rows."""
    found: set[str] = set()
    for table in schemas.KEYS:
        for path in store.files.glob(f"*/{table}.parquet"):
            found.update(pq.read_table(path, columns=["platform"])["platform"].unique().to_pylist())
    return found


def _keys(store: Store, table: str, people: Forgotten) -> set[Key]:
    """Keys of the canonical rows that are by `people`."""
    found: set[Key] = set()
    for path in store.files.glob(f"*/{table}.parquet"):
        for rows in _batches(path):
            every, kept = (
                set(zip(*(some[name].to_pylist() for name in schemas.KEYS[table]), strict=True))
                for some in (rows, people.without(table, rows))
            )
            found |= every - kept
    return found


def _measures(gone: Forgotten, kind: str, rows: pa.Table) -> pa.Table:
    """Measures without those of forgotten rows, and without those of posts that name a forgotten one as their source."""
    rows = gone.without("comments" if kind == "comments" else "posts", rows)
    if kind != "originality" or not gone.posts:
        return rows
    sources = zip(
        *(rows[name].to_pylist() for name in ("source_platform", "source_post_id", "other_sources")), strict=True
    )
    named = [
        gone.has_post(platform, post) or any(_is_gone(gone, one) for one in others or ())
        for platform, post, others in sources
    ]
    return rows.filter(pa.array([not one for one in named], pa.bool_()))


def _is_gone(gone: Forgotten, name: str | None) -> bool:
    """Whether `platform/post_id` is the name of a forgotten post."""
    return _is_among(gone, gone.posts, name or "")


def _is_among(gone: Forgotten, known: frozenset[str], name: str) -> bool:
    """Whether the row that `platform/id` names is one of the `known` ones."""
    platform, _, row = name.partition("/")
    return gone.pseudonymise.id(platform, row) in known


def _rewrite(path: Path, schema: pa.Schema, keep: Callable[[pa.Table], pa.Table]) -> int:
    """Write a file with what `keep` leaves of it; returns the rows removed. One that loses nothing is not touched."""
    removed = sum(rows.num_rows - keep(rows).num_rows for rows in _batches(path))
    if removed:
        write_parquet((keep(rows) for rows in _batches(path)), path, schema)
    return removed


def _rewrite_partition(path: Path, table: str, gone: Forgotten) -> None:
    """Write a file of results without the forgotten, and without their posts as anybody's source."""
    rows = read_file(path, schemas.OUTPUT[table])
    kept = gone.without(table, rows)
    if table == "posts" and gone.posts:
        sources = zip(kept["source_platform"].to_pylist(), kept["source_post_id"].to_pylist(), strict=True)
        is_gone = [gone.has_post(*one) for one in sources]
        for name in _SOURCE:
            kept = _changed(
                kept, name, [None if lost else one for lost, one in zip(is_gone, kept[name].to_pylist(), strict=True)]
            )
        others = (
            listed and [one for one in listed if not _is_gone(gone, one)]
            for listed in kept["other_sources"].to_pylist()
        )
        kept = _changed(kept, "other_sources", list(others))
        kept = _changed(
            kept, "cluster_id", [None if _is_gone(gone, one) else one for one in kept["cluster_id"].to_pylist()]
        )
    if table == "copies" and gone.posts:
        named = (
            zip(kept[platform].to_pylist(), kept[post].to_pylist(), strict=True)
            for platform, post in (("platform", "post_id"), ("source_platform", "source_post_id"))
        )
        is_gone = [
            _is_gone(gone, cluster) or any(gone.has_post(*one) for one in both)
            for cluster, *both in zip(kept["cluster_id"].to_pylist(), *named, strict=True)
        ]
        kept = kept.filter(pa.array([not one for one in is_gone], pa.bool_()))
    if not kept.equals(rows):
        write_partition(kept, path, schemas.OUTPUT[table])


def _rewrite_evidence(path: Path, gone: Forgotten) -> None:
    """Write the file of what becomes of values without the ids of the forgotten; the counts are those of the last run."""
    rows = read_file(path, schemas.BRAND_VALUES)
    kept = rows
    for name, known in (("contradicting_posts", gone.posts), ("negative_comments", gone.comments)):
        listed = ([one for one in ids or () if not _is_among(gone, known, one)] for ids in rows[name].to_pylist())
        kept = _changed(kept, name, list(listed))
    if not kept.equals(rows):
        write_parquet(kept, path, schemas.BRAND_VALUES)


def _changed(table: pa.Table, name: str, column: Sequence[object]) -> pa.Table:
    field = table.schema.field(name)
    return table.set_column(table.schema.get_field_index(name), field, pa.array(column, field.type))
