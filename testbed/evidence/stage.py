"""The evaluate stage: tables in, evidence.json and the drawn tables out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from testbed.evidence.claims import Claim, judge, read_claims
from testbed.evidence.curves import curves_of, distributions_of
from testbed.evidence.differentials import differentials_of
from testbed.evidence.figures import Figure
from testbed.evidence.meaning import score_meaning_of
from testbed.evidence.rates import CellData, failures_by_subject, figures_of, passer_by_figures
from testbed.evidence.scored import counts_by_fold, scored_cell
from testbed.evidence.tallied import Tallied
from testbed.matching.people import People, people_of, with_passers_by
from testbed.runs.directory import RunDirectory
from testbed.runs.progress import Progress, silent
from testbed.runs.tables import (
    ATTEMPTS,
    CELLS,
    COUNTS,
    CURVES,
    DISTRIBUTIONS,
    EDGES,
    MOMENTS,
    REFERENCES,
    SUBJECTS,
    TALLIES,
    THRESHOLDS,
)
from testbed.scenario.loading import Loaded
from testbed.scenario.models import NobodyEnrolled, Video

EVIDENCE = "evidence.json"
SCHEMA = 1


def evaluate(run: RunDirectory, loaded: Loaded, progress: Progress = silent, claims_file: Path | None = None) -> None:
    """Run the stage: writes evidence.json and tables CURVES and DISTRIBUTIONS.

    claims_file: claims to judge; they stay with the run (run.json) and are judged again each time.
    """
    run.require("match", "evaluate")
    if claims_file is not None:
        claims, confidence = read_claims(claims_file)
        run.note(claims=[claim.model_dump() for claim in claims], claims_confidence=confidence)
    run.begin("evaluate")
    figures: list[Figure] = []
    differentials: list[dict[str, Any]] = []
    curves, distributions, judged = [], [], []
    meaning: list[dict[str, Any]] = []
    tables = {table.name: run.read(table) for table in (ATTEMPTS, COUNTS, EDGES, THRESHOLDS, TALLIES, MOMENTS)}
    references, cells = run.read(REFERENCES), run.read(CELLS)
    people = people_of(run.read(SUBJECTS), loaded.scenario.groups, loaded.scenario.seed)
    systems = run.manifest()["systems"]
    for done, row in enumerate(cells.iter_rows(named=True)):
        progress("evaluate", done, cells.height, row["cell"])
        mine = {name: table.filter(pl.col("cell") == row["cell"]) for name, table in tables.items()}
        enrolled = references.filter(pl.col("system") == row["system"])
        data = _cell_data(row, systems[row["system"]]["direction"], people, mine, enrolled, loaded)
        judged.append(data)
        figures += figures_of(data)
        figures += _strangers(data, mine, loaded)
        differentials += differentials_of(data)
        meaning += score_meaning_of(scored_cell(row, systems[row["system"]], people, mine))
        curves.append(curves_of(data))
        distributions.append(distributions_of(data))
    progress("evaluate", cells.height, cells.height)
    run.write(CURVES, pl.concat(curves))
    run.write(DISTRIBUTIONS, pl.concat(distributions))
    evidence = {
        "schema": SCHEMA,
        "figures": [figure.as_json() for figure in figures],
        "differentials": differentials,
        "score_meaning": meaning,
        "claims": _claims(run, judged),
    }
    run.write_bytes(EVIDENCE, (json.dumps(evidence, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode())
    run.finish("evaluate")


def _claims(run: RunDirectory, cells: list[CellData]) -> list[dict[str, Any]]:
    manifest = run.manifest()
    claims = [Claim.model_validate(claim) for claim in manifest.get("claims", [])]
    if not claims:
        return []
    return judge(claims, manifest["claims_confidence"], cells, people_known=manifest.get("subjects_known", True))


def _cell_data(
    row: dict[str, Any], direction: Any, people: People, tables: dict[str, pl.DataFrame],
    references: pl.DataFrame, loaded: Loaded,
) -> CellData:  # fmt: skip
    per_transit = {name: t.filter(pl.col("unit") == "transit") for name, t in tables.items() if "unit" in t.columns}
    thresholds = tables["thresholds"]
    put = tables["attempts"].filter(pl.col("state") != "undelivered")
    edges = tables["edges"].sort("edge")["score"].to_numpy()
    return CellData(
        cell=row["cell"],
        system=row["system"],
        condition=_condition(row),
        direction=direction,
        operating_points=tuple(p for p in thresholds["point"] if p == "own" or p.startswith(("fmr=", "given="))),
        people=people,
        tallied=Tallied.of(people, thresholds, per_transit["tallies"], per_transit["moments"]),
        attempts=failures_by_subject(people, put, "failed"),
        enrolments=failures_by_subject(people, references, "failed"),
        counts=counts_by_fold(per_transit["counts"], people, len(edges)).sum(axis=3),
        edges=edges,
    )


def _condition(row: dict[str, Any]) -> dict[str, Any]:
    """The condition as an object: its name and every value that is set."""
    values = {name: value for name, value in row.items() if name not in ("cell", "system", "condition")}
    return {"name": row["condition"], **{name: value for name, value in values.items() if value is not None}}


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
