"""The command `pinzhi`: one error boundary around thin commands."""

import os
import sys
from collections.abc import Sequence

from pinzhi.cli.errors import explain


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code (docs/cli.md lists them).

    Every error becomes one sentence on stderr; with PINZHI_DEBUG=1 its traceback comes first.
    """
    from pinzhi.cli.app import app

    try:
        app(args=None if argv is None else list(argv), prog_name="pinzhi")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if os.environ.get("PINZHI_DEBUG"):
            import traceback

            traceback.print_exc()
        sentence, code = explain(error)
        print(sentence, file=sys.stderr)
        return code
    return 0
