"""Systems that compare their own templates (Comparer), and systems that only answer searches (Searcher)."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any, cast

import numpy as np
import polars as pl

from kernels.crosscount import Faces
from kernels.scores import Floats, fuse
from pipelines.black_box import asked, incomparable
from pipelines.errors import InputError
from pipelines.interface import Comparer
from pipelines.model_file import digest
from testbed.matching.comparisons import Matcher, Tables, recorded, recorded_passers_by
from testbed.matching.people import People, people_of
from testbed.matching.searching import order_of
from testbed.matching.tallying import Comparisons, count_logged, tally_logged
from testbed.matching.thresholds import points_in_use
from testbed.replay.segment import register, search_segment
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import ATTEMPTS, CANDIDATES, REFERENCES, SEARCHES, SUBJECTS
from testbed.scenario.cells import Cell
from testbed.scenario.loading import Loaded
from testbed.scenario.models import Scenario, System
from testbed.scenario.searching import Identification, too_many
from testbed.scenario.systems import build
from testbed.sources.photographs import Photograph
from testbed.sources.survey import open_source, references

MOST = 20_000_000
"""Comparisons of templates that are held at once, so that a Comparer's own code is asked once."""

NOT_ALONE = "in no picture of it that was delivered is the person alone, and the system is searched with whole pictures"


# -- Comparer -----------------------------------------------------------------------------------------------------
def scores_of(system: System, probes: Faces, references: Faces, direction: str) -> Floats:
    """Scores `(transits, photographs)` as the system itself makes them; a transit's is the best of its captures'.

    Raises InputError where there are too many, or the system's answer cannot be.
    """
    n, m = len(probes.templates), len(references.templates)
    if n * m > MOST:
        raise InputError(
            f"system {system.label}: would compare {n:,} templates with {m:,} by itself, of at most {MOST:,} "
            "comparisons; take fewer people or every n-th frame"
        )
    comparer = cast(Comparer, build(system))
    answered = asked(
        system.label, f"the comparison of {n} templates with {m}",
        lambda: comparer.compare(probes.templates, references.templates), lambda found: incomparable(found, n, m),
    )  # fmt: skip
    scores = np.asarray(answered, np.float64)
    best: Any = np.maximum if direction == "similarity" else np.minimum
    return fuse(scores, probes.starts[:-1], references.starts[:-1], best) if n and m else np.zeros((len(probes), m))


def compare_scores(
    cell: str, matcher: Matcher, scores: Floats, probes: Faces, references: Faces, people: People,
    operating_points: list[str | float],
) -> Tables:  # fmt: skip
    """What `comparisons.compare` gives, of scores `(transits, photographs)`."""
    made = _made(scores, probes, references)
    counts = count_logged(made, people, matcher.edges, matcher.direction)
    points = points_in_use(counts, matcher.edges, matcher.fixed, operating_points, matcher.direction, people)
    tally = tally_logged([made], people, points, matcher.direction)
    return recorded(cell, people, matcher.edges, counts, points, tally)


def compare_passers_by_scores(
    cell: Cell, matcher: Matcher, probes: Faces, references: Faces, crowd: People
) -> Tables:  # fmt: skip
    """What `comparisons.compare_passers_by` gives, as the system itself compares."""
    made = _made(scores_of(cell.system, probes, references, matcher.direction), probes, references)
    counts = count_logged(made, crowd, matcher.edges, matcher.direction)
    result = tally_logged([made], crowd, matcher.points, matcher.direction)
    return recorded_passers_by(cell.id, crowd, counts, matcher.points, result)


def _made(scores: Floats, probes: Faces, references: Faces) -> Comparisons:
    probe = np.repeat(probes.subjects, len(references))
    reference = np.tile(references.subjects, len(probes))
    return Comparisons(probe, reference, probe == reference, scores.ravel())


# -- Searcher -----------------------------------------------------------------------------------------------------
def registered(
    run: RunDirectory, loaded: Loaded, label: str, photographs: Sequence[Photograph], executor: Executor
) -> list[tuple[Any, ...]]:
    """Rows of REFERENCES for a Searcher: the photographs of its gallery."""
    mine = _gallery(run, loaded.scenario, photographs)
    failed = executor.submit(register, str(run.path), label, tuple((name, str(p.path)) for name, p in mine)).result()
    rows: list[tuple[Any, ...]] = []
    for name, p in mine:
        state, row = ("failed", None) if name in failed else ("enrolled", len(rows))
        rows.append((label, name, p.subject, p.path.name, digest(p.path), state, failed.get(name, ""), row))
    return rows


def search_black_box(
    run: RunDirectory, loaded: Loaded, cell: Cell, people: People, attempts: pl.DataFrame, matcher: Matcher,
    executor: Executor,
) -> Tables:  # fmt: skip
    """One cell's searches by a Searcher, and its tables of comparisons, which are empty; writes CANDIDATES.

    Its gallery is one for all searches, since it cannot be told to leave somebody out: half of the people enrolled,
    or as many as the scenario says, drawn by the seed. Searches for those in it are mated. A transit is searched with
    every delivered picture on which nobody else is, and its list is the best of these lists.
    """
    search = loaded.scenario.search
    assert search is not None, "replay refuses a Searcher without searches"
    table = run.read(REFERENCES).filter((pl.col("system") == cell.system.label) & (pl.col("state") == "enrolled"))
    mine = _gallery(run, loaded.scenario, references(loaded.scenario, run))
    paths = tuple((name, str(photograph.path)) for name, photograph in mine)
    source = open_source(loaded.scenario, run)
    futures = [
        executor.submit(search_segment, str(run.path), cell.id, camera, segment, paths, search.length)
        for camera in ([cell.arm] if cell.arm else source.cameras)
        for segment in range(source.segments(camera))
    ]
    shape = {"search": pl.String, "reference": pl.String, "score": pl.Float64}
    answered = pl.DataFrame([row for future in futures for row in future.result()], schema=shape, orient="row")
    size = table["subject"].n_unique()
    lists = (
        answered.filter(pl.col("reference").is_not_null())
        .group_by("search", "reference")
        .agg(pl.col("score").max() if matcher.direction == "similarity" else pl.col("score").min())
        .sort("search", "score", "reference", descending=[False, matcher.direction == "similarity", False])
        .with_columns(rank=pl.int_range(1, pl.len() + 1).over("search"))
        .filter(pl.col("rank") <= search.length)
        .join(table.select("reference", "subject"), "reference", maintain_order="left")
        .with_columns(cell=pl.lit(cell.id), gallery=pl.lit(size))
    )
    run.write(CANDIDATES, lists.select(list(CANDIDATES.columns)), f"{cell.id}/searches/000")
    lengths = lists.group_by("search").len()["len"]
    # Where all other lists are equally long, an empty one is a picture without a face that it found.
    empty = "failed" if lengths.n_unique() == 1 else "searched"
    state = (
        pl.when(pl.col("transit").is_in(lists["search"].implode())).then(pl.lit("searched")).otherwise(pl.lit(empty))
    )
    asked = answered["search"].unique().implode()
    made = attempts.filter(pl.col("transit").is_in(asked)).select(
        "cell", "subject", state.alias("state"), gallery=pl.lit(size), search="transit",
        mated=pl.col("subject").is_in(table["subject"].unique().implode()),
    )  # fmt: skip
    put = pl.col("transit").is_in(asked)
    lost = pl.col("state") == "undelivered"
    attempts = attempts.with_columns(
        state=pl.when(put).then(pl.lit("acquired")).otherwise(pl.lit("undelivered")),
        reason=pl.when(put).then(pl.lit("")).when(lost).then("reason").otherwise(pl.lit(NOT_ALONE)),
    )
    cut = search.length if table.height > search.length else None
    run.note(
        search=search.model_dump(mode="json"), lists_cut_at={cell.id: cut}, lists_could_hold={cell.id: table.height}
    )
    G = len(people.labels)
    counts = np.zeros((G, G, 2, 3, len(matcher.edges) + 1), np.int64)
    nothing = tally_logged((), people, matcher.points, matcher.direction)
    compared = recorded(cell.id, people, matcher.edges, counts, matcher.points, nothing)
    return [(ATTEMPTS, attempts), (SEARCHES, made.select(list(SEARCHES.columns))), *compared]


def _gallery(
    run: RunDirectory, scenario: Scenario, photographs: Sequence[Photograph]
) -> list[tuple[str, Photograph]]:  # fmt: skip
    """The photographs of a Searcher's gallery, with their names. Raises InputError where too few people have one."""
    people = people_of(run.read(SUBJECTS), scenario.groups, scenario.seed)
    able = people.index(pl.Series([p.subject for p in photographs], dtype=pl.String).unique())
    assert isinstance(scenario.search, Identification), "replay refuses other searches of a Searcher"
    if wrong := too_many(scenario.search, len(able), len(able)):
        raise InputError(wrong)
    order = order_of(people, scenario.seed)
    inside = {people.subjects[i] for i in order[np.isin(order, able)][: scenario.search.people or len(able) // 2]}
    return [(f"{p.subject}/{p.path.stem}", p) for p in photographs if p.subject in inside]
