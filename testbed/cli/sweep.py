"""The command that makes one run for each of several values of a setting, and draws what changes."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.errors import InputError
from testbed.cli.app import Workers, app
from testbed.cli.stages import default_out, feasible, new_run, run_stages

if TYPE_CHECKING:
    from testbed.runs.directory import RunDirectory
    from testbed.scenario.loading import Loaded

RECORD = "sweep.json"
MOST = 30
STAGES = ("replay", "match", "evaluate", "report")
AFTER_REPLAY = ("search", "operating_points")
"""What only the stages after replay read: runs that differ in nothing else share one replay."""
_COMMA = re.compile(r",(?![^\[\]]*\])(?![^{}]*\})")
"""Between two values; a comma in brackets is their own."""


@dataclass(frozen=True)
class Planned:
    """One run of a sweep: its folder's name, the value as typed, and the scenario with it."""

    name: str
    value: str
    loaded: Loaded


@app.command()
def sweep(
    scenario: Annotated[Path | None, typer.Argument(metavar="SCENARIO", help="a scenario file (YAML)")] = None,
    over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE,VALUE…", help=f"what is swept, e.g. search.wanted=2,4,8; at most {MOST} values"
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="folder for the runs (default: runs/DATE-SCENARIO-sweep)")] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="change the scenario for all runs; repeatable"),
    ] = None,
    metrics: Annotated[
        list[str] | None, typer.Option("--metric", help="what is drawn (default: all the main ones); repeatable")
    ] = None,
    workers: Workers = None,
) -> None:
    """Run a scenario once for each of several values of one setting, and draw every rate against it.

    `testbed sweep scenarios/station-watchlist.yaml --over search.wanted=2,4,8,16 --out runs/sweep` makes the runs
    runs/sweep/search.wanted=2 and so on, then runs/sweep/index.html and sweep.csv. A list in brackets is one value.
    Started again with the same --out it goes on.
    """
    from reports.sweeps import known, write
    from testbed.runs.directory import RunDirectory

    if scenario is None:
        raise InputError("name a scenario (see `testbed scenarios`) and what to sweep: --over search.wanted=2,4,8")
    chosen = [known(name) for name in metrics or []]
    runs = planned(scenario, over or [], overrides or [])
    key = over[0].partition("=")[0].strip() if over else ""
    out = out or Path(f"{default_out(scenario)}-sweep")
    fresh = claimed(out, key, runs)
    try:
        with RunDirectory(out).alone():
            made = _made(out, key, runs, workers)
            page = write(out, key, [(each.value, each.loaded, run) for each, run in made], chosen)
    except InputError:
        if fresh and not any(any(out.glob(f"*/{part}")) for part in ("frames", "made-up")):
            shutil.rmtree(out, ignore_errors=True)  # nothing was replayed or filmed yet
        raise
    except KeyboardInterrupt:
        print("\ntestbed: stopped; finished parts are kept, continue with the same command and --out", file=sys.stderr)
        raise typer.Exit(130) from None
    typer.echo(f"sweep: {page}")


def planned(scenario: Path, over: list[str], overrides: list[str]) -> list[Planned]:
    """The runs of a sweep, in the order of their values. Raises InputError, with every mistake in every value."""
    if not os.path.lexists(scenario):
        from testbed.cli.listing import absent

        raise absent(scenario)
    if len(over) != 1:
        number = "several settings" if over else "nothing"
        raise InputError(f"--over: {number} to sweep; write it once, as KEY=VALUE,VALUE, e.g. search.wanted=2,4,8")
    key, _, text = (part.strip() for part in over[0].partition("="))
    values = [value.strip() for value in _COMMA.split(text)]
    if not key or not all(values):
        raise InputError(f"--over {over[0]}: lacks its key or a value; write KEY=VALUE,VALUE, e.g. search.wanted=2,4,8")
    if not 2 <= len(values) <= MOST:
        number = f"{len(values)} value{'s' * (len(values) != 1)}"
        raise InputError(
            f"--over {key}: has {number}; name 2 to {MOST}, with commas between (one: `testbed run --set`)"
        )
    loaded = _loaded(scenario, key, values, overrides)
    for one, other in combinations(values, 2):
        if one == other or loaded[one].resolved == loaded[other].resolved:
            raise InputError(f"--over {key}: {one} and {other} are the same value; name each once")
    runs = [Planned(re.sub(r"[^\w.=+-]+", "-", f"{key}={value}")[:100], value, loaded[value]) for value in values]
    for one, other in combinations(runs, 2):
        if one.name == other.name:
            raise InputError(f"--over {key}: {one.value} and {other.value} would both lie in the folder {one.name}")
    return runs


def _loaded(scenario: Path, key: str, values: list[str], overrides: list[str]) -> dict[str, Loaded]:
    """The scenario with each value. What is wrong with all of them alike is told once."""
    from testbed.scenario.loading import ScenarioError, load

    found: dict[str, Loaded] = {}
    told: dict[str, list[str]] = {}
    for value in values:
        mine = f"{key}={value}"
        try:
            found[value] = load(scenario, [*overrides, mine])
            feasible(found[value])
        except InputError as error:
            for problem in error.problems if isinstance(error, ScenarioError) else [str(error)]:
                told.setdefault(problem.removeprefix(f"--set {mine}: "), []).append(value)
    if told:
        every = sorted(values)
        raise ScenarioError(*(
            f"--over {key}{'' if sorted(whose) == every else '=' + ','.join(whose)}: {problem}"
            for problem, whose in told.items()
        ))  # fmt: skip
    return found


def claimed(out: Path, key: str, runs: list[Planned]) -> bool:
    """Write down what is swept in `out`; False where it stands there already. Raises InputError for anything else."""
    from testbed.runs.directory import RunDirectory

    mine = {"key": key, "runs": {each.name: each.loaded.resolved for each in runs}}
    record = out / RECORD
    if record.is_file():
        try:
            theirs: Any = json.loads(record.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{record}: cannot be read as JSON ({error}); name another folder with --out") from None
        if theirs != mine or list(theirs["runs"]) != list(mine["runs"]):
            raise InputError(
                f"{out}: holds a sweep of another scenario or other values; name another folder with --out"
            )
        return False
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise InputError(f"{out}: holds something else than a sweep; name a new or empty folder with --out")
    try:
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise InputError(f"{out}: cannot be made ({error.strerror}); name a folder you may write to") from None
    RunDirectory(out).write_bytes(RECORD, (json.dumps(mine, indent=2, ensure_ascii=False) + "\n").encode())
    return True


def _made(out: Path, key: str, runs: list[Planned], workers: int | None) -> list[tuple[Planned, RunDirectory]]:
    """All runs, finished. All are replayed before the first is matched: a value that cannot be is told early."""
    from testbed.runs.directory import MANIFEST, RunDirectory

    made: list[tuple[Planned, RunDirectory]] = []
    for stages in (STAGES[:1], STAGES):
        for nth, each in enumerate(runs):
            typer.echo(f"{each.name}: {'replay, ' if stages is not STAGES else ''}{nth + 1} of {len(runs)}")
            path = out / each.name
            run = RunDirectory.open(path) if (path / MANIFEST).exists() else new_run(path, each.loaded)
            if nth and key.partition(".")[0] in AFTER_REPLAY:
                _lend(RunDirectory(out / runs[0].name), run)
            try:
                run_stages(run, each.loaded, stages, workers, only_missing=True, quiet=stages is not STAGES)
            except InputError as error:
                raise InputError(f"{each.name}: {error}") from None
            if stages is STAGES:
                made.append((each, run))
    return made


def _lend(first: RunDirectory, run: RunDirectory) -> None:
    """Link what `first` has replayed, and nothing since, into a run that has nothing yet: nothing is left to replay.

    Files are only ever replaced whole, so neither run can change what the other reads.
    """
    from testbed.runs.directory import MANIFEST

    known, mine = first.manifest(), run.manifest()
    if mine.get("surveyed") or not first.done("replay") or known["stages"]["match"] != "stale":
        return
    for folder, _, names in os.walk(first.path):
        there = run.path / Path(folder).relative_to(first.path)
        there.mkdir(mode=0o700, exist_ok=True)
        for name in names:
            if name in (MANIFEST, ".lock") or (there / name).exists():
                continue
            try:
                (there / name).hardlink_to(Path(folder) / name)
            except OSError:  # a file system without links
                shutil.copy2(Path(folder) / name, there / name)
    lent = {name: value for name, value in known.items() if name not in mine}
    begins = f"{first.path}{os.sep}"
    lent["inputs"] = {
        str(run.path / path.removeprefix(begins)) if path.startswith(begins) else path: digest
        for path, digest in known["inputs"].items()
    }
    run.note(**lent, replayed_as=first.path.name)  # last: a run that says `surveyed` has all that was lent
