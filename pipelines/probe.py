"""How much an encoder knows, on the public sets: `python -m pipelines.probe DATA [ENCODER] --tasks TASK... --out out/probe`."""

import argparse
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from pinzhi import paths
from pinzhi.heads.encoder import Encoder
from pinzhi.heads.store import open_active
from pinzhi.training.probe import probe
from pinzhi.training.settings import ProbeSettings
from pipelines.evaluate import publish, write_each


@task(cache_policy=NO_CACHE)
def measure(data: str, encoder: str, config: str, out: str, tasks: list[str] | None) -> str:
    """Every task, or `tasks`, into `out`/metrics.json; returns its path."""
    reports = probe(Encoder.load(Path(encoder)), Path(data), ProbeSettings.load(Path(config)), tasks)
    return write_each({"encoder": Path(encoder).name}, reports, Path(out))


@flow(name="probe", log_prints=True)
def probe_encoder(data: str, encoder: str, config: str, out: str, tasks: list[str] | None = None) -> str:
    """A classifier on the frozen states of `encoder` for each public task, beside linear models; returns the page."""
    return publish(measure(data, encoder, config, out, tasks), "probe")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("encoder", type=Path, nargs="?", help="folder of an encoder; the active one unless given")
    parser.add_argument("--config", type=Path, default=paths.configs() / "train" / "probe.toml")
    parser.add_argument("--out", type=Path, default=Path("out/probe"))
    parser.add_argument("--tasks", nargs="+", help="folders under DATA; all unless given")
    given = parser.parse_args()
    folder = given.encoder or open_active(paths.models(), "encoder").folder
    print(probe_encoder(str(given.data), str(folder), str(given.config), str(given.out), given.tasks))
