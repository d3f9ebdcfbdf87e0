"""Peak memory of reading one very large file of each kind, which must stay below 500 MiB.

Run: python -m benchmarks.bench_memory [MIB] [KIND...]   (2048 by default; the file lies in the folder for temporary files meanwhile)
"""

import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from xml.sax.saxutils import escape

from benchmarks import bench_readers
from benchmarks.bench_readers import apart, records

_BOUND = 500  # MiB
_PROBE = 20_000  # rows, by whose size the number of rows is chosen
_SHEET_ROWS = 1_000_000  # of the 1,048,576 that Excel allows
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def write_xml(path: Path, rows: int) -> None:
    """Danmaku, as the site gives them."""
    with path.open("w", encoding="utf-8") as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?><i><chatserver>chat.example</chatserver><chatid>1</chatid>\n')
        for number, one in enumerate(records(rows)):
            p = f"{number / 10},1,25,16777215,{one['create_time']},0,{one['creator_hash'][:8]},{one['comment_id']},10"
            file.write(f'<d p="{p}">{escape(one["content"])}</d>\n')
        file.write("</i>")


def write_xlsx(path: Path, rows: int) -> None:
    """Sheets of comments, not packed: a packed file of that size would hold more than Excel can."""
    sheets = range(1, (rows - 1) // _SHEET_ROWS + 2)
    names = "".join(f'<sheet name="Comments{at}" r:id="r{at}"/>' for at in sheets)
    links = "".join(f'<Relationship Id="r{at}" Type="{_RELATION}/worksheet" Target="sheet{at}.xml"/>' for at in sheets)
    office = f'<Relationship Id="r" Type="{_RELATION}/officeDocument" Target="xl/workbook.xml"/>'
    cells = records(rows)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_rels/.rels", f"<Relationships>{office}</Relationships>")
        archive.writestr("xl/workbook.xml", f"<workbook><sheets>{names}</sheets></workbook>")
        archive.writestr("xl/_rels/workbook.xml.rels", f"<Relationships>{links}</Relationships>")
        for at in sheets:
            with archive.open(f"xl/sheet{at}.xml", "w", force_zip64=True) as file:
                file.write(b"<worksheet><sheetData>" + _row(next(records(1))))
                file.writelines(_row(one.values()) for one in islice(cells, _SHEET_ROWS))
                file.write(b"</sheetData></worksheet>")


def _row(cells: Iterable[object]) -> bytes:
    row = "".join(f'<c t="str"><v>{escape(str(one))}</v></c>' for one in cells)
    return f"<row>{row}</row>".encode()


def _written(write: Callable[[Path, int], None], path: Path, mib: int) -> int:
    """Write about so much; the number of rows."""
    write(path, _PROBE)
    rows = (mib << 20) * _PROBE // path.stat().st_size
    path.unlink()
    write(path, rows)
    return rows


def main() -> None:
    """Print size, rows, speed and peak of each kind; end with an error where one is above the bound."""
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else 2048
    kinds = {name: (file, write) for name, (file, write, _) in bench_readers.KINDS.items()}
    kinds |= {"xlsx": ("douyin_search.xlsx", write_xlsx), "xml": ("1.xml", write_xml)}
    above = []
    print(f"{'':8} {'MiB':>6} {'rows':>11} {'rows/s':>8} {'peak MiB':>9}", flush=True)
    for kind in sys.argv[2:] or kinds:
        with tempfile.TemporaryDirectory(prefix="pinzhi-") as folder:
            file, write = kinds[kind]
            path = Path(folder) / file
            rows = _written(write, path, mib)
            found, seconds, peak = apart(kind, True, path)
            if found != rows:
                raise SystemExit(f"{kind}: expected {rows} rows, found {found}")
            size = path.stat().st_size >> 20
            print(f"{kind:8} {size:>6,} {found:>11,} {found / seconds:>8,.0f} {peak:>9,}", flush=True)
            above += [kind] if peak > _BOUND else []
    if above:
        raise SystemExit(f"above {_BOUND} MiB: {', '.join(above)}")


if __name__ == "__main__":
    main()
