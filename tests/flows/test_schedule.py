"""`pinzhi schedule` under a real Prefect server, as a data engineer would run it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, one_post_archive

BIN = Path(sys.executable).parent


def _stop(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(30)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Address of the API of a server that lives as long as the test."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "PREFECT_HOME": str(tmp_path / "prefect"), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1",
    }  # fmt: skip
    environment.pop("PREFECT_API_URL", None)
    command = [str(BIN / "prefect"), "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    api = f"http://127.0.0.1:{port}/api"
    try:
        _until(lambda: _answers(f"{api}/health"), 120, "the server to answer")
        yield api
    finally:
        _stop(process)


def _answers(url: str, body: bytes | None = None) -> bytes | None:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bytes(answer.read()) or b" "
    except OSError:
        return None


def _until(done: Callable[[], object], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds:.0f} s for {what}")
        time.sleep(1)


@pytest.mark.slow
@pytest.mark.server
def test_a_schedule_runs_when_it_is_due_and_leaves_its_summary_on_the_server(server: str, tmp_path: Path) -> None:
    command = [str(BIN / "pinzhi"), "schedule", str(one_post_archive(tmp_path)), "--brand", str(ROOT / "configs/brands/lvye.yaml"),
               "--out", str(tmp_path / "out"), "--cron", "* * * * *", "--server", server]  # fmt: skip
    environment = os.environ | {"PINZHI_KEY_FILE": str(tmp_path / "key"), "PREFECT_HOME": str(tmp_path / "prefect")}
    with (tmp_path / "schedule.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True, cwd=tmp_path
        )
    try:
        _until(lambda: list((tmp_path / "out" / "runs").glob("*.json")), 240, "the first scheduled run")
        _until(lambda: b"run-summary" in (_answers(f"{server}/artifacts/filter", b"{}") or b""), 60, "the summary")
    finally:
        _stop(process)
