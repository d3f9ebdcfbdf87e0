"""Files of an archive, and who reads each."""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from pinzhi.errors import InputError, UsageError
from pinzhi.readers.backoffice import BackOfficeReader
from pinzhi.readers.base import Reader, Shape
from pinzhi.readers.bilibili import BilibiliCrawlerReader, DanmakuReader
from pinzhi.readers.canonical import CanonicalReader
from pinzhi.readers.detect import Unreadable, described, seen_as
from pinzhi.readers.frame import Reject, Source, read_parts
from pinzhi.readers.mapping import SUFFIXES, Mapping, mapped, shipped_mappings
from pinzhi.readers.mediacrawler import MediaCrawlerReader
from pinzhi.readers.nghuyong import NghuyongReader
from pinzhi.readers.pseudonym import Pseudonymiser
from pinzhi.readers.qzone import QzoneReader
from pinzhi.readers.renren import RenrenReader
from pinzhi.readers.site import SiteReader
from pinzhi.readers.spider_xhs import SpiderXhsReader
from pinzhi.readers.tb_comment import TbCommentReader
from pinzhi.readers.tieba_archive import TiebaArchiveReader
from pinzhi.readers.tiktok_downloader import TikTokDownloaderReader
from pinzhi.readers.wechat_exporter import WechatExporterReader
from pinzhi.readers.weibo_archiver import WeiboArchiverReader
from pinzhi.readers.weibo_crawler import WeiboCrawlerReader
from pinzhi.readers.weibo_search import WeiboSearchReader
from pinzhi.readers.weibo_spider import WeiboSpiderReader
from pinzhi.readers.wewe_rss import WeweRssReader
from pinzhi.readers.xhs_downloader import XhsDownloaderReader

# The first that knows a file reads it: weibo-crawler is last because tables of the others look like its own.
READERS: tuple[Reader, ...] = (
    CanonicalReader(), MediaCrawlerReader(), WeiboSpiderReader(), WeiboSearchReader(), NghuyongReader(),
    WeiboArchiverReader(), TikTokDownloaderReader(), XhsDownloaderReader(), SpiderXhsReader(), WechatExporterReader(),
    WeweRssReader(), BilibiliCrawlerReader(), DanmakuReader(), QzoneReader(), RenrenReader(), TbCommentReader(),
    BackOfficeReader(), SiteReader(), TiebaArchiveReader(), WeiboCrawlerReader(),
)  # fmt: skip
FRAME_VERSION = "10"  # part of every digest, as each reader's own version is
_COPY = re.compile(r"(.+?) ?\(([0-9]{1,4})\)", re.DOTALL)
_TEMPORARY = ("Thumbs.db", "desktop.ini", "__MACOSX")


def discover(inputs: Sequence[Path]) -> tuple[list[Source], list[Reject]]:
    """Files of `inputs` (files or folders) that a reader knows, by name, and a reject for every other.

    Among them may be mappings (`*.mapping.yaml`), by which files that fit them are read before any reader is asked: one within a
    folder counts below that folder, one that is named itself everywhere. Links inside a folder are not followed. Raises UsageError when an input
    does not exist, InputError for a fault of a mapping that is named itself; one within a folder is a reject.
    """
    sources: list[Source] = []
    rejects: list[Reject] = []
    found = _files(inputs)
    scopes, faulty = _mappings(inputs, found)
    for path, name, reason in found:
        if reason is None and path.name.endswith(SUFFIXES):
            continue
        here = [mapping for folder, mapping in scopes if folder is None or path.is_relative_to(folder)]
        one = Reject(name, None, None, reason) if reason is not None else _recognise(path, name, here)
        if isinstance(one, Source):
            sources.append(one)
        else:
            rejects.append(one)
    return sources, [*rejects, *faulty]


def _mappings(
    inputs: Sequence[Path], found: Sequence[tuple[Path, str, str | None]]
) -> tuple[list[tuple[Path | None, Mapping]], list[Reject]]:
    """Mappings with the folder below which each counts, None for one that was named itself; and those within a folder that have
    a fault. Raises InputError for a fault of one that was named."""
    scopes: list[tuple[Path | None, Mapping]] = []
    faulty: list[Reject] = []
    for path, name, reason in found:
        if reason is None and path.name.endswith(SUFFIXES):
            is_named = path in inputs
            try:
                scopes.append((None if is_named else path.parent, Mapping.load(path)))
            except InputError as error:
                if is_named:
                    raise
                faulty.append(Reject(name, None, None, str(error)))
    return sorted(scopes, key=lambda scope: -len(scope[0].parts) if scope[0] else 0), faulty


def _files(inputs: Sequence[Path]) -> list[tuple[Path, str, str | None]]:
    """Every file of `inputs` once, in order, with its name, and why it is left out, if it is."""
    files: list[tuple[Path, str, str | None]] = []
    seen: set[str] = set()
    for root in inputs:
        if not root.exists():
            raise UsageError(f"{root}: expected a file or folder, found no such file; check the path")
        for path, name, reason in sorted(_walk(root), key=lambda found: in_order(found[1])):
            real = os.path.realpath(path)
            if reason is None and real in seen:
                continue  # named twice
            seen.add(real)
            files.append((path, name, reason))
    return files


def _walk(root: Path) -> Iterator[tuple[Path, str, str | None]]:
    """Every file with its name, and why it is left out, if it is."""
    if not root.is_dir():
        yield root, _name(root.name), None if root.is_file() else "expected a file, found a device, socket or pipe"
        return
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            yield folder, _relative(folder, root), f"expected a folder that can be read, found: {error.strerror}"
            continue
        for entry in entries:
            reason = _left_out(entry, root)
            path = Path(entry.path)
            if reason is None and entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            else:
                yield path, _relative(path, root), reason


def _left_out(entry: "os.DirEntry[str]", root: Path) -> str | None:
    if entry.is_symlink():
        target = Path(os.path.realpath(entry.path))
        if not target.exists():
            return "expected a file, found a link to nothing"
        if target.is_relative_to(root.resolve()):
            return "skipped: a link within the archive; its target is read under its own name"
        return "a link that leads out of the archive is not followed; name its target as an archive of its own"
    if entry.name.startswith((".", "~$")) or entry.name in _TEMPORARY:
        return "skipped: hidden or temporary"
    is_known = entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)
    return None if is_known else "expected a file, found a device, socket or pipe"


def in_order(name: str) -> tuple[str, int, str]:
    """Names as they sort; a later download of a file, `a (1).xlsx`, comes behind the first, `a.xlsx`."""
    stem, dot, suffix = name.rpartition(".")
    found = _COPY.fullmatch(stem) if dot else None
    return (f"{found[1]}.{suffix}", int(found[2]), name) if found else (name, 0, name)


def _relative(path: Path, root: Path) -> str:
    return _name(path.relative_to(root).as_posix())


def _name(name: str) -> str:
    """A file name as text, whatever its bytes."""
    return os.fsencode(name).decode("utf-8", "replace")


def _recognise(path: Path, name: str, mappings: Sequence[Mapping]) -> Source | Reject:
    try:
        shapes: list[Shape] = []
        for shape in seen_as(path, name):
            shapes.append(shape)
            reader = _reader(shape, mappings)
            if reader is None:
                continue
            labels = ", ".join(dict.fromkeys(part.layout.label for part in reader.parts(shape)))
            content = _content(path, name)
            return Source(path, name, f"{shape.kind}: {labels}", _digest(content, reader), content, reader)
        reason = f"no reader knows this file: {described(shapes[0])}; docs/formats.md lists what is read; `pinzhi inspect --suggest` proposes a mapping of its columns"
    except Unreadable as error:
        reason = str(error)
    except OSError as error:
        reason = f"expected a file that can be read, found: {error.strerror}; check its permissions"
    return Reject(name, None, None, reason)


def _reader(shape: Shape, mappings: Sequence[Mapping]) -> Reader | None:
    """Who reads a file: a user's mapping, a reader, or a mapping that comes with pinzhi."""
    return (
        mapped(shape, mappings, READERS)
        or next((reader for reader in READERS if reader.parts(shape)), None)
        or mapped(shape, shipped_mappings(), ())
    )


def _content(path: Path, name: str) -> str:
    """32 hex digits over name and content; rows that a database still holds in its log count too."""
    digest = hashlib.sha256(f"{name}\n".encode())
    for part in (path, path.with_name(f"{path.name}-wal")):
        if part.exists():
            with part.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:32]


def _digest(content: str, reader: Reader) -> str:
    """32 hex digits over what is read and by whom."""
    told = f"{FRAME_VERSION}\n{reader.name} {reader.version}\n{content}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def read_source(source: Source, pseudonymise: Pseudonymiser | None) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Canonical batches of `source`, each with its table name, in the schemas of `schemas.CANONICAL`.

    With `pseudonymise`, comment authors and the author fields of rejected records are hidden. Raises InputError when
    the file has gone or changed its format since it was discovered.
    """
    try:
        shape = next((shape for shape in seen_as(source.path, source.name) if source.by.parts(shape)), None)
    except (Unreadable, OSError) as error:
        raise InputError(f"{source.path}: expected the file found before, found: {error}; run it again") from error
    if shape is None:
        raise InputError(f"{source.path}: expected {source.format}, found that it changed meanwhile; run it again")
    yield from read_parts(source.by, shape, pseudonymise)
