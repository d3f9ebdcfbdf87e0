"""`Scorer`: texts and tables in, measures and decisions out. Loads the models once; safe to use from several threads."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pinzhi import paths, schemas
from pinzhi.brand import BrandProfile
from pinzhi.config import ScoreConfig
from pinzhi.decide import decide_comments, decide_posts
from pinzhi.errors import InputError
from pinzhi.heads.store import active_versions
from pinzhi.interaction import coordinate
from pinzhi.interaction.account_features import PROFILE, TAUGHT, SeenAccount, taught_features
from pinzhi.labels import Grade, Originality, Verdict
from pinzhi.minhash import choose_bands, recall
from pinzhi.originality.blocks import Bands
from pinzhi.originality.index import FORM, PostIndex
from pinzhi.originality.rows import INDEX, UNKNOWN, IndexRows, Key, keys_of
from pinzhi.originality.search import Finding, Limits, Search
from pinzhi.platforms import platform_name
from pinzhi.quotation import judged_words
from pinzhi.segment import Segmenter
from pinzhi.tables import check
from pinzhi.text import NORMAL_FORM, is_blank, normalise
from pinzhi.types import CoherenceScore, OriginalityScore, PairSpan, Post, PostScore, Removal, Span, ValueScore

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

    from pinzhi.heads.account import AccountModel
    from pinzhi.heads.predict import Heads

MAX_CHARACTERS = 20_000  # of one text that are read by the models; search and spans see no more either


class Scorer:
    """The active models under one configuration."""

    def __init__(self, config: ScoreConfig, models: Path) -> None:
        self.config = config
        self._store = models
        self._segmenter = Segmenter()
        self.models: Mapping[str, str] = active_versions(models)
        self._history: dict[Path, PostIndex] = {}

    @classmethod
    def load(cls, config: ScoreConfig | None = None, models: Path | None = None) -> "Scorer":
        """The active models and, unless `config` is given, the shipped configuration. Weights are read when the first
        text is scored. Raises ModelError, ConfigError."""
        return cls(config or ScoreConfig.load(), models or paths.models())

    @property
    def segmenter_id(self) -> str:
        """What cut the words; stored with every table."""
        return self._segmenter.id

    @cached_property
    def heads(self) -> "Heads":
        """Every trained part; loading verifies digests. Raises ModelError."""
        from pinzhi.heads.predict import Heads

        return Heads.load(self._store, self._segmenter, self.config.models.short_floats)

    @cached_property
    def _account_model(self) -> "AccountModel | None":
        """None in a store of before that has none."""
        if "account" not in self.models:
            return None
        from pinzhi.heads.account import load_account_model

        return load_account_model(self._store, TAUGHT, len(PROFILE))

    def digest_of(self, heads: Sequence[str], *more: str) -> str:
        """Digest of the versions of `heads`, how they compute and what cuts their words, and of whatever else goes into a
        number that they make."""
        parts = [f"{head}={self.models[head]}" for head in heads] + [self.segmenter_id, NORMAL_FORM, *more]
        if self.config.models.short_floats:
            from pinzhi.heads.precision import has_short_floats

            parts += ["short floats"] * has_short_floats()
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def _one_thread(self) -> AbstractContextManager[Any]:
        return self._numpy_threads.limit(limits=1)

    @cached_property
    def _numpy_threads(self) -> "ThreadpoolController":
        """Numpy's own threads, which fight torch's for the cores: a draft takes three times as long beside them."""
        from threadpoolctl import ThreadpoolController

        return ThreadpoolController().select(internal_api="openblas")

    @cached_property
    def _search(self) -> Search:
        from pinzhi.originality.words import WordReader

        encoder, settings = self.heads.encoder, self.config.originality
        reader = WordReader(encoder.token_ids, encoder.word_vectors.numpy(), encoder.token_weights)
        return Search(reader, self.heads.judge, Limits(settings.max_candidates, settings.max_read), self._one_thread)

    # -- one draft ---------------------------------------------------------------------------------------------------

    def score(
        self, post: str | Post, *, brand: BrandProfile, history: Path | str | None = None, platform: str | None = None
    ) -> PostScore:
        """Score one draft against `brand` and, with `history` (the folder of a run), against everything in it.

        A draft without a time is later than all history; one without an account is the brand's own, where the profile names its
        account on that platform. Raises InputError for a text without any letter.
        """
        draft, where, index = self._draft(post, brand, history, platform)
        return self._draft_scores([draft], brand, where, index)[0]

    def removals(
        self, post: str | Post, *, brand: BrandProfile, history: Path | str | None = None, platform: str | None = None
    ) -> list[Removal]:
        """The draft without each of its clauses in turn, those first after which its grade is higher, the shortest of them before longer
        ones; then by coherence. Each is scored as `score` would, so that it takes as long as so many drafts. Empty where the draft is one
        clause. Raises InputError as `score` does."""
        from pinzhi.heads.predict import Clauses

        draft, where, index = self._draft(post, brand, history, platform)
        clauses = Clauses(draft.text[:MAX_CHARACTERS], self.heads.encoder)
        shorter = [
            (Span(*span), replace(draft, text=rest))
            for span, rest in zip(clauses.spans, clauses.without_each(), strict=True)
            if not is_blank(rest)
        ]
        if not shorter:
            return []
        before, *scores = self._draft_scores([draft, *(one for _, one in shorter)], brand, where, index)
        found = [
            Removal(span, draft.text[span.start : span.end], score)
            for (span, _), score in zip(shorter, scores, strict=True)
        ]
        gained = before.coherence.grade
        return sorted(
            found,
            key=lambda one: (
                one.score.coherence.grade <= gained,
                len(one.text) if one.score.coherence.grade > gained else 0,
                -one.score.coherence.score,
                one.span.start,
            ),
        )

    def _draft(
        self, post: str | Post, brand: BrandProfile, history: Path | str | None, platform: str | None
    ) -> tuple[Post, str, PostIndex | None]:
        """A draft that can be scored, where it is to appear, and what it is compared with. Raises InputError."""
        draft = post if isinstance(post, Post) else Post(post)
        _check_draft(draft)
        _check_brand(brand)
        if is_blank(draft.text[:MAX_CHARACTERS]):
            raise InputError(f"expected a text with content, found {len(draft.text)} characters of nothing; write some")
        return draft, platform_name(platform) or draft.platform, self.history(history)

    def _draft_scores(
        self, drafts: Sequence[Post], brand: BrandProfile, platform: str, index: PostIndex | None
    ) -> list[PostScore]:
        """Scores of drafts that know nothing of one another."""
        own = next((account.account_id for account in brand.accounts if account.platform == platform), None)
        latest = datetime.max.replace(tzinfo=UTC, year=9000)
        n = len(drafts)
        table = pa.table(
            {
                "platform": [platform] * n,
                "post_id": [draft.post_id for draft in drafts],
                "account_id": pa.array([draft.account_id or own for draft in drafts], pa.string()),
                "published_at": pa.array([draft.published_at or latest for draft in drafts], schemas.TIME),
                "text": [draft.text for draft in drafts],
                "title": pa.array([draft.title for draft in drafts], pa.string()),
            }
        )
        return [self._post_score(row, index) for row in self._scored(table, brand, index).to_pylist()]

    def history(self, out: Path | str | None) -> PostIndex | None:
        """The index under the folder of a run, loaded once and again when it has grown. Raises InputError."""
        if out is None:
            return None
        folder = Path(out) / "index"
        if not folder.is_dir():
            raise InputError(
                f"{out}: expected the folder of a finished run with index/, found none; do `pinzhi run` first"
            )
        if not (folder / self.index_id).is_dir():
            raise InputError(
                f"{out}: its posts were read by other models or under other settings of [originality]; do `pinzhi run` "
                "there once more, or name the same --config"
            )
        known = self._history.get(folder)
        if known is None or not known.is_current():
            known = self._history[folder] = self.open_index(folder)
        return known

    def open_index(self, folder: Path | None) -> PostIndex:
        """The index of these models and settings in `folder`, or an empty one in memory."""
        return PostIndex(None if folder is None else folder / self.index_id, self._bands)

    @cached_property
    def index_id(self) -> str:
        """Name of the folder of an index: a digest of all that its rows depend on beside the posts."""
        return self.digest_of(("encoder", "embedding", "manner"), FORM, str(self._bands))

    @cached_property
    def _bands(self) -> Bands:
        settings = self.config.originality
        return Bands(*choose_bands(settings.duplicate_similarity, settings.wanted_recall))

    @property
    def index_recall(self) -> float:
        """Probability that the bands find a near copy of the configured similarity."""
        return recall(self.config.originality.duplicate_similarity, self._bands.n, self._bands.rows)

    # -- tables ------------------------------------------------------------------------------------------------------

    def score_posts(self, posts: pa.Table, *, brand: BrandProfile, history: Path | str | None = None) -> pa.Table:
        """Posts (canonical schema) with their scores, in order; each is compared with `history` and with the earlier
        posts of the table itself; a post that the history holds too is taken as the table has it. Interaction needs
        comments and stays null. Raises InputError for a table of another shape."""
        _check_brand(brand)
        posts = check(posts, schemas.POSTS)
        rows = self.fingerprint(posts)
        base = self.history(history) or self.open_index(None)
        return self._scored(posts, brand, base.beside(rows), rows)

    def score_comments(self, comments: pa.Table, posts: pa.Table) -> pa.Table:
        """Comments (canonical schema) of any accounts with sentiment, authenticity, their probabilities and
        coordination_id, in order; `posts` are those that they answer. Raises InputError for tables of another shape."""
        comments, posts = check(comments, schemas.COMMENTS), check(posts, schemas.POSTS)
        measures = self.measure_comments(comments, posts).drop_columns(["platform", "comment_id"])
        for name in measures.column_names:
            comments = comments.append_column(name, measures[name])
        account_of = dict(zip(keys_of(posts), posts["account_id"].to_pylist(), strict=True))
        accounts = [account_of.get(key) for key in keys_of(comments)]
        owners = [
            account is not None and author == account
            for account, author in zip(accounts, comments["author_id"].to_pylist(), strict=True)
        ]
        comments = comments.append_column("account_id", pa.array(accounts, pa.string()))
        comments = coordinate(comments.append_column("is_owner", pa.array(owners, pa.bool_())), self.config, posts)
        return decide_comments(comments, self.config).drop_columns(["account_id"])

    def measure_comments(self, comments: pa.Table, posts: pa.Table) -> pa.Table:
        """COMMENT_MEASURES in the order of `comments`; `posts` holds (platform, post_id, text) of their posts."""
        text_of = dict(zip(keys_of(posts), posts["text"].to_pylist(), strict=True))
        context = [(text_of.get(key) or "")[:1000] for key in keys_of(comments)]
        texts = [text[:2000] for text in comments["text"].to_pylist()]
        sentiment, authenticity = self.heads.comments(texts, context)
        columns: dict[str, Any] = {"platform": comments["platform"], "comment_id": comments["comment_id"]}
        for names, p in ((schemas.P_SENTIMENT, sentiment), (schemas.P_AUTHENTICITY, authenticity)):
            columns |= {name: _rounded(p[:, i]) for i, name in enumerate(names)}
        return pa.table(columns, schema=schemas.COMMENT_MEASURES)

    def measure_accounts(self, accounts: Sequence[SeenAccount]) -> np.ndarray | None:
        """How likely somebody feeds each account [n], in [0, 1]; None where the store holds no model of accounts. Raises
        ModelError."""
        model = self._account_model
        return None if model is None else np.round(model.p_fed(taught_features(accounts)), 4)

    def measure_coherence(self, posts: pa.Table, brand: BrandProfile) -> pa.Table:
        """COHERENCE_MEASURES of posts against all values of `brand`, in order."""
        texts = _full_texts(posts)
        p, spans = self.heads.coherence(texts, self._encoded_values(brand), self.config.coherence.explain_from)
        offsets = _text_offsets(posts)
        values = [
            [
                {
                    "value_id": value.id,
                    "p_touches": _round(p[row, v, 1]),
                    "p_expresses": _round(p[row, v, 2]),
                    "p_contradicts": _round(p[row, v, 3]),
                    "spans": [
                        {"start": max(0, start - offsets[row]), "end": end - offsets[row]}
                        for start, end in spans[row][v]
                        if end > offsets[row]
                    ],
                }
                for v, value in enumerate(brand.values)
            ]
            for row in range(len(texts))
        ]
        columns = {
            "platform": posts["platform"],
            "post_id": posts["post_id"],
            "brand": pa.array([brand.id] * len(texts), pa.string()),
            "values": pa.array(values, pa.list_(schemas.VALUE_MEASURE)),
        }
        return pa.table(columns, schema=schemas.COHERENCE_MEASURES)

    @cached_property
    def _encoded_values(self) -> Any:
        """Hidden states of a brand's values, encoded once per profile."""
        return lru_cache(maxsize=32)(
            lambda brand: self.heads.encode_values(
                [value.text for value in brand.values],
                [[*value.examples_on, *value.examples_off] for value in brand.values],
            )
        )

    def value_likeness(self, brand: BrandProfile) -> tuple[np.ndarray, float]:
        """How alike each two values of a brand are [v, v], names and statements together, and from where on they say the same."""
        return self.heads.value_likeness(self._encoded_values(brand)), self.heads.same_from

    def fingerprint(self, posts: pa.Table) -> pa.Table:
        """Rows of the index (schema INDEX) for posts, in order."""
        from pinzhi.minhash import signatures
        from pinzhi.originality.keys import word_keys

        texts = [judged_words(text[:MAX_CHARACTERS]) for text in posts["text"].to_pylist()]
        tokens = self.heads.encoder.token_ids(texts)
        vectors, manner = self.heads.posts(texts, tokens)
        signed = signatures([normalise(text).text for text in texts])
        words = word_keys(tokens, self.heads.encoder.token_weights)
        n = len(texts)

        def column(name: str, type_: pa.DataType) -> pa.Array | pa.ChunkedArray:
            return posts[name] if name in posts.column_names else pa.nulls(n, type_)

        flat = pa.array(vectors.astype(np.float16).ravel())
        width = vectors.shape[1] if n else 1
        columns = {
            "platform": posts["platform"],
            "post_id": posts["post_id"],
            "account_id": column("account_id", pa.string()),
            "published_at": posts["published_at"],
            "time_precision": column("time_precision", pa.string()),
            "text": pa.array(texts, pa.string()),
            "signature": pa.FixedSizeListArray.from_arrays(pa.array(signed.ravel()), signed.shape[1]),
            "words": pa.FixedSizeListArray.from_arrays(pa.array(words.ravel()), words.shape[1]),
            "embedding": pa.ListArray.from_arrays(pa.array(np.arange(n + 1) * width, pa.int32()), flat),
            "p_template": _rounded(manner[:, 1]),
            "p_quote": _rounded(manner[:, 2]),
        }
        return pa.table([pa.chunked_array(c) if isinstance(c, list) else c for c in columns.values()], schema=INDEX)

    def measure_originality(
        self, posts: pa.Table, index: PostIndex, *, brands: Sequence[BrandProfile] = ()
    ) -> pa.Table:
        """ORIGINALITY_MEASURES of posts, in order, against the surely earlier posts of `index`; fingerprints are taken
        from it where it has them. What one of the `brands` repeats of its own accounts is no copy."""
        rows = index.rows_of(keys_of(posts))
        if rows is None:
            return self._originality(IndexRows.of(self.fingerprint(posts)), index, brands)
        return self._originality(rows, index, brands)

    def _originality(self, rows: IndexRows, index: PostIndex, brands: Sequence[BrandProfile]) -> pa.Table:
        found = self._search.judge_rows(rows, index, [brand.account_keys for brand in brands])
        return pa.Table.from_pylist(
            [{"platform": platform, "post_id": post_id, **_measure(finding)}
             for (platform, post_id), finding in zip(rows.keys, found, strict=True)],
            schema=schemas.ORIGINALITY_MEASURES,
        )  # fmt: skip

    def affected(self, new: Sequence[Key], index: PostIndex) -> pa.Table:
        """(platform, post_id) of posts in `index`, published surely after a near match among the `new` ones, which it holds
        too: what was said of them no longer holds."""
        rows = index.rows_of(new)
        kept = sorted(set(self._search.later_matches(rows, index)) - set(new)) if rows is not None else []
        return pa.table({"platform": [k[0] for k in kept], "post_id": [k[1] for k in kept]},
                        schema=pa.schema([("platform", pa.string()), ("post_id", pa.string())]))  # fmt: skip

    # -- putting it together -----------------------------------------------------------------------------------------

    def _scored(
        self, posts: pa.Table, brand: BrandProfile, index: PostIndex | None, rows: pa.Table | None = None
    ) -> pa.Table:
        fingerprints = IndexRows.of(self.fingerprint(posts) if rows is None else rows)
        originality = self._originality(fingerprints, index or self.open_index(None), [brand])
        measures = posts.append_column("values", self.measure_coherence(posts, brand)["values"])
        for name in originality.column_names[2:]:
            measures = measures.append_column(name, originality[name])
        n = posts.num_rows
        for field in schemas.SCORED_POSTS:
            if field.name in ("genuine_share", "genuine_share_low", "genuine_share_high", "sentiment"):
                measures = measures.append_column(field.name, pa.nulls(n, field.type))
            if field.name in ("n_comments", "n_genuine"):
                measures = measures.append_column(field.name, pa.array([0] * n, field.type))
        measures = measures.append_column("brand", pa.array([brand.id] * n, pa.string()))
        return decide_posts(measures, self.config)

    def _post_score(self, row: Mapping[str, Any], index: PostIndex | None) -> PostScore:
        source = (row["source_platform"], row["source_post_id"])
        originality = OriginalityScore(
            score=row["originality"],
            label=Originality(row["originality_label"]),
            probabilities={name[2:]: row[name] for name in schemas.P_ORIGINALITY},
            source_id=row["source_post_id"],
            source_platform=row["source_platform"],
            source_account_id=row["source_account_id"],
            source_published_at=row["source_published_at"],
            source_similarity=row["source_similarity"],
            source_text=index.text_of(source) if index is not None and row["source_post_id"] else None,
            spans=tuple(PairSpan(**span) for span in row["spans"] or ()),
            other_sources=tuple(row["other_sources"] or ()),
            n_frame_accounts=row["n_frame_accounts"] or 0,
            n_compared=len(index) if index is not None else 0,
        )
        values = {
            value["value_id"]: ValueScore(
                value["value_id"], value["p_expresses"], value["p_touches"], value["p_contradicts"],
                tuple(Span(**span) for span in value["spans"]),
            )
            for value in row["values"]
        }  # fmt: skip
        return PostScore(
            verdict=Verdict(row["verdict"]),
            reasons=list(row["reasons"]),
            quality=row["quality"],
            originality=originality,
            coherence=CoherenceScore(row["coherence"], Grade(row["coherence_grade"]), values),
            models=dict(self.models),
        )


def _check_draft(draft: Post) -> None:
    """Raises InputError for what is no text."""
    if not isinstance(draft.text, str):
        raise InputError(f"expected the text of a draft, found {type(draft.text).__name__}; pass a string or a Post")
    try:
        draft.text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"expected text, found half a character (U+{ord(draft.text[error.start]):04X}) at position {error.start}; "
            "decode the text with its own encoding"
        ) from error


def _check_brand(brand: BrandProfile) -> None:
    """Raises InputError for what is no profile."""
    if not isinstance(brand, BrandProfile):
        raise InputError(f"expected a BrandProfile, found {type(brand).__name__}; read it with BrandProfile.load(path)")


def _full_texts(posts: pa.Table) -> list[str]:
    """Title and text as a reader meets them."""
    titles = posts["title"].to_pylist() if "title" in posts.column_names else [None] * posts.num_rows
    return [
        f"{title}\n{text[:MAX_CHARACTERS]}" if title and not text.startswith(title) else text[:MAX_CHARACTERS]
        for title, text in zip(titles, posts["text"].to_pylist(), strict=True)
    ]


def _text_offsets(posts: pa.Table) -> list[int]:
    """Where the text starts in `_full_texts`."""
    full = _full_texts(posts)
    return [len(a) - len(b[:MAX_CHARACTERS]) for a, b in zip(full, posts["text"].to_pylist(), strict=True)]


def _measure(finding: Finding) -> dict[str, Any]:
    return {
        **{name: _round(p) for name, p in zip(schemas.P_ORIGINALITY, finding.probabilities, strict=True)},
        "source_platform": finding.source[0] if finding.source else None,
        "source_post_id": finding.source[1] if finding.source else None,
        "source_account_id": finding.source_account,
        "source_published_at": None
        if finding.source_time == UNKNOWN
        else datetime.fromtimestamp(finding.source_time / 1000, UTC),
        "source_similarity": _round(finding.similarity) if finding.source else None,
        "spans": [vars(span) for span in finding.spans],
        "other_sources": ["/".join(key) for key in finding.others],
        "is_self": finding.is_self,
        "is_undetermined": finding.is_undetermined,
        "n_frame_accounts": finding.n_frame_accounts,
    }


def _round(value: float) -> float:
    """Four decimals: more is noise of the batch a row happened to be in."""
    return round(float(value), 4)


def _rounded(values: np.ndarray) -> pa.Array:
    return pa.array(np.round(values.astype(np.float64), 4).astype(np.float32))


@lru_cache(maxsize=1)
def _shared() -> Scorer:
    return Scorer.load()


def score_post(text: str | Post, *, brand: BrandProfile, history: Path | str | None = None) -> PostScore:
    """Score one draft with the active models and the shipped configuration; the models are loaded once a process."""
    return _shared().score(text, brand=brand, history=history)
