"""Stages run in order on a run directory, for the commands that start them."""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pipelines.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from testbed.runs.directory import RunDirectory
    from testbed.scenario.loading import Loaded


def default_out(scenario: Path) -> Path:
    """The folder of a run that nobody named."""
    from datetime import datetime

    return Path("runs") / f"{datetime.now():%Y-%m-%dT%H-%M-%S}-{scenario.stem}"


@contextmanager
def nothing_left(path: Path) -> Iterator[None]:
    """Where wrong input ends a new run, its folder goes, and so do the folders that were made for it."""
    fresh = not path.exists() or (path.is_dir() and not any(path.iterdir()))
    made = [folder for folder in path.parents if not folder.exists()]
    try:
        yield
    except InputError:
        if fresh:
            shutil.rmtree(path, ignore_errors=True)
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise


def feasible(loaded: Loaded) -> None:
    """Raise InputError, before any work, for made-up people who cannot be filmed or people too few to be searched."""
    from testbed.scenario.models import Stills, Video
    from testbed.scenario.searching import too_many
    from testbed.scenario.synthetic import Synthetic

    scenario, there = loaded.scenario, (0, 0)
    if isinstance(scenario.probes, Synthetic):
        from testbed.synthetic.production import checked

        there = (len(checked(scenario.probes, scenario.seed)[0]),) * 2
    elif isinstance(scenario.probes, Stills | Video) and scenario.search is not None:
        from testbed.sources.survey import sizes

        there = sizes(scenario)
    # Where nobody is there at all the run says what is wrong with the files.
    if scenario.search is not None and all(there) and (wrong := too_many(scenario.search, *there)):
        raise InputError(wrong)


def new_run(path: Path, loaded: Loaded) -> RunDirectory:
    """A run directory for a scenario, at its beginning."""
    from testbed.runs.directory import RunDirectory
    from testbed.runs.machine import hardware, versions

    return RunDirectory.create(
        path,
        {
            "scenario": loaded.resolved,
            "seed": loaded.scenario.seed,
            "versions": versions(),
            "hardware": hardware(),
        },
    )


def again(path: Path, stage: str, workers: int | None, **given: Path | None) -> None:
    """One stage of a run again. Raises InputError where `path` holds no run."""
    from testbed.runs.directory import RunDirectory
    from testbed.scenario.loading import reload

    directory = RunDirectory.open(path)
    run_stages(directory, reload(directory.manifest()["scenario"]), (stage,), workers, only_missing=False, given=given)


def run_stages(
    directory: RunDirectory,
    loaded: Loaded,
    stages: Sequence[str],
    workers: int | None,
    *,
    only_missing: bool,
    quiet: bool = False,
    given: Mapping[str, Path | None] | None = None,
) -> None:
    """Run stages in order. Once one has run, those after it must: their tables would be of another world.

    quiet: notes are left to a later call. given: what evaluate is handed beside the run's tables.
    """
    from testbed.cli.progress import bars

    todo = list(stages)
    if only_missing:
        while todo and directory.done(todo[0]):
            todo.pop(0)
    with directory.alone(), bars() as progress:
        if {"replay", "match"} & set(todo):
            from testbed.matching.stage import match as match_stage
            from testbed.replay.stage import replay as replay_stage
            from testbed.replay.workers import default_workers, pool

            workers = workers or default_workers()
            directory.note(workers=workers)
            with pool(workers) as executor:
                if "replay" in todo:
                    replay_stage(directory, loaded, executor, workers, progress)
                if "match" in todo:
                    match_stage(directory, loaded, executor, progress)
        if "evaluate" in todo:
            from testbed.evidence.stage import evaluate as evaluate_stage

            evaluate_stage(directory, loaded, progress, **(given or {}))
        if "report" in todo:
            from reports.stage import report as report_stage

            report_stage(directory, loaded, progress)
    if quiet:
        return
    manifest = directory.manifest()
    for notice in [*manifest.get("notices", []), *manifest.get("match_notices", [])]:
        typer.echo(f"note: {notice}")
    if stages[-1] == "report":
        typer.echo(f"report: {directory.path / 'report' / 'index.html'}")
    else:
        typer.echo(f"{stages[-1]}: done in {directory.path}")
