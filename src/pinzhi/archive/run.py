"""The stages of a run, in order."""

import hashlib
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pinzhi.archive.finish import Finishing
from pinzhi.archive.ingest import ingest, register, write_rejects
from pinzhi.archive.measure import Inputs, Measuring, Progress, register_measures
from pinzhi.archive.store import Store
from pinzhi.brand import BrandProfile
from pinzhi.config import ScoreConfig
from pinzhi.errors import InputError, UsageError
from pinzhi.readers import Pseudonymiser, discover
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


def run(
    inputs: Sequence[Path], brands: Sequence[BrandProfile], out: Path, *, scorer: "Scorer", config: ScoreConfig,
    pseudonymise: Pseudonymiser | None, progress: Progress | None = None,
) -> RunSummary:  # fmt: skip
    """Score the archives `inputs` into `out`. What is there and unchanged is not done again; a run that was killed is
    continued. Raises UsageError, InputError, ModelError, StorageError."""
    progress = progress or (lambda stage, done, total: None)
    if not brands:
        raise UsageError("expected at least one brand profile, found none; name one with --brand")
    started = time.monotonic()
    sources, unread = discover(inputs)
    if not sources and not any(out.glob("canonical/files/*/source.json")):
        reasons = "; ".join(f"{reject.source}: {reject.reason}" for reject in unread[:3]) or "no files at all"
        raise InputError(f"expected an archive that a reader knows, found none ({reasons}); try `pinzhi inspect`")
    store = Store(out)
    with store.held():
        known = {path.parent.name for path in store.files.glob("*/source.json")}
        digests = sorted(known | {source.digest for source in sources})
        unread_lines = sorted(f"{reject.source}\t{reject.reason}" for reject in unread)
        run_id = _run_id(digests, unread_lines, config, brands, scorer, pseudonymise is None)
        whole = store.whole_runs()
        if whole and whole[-1]["run_id"] == run_id and not store.is_unfinished():
            return RunSummary(run_id, False, 0)  # an older run of this id was overwritten by the ones after it
        sequence = whole[-1]["sequence"] + 1 if whole else 0
        fresh = [source for source in sources if source.digest not in known]
        for number, source in enumerate(fresh):
            progress("read", number, len(fresh))
            ingest(source, store, pseudonymise)
        progress("read", len(fresh), len(fresh))
        write_rejects(unread, store)
        connection = store.connect()
        try:
            register(connection, store)
            _assign_brands(connection, brands)
            rows = Inputs(scorer, brands, config)
            measuring = Measuring(connection, store, scorer, config, sequence, run_id, progress)
            measuring.comments(rows)
            measuring.fingerprints(rows)
            measuring.originality(rows, brands)
            measuring.coherence(rows, brands)
            register_measures(connection, store)
            progress("write", 0, 1)
            finishing = Finishing(
                connection, store, config, segmenter=scorer.segmenter_id, models=scorer.models, run_id=run_id,
                pseudonym=pseudonymise.id if pseudonymise else lambda platform, account: account,
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
            "models": dict(scorer.models), "segmenter": scorer.segmenter_id, "rows": counts,
            "scored": measuring.counts, "files_read": len(fresh), "lsh_recall": round(scorer.index_recall, 4),
        }  # fmt: skip
        write_report(out)
        finished = {
            "seconds": round(time.monotonic() - started, 1),
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        store.write_run(content | finished)
        progress("write", 1, 1)
    return RunSummary(run_id, True, len(fresh), counts, measuring.counts)


def _run_id(
    digests: Sequence[str], unread: Sequence[str], config: ScoreConfig, brands: Sequence[BrandProfile], scorer: "Scorer",
    keeps_authors: bool,
) -> str:  # fmt: skip
    """Digest of everything that the tables depend on."""
    parts = [SCHEMA_VERSION, *digests, *unread, config.digest, *sorted(b.digest for b in brands),
             *(f"{head}={version}" for head, version in sorted(scorer.models.items())), scorer.segmenter_id,
             str(keeps_authors)]  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _assign_brands(connection: "DuckDBPyConnection", brands: Sequence[BrandProfile]) -> None:
    """Table brand_of: the brand against which each post is read. An account that no profile claims is read against the
    only brand, and against none when there are several."""
    claimed = pa.table(
        {
            "platform": [a.platform for brand in brands for a in brand.accounts],
            "account_id": [a.account_id for brand in brands for a in brand.accounts],
            "brand": [brand.id for brand in brands for _ in brand.accounts],
        },
        schema=pa.schema([("platform", pa.string()), ("account_id", pa.string()), ("brand", pa.string())]),
    )
    connection.register("claimed", claimed)
    fallback = repr(brands[0].id) if len(brands) == 1 else "NULL"
    connection.execute(
        f"CREATE TEMP TABLE brand_of AS SELECT p.platform, p.post_id, coalesce(min(c.brand), {fallback}) AS brand "
        "FROM posts p LEFT JOIN claimed c ON c.platform = p.platform AND c.account_id = p.account_id GROUP BY p.platform, p.post_id"
    )
