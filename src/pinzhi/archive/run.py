"""The stages of a run, in order."""

import hashlib
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinzhi.archive.finish import Finishing
from pinzhi.archive.forget import Forgotten, finish_forgetting
from pinzhi.archive.ingest import ingest, register, write_rejects
from pinzhi.archive.measure import Inputs, Measuring, Progress, register_measures
from pinzhi.archive.store import Store, register_claimed
from pinzhi.brand import BrandProfile
from pinzhi.config import ScoreConfig
from pinzhi.errors import InputError, UsageError
from pinzhi.readers import Pseudonymiser, discover, load_key
from pinzhi.schemas import SCHEMA_VERSION

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from pinzhi.scoring import Scorer


@dataclass(frozen=True)
class RunSummary:
    """What a run did."""

    run_id: str
    is_new: bool  # False: everything was there already
    read: int  # files read
    rows: dict[str, int] = field(default_factory=dict)  # rows written by table
    scored: dict[str, int] = field(default_factory=dict)  # rows measured by kind
    posts_without_brand: int = 0  # their accounts are in no profile, so no values were read


def run(
    inputs: Sequence[Path], brands: Sequence[BrandProfile], out: Path, *, scorer: "Scorer", config: ScoreConfig,
    pseudonymise: Pseudonymiser | None, progress: Progress | None = None,
) -> RunSummary:  # fmt: skip
    """Score the archives `inputs` into `out`. What is there and unchanged is not done again; a run that was killed is
    continued. Raises UsageError, InputError, ModelError, StorageError."""
    progress = progress or (lambda stage, done, total: None)
    if not brands:
        raise UsageError("expected at least one brand profile, found none; name one with --brand")
    laps = _Laps()
    sources, unread = discover(inputs)
    if not sources and not any(out.glob("canonical/files/*/source.json")):
        reasons = "; ".join(f"{reject.source}: {reject.reason}" for reject in unread[:3]) or "no files at all"
        raise InputError(f"expected an archive that a reader knows, found none ({reasons}); try `pinzhi inspect`")
    store = Store(out)
    with store.held():
        gone = Forgotten.load(store, lambda: pseudonymise or Pseudonymiser(load_key()))
        if gone is not None and gone.is_pending:
            finish_forgetting(store, gone)
        known = store.sources()
        fresh = [source for source in sources if source.digest not in known]
        current = {source.content: source.digest for source in sources}
        # What the same content was read as before, by another reader or mapping, goes.
        stale = {digest for digest, told in known.items() if current.get(str(told.get("content")), digest) != digest}
        digests = sorted((known.keys() - stale) | set(current.values()))
        unread_lines = sorted(f"{reject.source}\t{reject.reason}" for reject in unread)
        run_id = _run_id(digests, unread_lines, config, brands, scorer, pseudonymise is None)
        whole = store.whole_runs()
        if whole and whole[-1]["run_id"] == run_id and not store.is_unfinished() and store.has_every_table():
            return RunSummary(run_id, False, 0)  # an older run of this id was overwritten by the ones after it
        sequence = whole[-1]["sequence"] + 1 if whole else 0
        for number, source in enumerate(fresh):
            progress("read", number, len(fresh))
            ingest(source, store, pseudonymise, gone, sequence)
        for digest in stale:
            shutil.rmtree(store.files / digest)
        progress("read", len(fresh), len(fresh))
        write_rejects(unread, store)
        laps.end("read")
        connection = store.connect()
        try:
            register(connection, store)
            without_brand = _assign_brands(connection, brands)
            store.write_brands(brands)
            laps.end("merge")
            rows = Inputs(scorer, brands, config)
            measuring = Measuring(connection, store, scorer, config, sequence, run_id, progress)
            measuring.comments(rows)
            laps.end("comments")
            measuring.fingerprints(rows)
            laps.end("fingerprints")
            measuring.originality(rows, brands)
            laps.end("originality")
            measuring.coherence(rows, brands)
            laps.end("coherence")
            register_measures(connection, store)
            progress("write", 0, 1)
            finishing = Finishing(
                connection, store, config, segmenter=scorer.segmenter_id, models=scorer.models, run_id=run_id,
                pseudonym=pseudonymise.id if pseudonymise else lambda platform, account: account,
                measure_accounts=scorer.measure_accounts,
            )  # fmt: skip
            counts = finishing.tables(rows, brands)
        finally:
            connection.close()
        shutil.rmtree(store.scratch, ignore_errors=True)
        from pinzhi.report import write_report

        content: dict[str, Any] = {
            "run_id": run_id, "sequence": sequence, "schema_version": SCHEMA_VERSION,
            "inputs": [{"name": s.name, "digest": s.digest, "reader": s.reader} for s in sources],
            "config": config.digest, "brands": {brand.id: brand.digest for brand in brands},
            "models": dict(scorer.models), "segmenter": scorer.segmenter_id, "rows_read": store.rows_read(),
            "rows": counts, "posts_without_brand": without_brand,
            "scored": measuring.counts, "files_read": len(fresh), "lsh_recall": round(scorer.index_recall, 4),
        }  # fmt: skip
        write_report(out)
        laps.end("write")
        finished = {
            "seconds": round(sum(laps.seconds.values()), 1),
            "seconds_by_stage": {stage: round(taken, 1) for stage, taken in laps.seconds.items()},
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        store.write_run(content | finished)
        store.keep_index(scorer.index_id)
        progress("write", 1, 1)
    return RunSummary(run_id, True, len(fresh), counts, measuring.counts, without_brand)


class _Laps:
    """Seconds of each stage, in order."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def end(self, stage: str) -> None:
        now = time.monotonic()
        self.seconds[stage], self._last = now - self._last, now


def _run_id(
    digests: Sequence[str], unread: Sequence[str], config: ScoreConfig, brands: Sequence[BrandProfile], scorer: "Scorer",
    keeps_authors: bool,
) -> str:  # fmt: skip
    """Digest of everything that the tables depend on."""
    parts = [SCHEMA_VERSION, *digests, *unread, config.digest, *sorted(b.digest for b in brands),
             *(f"{head}={version}" for head, version in sorted(scorer.models.items())), scorer.segmenter_id,
             scorer.index_id, str(keeps_authors)]  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _assign_brands(connection: "DuckDBPyConnection", brands: Sequence[BrandProfile]) -> int:
    """Table brand_of: the brand against which each post is read; returns how many are read against none.

    The posts of an account that no profile claims belong to the only profile that names no accounts, or to the only
    profile there is; where several could mean them, nobody guesses.
    """
    register_claimed(connection, brands)
    open_to_all = [brand for brand in brands if not brand.accounts] or list(brands)
    fallback = repr(open_to_all[0].id) if len(open_to_all) == 1 else "NULL"
    connection.execute(
        f"CREATE TEMP TABLE brand_of AS SELECT p.platform, p.post_id, coalesce(min(c.brand), {fallback}) AS brand "
        "FROM posts p LEFT JOIN claimed c ON c.platform = p.platform AND c.account_id = p.account_id GROUP BY p.platform, p.post_id"
    )
    ((without,),) = connection.execute("SELECT count(*) FROM brand_of WHERE brand IS NULL").fetchall()
    return int(without)
