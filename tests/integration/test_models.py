"""Versions of models: what belongs together changes together, what a change would do is known before, and what was
changed or half written is never used."""

import json
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from pinzhi.cli import main
from pinzhi.errors import ModelError
from pinzhi.heads import store as store_module
from pinzhi.heads.store import (
    Active,
    Version,
    active_versions,
    list_versions,
    open_active,
    promote,
    promote_all,
    rollback,
    sha256,
    show,
    write_version,
)
from pinzhi.schemas import BRANDS
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
    options = ["--on", str(out), "--models", str(store)]
    assert main(["models", "diff", old, new, *options, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    changed = {f"{one['table']}.{one['column']}": one for one in found["columns"]}
    moves = {(one["before"], one["after"]) for one in changed["comments.sentiment"]["transitions"]}
    assert found["head"] == "sentiment" and moves <= {("1", "-1"), ("-1", "1")} and moves
    assert changed["comments.sentiment"]["n"] == 5
    assert changed["posts.originality"]["n_changed"] == changed["posts.coherence"]["n_changed"] == 0
    assert {one["id"] for one in found["examples"] if one["column"] == "sentiment"} <= {str(i) for i in range(5)}
    assert content(out) == before and active_versions(store) == versions
    assert main(["models", "diff", old, old, *options, *BRAND, "--json"]) == 0
    assert all(one["n_changed"] == 0 for one in json.loads(capsys.readouterr().out)["columns"])
    assert main(["models", "diff", old, "20000101-none", *options]) == 2
    assert main(["models", "diff", old, new, "--on", str(tmp_path), "--models", str(store)]) == 2
    assert "expected the folder of a finished run" in capsys.readouterr().err
    (out / BRANDS).unlink()
    assert main(["models", "diff", old, new, *options]) == 2
    assert "name them with --brand" in capsys.readouterr().err


def test_an_encoder_takes_its_heads_along_and_back(store: Path, tmp_path: Path) -> None:
    from pinzhi.heads.predict import Heads
    from pinzhi.segment import Segmenter

    before = active_versions(store)
    version = new_encoder(store, tmp_path / "scratch", tuple(head for head in before if head != "encoder"))
    promote(store, "sentiment", next(p.name for p in (store / "sentiment").iterdir() if p.name.startswith("2099")))
    after = active_versions(store)
    assert after["encoder"] == version and all(name.startswith("2099") for name in after.values())
    Heads.load(store, Segmenter())
    rollback(store, "encoder")
    assert active_versions(store) == before
    Heads.load(store, Segmenter())


def test_a_head_alone_does_not_go_back_to_another_encoder(store: Path, tmp_path: Path) -> None:
    before = active_versions(store)
    version = new_encoder(store, tmp_path / "scratch", tuple(head for head in before if head != "encoder"))
    promote(store, "encoder", version)
    assert main(["models", "rollback", "sentiment", "--models", str(store)]) == 2
    assert active_versions(store)["encoder"] == version


HEADS = ("mood", "topic")


def add(
    store: Path, head: str, day: str, words: str = "", encoder: str | None = None, training: str | None = None,
    is_better: bool = True,
) -> str:  # fmt: skip
    """A version of `head` with some small files; two of different `words` differ."""
    source = store.parent / "source"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir()
    (source / "model.safetensors").write_text(f"{head} {words}", "utf-8")
    report = {"macro_f1": {"value": 0.7524, "n": 9}, "reason": f"it gains {words}", "slices": []}
    report |= {"is_better": is_better}
    (source / "metrics.json").write_text(json.dumps(report), "utf-8")
    encoder = encoder or active_versions(store)["encoder"]
    described = {"temperature": 1.0} if head == "encoder" else {"temperature": 1.0, "encoder": encoder}
    return write_version(store, head, source, described | ({"training": training} if training else {}), day)


@pytest.fixture
def little(tmp_path: Path) -> Path:
    """A store of an encoder and two heads, each with a version in use, one in use before and a candidate."""
    store = tmp_path / "little"
    encoder = add(store, "encoder", "20260101", encoder="none")
    for day in ("20260101", "20260102"):
        promote_all(store, {head: add(store, head, day, day, encoder) for head in HEADS} | {"encoder": encoder})
    for head in HEADS:
        add(store, head, "20260103", "nothing")
    return store


def of_state(store: Path, head: str, state: str) -> Version:
    (found,) = (one for one in list_versions(store) if (one.head, one.state) == (head, state))
    return found


def command(store: Path, *arguments: str) -> int:
    return main(["models", *arguments, "--models", str(store)])


def change(folder: Path, **entries: Any) -> Path:
    """`folder`, in whose manifest other things stand."""
    path = folder / "head.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | entries), "utf-8")
    return folder


def change_weights(folder: Path) -> Path:
    """`folder` with other weights, whose digest its manifest knows."""
    weights = folder / "model.safetensors"
    weights.write_text("others", "utf-8")
    files = json.loads((folder / "head.json").read_text("utf-8"))["files"]
    return change(folder, files=files | {weights.name: sha256(weights)})


def lose(folder: Path, name: str) -> Path:
    (folder / name).unlink()
    return folder


def write_manifest(folder: Path, content: bytes) -> Path:
    (folder / "head.json").write_bytes(content)
    return folder


def add_file(folder: Path) -> Path:
    """`folder` with a file that its manifest does not know, and that a tokenizer would read."""
    (folder / "added_tokens.json").write_text('{"茶": 7}', "utf-8")
    return folder


def lend_weights(folder: Path) -> Path:
    """`folder` with the same weights, which lie elsewhere, where they may change."""
    weights = folder / "model.safetensors"
    weights.rename(folder.parents[2] / "elsewhere")
    weights.symlink_to(folder.parents[2] / "elsewhere")
    return folder


CHANGES: dict[str, Callable[[Path], Path]] = {
    "temperature": lambda folder: change(folder, temperature=50.0),
    "weights with their digest": change_weights,
    "another digest in the name": lambda folder: folder.rename(folder.with_name(folder.name[:-4] + "0000")),
    "another day in the name": lambda folder: folder.rename(folder.with_name("2027" + folder.name[4:])),
    "another head": lambda folder: folder.rename(folder.parent.parent / "topic" / folder.name),
    "no manifest": lambda folder: lose(folder, "head.json"),
    "a file more": add_file,
    "a folder more": lambda folder: shutil.copytree(folder, folder / "more").parent,
    "weights that lie elsewhere": lend_weights,
    "no weights": lambda folder: lose(folder, "model.safetensors"),
    "half a manifest": lambda folder: write_manifest(folder, (folder / "head.json").read_bytes()[:90]),
    "an empty manifest": lambda folder: write_manifest(folder, b"{}"),
    "a manifest of bytes": lambda folder: write_manifest(folder, b"\xff\x00"),
    "a list for a manifest": lambda folder: write_manifest(folder, b"[]"),
}


@pytest.mark.parametrize("how", CHANGES)
def test_a_changed_or_half_written_version_is_refused_and_stands_in_nobodys_way(
    how: str, little: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = active_versions(little)
    damaged = CHANGES[how](of_state(little, "mood", "candidate").folder)
    head, name = damaged.parent.name, damaged.name
    assert command(little, "promote", head, name) == 3
    assert str(damaged) in (said := capsys.readouterr().err) and "damaged or was changed" in said
    for versions in ((before[head], name), (name, before[head])):
        assert command(little, "diff", *versions, "--on", str(tmp_path), *BRAND) == 3
        assert str(damaged) in capsys.readouterr().err
    assert active_versions(little) == before

    assert command(little, "list") == 0
    lines = capsys.readouterr().out.splitlines()
    at = next(i for i, line in enumerate(lines) if f"{head} " in line and name in line)
    assert "broken" in lines[at] and str(damaged) in lines[at + 1]
    assert sum("broken" in line for line in lines) == 1
    assert command(little, "promote", "mood", of_state(little, "mood", "previous").version) == 0
    assert command(little, "rollback", "topic") == 0
    assert command(little, "rollback", "mood") == 0


def test_nothing_goes_back_to_a_changed_version(little: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = active_versions(little)
    damaged = change(of_state(little, "mood", "previous").folder, temperature=50.0)
    assert command(little, "rollback", "mood") == 3
    assert str(damaged) in capsys.readouterr().err and active_versions(little) == before
    assert command(little, "promote", "mood", of_state(little, "mood", "candidate").version) == 0


def test_the_active_version_is_that_of_its_name_whatever_digest_is_listed(little: Path) -> None:
    active = open_active(little, "mood")
    digest = sha256(active.folder / "head.json")
    change(active.folder, temperature=50.0)
    switch = little / "active.toml"
    switch.write_text(switch.read_text("utf-8").replace(digest, sha256(active.folder / "head.json")), "utf-8")
    with pytest.raises(ModelError, match="was changed"):
        open_active(little, "mood")
    assert command(little, "rollback", "mood") == 0, "what the message advises"
    assert open_active(little, "mood").version != active.version


def test_every_shipped_version_is_whole() -> None:
    assert [one.fault for one in list_versions(ROOT / "models")] == [None] * len(active_versions(ROOT / "models"))


def test_a_manifest_without_files_is_refused_even_under_its_own_name(
    little: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = little / "mood" / "20260104-44136fa3"  # sha256 of {}
    folder.mkdir()
    write_manifest(folder, b"{}")
    assert command(little, "promote", "mood", folder.name) == 3
    assert "expected `files`" in capsys.readouterr().err


def test_what_a_killed_writer_left_is_no_version(little: Path, capsys: pytest.CaptureFixture[str]) -> None:
    candidate = of_state(little, "mood", "candidate").folder
    shutil.copytree(candidate, candidate.with_name(".new-x1y2z3"))
    assert command(little, "promote", "mood", ".new-x1y2z3") == 2
    assert command(little, "list", "--json") == 0
    assert ".new" not in capsys.readouterr().out


def test_a_version_that_cannot_be_written_leaves_nothing(little: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = content(little)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space"):
        add(little, "mood", "20260104")
    assert content(little) == before and not list(little.glob("mood/.*"))


def test_a_version_in_use_that_is_gone_is_listed_and_gone_back_from(
    little: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    active = open_active(little, "mood")
    shutil.rmtree(active.folder)
    assert command(little, "list") == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if active.version in line)
    assert line.startswith("*") and "broken" in line
    assert command(little, "rollback", "mood") == 0


def test_writing_a_damaged_version_again_makes_it_whole(little: Path) -> None:
    candidate = of_state(little, "mood", "candidate")
    lose(candidate.folder, "model.safetensors")
    assert add(little, "mood", "20260103", "nothing") == candidate.version
    assert show(little, "mood", candidate.version) == candidate


def test_an_encoder_passes_over_damaged_candidates_and_wants_all_heads(
    little: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = active_versions(little)
    encoder = add(little, "encoder", "20260105", "other", "none")
    whole = {head: add(little, head, "20260105", "whole", encoder) for head in HEADS}
    lose(little / "mood" / add(little, "mood", "20260106", "newer", encoder), "model.safetensors")
    promote(little, "encoder", encoder)
    assert active_versions(little) == {"encoder": encoder} | whole
    damaged = change(little / "topic" / before["topic"], temperature=50.0)
    assert command(little, "rollback", "encoder") == 3
    said = capsys.readouterr().err
    assert str(damaged) in said and active_versions(little) == {"encoder": encoder} | whole
    shutil.rmtree(little / "topic" / before["topic"])
    for one in (little / "topic").glob("2026010[13]-*"):
        shutil.rmtree(one)
    assert command(little, "rollback", "encoder") == 3
    assert "topic" in capsys.readouterr().err and active_versions(little)["encoder"] == encoder


def test_no_switch_of_encoders_brings_what_the_gate_kept_back(little: Path) -> None:
    before = active_versions(little)
    other = add(little, "encoder", "20260105", "other", "none")
    for head in HEADS:
        add(little, head, "20260105", "in use", other)
        add(little, head, "20260106", "kept back", other, is_better=False)
    promote(little, "encoder", other)
    with_other = active_versions(little)
    assert {with_other[head].partition("-")[0] for head in HEADS} == {"20260105"}, "a refused candidate is in use"
    better = add(little, "mood", "20260107", "better", other)
    promote(little, "mood", better)
    for head in HEADS:
        add(little, head, "20260108", "not judged", other)
    rollback(little, "encoder")
    assert active_versions(little) == before
    promote(little, "encoder", other)
    assert active_versions(little) == with_other | {"mood": better}, "not what was in use with this encoder"
    rollback(little, "encoder")
    assert active_versions(little) == before


def test_where_all_were_kept_back_no_head_comes_unasked(little: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = active_versions(little)
    other = add(little, "encoder", "20260105", "other", "none")
    refused = {head: add(little, head, "20260106", "", other, is_better=False) for head in HEADS}
    assert command(little, "promote", "encoder", other) == 3
    assert "was not kept back by the gate" in capsys.readouterr().err and active_versions(little) == before
    promote_all(little, refused)
    assert active_versions(little) == refused | {"encoder": other}, "whoever names them may have them"


def test_a_store_of_before_knows_no_more_than_its_history(little: Path) -> None:
    """What was in use with an encoder was not noted, and a report held a reason alone."""
    other = add(little, "encoder", "20260105", "other", "none")
    for head in HEADS:
        add(little, head, "20260105", "in use", other)
    before = active_versions(little)
    promote(little, "encoder", other)
    switch = little / "active.toml"
    lines = switch.read_text("utf-8").splitlines(keepends=True)
    switch.write_text("".join(line for line in lines if not line.startswith("used_with")), "utf-8")
    rollback(little, "encoder")
    assert active_versions(little) == before
    reports = ({"reason": "it gains +0.03"}, {"reason": "it falls"}, {})
    assert [kept_back_by(little, report) for report in reports] == [None, "it falls", None]


def kept_back_by(store: Path, report: dict[str, Any]) -> str | None:
    """What the gate had against a version with this report."""
    source = store.parent / "source"
    (source / "metrics.json").write_text(json.dumps(report), "utf-8")
    return show(store, "mood", write_version(store, "mood", source, {}, "20260109")).kept_back()


def test_what_was_trained_together_goes_together(little: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = active_versions(little)
    pairs = [
        {head: add(little, head, day, day, training=day, is_better=False) for head in HEADS}
        for day in ("20260105", "20260106")
    ]
    for pair, head in zip(pairs, HEADS, strict=True):
        assert command(little, "promote", head, pair[head], "--lang", "en") == 0
        said = capsys.readouterr().out
        assert all(f"{one}: {version}" in said for one, version in pair.items())
        assert said.count("the gate had kept it back: it gains") == 2
        assert active_versions(little) == before | pair
    alone = of_state(little, "topic", "candidate").version
    assert command(little, "promote", "topic", alone, "--lang", "en") == 0
    assert "kept it back" not in capsys.readouterr().out
    assert active_versions(little) == before | pairs[1] | {"topic": alone}
    for head, expected in (("topic", pairs[1]), ("topic", pairs[0]), ("mood", before)):
        assert command(little, "rollback", head) == 0
        said = capsys.readouterr().out
        assert active_versions(little) == before | expected
        assert f"{head}: {active_versions(little)[head]}" in said


def test_a_pair_of_which_one_is_damaged_stays_where_it_is(little: Path) -> None:
    before = active_versions(little)
    pair = {head: add(little, head, "20260105", training="one") for head in HEADS}
    lose(little / "topic" / pair["topic"], "model.safetensors")
    assert command(little, "promote", "mood", pair["mood"]) == 3
    assert active_versions(little) == before


def test_of_two_switches_at_a_time_none_is_lost(little: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {head: of_state(little, head, "candidate").version for head in HEADS}

    def slowly(models: Path, active: Active) -> None:
        time.sleep(0.2)
        write(models, active)

    write = store_module._write_active
    monkeypatch.setattr(store_module, "_write_active", slowly)
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(promote, little, head, version) for head, version in wanted.items()]:
            done.result()
    assert active_versions(little) == active_versions(little) | wanted


def test_the_list_says_when_how_good_and_why(little: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(little, "list") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    kept = of_state(little, "topic", "candidate").version
    assert ["topic", kept, "2026-01-03", "candidate", "macro_f1", "0.752"] in lines
    assert ["it", "gains", "nothing"] in lines
    assert ["*", "topic", active_versions(little)["topic"], "2026-01-02", "active", "macro_f1", "0.752"] in lines
    assert command(little, "list", "--json") == 0
    found = [one for one in json.loads(capsys.readouterr().out) if one["head"] == "topic"]
    assert [one["state"] for one in found] == ["previous", "active", "candidate"]
    assert found[2] | {"manifest": None, "folder": None} == {
        "head": "topic", "version": kept, "is_active": False, "folder": None, "manifest": None, "date": "2026-01-03",
        "state": "candidate", "metric": "macro_f1", "value": 0.7524, "reason": "it gains nothing", "fault": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("show", "nothing"), 2, "expected a head of encoder, mood, topic, found nothing"),
        (("rollback", "nothing"), 2, "expected a head of encoder, mood, topic, found nothing"),
        (("promote", "nothing", "1"), 2, "expected a head of encoder, mood, topic, found nothing"),
        (("show", "mood", "20200101-none"), 2, "expected a version of mood, found no 20200101-none"),
        (("rollback", "encoder"), 2, "expected an earlier version of encoder"),
    ],
)
def test_what_is_not_there_is_said(
    arguments: tuple[str, ...], code: int, says: str, little: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(little, *arguments) == code
    assert says in capsys.readouterr().err


def test_stores_that_are_none_are_said(little: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(tmp_path / "nowhere", "list") == 2
    assert "expected a folder of model versions" in capsys.readouterr().err
    (tmp_path / "void").mkdir()
    assert command(tmp_path / "void", "show", "mood") == 3
    assert "expected folders of model versions" in capsys.readouterr().err
    whole = 'version = "1"\ndigest = "2"\n'
    for wrong in ("version = 3", 'version = "1"', f"{whole}previous = 3", f"{whole}used_with = 3"):
        (little / "active.toml").write_text(f"[mood]\n{wrong}\n", "utf-8")
        assert command(little, "list") == 3
        assert "expected a version and a digest of mood" in capsys.readouterr().err


def test_a_head_without_an_encoder_is_switched_alone_and_stays_where_the_encoder_changes(
    little: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def free(day: str, words: str) -> str:
        source = little.parent / "free"
        source.mkdir(exist_ok=True)
        (source / "model.safetensors").write_text(words, "utf-8")
        return write_version(little, "account", source, {"temperature": 1.0, "encoder": None}, day)

    one, two, newest = (free(f"2026010{n}", str(n)) for n in (1, 2, 3))
    before = active_versions(little)
    for version in (one, two):
        assert command(little, "promote", "account", version) == 0
        assert active_versions(little) == before | {"account": version}
    encoder = add(little, "encoder", "20260105", "other", "none")
    whole = {head: add(little, head, "20260105", "whole", encoder) for head in HEADS}
    promote(little, "encoder", encoder)
    assert active_versions(little) == {"encoder": encoder, "account": two} | whole, (
        "neither an older nor an untried one"
    )
    assert command(little, "rollback", "account") == 0
    assert active_versions(little)["account"] == one and active_versions(little)["encoder"] == encoder
    assert command(little, "rollback", "encoder") == 0
    assert active_versions(little) == before | {"account": one}
    capsys.readouterr()
    assert command(little, "list") == 0 and f"* account        {one}" in capsys.readouterr().out
    assert newest in {one.version for one in list_versions(little)}
