"""Coverage-guided fuzzing of one reader: atheris changes the bundled samples and keeps what reaches new lines of it.

    pip install atheris
    python -m tests.fuzz.readers READER [-max_total_time=300] [any option of libFuzzer]

READER is a folder of tests/data/archives, or all of them in turn. What it has found lies in out/fuzz/READER, which the next run
goes on from; a file `crash-…`, `timeout-…` or `oom-…` there is the input that broke something, and is read again by
`python -m tests.fuzz.readers READER out/fuzz/READER-crash-…`.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import atheris

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests/data/archives"
OUT = Path(os.environ.get("PINZHI_FUZZ_OUT", ROOT / "out/fuzz"))
with atheris.instrument_imports(include=["pinzhi.readers", "pinzhi.yaml_file"]):
    from pinzhi.errors import InputError
    from pinzhi.readers import Pseudonymiser, discover, read_source
    from pinzhi.schemas import CANONICAL, KEYS

SHEET = b"<worksheet>"  # how the XML of a sheet begins, which is put into a whole workbook: bytes of a packed one rarely unpack again
STEMS = {"DouK-Downloader": "作品7545012345678901234_评论数据", "tieba-thread-archive": "thread"}
NUMBER = "1700000001"  # of an account, by which other tools name their files
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PARTS = {
    "_rels/.rels": f'<Relationships><Relationship Id="r" Type="{_RELATION}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": '<workbook><sheets><sheet name="Comments" r:id="r"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships><Relationship Id="r" Type="{_RELATION}/worksheet" Target="sheet.xml"/></Relationships>',
}


def seeds(reader: str, folder: Path) -> None:
    """The samples of a reader, one file each; sheets of workbooks as XML."""
    from openpyxl import load_workbook

    for path in (path for path in (SAMPLES / reader).rglob("*") if path.is_file() and path.stat().st_size < 1 << 18):
        contents = [path.read_bytes()]
        if path.suffix == ".xlsx":
            contents = []
            for sheet in load_workbook(path).worksheets:
                rows = (
                    "".join(f'<c t="str"><v>{escape(str(cell or ""))}</v></c>' for cell in row) for row in sheet.values
                )
                contents.append(
                    SHEET
                    + f"<sheetData>{''.join(f'<row>{row}</row>' for row in rows)}</sheetData></worksheet>".encode()
                )
        for number, content in enumerate(contents):
            (folder / f"{path.stem[:40]}{number}{path.suffix}").write_bytes(content)


def read(data: bytes, folder: Path, stem: str) -> None:
    """Read `data` as a file; whatever it is, rows are whole and every reject says why."""
    suffix = ".xlsx" if data.startswith(SHEET) else ".yaml" if stem == "thread" else ".csv"
    path = folder / f"{stem}{suffix}"
    if data.startswith(SHEET):
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in {**_PARTS, "xl/sheet.xml": data}.items():
                archive.writestr(name, content)
    else:
        path.write_bytes(data)
    sources, rejects = discover([path])
    assert all(reject.reason for reject in rejects)
    for source in sources:
        try:
            for table, batch in read_source(source, Pseudonymiser(b"k" * 32)):
                assert batch.schema.equals(CANONICAL[table])
                for name in KEYS.get(table, ("source", "reason")):
                    assert batch.column(name).null_count == 0, (table, name)
        except InputError as error:
            assert "expected" in str(error)
    path.unlink()


def main() -> None:
    """Fuzz one reader, or all of them one after another."""
    reader, options = sys.argv[1], sys.argv[2:]
    if reader == "all":
        names = sorted(path.name for path in SAMPLES.iterdir())
        failed = [
            name
            for name in names
            if subprocess.run([sys.executable, "-m", "tests.fuzz.readers", name, *options]).returncode
        ]
        raise SystemExit(f"found something in {', '.join(failed)}" if failed else 0)
    found, first = OUT / reader, OUT / f"{reader}-seeds"
    for folder in (found, first):
        folder.mkdir(parents=True, exist_ok=True)
    seeds(reader, first)
    with tempfile.TemporaryDirectory() as folder:
        stem = STEMS.get(reader, NUMBER)
        inputs = [] if any(not option.startswith("-") for option in options) else [str(found), str(first)]
        bounds = ["-max_len=65536", "-timeout=20", "-rss_limit_mb=1500", f"-artifact_prefix={found}-"]
        atheris.Setup([sys.argv[0], *bounds, *options, *inputs], lambda data: read(data, Path(folder), stem))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
