"""The command `testbed`. Every import of weight waits for the command that needs it."""

from __future__ import annotations

import sys

from pipelines.errors import InputError
from testbed.cli import runs, scores, about  # noqa: F401, I001, each adds its commands, in the order of --help
from testbed.cli.app import app


def main() -> None:
    """Entry point: wrong input is one sentence on standard error and exit code 2, never a traceback."""
    try:
        app()
    except InputError as error:
        print(f"testbed: {error}", file=sys.stderr)
        sys.exit(2)
