"""Versions of models: what belongs together changes together, and what a change would do is known before."""

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from pinzhi.cli import main
from pinzhi.heads.store import active_versions, open_active, promote, rollback, write_version
from tests.conftest import ROOT, small_archive

BRAND = ["--brand", str(ROOT / "configs" / "brands" / "lvye.yaml")]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "models", tmp_path / "models")
    return tmp_path / "models"


def contrary(store: Path, scratch: Path) -> str:
    """A new version of the sentiment head that says the opposite of the active one; it is not promoted."""
    active = open_active(store, "sentiment")
    scratch.mkdir()
    weights = load_file(active.folder / "model.safetensors")
    for name in ("deep.layers.3.weight", "deep.layers.3.bias"):
        weights[name] = weights[name].flip(0).contiguous()
    for name in ("wide.weight", "wide.bias"):
        weights[name] = weights[name].flip(-1).contiguous()
    save_file(weights, scratch / "model.safetensors")
    manifest = {k: v for k, v in active.manifest.items() if k not in ("head", "files")}
    return write_version(store, "sentiment", scratch, manifest, "20990101")


def new_encoder(store: Path, scratch: Path, heads: tuple[str, ...]) -> str:
    """The same encoder under a new name, with its own versions of `heads`."""
    active = open_active(store, "encoder")
    version = write_version(store, "encoder", active.folder, _described(active.manifest) | {"seed": 99}, "20990101")
    for head in heads:
        found = open_active(store, head)
        write_version(store, head, found.folder, _described(found.manifest) | {"encoder": version}, "20990101")
    return version


def _described(manifest: object) -> dict[str, object]:
    return {k: v for k, v in dict(manifest).items() if k not in ("head", "files")}  # type: ignore[call-overload]


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_diff_shows_what_would_change_and_changes_nothing(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINZHI_KEY_FILE", str(tmp_path / "key"))
    old, new = active_versions(store)["sentiment"], contrary(store, tmp_path / "scratch")
    out = tmp_path / "out"
    assert main(["run", str(small_archive(tmp_path)), *BRAND, "--out", str(out), "--models", str(store), "-q"]) == 0
    before, versions = content(out), active_versions(store)
    options = ["--on", str(out), *BRAND, "--models", str(store)]
    assert main(["models", "diff", old, new, *options, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    changed = {f"{one['table']}.{one['column']}": one for one in found["columns"]}
    moves = {(one["before"], one["after"]) for one in changed["comments.sentiment"]["transitions"]}
    assert found["head"] == "sentiment" and moves <= {("1", "-1"), ("-1", "1")} and moves
    assert changed["comments.sentiment"]["n"] == 5
    assert changed["posts.originality"]["n_changed"] == changed["posts.coherence"]["n_changed"] == 0
    assert {one["id"] for one in found["examples"] if one["column"] == "sentiment"} <= {str(i) for i in range(5)}
    assert content(out) == before and active_versions(store) == versions
    assert main(["models", "diff", old, old, *options, "--json"]) == 0
    assert all(one["n_changed"] == 0 for one in json.loads(capsys.readouterr().out)["columns"])
    assert main(["models", "diff", old, "20000101-none", *options]) == 2
    assert main(["models", "diff", old, new, "--on", str(tmp_path), *BRAND, "--models", str(store)]) == 2


def test_an_encoder_takes_its_heads_along_and_back(store: Path, tmp_path: Path) -> None:
    from pinzhi.heads.predict import Heads
    from pinzhi.segment import Segmenter

    before = active_versions(store)
    version = new_encoder(store, tmp_path / "scratch", tuple(head for head in before if head != "encoder"))
    promote(store, "sentiment", next(p.name for p in (store / "sentiment").iterdir() if p.name.startswith("2099")))
    after = active_versions(store)
    assert after["encoder"] == version and all(name.startswith("2099") for name in after.values())
    Heads.load(store, Segmenter())
    assert rollback(store, "encoder") == before["encoder"] and active_versions(store) == before
    Heads.load(store, Segmenter())


def test_a_head_alone_does_not_go_back_to_another_encoder(store: Path, tmp_path: Path) -> None:
    before = active_versions(store)
    version = new_encoder(store, tmp_path / "scratch", tuple(head for head in before if head != "encoder"))
    promote(store, "encoder", version)
    assert main(["models", "rollback", "sentiment", "--models", str(store)]) == 2
    assert active_versions(store)["encoder"] == version
