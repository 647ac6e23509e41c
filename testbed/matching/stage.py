"""The match stage: enrolment, attempts, then the two passes over all comparisons of every cell."""

from __future__ import annotations

from concurrent.futures import Executor

import polars as pl

from pipelines.errors import InputError
from testbed.matching.attempts import ELSEWHERE, SHOWN, attempts_of, without_cancelled
from testbed.matching.black_box import compare_passers_by_scores, compare_scores, scores_of, search_black_box
from testbed.matching.comparisons import Matcher, Tables, compare, compare_passers_by
from testbed.matching.enrolment import enrol
from testbed.matching.linking import link_cell
from testbed.matching.people import People, people_of, with_passers_by
from testbed.matching.searching import probes_of, search_cell
from testbed.matching.tracks import watch_cell
from testbed.matching.units import captures_as_probes, captures_of, references_of
from testbed.runs.directory import RunDirectory
from testbed.runs.progress import Progress, silent
from testbed.runs.tables import (
    ALERTS,
    ATTEMPTS,
    CANDIDATES,
    COUNTS,
    EDGES,
    FRAMES,
    LINKS,
    MOMENTS,
    PAIRS,
    RECORDS,
    SEARCHES,
    SUBJECTS,
    TALLIES,
    THRESHOLDS,
    TRACKS,
    TRANSITS,
)
from testbed.scenario.cells import Cell
from testbed.scenario.loading import Loaded
from testbed.scenario.models import Log, NobodyEnrolled, Video
from testbed.scenario.searching import Lookup, Search
from testbed.scenario.synthetic import Synthetic, days_of


def match(run: RunDirectory, loaded: Loaded, executor: Executor, progress: Progress = silent) -> None:
    """Run the stage: reads captures and reference photographs, writes tables REFERENCES to PAIRS."""
    if isinstance(loaded.scenario.probes, Log):
        raise InputError(f"{run.path}: comes from a score log, which is not matched again; run `testbed audit` anew")
    run.require("replay", "match")
    run.begin("match")
    if run.parts(CANDIDATES):
        run.clear(CANDIDATES)
    notices = enrol(run, loaded, executor, progress)
    people = people_of(run.read(SUBJECTS), loaded.scenario.groups, loaded.scenario.seed)
    written: Tables = []
    tiers: dict[str, str] = {}
    for done, cell in enumerate(loaded.cells):
        progress("compare", done, len(loaded.cells), cell.id)
        tables, tiers[cell.id] = _match_cell(run, loaded, cell, people, executor)
        written.extend(tables)
    progress("compare", len(loaded.cells), len(loaded.cells))
    besides = (SEARCHES, TRACKS, ALERTS, RECORDS, LINKS)
    searching = [table for table in besides if any(each is table for each, _ in written)]
    for table in (ATTEMPTS, COUNTS, EDGES, THRESHOLDS, TALLIES, MOMENTS, PAIRS, *searching):
        frames = [frame for each, frame in written if each is table]
        run.write(table, pl.concat(frames) if frames else pl.DataFrame(schema=table.columns))
    short = _short(run, loaded.scenario.search) if loaded.scenario.search else []
    run.note(
        kernel_tiers=tiers, match_notices=[*notices, *_misplaced(run.read(ATTEMPTS)), *short, *_unlinked(run, loaded)]
    )
    run.finish("match")


def _misplaced(attempts: pl.DataFrame) -> list[str]:
    """Truth that points beside the faces: told, as it looks like a failure of the system and is none."""
    table = attempts.group_by("cell").agg(n=pl.len(), beside=(pl.col("reason") == ELSEWHERE).sum()).sort("cell")
    return [
        f"{cell}: in {beside} of {n} transits {ELSEWHERE}; check the truth boxes (x, y is the upper left corner, "
        "in pixels of the picture as recorded) and those of the system (x1, y1, x2, y2 of the face), or lower `iou`"
        for cell, n, beside in table.rows()
        if beside
    ]


def _short(run: RunDirectory, search: Search) -> list[str]:
    """Lists that are shorter than was asked for, since the gallery holds no more."""
    held = run.manifest()["lists_could_hold"]
    short = [most for most in held.values() if most < search.length]
    what = "passes in which a face was found" if isinstance(search, Lookup) else "enrolled photographs"
    return [
        f"search.length is {search.length}; in {len(short)} of {len(held)} cells the gallery holds {max(short)} {what} "
        "at most, so lists are shorter there and hold them all"
    ] if short else []  # fmt: skip


def _unlinked(run: RunDirectory, loaded: Loaded) -> list[str]:
    """Systems of whose templates nothing can be said over days."""
    if not isinstance(loaded.scenario.probes, Synthetic) or loaded.scenario.probes.days == 1:
        return []
    systems = run.manifest()["systems"].items()
    alone = [name for name, info in systems if info.get("answers", "templates") != "templates"]
    return [
        f"{name}: keeps its templates to itself, so nothing is said of records and links over days" for name in alone
    ]


def _match_cell(
    run: RunDirectory, loaded: Loaded, cell: Cell, people: People, executor: Executor
) -> tuple[Tables, str]:  # fmt: skip
    scenario, info = loaded.scenario, run.manifest()["systems"][cell.system.label]
    captures, templates = captures_of(run, cell.id, info["dimensions"])
    frames = [run.read(FRAMES, part).select(*SHOWN) for part in run.parts(FRAMES, cell.id)]
    shown = pl.concat(frames) if frames else pl.DataFrame(schema=SHOWN)
    transits = run.read(TRANSITS)
    if cell.arm:
        transits = transits.filter(pl.col("camera") == cell.arm)
    attempts = attempts_of(cell.id, transits, shown, captures)
    matcher, kind = Matcher.of(info, scenario.operating_points), info.get("answers", "templates")
    if kind == "searches":
        return search_black_box(run, loaded, cell, people, attempts, matcher, executor), "the system itself"
    references = references_of(run, cell.system.label, people, cell.enrolled)
    # Fused where a watch-list is: thresholds are found on the scores that are held to them.
    probes, kept = probes_of(scenario.search, captures, templates, people, info["metric"])
    attempts = without_cancelled(attempts, people, kept)
    tables: Tables = [(ATTEMPTS, attempts)]
    scores = None
    if kind == "comparisons":
        scores, tier = scores_of(cell.system, probes, references, info["direction"]), "the system itself"
        compared = compare_scores(cell.id, matcher, scores, probes, references, people, scenario.operating_points)
    else:
        compared, tier = compare(cell.id, matcher, probes, references, people, scenario.operating_points)
    tables += compared
    if scenario.search is not None:
        made = search_cell(run, scenario, cell, people, attempts, probes, references, scores)
        tables.append((SEARCHES, made))
    if scenario.search is not None and scores is None:
        found = next(frame for table, frame in compared if table is THRESHOLDS)
        tables += watch_cell(run, scenario, cell, people, captures, templates, references, found)
    if isinstance(scenario.probes, Synthetic) and scenario.probes.days > 1 and scores is None:
        found = next(frame for table, frame in compared if table is THRESHOLDS)
        came = attempts.filter(pl.col("state") != "undelivered")
        tables += link_cell(
            cell.id, captures, templates, days_of(scenario.probes), people, found, came, info["metric"],
            info["direction"],
        )  # fmt: skip
    cameras = scenario.probes.cameras if isinstance(scenario.probes, Video) else []
    empty = [camera.name for camera in cameras if isinstance(camera.truth, NobodyEnrolled)]
    if empty:
        crowd = with_passers_by(people, empty)
        strangers = captures_as_probes(captures, templates, crowd, empty)
        if kind == "comparisons":
            tables += compare_passers_by_scores(cell, matcher, strangers, references, crowd)
        else:
            tables += compare_passers_by(cell.id, matcher, strangers, references, crowd)
    return tables, tier
