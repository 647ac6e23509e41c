"""The command that counts every pair of a set of templates."""

from __future__ import annotations

import sys
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pipelines.errors import InputError
from testbed.cli.app import app
from testbed.cli.stages import nothing_left

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.matching.tiles import Tiling

STRETCH = 32_768
"""Templates in a stretch, unless --tiles says otherwise: a tile then takes about a second."""


@app.command()
def count(
    templates: Annotated[
        Path | None, typer.Argument(metavar="TEMPLATES.npy", help="a matrix, float32, one template a row")
    ] = None,
    people: Annotated[
        Path | None, typer.Option(help="CSV or Parquet, a row for each template: subject, and group columns")
    ] = None,
    group: Annotated[list[str] | None, typer.Option(help="a group column; repeatable")] = None,
    metric: Annotated[Literal["cosine", "euclidean"], typer.Option(help="how templates are compared")] = "cosine",
    threshold: Annotated[list[float] | None, typer.Option(help="a threshold in score units; repeatable")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for the counts")] = None,
    tiles: Annotated[
        int | None, typer.Option(min=1, help=f"stretches the set is cut into (default: {STRETCH:,} templates each)")
    ] = None,
    cluster: Annotated[str | None, typer.Option(metavar="ADDRESS", help="a Dask scheduler, tls://HOST:PORT")] = None,
    resume: Annotated[Path | None, typer.Option(metavar="OUT", help="continue a count where it stopped")] = None,
) -> None:
    """Every pair of a set of templates, however large: false matches by pair of groups, in bounded memory.

    For templates that another system made. The matrix of scores is never held; what was counted is kept as it goes,
    so a count that was stopped goes on with --resume. Only counts are known of so many pairs, so the intervals are the
    assumption-free ones, as if each person had been compared once.
    """
    from testbed.cli.progress import bars
    from testbed.matching.templates import template_set
    from testbed.matching.tiles import Tiling
    from testbed.runs.directory import RunDirectory
    from testbed.runs.machine import hardware, versions

    if resume is not None:
        if templates or people or group or threshold or out or tiles:
            raise InputError("--resume: continues a count as it was begun; name nothing else but --cluster")
        _counted(Tiling(RunDirectory.open(resume, counts=True)), cluster)
        typer.echo(_listing(resume))
        return
    if templates is None or people is None or out is None or not threshold:
        raise InputError(
            "name TEMPLATES.npy, --people, --threshold and --out, or a count to continue with --resume OUT"
        )
    for each in threshold:
        if not isfinite(each):
            raise InputError(f"--threshold {each:g}: must be a number, in the unit of the scores")
    with nothing_left(out):
        with bars() as progress:
            progress("read", 0, 1)
            found = template_set(templates, people, group or [], metric)
            progress("read", 1, 1)
        stretches = tiles or -(-len(found) // STRETCH)
        about = {"versions": versions(), "hardware": hardware()}
        tiling = Tiling.create(out, found, people, metric, threshold, stretches, about)
    _counted(tiling, cluster)
    typer.echo(_listing(out))


def _counted(tiling: Tiling, cluster: str | None) -> None:
    """Count what is not counted yet, and write the tables."""
    from testbed.cli.progress import bars
    from testbed.evidence.counted import write_rates

    path = tiling.run.path
    try:
        with tiling.run.alone(), bars() as progress, _executor(cluster) as (executor, workers):
            counts = tiling.count(executor, workers, progress, threads=1 if cluster else None)
            tiling.write(counts)
            write_rates(tiling, counts)
    except KeyboardInterrupt:
        print(
            f"\ntestbed: stopped; counted tiles are kept, continue with: testbed count --resume {path}", file=sys.stderr
        )
        raise typer.Exit(130) from None


@contextmanager
def _executor(address: str | None) -> Iterator[tuple[Executor, int]]:
    """The cluster, or this process: one tile at a time, whose threads use all cores."""
    if address is None:
        with ThreadPoolExecutor(1) as executor:
            try:
                yield executor, 1
            finally:
                executor.shutdown(wait=False, cancel_futures=True)
        return
    from testbed.replay.workers import cluster

    with cluster(address) as (executor, workers):
        yield executor, workers


def _listing(path: Path) -> str:
    """The rates of a finished count, as text."""
    import polars as pl

    from reports.wording import interval, percent
    from testbed.evidence.counted import RATES

    lines: list[str] = []
    for row in pl.read_csv(path / RATES).iter_rows(named=True):
        heading = f"at {row['threshold']:g}"
        lines += [] if lines and heading in lines else ["", heading]
        who = row["first"] if row["second"] in (None, row["first"]) else f"{row['first']} with {row['second']}"
        rate = f"{percent(row['value'])} {interval(row)}" if row["comparisons"] else "nothing compared"
        few = "" if row["enough"] else "  too few people to say"
        lines.append(f"  {row['metric']:<5} {who:<32} {rate:<30} {row['errors']:,} of {row['comparisons']:,}, "
                     f"{row['people']:,} people{few}")  # fmt: skip
    return "\n".join([
        *lines[1:], "", "Intervals: 95 %, assumption-free (as if each person had been compared once).",
        f"counts: {path / 'counts.parquet'}, {path / RATES}",
    ])  # fmt: skip
