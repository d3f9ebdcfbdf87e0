"""Model versions on disk: written whole, named by content, opened only when every digest agrees.

`models/<head>/<version>/` holds the files of one version and `head.json`, which lists their digests; the version is named
after the digest of `head.json`. `active.toml` names the active version of each head and that digest in full, those in use
before, and for each encoder the one last in use with it; it is the only place where a version is chosen. Folders that begin
with a dot are no versions: they are being written, or their writer was killed.
"""

import fcntl
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
from typing import Any, Literal

from pinzhi.errors import ModelError, UsageError

MANIFEST = "head.json"
METRICS = "metrics.json"
_DAMAGED = (
    "the model is damaged or was changed: restore it from version control, or choose another with "
    "`pinzhi models promote` or `rollback`"
)

Active = Mapping[str, Mapping[str, Any]]  # head -> what `active.toml` says of it
State = Literal["active", "previous", "candidate"]  # in use; in use before; never, or gone back from


@dataclass(frozen=True)
class Version:
    """One version of one head. `fault` says why it cannot be used; None where it is whole."""

    head: str
    version: str
    folder: Path
    manifest: Mapping[str, Any]
    state: State
    fault: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether it is the one in use."""
        return self.state == "active"

    def report(self) -> dict[str, Any]:
        """What was measured when it was written, the figure that it was judged by first; empty where that cannot be known."""
        is_there = self.fault is None and METRICS in self.manifest["files"]
        return json.loads((self.folder / METRICS).read_text("utf-8")) if is_there else {}

    def kept_back(self) -> str | None:
        """Why the gate kept it back; None where it did not, or was not asked."""
        report = self.report()
        reason = report.get("reason")
        # Older reports hold a reason alone.
        is_let_in = reason is None or report.get("is_better", reason.startswith("it gains"))
        return None if is_let_in else reason


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_version(models: Path, head: str, source: Path, manifest: Mapping[str, Any], date: str) -> str:
    """Copy the files of folder `source` into the store as a new version of `head`; returns its name.

    The name is `date` (YYYYMMDD) and the start of the content digest. Nothing becomes active.
    """
    files = {path.name: sha256(path) for path in sorted(source.iterdir()) if path.name != MANIFEST}
    content = {"head": head, **manifest, "date": date, "files": files}
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    version = _name(date, hashlib.sha256(text.encode()).hexdigest())
    target = models / head / version
    if target.exists() and _look(models, {}, head, version).fault is None:
        return version
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=target.parent) as scratch:
        whole = Path(scratch) / version
        whole.mkdir()
        for name in files:
            shutil.copyfile(source / name, whole / name)  # readable by everyone, whatever the source was
        (whole / MANIFEST).write_text(text, "utf-8")
        if target.exists():
            shutil.rmtree(target)  # damaged, and of this very content when it was whole
        whole.rename(target)
    return version


def _name(date: str, digest: str) -> str:
    return f"{date}-{digest[:8]}"


def _read_active(models: Path) -> dict[str, dict[str, Any]]:
    path = models / "active.toml"
    try:
        active = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{path}: no such file; restore models/ or run `pinzhi models promote`") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: expected TOML in UTF-8, found {error}; restore it from version control") from error
    kinds = {"version": str, "digest": str, "previous": list, "used_with": dict}
    for head, entry in active.items():
        given = {"previous": [], "used_with": {}, **entry} if isinstance(entry, dict) else {}
        if not all(isinstance(given.get(key), kind) for key, kind in kinds.items()):
            raise ModelError(
                f"{path}: expected a version and a digest of {head}, found {entry!r}; restore it from version control"
            )
    return active


def _in_use(models: Path) -> dict[str, dict[str, Any]]:
    """As `_read_active`; nothing is in use in a store of which no version was promoted yet."""
    return _read_active(models) if (models / "active.toml").exists() else {}


def _write_active(models: Path, active: Active) -> None:
    lines = ["# Head -> version in use. Edited by `pinzhi models promote` and `rollback`.\n"]
    for head, entry in sorted(active.items()):
        lines.append(f'\n[{head}]\nversion = "{entry["version"]}"\ndigest = "{entry["digest"]}"\n')
        if entry.get("previous"):
            lines.append(f"previous = {json.dumps(entry['previous'])}\n")
        if entry.get("used_with"):
            listed = ", ".join(f"{json.dumps(one)} = {json.dumps(used)}" for one, used in entry["used_with"].items())
            lines.append(f"used_with = {{{listed}}}\n")
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
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ModelError(f"{path}: expected the manifest of a model version, found no file; {_DAMAGED}") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: expected the manifest of a model version, found {error}; {_DAMAGED}") from error
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, dict) or not all(isinstance(digest, str) for digest in files.values()):
        raise ModelError(f"{path}: expected `files` with the digest of each, found none; {_DAMAGED}")
    return manifest


def _look(models: Path, active: Active, head: str, name: str) -> Version:
    """A version as it lies there, whole or not: its manifest agrees with its name and its files, all of them, with the
    manifest, or `fault` says what does not."""
    folder, entry = models / head / name, active.get(head, {})
    before = entry.get("previous", ())
    state: State = "active" if entry.get("version") == name else "previous" if name in before else "candidate"
    manifest: Mapping[str, Any] = {}
    try:
        manifest = _manifest(folder)
        digest = sha256(folder / MANIFEST)
        # Versions of before do not say their date: nothing but the name does.
        said = f"{manifest.get('head')}/{_name(manifest.get('date', name.partition('-')[0]), digest)}"
        if said != f"{head}/{name}":
            raise ModelError(
                f"{folder}: expected {said}, after what its {MANIFEST} holds, found {head}/{name}; {_DAMAGED}"
            )
        if state == "active":
            _check(folder / MANIFEST, entry["digest"])
        for path in sorted(folder.iterdir()):  # whatever lies there may be read: one file more can change an encoder
            if path.is_symlink() or path.name not in (MANIFEST, *manifest["files"]):
                raise ModelError(
                    f"{path}: expected a file that {MANIFEST} lists, and no link, found another; remove it; {_DAMAGED}"
                )
        for file, expected in manifest["files"].items():
            _check(folder / file, expected)
    except ModelError as error:
        return Version(head, name, folder, manifest, state, str(error))
    return Version(head, name, folder, manifest, state)


def _check(path: Path, expected: str) -> None:
    try:
        found = sha256(path)
    except OSError as error:
        raise ModelError(f"{path}: expected a readable file, found {error.strerror}; {_DAMAGED}") from error
    if found != expected:
        raise ModelError(f"{path}: expected sha256 {expected[:12]}…, found {found[:12]}…; {_DAMAGED}")


def _whole(version: Version) -> Version:
    """`version` itself. Raises ModelError with its fault."""
    if version.fault is not None:
        raise ModelError(version.fault)
    return version


def open_active(models: Path, head: str) -> Version:
    """The active version of `head`, every file checked against its digest. Raises ModelError."""
    active = _read_active(models)
    if head not in active:
        raise ModelError(f"{models / 'active.toml'}: expected a section [{head}], found none; promote a version of it")
    return _whole(_look(models, active, head, active[head]["version"]))


def _names(models: Path) -> list[tuple[str, str]]:
    """Head and name of every version in the store, sorted."""
    folders = (path for path in models.glob("*/*") if path.is_dir())
    return sorted(
        (path.parent.name, path.name)
        for path in folders
        if not path.name.startswith(".") and not path.parent.name.startswith(".")
    )


def _names_of(models: Path, head: str) -> list[str]:
    """Names of the versions of `head`. Raises UsageError that says which heads there are, ModelError when there are none."""
    names = _names(models)
    if not names:
        raise ModelError(f"{models}: expected folders of model versions, found none; name their folder with --models")
    found = [name for one, name in names if one == head]
    if not found:
        raise UsageError(f"expected a head of {', '.join(sorted({one for one, _ in names}))}, found {head}")
    return found


def list_versions(models: Path) -> list[Version]:
    """Every version in the store, by head and name, also those that are damaged, and one in use that is gone; a store
    without `active.toml` has none in use yet."""
    active = _in_use(models)
    names = {*_names(models), *((head, entry["version"]) for head, entry in active.items())}
    return [_look(models, active, head, name) for head, name in sorted(names)]


def show(models: Path, head: str, version: str | None = None) -> Version:
    """One version, by default the active one. Raises UsageError when there is none of that name, ModelError when it is
    damaged."""
    names, active = _names_of(models, head), _in_use(models)
    wanted = version or active.get(head, {}).get("version")
    if wanted is None:
        raise UsageError(f"expected a version of {head} in use, found none; `pinzhi models list` shows what there is")
    if wanted not in names:
        raise UsageError(f"expected a version of {head}, found no {wanted}; `pinzhi models list` shows what there is")
    return _whole(_look(models, active, head, wanted))


def promote(models: Path, head: str, version: str) -> dict[str, Version]:
    """Make `version` the active one of `head`, after checking its files; the one before is kept for rollback. What was
    trained together is promoted together. Heads read what their own encoder says: a version of another encoder brings that
    encoder, and the heads last used with it. Returns all that are in use for it, by head."""
    return promote_all(models, {head: version})


def promote_all(models: Path, versions: Mapping[str, str]) -> dict[str, Version]:
    """`promote` of several heads at once: all of them or none."""
    with _switching(models):
        active = _in_use(models)
        named = {head: show(models, head, version) for head, version in versions.items()}
        together = {one.head: one for version in named.values() for one in _trained_with(models, version)}
        chosen = _with_their_encoder(models, active, together | named)
        for head, version in sorted(chosen.items()):
            before = active.get(head, {})
            if before.get("version") != version.version:
                history = [*before.get("previous", []), before["version"]] if before else []
                active[head] = _entry(_whole(version), history, before)
        _write_active(models, active)
    return chosen


@contextmanager
def _switching(models: Path) -> Iterator[None]:
    """Hold what is in use from the reading of it to the writing: of two switches at a time one would be lost."""
    descriptor = os.open(models, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _trained_with(models: Path, version: Version) -> list[Version]:
    """`version` and those of other heads that the same training made."""
    training = version.manifest.get("training")
    found = [] if training is None else list_versions(models)
    return [*(one for one in found if one.manifest.get("training") == training and one.head != version.head), version]


def _with_their_encoder(models: Path, active: Active, chosen: Mapping[str, Version]) -> dict[str, Version]:
    """`chosen`, by head, and where they are of another encoder than the one in use, that encoder and a version of every
    other head for it; one in use that reads no encoder stays where none was made for that one. Raises UsageError when they
    are of several, ModelError when a head has none."""
    encoders = {_encoder_of(version) for version in chosen.values() if not _reads_none(version)}
    if not encoders:
        return dict(chosen)
    if len(encoders) > 1:
        raise UsageError(f"expected versions of one encoder, found some of {', '.join(sorted(map(str, encoders)))}")
    (encoder,) = encoders
    if active.get("encoder", {}).get("version") == encoder:
        return dict(chosen)
    fitting: dict[str, list[Version]] = {}
    free: dict[str, list[Version]] = {}
    for found in list_versions(models):
        used = active.get(found.head, {}).get("used_with", {}).get(encoder)  # known even where its manifest is damaged
        if encoder == _encoder_of(found) or used == found.version:
            fitting.setdefault(found.head, []).append(found)
        elif _reads_none(found):
            free.setdefault(found.head, []).append(found)
    staying = {head for head in free.keys() - fitting.keys() if any(one.is_active for one in free[head])}
    fitting = {head: versions for head, versions in free.items() if head not in staying} | fitting
    best = {head: _to_use(active.get(head, {}), encoder, versions) for head, versions in fitting.items()}
    result = {**{head: version for head, version in best.items() if version is not None}, **chosen}
    missing = sorted({"encoder", *active} - result.keys() - staying)
    if missing:
        raise ModelError(
            f"expected versions of {', '.join(missing)} for encoder {encoder}, found none that is whole and was not kept "
            "back by the gate; restore or train them first"
        )
    return result


def _encoder_of(version: Version) -> str | None:
    """The encoder that `version` reads, or is."""
    return version.version if version.head == "encoder" else version.manifest.get("encoder")


def _reads_none(version: Version) -> bool:
    """Whether `version` is of a head that reads no encoder."""
    return version.head != "encoder" and version.manifest.get("encoder", "") is None


def _to_use(entry: Mapping[str, Any], encoder: str | None, versions: Sequence[Version]) -> Version | None:
    """Of `versions` of one head for `encoder`, sorted, the one last in use with it; where none was, the newest whole one
    that the gate did not keep back."""
    by_name = {version.version: version for version in versions}
    used = [entry.get("used_with", {}).get(encoder), *reversed(entry.get("previous", ()))]
    # One that was in use is not passed over for its fault: its place is nobody else's.
    last = next((by_name[name] for name in used if name in by_name), None)
    free = [version for version in versions if version.fault is None and version.kept_back() is None]
    return last or (free[-1] if free else None)


def _entry(chosen: Version, history: Sequence[str], before: Mapping[str, Any]) -> dict[str, Any]:
    """What `active.toml` says of a head from now on; `before` is what it said."""
    used_with = before.get("used_with", {})
    if chosen.head != "encoder" and not _reads_none(chosen):
        used_with = used_with | {_encoder_of(chosen): chosen.version}
    digest = sha256(chosen.folder / MANIFEST)
    return {"version": chosen.version, "digest": digest, "previous": list(history), "used_with": used_with}


def head_of(models: Path, version: str) -> str:
    """The head that has a version of this name. Raises UsageError when there is none."""
    for head, name in _names(models):
        if name == version:
            return head
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


def rollback(models: Path, head: str) -> dict[str, Version]:
    """Back to the version of `head` that was in use before. Heads that were promoted with it go back too, and with an
    encoder its heads. Returns all that are in use for it, by head."""
    with _switching(models):
        active = _read_active(models)
        if not active.get(head, {}).get("previous"):
            _names_of(models, head)  # says more where there is no such head
            raise UsageError(
                f"expected an earlier version of {head}, found none; `pinzhi models list` shows what there is"
            )
        chosen = {one: show(models, one, active[one]["previous"][-1]) for one in _promoted_with(models, active, head)}
        encoder = active.get("encoder", {}).get("version")
        if head == "encoder":
            chosen = _with_their_encoder(models, active, chosen)
        for name, version in chosen.items():
            if head != "encoder" and not _reads_none(version) and _encoder_of(version) != encoder:
                raise UsageError(
                    f"expected a version of {name} that reads encoder {encoder}, found {version.version}, which reads "
                    "another; go back with `pinzhi models rollback encoder`"
                )
            used = active.get(name, {}).get("previous", [])
            at = max((i for i, one in enumerate(used) if one == version.version), default=len(used))
            active[name] = _entry(_whole(version), used[:at], active.get(name, {}))
        _write_active(models, active)
    return chosen


def _promoted_with(models: Path, active: Active, head: str) -> list[str]:
    """`head`, and the heads that go back with it: what they have in use, or what they had before, was trained with its own."""

    def trainings(one: str) -> list[str | None]:
        names = [active[one]["version"], *active[one].get("previous", [])[-1:]]
        return [_look(models, active, one, name).manifest.get("training") for name in names]

    own = trainings(head)
    return [
        one
        for one, entry in active.items()
        if one == head
        or (entry.get("previous") and any(a == b for a, b in zip(own, trainings(one), strict=True) if a is not None))
    ]
