"""`testbed check`: the sheet of a run, for a person to fill in."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.errors import InputError
from testbed.evidence.identity_check import Trials, sheet
from testbed.matching.comparisons import in_use
from testbed.matching.people import People, people_of
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import (
    ATTEMPTS,
    CANDIDATES,
    CELLS,
    PAIRS,
    PHOTOGRAPHS,
    REFERENCES,
    SEARCHES,
    SUBJECTS,
    THRESHOLDS,
    TRANSITS,
)
from testbed.scenario.loading import Loaded
from testbed.scenario.problems import suggestion


@dataclass(frozen=True)
class Asked:
    """A sheet, and what it asks of: a point, and a cell (None: all)."""

    sheet: pl.DataFrame
    point: str
    cell: str | None


def check_run(run: RunDirectory, loaded: Loaded, point: str | None, cell: str | None) -> Asked:
    """Every pair of people with a false match at `point`, in any cell or in `cell`, and as many random others.

    point: default `own`, or the first where there is none. Columns and order: `identity_check.sheet`; without rows
    where there was no false match. Raises InputError for a point or cell that the run does not have, and where it is
    not known who is who.
    """
    run.require("match", "check")
    if not run.manifest().get("subjects_known", True):
        raise InputError(f"{run.path}: its log does not say who is who, so there are no two people to look at; "
                         "audit it again with the ids of the people")  # fmt: skip
    thresholds, cells = run.read(THRESHOLDS), run.read(CELLS)
    points = list(dict.fromkeys(filter(in_use, thresholds["point"])))
    if not points:
        raise InputError(f"{run.path}: was evaluated at no operating point, so nothing was called a match")
    point = point or ("own" if "own" in points else points[0])
    for wanted, known, what in ((point, points, "point"), (cell, list(cells["cell"]), "cell")):
        if wanted is not None and wanted not in known:
            raise InputError(f"--{what} {wanted}: the run has no such {what}; {suggestion(wanted, known)}")
    chosen = cells.filter(pl.col("cell") == cell) if cell else cells
    mine = pl.col("cell").is_in(chosen["cell"].to_list()) & (pl.col("point") == point)
    people = people_of(run.read(SUBJECTS), loaded.scenario.groups, loaded.scenario.seed)
    attempts, references = run.read(ATTEMPTS), run.read(REFERENCES)
    trials = [
        Trials.of(people, attempts.filter(pl.col("cell") == row["cell"]),
                  references.filter(pl.col("system") == row["system"]))
        for row in chosen.iter_rows(named=True)
    ]  # fmt: skip
    crossfit = bool(thresholds.filter(mine)["crossfit"].any())
    pairs = false_matches(run, people).filter(mine)
    rows = sheet(people, trials, pairs, _images(run, references), loaded.scenario.seed, crossfit=crossfit)
    return Asked(rows, point, cell)


def false_matches(run: RunDirectory, people: People) -> pl.DataFrame:
    """Every pair of different people with a false match: the rows of PAIRS per transit, at the points in use.

    Of candidate lists: person searched for and wrong person returned at the threshold, `errors` and `comparisons` null.
    What was found in clips of which nobody knows who passes has no second person to ask about.
    """
    pairs = run.read(PAIRS).filter(pl.col("unit") == "transit")
    if pairs.height or not run.has(SEARCHES):
        return pairs
    halves = pl.DataFrame({"owner": people.subjects, "fold": people.folds}, schema_overrides={"owner": pl.String})
    made = run.read(SEARCHES).rename({"subject": "owner"}).drop("state").join(halves, "owner")
    limits = run.read(THRESHOLDS)
    limits = limits.filter(pl.col("point").is_in([*filter(in_use, limits["point"])]))
    limit = pl.when(pl.col("fold") == 0).then("threshold_0").otherwise("threshold_1")
    systems, returned = run.manifest()["systems"], [pairs]
    for cell, system in run.read(CELLS).select("cell", "system").iter_rows():
        alike = pl.col("score") <= limit if systems[system]["direction"] == "distance" else pl.col("score") >= limit
        for part in run.parts(CANDIDATES, cell):
            listed = run.read(CANDIDATES, part).join(made, ["cell", "gallery", "search"]).join(limits, "cell")
            wrong = listed.filter(alike & (pl.col("subject") != pl.col("owner"))).select(
                "cell", "point", unit=pl.lit("transit"), probe_subject="owner", reference_subject="subject"
            )
            returned.append(wrong)
    return pl.concat(returned, how="diagonal").unique(maintain_order=True)


def write_sheet(run: RunDirectory, asked: Asked, path: Path) -> None:
    """The sheet as CSV at `path`, for its owner alone: it holds ids of people. Raises InputError where it is taken.

    What it asks of stays with the run (`sheet` in run.json), so that a half-filled one can be told from a whole one.

    An id that a spreadsheet would run as a formula is kept text by a leading apostrophe, which `answered` ignores.
    """
    guarded = asked.sheet.with_columns(pl.col(pl.String).str.replace(r"^([=+\-@\t\r])", "'$1")).write_csv()
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            stream.write(guarded)
    except FileExistsError:
        raise InputError(f"{path}: is there already, perhaps half filled in; name another file with --out") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); name another file with --out") from None
    run.note(sheet={"point": asked.point, "cell": asked.cell, "rows": asked.sheet.height})


def _images(run: RunDirectory, references: pl.DataFrame) -> dict[str, str]:
    """Subject → what to look at: file names where pictures were files, else the names the log or the clips give."""
    named = pl.when(pl.col("file") == "").then("reference").otherwise("file")
    enrolled = references.select("subject", name=named, side=pl.lit("reference"))
    if run.has(PHOTOGRAPHS):
        name = pl.col("file").str.split("/").list.last()
        probes = run.read(PHOTOGRAPHS).select("subject", name=name, side=pl.lit("probe"))
    else:
        probes = run.read(TRANSITS).select("subject", name="transit", side=pl.lit("probe"))
    grouped = (
        pl.concat([enrolled, probes])
        .group_by("subject", "side")
        .agg(pl.col("name").unique().sort().str.join(", "))
        .sort("subject", pl.col("side") == "probe")
    )
    return dict(grouped.group_by("subject").agg(pl.format("{}: {}", "side", "name").str.join("; ")).iter_rows())
