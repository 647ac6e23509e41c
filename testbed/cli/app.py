"""The program `testbed`, to which the commands are added, and the options that several of them have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pipelines.errors import InputError

ORDER = (
    "run", "replay", "match", "evaluate", "report", "sweep", "audit", "check", "decode", "member", "plan", "count",
    "provenance", "synth", "pipelines", "scenarios", "schema", "doctor",
)  # fmt: skip
"""The commands in the order of --help: what most people come for first."""


class Commands(TyperGroup):
    """The commands in ORDER. A mistyped one is wrong input like any other."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of the commands."""
        return sorted(super().list_commands(ctx), key=ORDER.index)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that `args` begin with. Raises InputError, naming the nearest, where there is none."""
        if args[0] in self.commands:
            return super().resolve_command(ctx, args)
        from testbed.scenario.problems import suggestion

        raise InputError(f"there is no command {args[0]!r}; {suggestion(args[0], self.commands)}")


app = typer.Typer(
    name="testbed",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="How often is a surveillance camera's face match a stranger, and for whom?\n\n"
    "Replays recorded or made-up CCTV through face-matching systems and reports false matches and misses by "
    "demographic group, with honest uncertainty. It evaluates and never watches: nothing leaves this machine.\n\n"
    "Start with: `testbed scenarios`, then `testbed run scenarios/station.yaml`.",
)

Workers = Annotated[int | None, typer.Option("--workers", "-w", min=1, help="worker processes (default: one per core)")]
LabelErrors = Annotated[
    Path | None, typer.Option(help="how often labels are wrong (CSV, see examples/label_errors.csv)")
]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="a run directory")]
