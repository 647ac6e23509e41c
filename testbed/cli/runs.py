"""Commands that run a scenario, or one stage of a run again."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines.errors import InputError
from testbed.cli.app import LabelErrors, Run, Workers, app
from testbed.cli.stages import again, default_out, feasible, new_run, run_stages


@app.command()
def run(
    scenario: Annotated[Path | None, typer.Argument(metavar="SCENARIO", help="a scenario file (YAML)")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for the run (default: runs/DATE-SCENARIO)")] = None,
    resume: Annotated[Path | None, typer.Option(metavar="RUN", help="continue this run where it stopped")] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="change the scenario, e.g. subjects.limit=24; repeatable"),
    ] = None,
    workers: Workers = None,
) -> None:
    """Answer a scenario's question: replay, match, evaluate, report.

    A run that was stopped, however, goes on with --resume and ends with the same tables.
    """
    from testbed.scenario.loading import load, reload

    if resume is None:
        if scenario is None:
            raise InputError("name a scenario (see `testbed scenarios`), or a run to continue with --resume RUN")
        if not os.path.lexists(scenario):
            from testbed.cli.listing import absent

            raise absent(scenario)
        loaded = load(scenario, overrides or [])
        if loaded.scenario.subjects is not None and loaded.scenario.subjects.label_errors is not None:
            from testbed.evidence.label_sensitivity import check_stated

            check_stated(loaded.scenario)
        feasible(loaded)
        directory = new_run(out or default_out(scenario), loaded)
    else:
        if out is not None:
            raise InputError(
                "--resume continues a run in its own folder; drop --out, or start a new run without --resume"
            )
        from testbed.runs.directory import RunDirectory

        directory = RunDirectory.open(resume)
        known = directory.manifest()["scenario"]
        if (scenario is not None or overrides) and load(
            scenario or Path(known["source"]), overrides or []
        ).resolved != known:
            raise InputError(
                f"{resume}: is a run of another scenario or of other settings; resume it without naming any, "
                "or start a new run with --out"
            )
        loaded = reload(known)
    try:
        run_stages(directory, loaded, ("replay", "match", "evaluate", "report"), workers, only_missing=True)
    except InputError:
        if resume is None and not any((directory.path / part).exists() for part in ("frames", "made-up")):
            # Nothing was replayed or filmed yet: leave the folder free for the corrected scenario.
            shutil.rmtree(directory.path, ignore_errors=True)
        raise
    except KeyboardInterrupt:
        hint = f"finished parts are kept, continue with: testbed run --resume {directory.path}"
        print(f"\ntestbed: stopped; {hint}", file=sys.stderr)
        raise typer.Exit(130) from None


@app.command()
def replay(directory: Run, workers: Workers = None) -> None:
    """Frames through every system, again (or, where a run was stopped, what is left): captures."""
    again(directory, "replay", workers)


@app.command()
def match(directory: Run, workers: Workers = None) -> None:
    """Enrolment and all comparisons, again, from the captures of a run."""
    again(directory, "match", workers)


@app.command()
def evaluate(
    directory: Run,
    claims: Annotated[Path | None, typer.Option(help="claims to judge (see scenarios/claims/example.yaml)")] = None,
    label_errors: LabelErrors = None,
    checked: Annotated[Path | None, typer.Option(help="the sheet of `testbed check`, filled in")] = None,
    review: Annotated[
        Path | None, typer.Option(help="what is assumed of reviewers (`review:` in scenarios/hidden-work.yaml)")
    ] = None,
) -> None:
    """Rates and intervals, again, from the counts and tallies of a run: evidence.json.

    What was handed in before is taken into account again; `--claims none` drops it, and so for the others.
    """
    from testbed.cli import listing
    from testbed.evidence.stage import NONE
    from testbed.runs.directory import RunDirectory

    again(directory, "evaluate", None, claims_file=claims, label_errors=label_errors, checked=checked, review=review)
    given = {"claims": claims, "label-errors": label_errors, "checked": checked, "review": review}
    tell = {"checked": listing.corrections, "label-errors": listing.label_check, "claims": listing.claims}
    for option, words in tell.items():
        if given[option] not in (None, NONE):
            typer.echo(words(directory))
    if told := listing.kept(RunDirectory.open(directory).manifest(), {name for name, path in given.items() if path}):
        typer.echo(told)
    if (directory / "report" / "index.html").exists():
        typer.echo(f"the report is stale now; make it again: testbed report {directory}")


@app.command()
def report(directory: Run) -> None:
    """The report, again, from a run's evidence: report/index.html and a CSV of every table."""
    again(directory, "report", None)
