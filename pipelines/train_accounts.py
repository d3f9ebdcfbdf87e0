"""Train the head of accounts alone and publish it, in seconds: `python -m pipelines.train_accounts DATA`.

DATA holds the public sets, of which accounts/weibo_568 is read. `pipelines.retrain` does the same beside all other heads.
"""

import argparse
from datetime import date
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from pinzhi.paths import configs, models
from pinzhi.training.publish import publish_accounts
from pinzhi.training.settings import ProbeSettings


@task(cache_policy=NO_CACHE)
def fit(data: str, store: str, day: str, seed: int) -> str:
    """Weights, figures, card; the new version becomes active."""
    return publish_accounts(Path(data), Path(store), date=day, seed=seed)


@flow(name="train-accounts", log_prints=True)
def train_accounts(data: str, store: str, day: str, config: str) -> str:
    """The head of accounts anew; its figures are of the folds that the probe deals. Returns the version."""
    return fit(data, store, day, ProbeSettings.load(Path(config)).seed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--models", type=Path, default=models())
    parser.add_argument("--date", default=date.today().strftime("%Y%m%d"))
    parser.add_argument("--config", type=Path, default=configs() / "train" / "probe.toml")
    given = parser.parse_args()
    print(train_accounts(str(given.data), str(given.models), given.date, str(given.config)))
