"""Labelled posts of a brand as examples of its values: they move its scores at once, without any training."""

from collections.abc import Sequence
from pathlib import Path

from pinzhi.brand import BrandProfile
from pinzhi.errors import InputError
from pinzhi.training.label_files import LabelTask, Problem, read_labels

MOST = 16  # labelled posts of one value that are taken, the first of the files: more were not measured, and each costs time


def with_labelled(brands: Sequence[BrandProfile], paths: Sequence[Path]) -> tuple[list[BrandProfile], list[Problem]]:
    """`brands` with the posts that label files (of the task coherence) give them as examples: of each value the first MOST that express it,
    and as many that contradict it, after those of the profile; and all records that could not be used. Rows of other brands are left alone.
    Raises InputError for a file that is no label file, and where nothing in them is of these brands."""
    labels, problems = read_labels(paths, LabelTask.COHERENCE)
    of_brand = {brand.id: brand for brand in brands}
    declared = {brand.id: {value.id for value in brand.values} for brand in brands}
    on: dict[tuple[str, str], list[str]] = {}
    off: dict[tuple[str, str], list[str]] = {}
    n_rows = 0
    for row in labels.to_pylist():
        if row["brand"] not in of_brand:
            continue
        n_rows += 1
        for name, listed in (("expresses", on), ("contradicts", off)):
            for value_id in row[name] or ():
                if value_id in declared[row["brand"]]:
                    listed.setdefault((row["brand"], value_id), []).append(row["text"])
                else:
                    known = ", ".join(value.id for value in of_brand[row["brand"]].values)
                    reason = f"expected a value of {row['brand']} ({known}), found {value_id}"
                    problems.append(Problem(row["source"], row["row"], reason))
    if not n_rows:
        found = ", ".join(sorted({row or "" for row in labels["brand"].to_pylist()})) or "no usable row"
        reason = f"; {problems[0]}" if problems else ""
        raise InputError(
            f"{', '.join(map(str, paths))}: expected labelled posts of {', '.join(of_brand)}, found {found:.200}{reason}"
        )
    return [
        brand.with_examples(
            {value.id: on.get((brand.id, value.id), [])[:MOST] for value in brand.values},
            {value.id: off.get((brand.id, value.id), [])[:MOST] for value in brand.values},
        )
        for brand in brands
    ], sorted(problems, key=lambda one: (one.source, one.row))
