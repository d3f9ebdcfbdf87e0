"""The archive flow for real, on its own temporary server."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pinzhi.heads.store import active_versions
from tests.conftest import ROOT, one_post_archive


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    """A temporary Prefect server."""
    import pipelines.score_archive  # noqa: F401 - first: its package settles what prefect reads when imported

    from prefect.testing.utilities import prefect_test_harness  # isort: skip

    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.mark.usefixtures("server")
def test_the_archive_flow_scores_and_leaves_a_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.score_archive import score_archive

    monkeypatch.setenv("PINZHI_KEY_FILE", str(tmp_path / "key"))
    report = score_archive(
        [str(one_post_archive(tmp_path))], [str(ROOT / "configs/brands/lvye.yaml")], str(tmp_path / "out")
    )
    assert asyncio.run(_scheduled()) >= 1
    assert Path(report) == tmp_path / "out" / "report.html" and Path(report).exists()
    assert os.environ["DO_NOT_TRACK"] == "1"


@pytest.mark.usefixtures("server")
def test_the_training_flow_decides_and_shows_why(store: Path, base: Path, tmp_path: Path) -> None:
    from pipelines.train_head import train_head

    labels = tmp_path / "new.csv"
    labels.write_text("text,label\n茶汤清亮，回甘很久,1\n怎么卖,赞\n", "utf-8")
    config = ROOT / "configs" / "train" / "retrain.toml"
    done = train_head("sentiment", [str(labels)], str(base), str(store), str(config))
    active = active_versions(store)["sentiment"]
    assert done["decision"] == ("promoted" if active == done["version"] else "kept") and done["reason"]
    assert (store / "sentiment" / done["version"] / "model.safetensors").exists()
    shown = asyncio.run(_artifacts("retrained-sentiment", "labels-sentiment"))
    assert done["reason"] in shown["retrained-sentiment"].description
    (problem,) = json.loads(shown["labels-sentiment"].data)
    assert problem["row"] == 3 and "赞" in problem["reason"]


@pytest.mark.parametrize(
    "flow", ["compare_encoders", "evaluate", "pretrain", "probe", "retrain", "score_archive", "train_head"]
)
def test_settings_stand_before_prefect_reads_them(flow: str, tmp_path: Path) -> None:
    script = (
        f"import pipelines.{flow}; from prefect.settings import get_current_settings as s; "
        "print(s().server.ephemeral.startup_timeout_seconds, s().server.analytics_enabled)"
    )
    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True,
                          env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)})  # fmt: skip
    assert said.stdout.split() == ["120", "False"]


async def _artifacts(*keys: str) -> dict[str, Any]:
    """The newest artifact under each key."""
    from prefect import get_client

    async with get_client() as client:
        found = await client.read_latest_artifacts()
    return {one.key: one for one in found if one.key in keys}


async def _scheduled() -> int:
    """Runs that the server has planned for a deployment on a cron schedule: libraries under Prefect have broken this."""
    from prefect import get_client
    from prefect.client.schemas.actions import DeploymentScheduleCreate
    from prefect.client.schemas.schedules import CronSchedule

    async with get_client() as client:
        flow_id = await client.create_flow_from_name("score-archive")
        schedule = DeploymentScheduleCreate(schedule=CronSchedule(cron="0 3 * * *", timezone="Asia/Shanghai"))
        deployment = await client.create_deployment(flow_id, "nightly", schedules=[schedule])
        answer = await client._client.post(f"/deployments/{deployment}/schedule", json={"min_runs": 1})
        answer.raise_for_status()
        return len([run for run in await client.read_flow_runs() if run.deployment_id == deployment])
