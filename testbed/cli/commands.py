"""The command `testbed`. Every import of weight waits for the command that needs it."""

from __future__ import annotations

import sys

from pipelines.errors import InputError
from testbed.cli import about, counts, member, provenance, runs, scores, sweep, synth  # noqa: F401, each adds its commands
from testbed.cli.app import app


def main() -> None:
    """Entry point: wrong input is one sentence on standard error and exit code 2, never a traceback."""
    try:
        app()
    except InputError as error:
        print(f"testbed: {error}", file=sys.stderr)
        sys.exit(2)
