"""A score log becomes a run whose replay and match are done: `testbed evaluate` and `report` read it like any other."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.errors import InputError
from pipelines.model_file import digest
from testbed.matching.comparisons import recorded
from testbed.matching.people import People, people_of
from testbed.matching.tallying import Comparisons, count_logged, tally_logged
from testbed.matching.thresholds import Point, points_in_use
from testbed.replay.stage import cells_table
from testbed.runs.directory import RunDirectory
from testbed.runs.machine import hardware, versions
from testbed.runs.progress import Progress, silent
from testbed.runs.tables import ATTEMPTS, CANDIDATES, CELLS, REFERENCES, SEARCHES, SUBJECTS, TRANSITS, conform
from testbed.scenario.loading import Loaded, reload
from testbed.scenario.models import RESERVED_GROUPS, Subjects
from testbed.scorelogs.lists import Lists, enter
from testbed.scorelogs.notices import alike, notices_of, outside, unseen
from testbed.scorelogs.options import Form, LogOptions
from testbed.scorelogs.reading import CHUNK, Log, open_log
from testbed.scorelogs.register import Register
from testbed.scorelogs.spill import LISTED, PARTITIONS, Spill, distinct
from testbed.scorelogs.survey import Survey
from testbed.sources.subjects import group_labels, header_of, read_table

Array = npt.NDArray[Any]
CAMERA = "log"
UNSCORED = "no score in the log (NaN, empty, or the value that stands for none)"
NOT_RETURNED = "nobody was returned: no template, as the log does not say otherwise"

MOST_TALLIES = 8_000_000
"""People × groups × thresholds that are tallied: what memory grows with."""

MOST_GUESSED_GROUPS = 2
"""A subjects table with more columns than this beside the ids must be told which of them are groups."""


def import_log(options: LogOptions, out: Path, progress: Progress = silent) -> RunDirectory:
    """Make the run `out` from a score log. Raises InputError, and leaves nothing behind, where it cannot be read.

    Comparisons lie on disk while they are counted; memory grows with people and pictures alone.
    """
    subjects, table, options, guessed = _subjects_table(options)
    log = open_log(options)
    log = replace(log, notices=(*log.notices, *guessed))
    loaded = _scenario(options, log.form, subjects)
    run = RunDirectory.create(out, {
        "scenario": loaded.resolved, "seed": options.seed, "versions": versions(), "hardware": hardware(),
    })  # fmt: skip
    try:
        run.begin("replay")
        with tempfile.TemporaryDirectory(prefix=".spill-", dir=run.path) as folder:
            fill = _fill_searches if log.form == "candidates" else _fill
            fill(run, options, loaded, log, table, Path(folder), progress)
    except BaseException:
        shutil.rmtree(out)
        raise
    return run


def _fill(
    run: RunDirectory, options: LogOptions, loaded: Loaded, log: Log, table: pl.DataFrame | None, folder: Path,
    progress: Progress,
) -> None:  # fmt: skip
    groups = loaded.scenario.groups
    register = _register(options, log, groups, table)
    with Spill(folder) as spill:
        for chunk in _read(log, progress):
            spill.add(*register.enter(chunk))
    subjects = _subjects(options, register, groups, table)
    people = people_of(subjects, groups, loaded.scenario.seed)
    owner_of = people.index(pl.Series(list(register.subjects), dtype=pl.String))
    owners = [owner_of[np.array(register.owners[side], np.int64)] for side in ("probe", "reference")]

    def partitions(what: str) -> Iterator[Array]:
        for i, rows in enumerate(spill.read()):
            progress(what, i, PARTITIONS)
            yield distinct(rows, str(options.files[0]))
        progress(what, PARTITIONS, PARTITIONS)

    survey = Survey(options, people, owners)
    for rows in partitions("survey"):
        survey.add(rows)
    survey.check()
    edges, fixed = survey.edges(), {} if options.threshold is None else {"own": options.threshold}
    counts = np.zeros((len(people.labels), len(people.labels), 2, 3, len(edges) + 1), np.int64)
    for rows in partitions("count"):
        counts += count_logged(survey.comparisons(rows), people, edges, options.direction)
    points = points_in_use(counts, edges, fixed, loaded.scenario.operating_points, options.direction, people)
    points = _affordable(options, points, people, int(counts.sum()))

    def compared() -> Iterator[Comparisons]:
        for rows in partitions("tally"):
            survey.add_tried(rows)
            yield survey.comparisons(rows)

    tally = tally_logged(compared(), people, points, options.direction)
    cell = loaded.cells[0]
    transits, attempts, references = _units(cell.id, cell.system.label, people, owners, register, survey)
    for each, frame in (
        (CELLS, cells_table(loaded)), (SUBJECTS, subjects), (TRANSITS, transits), (ATTEMPTS, attempts),
        (REFERENCES, references), *recorded(cell.id, people, edges, counts, points, tally),
    ):  # fmt: skip
        run.write(each, frame)
    crossed = [np.bincount(owner, minlength=len(people.subjects)) for owner in owners]
    possible = int((crossed[0] * crossed[1]).sum())
    run.note(
        systems={cell.system.label: _information(options, survey.low, survey.high)},
        notices=[
            *notices_of(log, survey, log.rows, points, tally, attempts, references, possible, table),
            *alike(subjects, groups),
        ],
        subjects_known=log.known,
        failures_known=survey.failures_known,
        mated_complete=bool(log.known and survey.rows[1] == possible),
    )
    _finish(run, options, log)


def _fill_searches(
    run: RunDirectory, options: LogOptions, loaded: Loaded, log: Log, table: pl.DataFrame | None, folder: Path,
    progress: Progress,
) -> None:  # fmt: skip
    """Candidate lists: tables SEARCHES and CANDIDATES. Those of comparisons are there and empty."""
    groups = loaded.scenario.groups
    register = _register(options, log, groups, table)
    with Spill(folder, LISTED) as spill:
        for chunk in _read(log, progress):
            spill.add(*enter(register, chunk))
    subjects = _subjects(options, register, groups, table)
    people, cell = people_of(subjects, groups, loaded.scenario.seed), loaded.cells[0]
    lists = Lists(options, register)
    gallery = lists.gallery()
    rows: list[pl.DataFrame] = []
    for i, records in enumerate(spill.read()):
        progress("lists", i, PARTITIONS)
        rows.append(lists.add(records).with_columns(cell=pl.lit(cell.id), gallery=pl.lit(gallery.size)))
        if i == PARTITIONS - 1 or sum(map(len, rows)) >= CHUNK:
            run.write(CANDIDATES, pl.concat(rows), f"{cell.id}/{CAMERA}/{i:02}")
            rows = []
    progress("lists", PARTITIONS, PARTITIONS)
    lists.check()
    searches = lists.searches(gallery)
    found = (searches["state"] == "searched").to_numpy()
    failed = bool((searches["state"] == "failed").any())
    edges, threshold = np.array([lists.low, lists.high]), options.threshold
    points: list[Point] = [] if threshold is None else [("own", False, threshold, threshold)]
    counts = np.zeros((len(people.labels), len(people.labels), 2, 3, len(edges) + 1), np.int64)
    probes = searches.select(transit="search", subject="subject")
    references = pl.DataFrame({"reference": list(register.units["reference"]), "subject": lists.owners("reference")})
    transits, attempts, enrolments = _recorded_units(
        cell.id, cell.system.label, probes, references, found, np.ones(len(references), bool), NOT_RETURNED
    )
    for each, frame in (
        (CELLS, cells_table(loaded)), (SUBJECTS, subjects), (TRANSITS, transits), (ATTEMPTS, attempts),
        (REFERENCES, enrolments), (SEARCHES, searches.with_columns(cell=pl.lit(cell.id))),
        *recorded(cell.id, people, edges, counts, points, tally_logged((), people, points, options.direction)),
    ):  # fmt: skip
        run.write(each, frame)
    run.note(
        systems={cell.system.label: _information(options, lists.low, lists.high)},
        notices=[
            *log.notices,
            *unseen(table, people.subjects),
            *lists.notices(gallery),
            *outside(options, lists.low, lists.high),
            *alike(subjects, groups),
        ],
        subjects_known=True,
        enrolled_known=gallery.known,
        failures_known=options.complete or failed,
        mated_complete=False,
    )
    _finish(run, options, log)


def _register(options: LogOptions, log: Log, groups: list[str], table: pl.DataFrame | None) -> Register:
    known = None if table is None else {row[0]: row[1:] for row in table.select("subject", *groups).iter_rows()}
    return Register(options.files[0], tuple(groups), log.known, known)


def _read(log: Log, progress: Progress) -> Iterator[pl.DataFrame]:
    done = 0
    for chunk in log.chunks:
        progress("read", done, log.rows)
        yield chunk
        done += chunk.height
    progress("read", done, log.rows)


def _finish(run: RunDirectory, options: LogOptions, log: Log) -> None:
    """Say in run.json what was read, and that there is nothing left to replay or match."""
    paths = [path for path in (*options.files, *options.tables) if path is not None]
    run.note(
        inputs={str(path): digest(path) for path in paths},
        log={**json.loads(json.dumps(asdict(options), default=str)), "form": log.form},
    )
    run.finish("replay")
    run.begin("match")
    run.finish("match")


def _affordable(options: LogOptions, points: list[Point], people: People, comparisons: int) -> list[Point]:
    """The points to tally. Where no two comparisons share a person there is no design effect to borrow."""
    if len(people.subjects) == 2 * comparisons:
        points = [point for point in points if not point[0].startswith(("looser:", "stricter:"))]
    if len(people.subjects) * len(people.labels) * len(points) > MOST_TALLIES:
        raise InputError(
            f"{options.files[0]}: has {len(people.subjects):,} people in {len(people.labels)} groups, of whom "
            f"{MOST_TALLIES // len(people.labels) // len(points):,} can be tallied; name who is who (without ids "
            "every picture is a person of its own), or give a part of the log"
        )
    return points


def _subjects_table(
    options: LogOptions,
) -> tuple[dict[str, Any] | None, pl.DataFrame | None, LogOptions, list[str]]:
    """The scenario's `subjects` and the table, None without one; options with the groups meant; what was guessed."""
    path = options.subjects
    if path is None:
        return None, None, options, []
    header = header_of(path)
    subject = options.subject_id or header[0]
    others = [name for name in header if name != subject and not name.endswith(":provenance")]
    if not options.groups and len(others) > MOST_GUESSED_GROUPS:
        raise InputError(f"{path}: has the columns {', '.join(others)}; say which are groups with --group")
    guesses = (
        [] if options.subject_id else [f"{path.name}: its first column, {subject!r}, is read as the ids of people"]
    )
    if not options.groups:
        named = f"{' and '.join(map(repr, others))} read as groups (else say --group)"
        guesses.append(
            f"{path.name}: {named if others else 'has no other column than the ids, so no groups are known'}"
        )
    options = replace(options, groups=options.groups or tuple(others))
    errors = options.label_errors.absolute() if options.allow_inferred and options.label_errors else None
    entry = Subjects(table=path, id=subject, allow_inferred=options.allow_inferred, label_errors=errors)
    flags = {"--allow-inferred": options.allow_inferred, "--label-errors FILE": options.label_errors}
    table = read_table(entry, options.groups, [flag for flag, given in flags.items() if not given])
    return entry.model_dump(mode="json"), table, options, guesses


def _scenario(options: LogOptions, form: Form, subjects: dict[str, Any] | None) -> Loaded:
    points = [] if options.threshold is None else ["own"]
    if form != "candidates" or not points:  # no threshold can be found at an FMR that candidates do not show
        points.append("fmr=1e-2")
    label = options.system or re.sub(r"[^A-Za-z0-9._-]+", "-", options.files[0].stem).lstrip("._-") or "log"
    return reload({
        "source": str(options.files[0]), "title": f"Audit of {label}", "seed": options.seed,
        "groups": list(options.groups), "subjects": subjects,
        "probes": {"kind": "log", "files": [str(path) for path in options.files]},
        "systems": [{"pipeline": "score log", "name": label}],
        "operating_points": points,
    })  # fmt: skip


def _subjects(options: LogOptions, register: Register, groups: list[str], table: pl.DataFrame | None) -> pl.DataFrame:
    """Table SUBJECTS: the people that the log has."""
    if table is not None:
        return conform(SUBJECTS, table.filter(pl.col("subject").is_in(list(register.subjects))))
    columns = zip(*register.labels.values(), strict=True) if groups else ()
    frame = pl.DataFrame({"subject": list(register.labels)}).with_columns(
        column
        for group, labels in zip(groups, columns, strict=True)
        for column in (pl.Series(group, labels, pl.String), pl.lit("not stated").alias(f"{group}:provenance"))
    )
    for group in groups:
        if taken := set(frame[group].str.to_lowercase()) & set(RESERVED_GROUPS):
            raise InputError(f"{options.files[0]}: the label {min(taken)!r} of {group} is reserved; use another word")
    if groups and group_labels(frame, groups).n_unique() < frame.select(groups).n_unique():
        raise InputError(f"{options.files[0]}: two groups would be called alike; use labels without spaces")
    return conform(SUBJECTS, frame)


def _units(
    cell: str, system: str, people: People, owners: list[Array], register: Register, survey: Survey
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Tables TRANSITS, ATTEMPTS and REFERENCES."""
    subjects = pl.Series(people.subjects, dtype=pl.String)
    probes = pl.DataFrame({"transit": list(register.units["probe"]), "subject": subjects.gather(owners[0])})
    references = pl.DataFrame({"reference": list(register.units["reference"]), "subject": subjects.gather(owners[1])})
    return _recorded_units(cell, system, probes, references, survey.acquired, ~survey.unenrolled, UNSCORED)


def _recorded_units(
    cell: str, system: str, probes: pl.DataFrame, references: pl.DataFrame, acquired: Array, enrolled: Array, why: str
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The same of probes (transit, subject) and references (reference, subject); why: those that failed did."""
    reason = pl.when(pl.col("state") == "failed").then(pl.lit(why)).otherwise(pl.lit("")).alias("reason")
    transits = probes.with_columns(camera=pl.lit(CAMERA), first=pl.lit(0.0), last=pl.lit(0.0))
    attempts = probes.with_columns(
        _stated(acquired, "acquired"), cell=pl.lit(cell), camera=pl.lit(CAMERA), captures=pl.lit(1)
    ).with_columns(reason)
    enrolments = references.with_columns(
        _stated(enrolled, "enrolled"), system=pl.lit(system), file=pl.lit(""), digest=pl.lit(""),
        row=pl.lit(None, pl.Int64),
    ).with_columns(reason)  # fmt: skip
    return transits, attempts, enrolments


def _stated(well: Array, state: str) -> pl.Series:
    return pl.Series("state", np.where(well, state, "failed").tolist(), dtype=pl.String)


def _information(options: LogOptions, low: float, high: float) -> dict[str, Any]:
    """What the report says of the system, in PipelineInfo's fields; low, high: the range of scores."""
    return {
        "name": "score log", "versions": {}, "models": {}, "training_data": "not stated", "metric": "as logged",
        "direction": options.direction, "score_range": [float(low), float(high)],
        "threshold": options.threshold,
        "threshold_source": "none was given" if options.threshold is None else "given with the log",
        "percent_rule": options.percent_rule, "licence": "not stated", "options": {},
    }  # fmt: skip
