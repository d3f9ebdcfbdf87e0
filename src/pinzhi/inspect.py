"""What a reader sees in a file: format, rows, filled fields, rejects with reasons."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pinzhi.readers import discover, read_source


@dataclass
class Inspection:
    """One file as it is read; `fields` maps table -> column -> rows that fill it."""

    name: str
    reader: str | None
    format: str | None
    rows: dict[str, int] = field(default_factory=dict)
    fields: dict[str, dict[str, int]] = field(default_factory=dict)
    rejects: dict[str, int] = field(default_factory=dict)
    first_reject: str | None = None


def inspect(inputs: Sequence[Path]) -> list[Inspection]:
    """Every file of `inputs`, sorted by name; nothing is written. Raises UsageError for a missing input."""
    sources, unread = discover(inputs)
    found = [Inspection(reject.source, None, None, rejects={reject.reason: 1}) for reject in unread]
    for source in sources:
        one = Inspection(source.name, source.reader, source.format)
        reasons: Counter[str] = Counter()
        for table, batch in read_source(source, None):
            if table == "rejects":
                reasons.update(batch.column("reason").to_pylist())
                if one.first_reject is None:
                    first = batch.slice(0, 1).to_pylist()[0]
                    one.first_reject = f"line {first['line']}, field {first['field']}: {first['reason']}"
                continue
            one.rows[table] = one.rows.get(table, 0) + batch.num_rows
            filled = one.fields.setdefault(table, {})
            for name, column in zip(batch.schema.names, batch.columns, strict=True):
                known = len(column) - column.null_count
                if known:
                    filled[name] = filled.get(name, 0) + known
        one.rejects = dict(reasons.most_common(10))
        found.append(one)
    return sorted(found, key=lambda one: one.name)
