"""The table of rewrites found by grade, as a gate: `python -m pinzhi.evaluation.grades [--write]`.

The dev pairs that the models of the last accepted table found stand in `data/grades.json`. Models that find less of a
grade than those, beyond chance, are refused with exit code 1; `--write` makes theirs the table, for review like any other change.
"""

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import orjson

from pinzhi import paths
from pinzhi.errors import InputError
from pinzhi.evaluation.evaluate import dev_pairs, pair_evidence, word_reader
from pinzhi.evaluation.gate import FALSE_SHARE, Slice, lowered, rewrites_found
from pinzhi.heads.predict import Heads
from pinzhi.heads.store import active_versions
from pinzhi.segment import Segmenter
from pinzhi.tables import write_text
from pinzhi.training.data import PairRow

Table = dict[str, dict[str, bool]]  # grade -> pair -> whether it was found


def found_by_grade(heads: Heads, pairs: Sequence[PairRow]) -> Table:
    """Which rewrites among `pairs` the heads find, by grade, while FALSE_SHARE of the independent pairs are taken for derived."""
    texts = [(row.earlier, row.later) for row in pairs]
    p = heads.judge(pair_evidence(heads, word_reader(heads), texts), texts)
    found = rewrites_found(np.array([row.label == "original" for row in pairs]), p[:, 1] + p[:, 2])
    table: Table = {}
    for row, is_found in sorted(
        zip(pairs, found.tolist(), strict=True), key=lambda one: (one[0].grade or 0, _name(one[0]))
    ):
        if row.label == "rewrite":
            table.setdefault(str(row.grade), {})[_name(row)] = is_found
    return table


def _name(row: PairRow) -> str:
    """By which a pair is known, whatever stands beside it."""
    return hashlib.blake2b(f"{row.earlier}\x1f{row.later}".encode(), digest_size=5).hexdigest()


def fallen(before: Mapping[str, Mapping[str, bool]], after: Mapping[str, Mapping[str, bool]]) -> tuple[Slice, ...]:
    """Grades of which `after` finds less than `before`, beyond chance, of the pairs that both were asked about."""
    both = {grade: sorted(after[grade].keys() & before.get(grade, {}).keys()) for grade in sorted(after)}
    old, new = (
        {grade: np.array([table[grade][name] for name in names]) for grade, names in both.items() if names}
        for table in (before, after)
    )
    return lowered(old, new)


def as_markdown(before: Mapping[str, Mapping[str, bool]], after: Mapping[str, Mapping[str, bool]]) -> str:
    """Share of the rewrites of each grade that is found, now and in the accepted table."""

    def share(pairs: Mapping[str, bool] | None) -> str:
        return f"{np.mean([*pairs.values()]):.3f}" if pairs else "-"

    lines = [f"| grade | found, at {FALSE_SHARE:.0%} false | accepted | pairs |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {grade} | {share(after[grade])} | {share(before.get(grade))} | {len(after[grade])} |"
        for grade in sorted(after)
    ]
    return "\n".join(lines)


def read_accepted(path: Path) -> Table:
    """The accepted table; empty where there is none. Raises InputError for a file of another shape."""
    if not path.exists():
        return {}
    try:
        table: Table = orjson.loads(path.read_bytes())["found"]
        assert all(isinstance(found, bool) for pairs in table.values() for found in pairs.values())
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, AssertionError) as error:
        raise InputError(
            f"{path}: expected a table of grades, found another file; restore it, or make it anew with --write"
        ) from error
    return table


def check(accepted: Path, found: Table, models: Mapping[str, str], is_written: bool = False) -> tuple[Slice, ...]:
    """Print the table and return the grades that fell; with `is_written` it becomes the accepted one."""
    before = read_accepted(accepted)
    print(as_markdown(before, found))
    if is_written:
        content = {"models": dict(models), "found": found}
        write_text(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n", accepted)
        return ()
    return fallen(before, found)


def main() -> None:
    """Compare the models in use, or those of another folder, with the accepted table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, default=paths.models())
    parser.add_argument("--labels", type=Path, default=paths.labels())
    parser.add_argument("--accepted", type=Path, default=paths.labels().parent / "grades.json")
    parser.add_argument("--write", action="store_true", help="make this the accepted table")
    given = parser.parse_args()
    found = found_by_grade(Heads.load(given.models, Segmenter()), dev_pairs(given.labels))
    worse = check(given.accepted, found, active_versions(given.models), given.write)
    if worse:
        said = "; ".join(f"grade {row.name} from {row.before:.3f} to {row.after:.3f} ({row.n} pairs)" for row in worse)
        raise SystemExit(f"rewrites found fall beyond chance: {said}; keep the models that are in use")


if __name__ == "__main__":
    main()
