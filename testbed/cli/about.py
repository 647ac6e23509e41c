"""Commands that say what there is: systems, scenarios, schemas, and what a machine lacks."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.errors import InputError
from testbed.cli.app import app


@app.command()
def pipelines(name: Annotated[str | None, typer.Argument(help="show one system's options")] = None) -> None:
    """The systems that can be put to the test, and their options."""
    from testbed.cli.listing import pipelines as listing

    typer.echo(listing(name))


@app.command()
def scenarios() -> None:
    """The ready-to-run scenario files, and the question each one answers."""
    from testbed.cli.listing import scenarios as listing

    typer.echo(listing())


@app.command()
def schema(what: Annotated[str, typer.Argument(metavar="[scenario|claims]")] = "scenario") -> None:
    """Print the JSON Schema of scenario files, or of claim files, for editors."""
    import json

    if what == "claims":
        from testbed.evidence.claims import json_schema
    elif what == "scenario":
        from testbed.scenario.schema import json_schema
    else:
        raise InputError(f"there is no schema of {what!r}; name scenario or claims")
    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@app.command()
def doctor() -> None:
    """What is missing on this machine, and how to get it. Exit code 1 where something is."""
    from testbed.cli.doctor import examine

    lines, healthy = examine()
    typer.echo("\n".join(lines))
    if not healthy:
        raise typer.Exit(1)
