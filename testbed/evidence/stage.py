"""The evaluate stage: tables in, evidence.json and the drawn tables out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from testbed.evidence.claims import Claim, RunFacts, judge, read_claims
from testbed.evidence.corrections import Looked, corrections_of, read_checked
from testbed.evidence.crossfit import found_thresholds
from testbed.evidence.curves import curves_of, distributions_of
from testbed.evidence.differentials import differentials_of
from testbed.evidence.figures import Figure
from testbed.evidence.identity_check import Trials
from testbed.evidence.indices import indices_of
from testbed.evidence.label_sensitivity import label_sensitivity_of, read_label_errors
from testbed.evidence.meaning import score_meaning_of
from testbed.evidence.planning import planning_of
from testbed.evidence.rates import CellData, failures_by_subject, figures_of, passer_by_figures
from testbed.evidence.scored import ScoredCell, scored_cell
from testbed.evidence.search_figures import search_figures
from testbed.evidence.searches import Searches, searches_of
from testbed.evidence.tallied import Tallied
from testbed.matching.people import people_of, with_passers_by
from testbed.runs.directory import RunDirectory
from testbed.runs.progress import Progress, silent
from testbed.runs.tables import (
    ATTEMPTS,
    CANDIDATES,
    CELLS,
    COUNTS,
    CURVES,
    DISTRIBUTIONS,
    EDGES,
    MOMENTS,
    PAIRS,
    REFERENCES,
    SEARCHES,
    SUBJECTS,
    TALLIES,
    THRESHOLDS,
)
from testbed.scenario.loading import Loaded
from testbed.scenario.models import NobodyEnrolled, Video

EVIDENCE = "evidence.json"
SCHEMA = 1


def evaluate(
    run: RunDirectory, loaded: Loaded, progress: Progress = silent, claims_file: Path | None = None,
    label_errors: Path | None = None, checked: Path | None = None,
) -> None:  # fmt: skip
    """Run the stage: writes evidence.json and tables CURVES and DISTRIBUTIONS.

    claims_file: claims to judge; label_errors: how often labels are wrong; checked: a sheet of `testbed check`, filled
    in. What they say stays with the run (run.json) and is taken into account again each time.
    """
    run.require("match", "evaluate")
    claimed = _claims(run) if claims_file is None else read_claims(claims_file)
    people = people_of(run.read(SUBJECTS), loaded.scenario.groups, loaded.scenario.seed)
    if label_errors is not None:
        run.note(label_errors=read_label_errors(label_errors, people))
    if checked is not None:
        run.note(checked=read_checked(checked, people))
    manifest = run.manifest()
    run.begin("evaluate")
    figures: list[Figure] = []
    differentials: list[dict[str, Any]] = []
    curves, distributions, judged = [], [], []
    meaning: list[dict[str, Any]] = []
    thresholds: list[dict[str, Any]] = []
    planning: list[dict[str, Any]] = []
    indices: list[dict[str, Any]] = []
    sensitivity: list[dict[str, Any]] = []
    looked: list[Looked] = []
    tables = {table.name: run.read(table) for table in (ATTEMPTS, COUNTS, EDGES, THRESHOLDS, TALLIES, MOMENTS)}
    references, cells = run.read(REFERENCES), run.read(CELLS)
    pairs = run.read(PAIRS).filter(pl.col("unit") == "transit") if "checked" in manifest else None
    systems = manifest["systems"]
    for done, row in enumerate(cells.iter_rows(named=True)):
        progress("evaluate", done, cells.height, row["cell"])
        mine = {name: table.filter(pl.col("cell") == row["cell"]) for name, table in tables.items()}
        enrolled = references.filter(pl.col("system") == row["system"])
        scored = scored_cell(row, systems[row["system"]], people, mine)
        data = _cell_data(scored, mine, enrolled, run)
        judged.append(data)
        figures += figures_of(data)
        figures += search_figures(data)
        figures += _strangers(data, mine, loaded)
        compared = [d for d in differentials_of(data) if data.compares or d["metric"] == "FTA"]
        differentials += compared
        indices += indices_of(data) if data.compares else []
        sensitivity += label_sensitivity_of(data, manifest.get("label_errors", {}), compared)
        if pairs is not None:
            crossfitted = mine["thresholds"].filter("crossfit")["point"]
            trials = Trials.of(people, mine["attempts"], enrolled)
            looked.append(Looked(data, trials, pairs.filter(pl.col("cell") == row["cell"]), tuple(crossfitted)))
        meaning += score_meaning_of(scored) if data.compares else []
        thresholds += found_thresholds(scored) if data.compares else []
        planning += planning_of(scored) if data.compares else []
        curves.append(curves_of(data))
        distributions.append(distributions_of(data))
    progress("evaluate", cells.height, cells.height)
    run.write(CURVES, pl.concat(curves))
    run.write(DISTRIBUTIONS, pl.concat(distributions))
    evidence = {
        "schema": SCHEMA,
        "figures": [figure.as_json() for figure in figures],
        "differentials": differentials,
        "indices": indices,
        "label_sensitivity": sensitivity,
        "corrections": corrections_of(manifest["checked"], looked) if looked else None,
        "score_meaning": meaning,
        "found_thresholds": thresholds,
        "planning": planning,
        "claims": judge(*claimed, judged, RunFacts.of(run)) if claimed[0] else [],
    }
    if claims_file is not None:  # noted once judged: a claim that the run cannot be asked must not stay with it
        run.note(claims=[claim.model_dump(exclude_none=True) for claim in claimed[0]], claims_confidence=claimed[1])
    run.write_bytes(EVIDENCE, _as_json(evidence))
    run.finish("evaluate")


def _as_json(evidence: dict[str, Any]) -> bytes:
    """Strict JSON, a line for each row: quicker to write than an indented one, and as easily searched."""

    def written(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)

    parts = (
        "[\n" + ",\n".join(map(written, value)) + "\n]" if isinstance(value, list) and value else written(value)
        for value in evidence.values()
    )
    named = (f"{written(name)}: {part}" for name, part in zip(evidence, parts, strict=True))
    return ("{\n" + ",\n".join(named) + "\n}\n").encode()


def _claims(run: RunDirectory) -> tuple[list[Claim], float]:
    """The claims that stay with a run, and the confidence they are judged at."""
    manifest = run.manifest()
    claims = [Claim.model_validate(claim) for claim in manifest.get("claims", [])]
    return claims, manifest.get("claims_confidence", 0.95)


def _cell_data(
    scored: ScoredCell, tables: dict[str, pl.DataFrame], references: pl.DataFrame, run: RunDirectory
) -> CellData:
    points = tuple(p for p in scored.tallied.points if p == "own" or p.startswith(("fmr=", "given=")))
    put = tables["attempts"].filter(pl.col("state") != "undelivered")
    return CellData(
        cell=scored.cell,
        system=scored.system,
        condition=scored.condition,
        direction=scored.direction,
        operating_points=points,
        people=scored.people,
        tallied=scored.tallied,
        attempts=failures_by_subject(scored.people, put, "failed"),
        enrolments=failures_by_subject(scored.people, references, "failed"),
        counts=scored.counts.sum(axis=3),
        edges=scored.edges,
        mated_complete=run.manifest().get("mated_complete", True),
        searches=_searches(scored, points, run),
    )


def _searches(scored: ScoredCell, points: tuple[str, ...], run: RunDirectory) -> Searches | None:
    """The searches of a cell; None where none were made."""
    made = run.read(SEARCHES).filter(pl.col("cell") == scored.cell) if run.has(SEARCHES) else pl.DataFrame()
    if made.is_empty():
        return None
    limits = {point: scored.tallied.thresholds[scored.tallied.index(point)] for point in points}
    parts = (run.read(CANDIDATES, part) for part in run.parts(CANDIDATES, scored.cell))
    return searches_of(scored.people, scored.direction, limits, made, parts)


def _strangers(data: CellData, tables: dict[str, pl.DataFrame], loaded: Loaded) -> list[Figure]:
    probes = loaded.scenario.probes
    cameras = {
        camera.name: camera.truth.people
        for camera in (probes.cameras if isinstance(probes, Video) else [])
        if isinstance(camera.truth, NobodyEnrolled)
    }
    if not cameras or loaded.scenario.references is None:
        return []
    fixed = tables["thresholds"].filter(pl.col("point").is_in(["own"]) | pl.col("point").str.starts_with("given="))
    tallied = Tallied.of(
        with_passers_by(data.people, list(cameras)),
        fixed,
        tables["tallies"].filter(pl.col("unit") == "capture"),
        tables["moments"].filter(pl.col("unit") == "capture"),
    )
    return list(passer_by_figures(data, tallied, cameras))
