"""Checkpoints of a training that may be killed at any moment, also while it writes one."""

import json
import shutil
from pathlib import Path


def last_whole(folder: Path) -> str | None:
    """The newest whole checkpoint in `folder`, None where there is none. `Trainer` writes trainer_state.json last, so that
    a checkpoint without it was cut; such ones are removed."""
    found = None
    for checkpoint in sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1])):
        try:
            json.loads((checkpoint / "trainer_state.json").read_text("utf-8"))
        except (OSError, ValueError):
            shutil.rmtree(checkpoint)
        else:
            found = str(checkpoint)
    return found
