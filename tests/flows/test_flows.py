"""The archive flow for real, on its own temporary server."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.conftest import ROOT, one_post_archive


def test_the_archive_flow_scores_and_leaves_a_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINZHI_KEY_FILE", str(tmp_path / "key"))
    from prefect.testing.utilities import prefect_test_harness

    import pipelines._support  # noqa: F401
    from pipelines.score_archive import score_archive

    with prefect_test_harness(server_startup_timeout=120):
        report = score_archive(
            [str(one_post_archive(tmp_path))], [str(ROOT / "configs/brands/lvye.yaml")], str(tmp_path / "out")
        )
        assert asyncio.run(_scheduled()) >= 1
    assert Path(report) == tmp_path / "out" / "report.html" and Path(report).exists()
    assert os.environ["DO_NOT_TRACK"] == "1"


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
