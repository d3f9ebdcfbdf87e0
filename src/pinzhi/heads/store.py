"""Model versions on disk: written whole, named by content, opened only when every digest agrees.

`models/<head>/<version>/` holds the files of one version and `head.json`, which lists their digests. `active.toml`
names the active version of each head and the digest of its `head.json`; it is the only place where a version is chosen.
"""

import hashlib
import json
import os
import shutil
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinzhi.errors import ModelError, UsageError

MANIFEST = "head.json"


@dataclass(frozen=True)
class Version:
    """One version of one head."""

    head: str
    version: str
    folder: Path
    manifest: Mapping[str, Any]
    is_active: bool


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_version(models: Path, head: str, source: Path, manifest: Mapping[str, Any], date: str) -> str:
    """Move the files of folder `source` into the store as a new version of `head`; returns its name.

    The name is `date` (YYYYMMDD) and the start of the content digest. Nothing becomes active.
    """
    files = {path.name: sha256(path) for path in sorted(source.iterdir()) if path.name != MANIFEST}
    content = {"head": head, **manifest, "files": files}
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    version = f"{date}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    target = models / head / version
    if target.exists():
        return version
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
    for name in files:
        shutil.copyfile(source / name, temporary / name)  # readable by everyone, whatever the source was
    (temporary / MANIFEST).write_text(text, "utf-8")
    temporary.chmod(0o755)
    temporary.rename(target)
    return version


def _read_active(models: Path) -> dict[str, dict[str, Any]]:
    path = models / "active.toml"
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such file; restore models/ or run `pinzhi models promote`") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: expected TOML in UTF-8, found {error}; restore it from version control") from error


def _write_active(models: Path, active: Mapping[str, Mapping[str, Any]]) -> None:
    lines = ["# Head -> version in use. Edited by `pinzhi models promote` and `rollback`.\n"]
    for head, entry in sorted(active.items()):
        lines.append(f'\n[{head}]\nversion = "{entry["version"]}"\ndigest = "{entry["digest"]}"\n')
        if entry.get("previous"):
            lines.append(f"previous = {json.dumps(entry['previous'])}\n")
    temporary = models / ".active.toml"
    with temporary.open("w", encoding="utf-8") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(models / "active.toml")


def active_versions(models: Path) -> dict[str, str]:
    """Head -> active version; cheap, nothing is loaded or verified."""
    return {head: entry["version"] for head, entry in _read_active(models).items()}


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        return json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder / MANIFEST}: expected the manifest of a model version, found {error}; "
            "restore the folder or run `pinzhi models rollback`"
        ) from error


def open_active(models: Path, head: str) -> Version:
    """The active version of `head`, every file checked against its digest. Raises ModelError."""
    entry = _read_active(models).get(head)
    if entry is None:
        raise ModelError(f"{models / 'active.toml'}: expected a section [{head}], found none; promote a version of it")
    folder = models / head / entry["version"]
    manifest = _manifest(folder)
    _check(folder / MANIFEST, str(entry["digest"]))
    for name, digest in manifest["files"].items():
        _check(folder / name, digest)
    return Version(head, entry["version"], folder, manifest, True)


def _check(path: Path, expected: str) -> None:
    found = sha256(path) if path.exists() else "no file"
    if found != expected:
        raise ModelError(
            f"{path}: expected sha256 {expected[:12]}…, found {found[:12]}…; the model is damaged or was changed: "
            "restore it from version control, or choose another with `pinzhi models promote` or `rollback`"
        )


def list_versions(models: Path) -> list[Version]:
    """Every version in the store, by head and name; a store without `active.toml` has none in use yet."""
    active = active_versions(models) if (models / "active.toml").exists() else {}
    return [
        Version(path.parent.parent.name, path.parent.name, path.parent, _manifest(path.parent),
                active.get(path.parent.parent.name) == path.parent.name)
        for path in sorted(models.glob(f"*/*/{MANIFEST}"))
    ]  # fmt: skip


def show(models: Path, head: str, version: str | None = None) -> Version:
    """One version, by default the active one. Raises UsageError when there is none of that name."""
    wanted = version or active_versions(models).get(head)
    for found in list_versions(models):
        if found.head == head and found.version == wanted:
            return found
    raise UsageError(f"expected a version of {head}, found no {wanted}; `pinzhi models list` shows what there is")


def promote(models: Path, head: str, version: str) -> None:
    """Make `version` the active one of `head`, after checking its files; the one before is kept for rollback. Heads read
    what their own encoder says: a version of another encoder brings that encoder, and the heads last used with it."""
    promote_all(models, {head: version})


def promote_all(models: Path, versions: Mapping[str, str]) -> None:
    """`promote` of several heads at once: all of them or none."""
    active = _read_active(models) if (models / "active.toml").exists() else {}
    wanted: dict[str, Version] = {}
    for head, version in versions.items():
        chosen = show(models, head, version)
        wanted = _with_its_encoder(models, active, chosen) | wanted | {head: chosen}
    for name, chosen in sorted(wanted.items()):
        _check_files(chosen)
        before = active.get(name, {})
        if before.get("version") == chosen.version:
            continue
        history = [*before.get("previous", []), before["version"]] if before else []
        active[name] = _entry(chosen, history)
    _write_active(models, active)


def _check_files(version: Version) -> None:
    for name, digest in version.manifest["files"].items():
        _check(version.folder / name, digest)


def _with_its_encoder(models: Path, active: Mapping[str, Any], chosen: Version) -> dict[str, Version]:
    """Head -> version: `chosen`, and whatever must change with it: for every other head the version last used with that
    encoder, the newest where none was."""
    encoder = chosen.version if chosen.head == "encoder" else chosen.manifest.get("encoder")
    if encoder is None or active.get("encoder", {}).get("version") == encoder:
        return {chosen.head: chosen}
    result: dict[str, Version] = {}
    for found in list_versions(models):  # by name, so that the newest is the last
        used = active.get(found.head, {}).get("previous", [])
        is_its = found.manifest.get("encoder") == encoder or (found.head, found.version) == ("encoder", encoder)
        other = result.get(found.head)
        if is_its and (other is None or _last_use(used, found.version) >= _last_use(used, other.version)):
            result[found.head] = found
    return result | {chosen.head: chosen}


def _last_use(used: Sequence[str], version: str) -> int:
    return max((i for i, one in enumerate(used) if one == version), default=-1)


def _entry(chosen: Version, history: Sequence[str]) -> dict[str, Any]:
    return {"version": chosen.version, "digest": sha256(chosen.folder / MANIFEST), "previous": list(history)}


def head_of(models: Path, version: str) -> str:
    """The head that has a version of this name. Raises UsageError when there is none."""
    for found in list_versions(models):
        if found.version == version:
            return found.head
    raise UsageError(f"expected a version, found no {version}; `pinzhi models list` shows what there is")


@contextmanager
def as_if_promoted(models: Path, head: str, version: str) -> Iterator[Path]:
    """A store, for the time being, in which `version` is the active one of `head`; the real one stays as it is."""
    with tempfile.TemporaryDirectory(prefix="pinzhi-models-") as scratch:
        store = Path(scratch)
        for folder in models.iterdir():
            if folder.is_dir():
                (store / folder.name).symlink_to(folder.resolve(), target_is_directory=True)
        shutil.copy2(models / "active.toml", store / "active.toml")
        promote(store, head, version)
        yield store


def rollback(models: Path, head: str) -> str:
    """Back to the version of `head` that was active before; returns its name. With an encoder, its heads go back too."""
    active = _read_active(models)
    history = list(active.get(head, {}).get("previous", []))
    if not history:
        raise UsageError(f"expected an earlier version of {head}, found none; `pinzhi models list` shows what there is")
    version = history.pop()
    chosen = show(models, head, version)
    encoder = active.get("encoder", {}).get("version")
    if head != "encoder" and chosen.manifest.get("encoder") != encoder:
        raise UsageError(
            f"expected a version of {head} that reads encoder {encoder}, found {version}, which reads another; "
            "go back with `pinzhi models rollback encoder`"
        )
    back = {head: chosen} if head != "encoder" else _with_its_encoder(models, active, chosen)
    for name, found in back.items():
        _check_files(found)
        used = active.get(name, {}).get("previous", [])
        at = _last_use(used, found.version)
        active[name] = _entry(found, used[:at] if at >= 0 else used)
    _write_active(models, active)
    return version
