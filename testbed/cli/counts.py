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

STRETCH = 32_768
"""Templates in a stretch, unless --tiles says otherwise: a tile then takes about a second."""


@app.command()
def count(
    templates: Annotated[
        Path | None, typer.Argument(metavar="TEMPLATES.npy", help="a matrix, float32 or float16, one template a row")
    ] = None,
    people: Annotated[
        Path | None, typer.Option(help="CSV or Parquet, a row for each template: subject, and group columns")
    ] = None,
    group: Annotated[list[str] | None, typer.Option(help="a group column; repeatable")] = None,
    metric: Annotated[Literal["cosine", "euclidean"], typer.Option(help="how templates are compared")] = "cosine",
    threshold: Annotated[list[float] | None, typer.Option(help="a threshold in score units; repeatable")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for the counts")] = None,
    tiles: Annotated[
        int | None,
        typer.Option(min=1, max=1000, help=f"stretches the set is cut into (default: of {STRETCH:,})"),
    ] = None,
    cluster: Annotated[str | None, typer.Option(metavar="ADDRESS", help="a Dask scheduler, tls://HOST:PORT")] = None,
    resume: Annotated[Path | None, typer.Option(metavar="OUT", help="continue a count where it stopped")] = None,
) -> None:
    """Every pair of a set of templates, however large: false matches by pair of groups, in bounded memory.

    For templates that another system made. The matrix of scores is never held; what was counted is kept as it goes,
    so a count that was stopped goes on with --resume. Only counts are known of so many pairs, so the intervals are the
    assumption-free ones, as if each person had been compared once. Templates are compared as they are: for
    --metric euclidean they are not brought to one length first.
    """
    from testbed.cli.progress import bars
    from testbed.evidence.counted import write_rates
    from testbed.matching.templates import template_set
    from testbed.matching.tiles import Tiling
    from testbed.runs.directory import RunDirectory
    from testbed.runs.machine import hardware, versions

    if resume is not None and (templates or people or group or threshold or out or tiles):
        raise InputError("--resume: continues a count as it was begun; name nothing else but --cluster")
    begun = None if resume is not None else _named(templates, people, threshold, out)
    try:
        with bars() as progress, _executor(cluster) as (executor, workers):
            if begun is None:
                assert resume is not None, "a count is begun or continued"
                tiling = Tiling(RunDirectory.open(resume, counts=True))
            else:
                matrix, table, limits, folder = begun
                with nothing_left(folder):
                    progress("read", 0, 1)
                    found = template_set(matrix, table, group or [], metric)
                    progress("read", 1, 1)
                    about = {"versions": versions(), "hardware": hardware()}
                    stretches = tiles or -(-len(found) // STRETCH)
                    tiling = Tiling.create(folder, found, table, metric, limits, stretches, about)
            with tiling.run.alone():
                counts = tiling.count(executor, workers, progress, threads=1 if cluster else None)
                tiling.write(counts)
                write_rates(tiling, counts)
    except KeyboardInterrupt:
        path = resume or out
        there = path is not None and (path / "run.json").is_file()
        kept = f"; counted tiles are kept, continue with: testbed count --resume {path}" if there else ""
        print(f"\ntestbed: stopped{kept}", file=sys.stderr)
        raise typer.Exit(130) from None
    typer.echo(_listing(tiling.run.path))


def _named(
    templates: Path | None, people: Path | None, threshold: list[float] | None, out: Path | None
) -> tuple[Path, Path, list[float], Path]:
    """What a new count needs, all of it there. Raises InputError for what is not, before anything is read."""
    if templates is None or people is None or out is None or not threshold:
        given = {"TEMPLATES.npy": templates, "--people": people, "--threshold": threshold, "--out": out}
        missing = ", ".join(name for name, value in given.items() if not value)
        raise InputError(f"{missing}: not named; a count needs {', '.join(given)}, or --resume OUT to go on with one")
    for each in threshold:
        if not isfinite(each):
            raise InputError(f"--threshold {each:g}: must be a number, in the unit of the scores")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(
            f"{out}: is no empty folder; name a new one, or go on with a count: testbed count --resume {out}"
        )
    return templates, people, threshold, out


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
        heading = f"at {row['threshold']:.10g}"
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
