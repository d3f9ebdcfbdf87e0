"""Several observations of one key to one row, as SQL: the newest known value of every column."""

from pinzhi import schemas

_COUNTS = ("likes", "reposts", "comments", "reads", "collects")
_MOMENT = {"posts": "published_at", "comments": "created_at"}
_BEIJING_DAY = "(epoch_ms(fetched_at) + 28800000) // 86400000"
_ORDER = "(coalesce(epoch_ms(fetched_at), -1)::HUGEINT * 1000000 + source_rank) * 1000000000000 + file_row_number"
_PRECISION = "list_position(['day', 'minute', 'second', 'millisecond'], time_precision)"


def newest(rows: str, table: str) -> str:
    """A query for one row per key out of the query `rows`, which also has source_rank and file_row_number.

    The newest is the one fetched last; without a time, the last in the order of files and rows. What it leaves
    unknown is taken from the next newest: exporters write the same record with more or fewer columns. The time of
    publishing never changes, so the most precise one counts. Accounts keep one row a day: they are a history.
    """
    key = ", ".join((*schemas.KEYS[table], *((_BEIJING_DAY,) if table == "accounts" else ())))
    columns = ", ".join(f'{_value(name, table)} AS "{name}"' for name in schemas.CANONICAL[table].names)
    return f"SELECT {columns} FROM (SELECT *, {_ORDER} AS seen FROM ({rows})) GROUP BY {key}"


def _value(name: str, table: str) -> str:
    moment = _MOMENT.get(table, "")
    if name in schemas.KEYS[table]:
        return name
    if name == "fetched_at":
        return "max(fetched_at)"
    if name == "text":
        return "coalesce(arg_max(text, seen) FILTER (text <> ''), '')"
    if name in (moment, "time_precision"):
        precise = f"coalesce({_PRECISION}, 0)::HUGEINT * 1000000000000000000000000000000000000 + seen"
        return f"arg_max({name}, {precise}) FILTER ({moment} IS NOT NULL)"
    if name == "count_floors":
        floors = ", ".join(
            f"CASE WHEN arg_max(coalesce(list_contains(count_floors, '{count}'), false), seen) "
            f"FILTER (\"{count}\" IS NOT NULL) THEN '{count}' END"
            for count in sorted(_COUNTS)
        )
        return f"nullif(list_filter([{floors}], lambda found: found IS NOT NULL), [])"
    return f'arg_max("{name}", seen) FILTER ("{name}" IS NOT NULL)'
