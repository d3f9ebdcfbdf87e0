"""The archive flow for real, on its own temporary server."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, one_post_archive


def test_the_archive_flow_scores_and_leaves_a_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINZHI_KEY_FILE", str(tmp_path / "key"))
    from pipelines.score_archive import score_archive  # first: its package settles what prefect reads when imported

    from prefect.testing.utilities import prefect_test_harness  # isort: skip

    with prefect_test_harness(server_startup_timeout=120):
        report = score_archive(
            [str(one_post_archive(tmp_path))], [str(ROOT / "configs/brands/lvye.yaml")], str(tmp_path / "out")
        )
        assert asyncio.run(_scheduled()) >= 1
    assert Path(report) == tmp_path / "out" / "report.html" and Path(report).exists()
    assert os.environ["DO_NOT_TRACK"] == "1"


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
