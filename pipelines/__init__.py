"""Thin Prefect flows over `pinzhi`: score archives, evaluate, pre-train, retrain.

Settings stand here because they must be there before prefect is imported. Each is a default: what the environment
already says is kept. Without PREFECT_API_URL a flow brings its own temporary server, on this machine alone.
"""

import os
from pathlib import Path

DEFAULTS = {
    "PREFECT_HOME": str(Path.cwd() / ".prefect"),
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # 16-21 s on two busy cores; prefect allows 20
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_TO_API_ENABLED": "true" if os.environ.get("PREFECT_API_URL") else "false",
}

for _name, _value in DEFAULTS.items():
    os.environ.setdefault(_name, _value)
