"""The evaluate stage: tables in, evidence.json and the drawn tables out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from pydantic import TypeAdapter

from pipelines.errors import InputError
from testbed.evidence.alerts import alerts_of, watch_of
from testbed.evidence.check_run import false_matches
from testbed.evidence.claims import Asked, Claim, RunFacts, judge, misfits, read_claims
from testbed.evidence.claims.judging import is_synthetic
from testbed.evidence.contrasts import contrasts_of
from testbed.evidence.corrections import Looked, corrections_of, read_checked
from testbed.evidence.crossfit import found_thresholds
from testbed.evidence.curves import curves_of, distributions_of
from testbed.evidence.differentials import differentials_of
from testbed.evidence.domain_gap import domain_gap_of
from testbed.evidence.enhanced import enhanced_of
from testbed.evidence.figures import Figure
from testbed.evidence.heads import heads_of
from testbed.evidence.identity_check import Trials
from testbed.evidence.indices import indices_of
from testbed.evidence.label_sensitivity import composition_of, label_sensitivity_of, read_label_errors, require_errors
from testbed.evidence.linkage import linkage_of
from testbed.evidence.lookups import lookup_of
from testbed.evidence.made_up import marked
from testbed.evidence.meaning import score_meaning_of
from testbed.evidence.planning import planning_of
from testbed.evidence.provenance import labels_of, provenance_of
from testbed.evidence.rates import CellData, failures_by_subject, figures_of, passer_by_figures
from testbed.evidence.reviewers import read_review, reviewers_of
from testbed.evidence.scored import ScoredCell, scored_cell
from testbed.evidence.search_figures import search_figures
from testbed.evidence.searches import Searches, searches_of
from testbed.evidence.tallied import Tallied
from testbed.evidence.verdicts import words
from testbed.matching.attempts import misplaced
from testbed.matching.comparisons import in_use
from testbed.matching.people import People, people_of, with_passers_by
from testbed.matching.searching import Gallery, gallery_of
from testbed.matching.units import photographs
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
    SEARCHES,
    SUBJECTS,
    TALLIES,
    THRESHOLDS,
)
from testbed.scenario.loading import Loaded
from testbed.scenario.models import NobodyEnrolled, Video
from testbed.scenario.reviewing import Review
from testbed.scenario.searching import Lookup, Search
from testbed.scenario.synthetic import Synthetic

EVIDENCE = "evidence.json"
SCHEMA = 1
BY_PERSON = ("subjects", "mated_subjects", "people", "stranger", "further_people_if_as_observed",
             "further_people_if_half_the_bound")  # fmt: skip
"""Fields of evidence that are null where it is not known who is who."""
NONE = Path("none")
"""Stands for no file: what was handed in before is dropped."""


def evaluate(
    run: RunDirectory, loaded: Loaded, progress: Progress = silent, claims_file: Path | None = None,
    label_errors: Path | None = None, checked: Path | None = None, review: Path | None = None,
) -> None:  # fmt: skip
    """Run the stage: writes evidence.json and tables CURVES and DISTRIBUTIONS.

    claims_file: claims to judge; label_errors: how often labels are wrong; checked: a sheet of `testbed check`, filled
    in; review: what is assumed of reviewers, instead of what the scenario says. What they say stays with the run
    (run.json) and is taken into account again each time, until others are given, or NONE. Raises InputError where any
    of them is wrong, before anything of the run is touched.
    """
    run.require("match", "evaluate")
    people = people_of(run.read(SUBJECTS), loaded.scenario.groups, loaded.scenario.seed)
    if label_errors is None and "label_errors" not in run.manifest() and loaded.scenario.subjects is not None:
        label_errors = loaded.scenario.subjects.label_errors
    manifest = _handed(run, people, claims_file, label_errors, checked, review)
    assumed = Review.model_validate(manifest["review"]) if manifest.get("review") else loaded.scenario.review
    claimed = _claims(manifest)
    run.save_manifest(manifest)
    run.begin("evaluate")
    figures: list[Figure] = []
    differentials: list[dict[str, Any]] = []
    curves, distributions, judged = [], [], []
    meaning: list[dict[str, Any]] = []
    thresholds: list[dict[str, Any]] = []
    planning: list[dict[str, Any]] = []
    indices: list[dict[str, Any]] = []
    sensitivity: list[dict[str, Any]] = []
    alerts: list[dict[str, Any]] = []
    reviewed: list[dict[str, Any]] = []
    looked: list[Looked] = []
    lookups: list[dict[str, Any]] = []
    heads: list[dict[str, Any]] = []
    linkage: list[dict[str, Any]] = []
    tables = {table.name: run.read(table) for table in (ATTEMPTS, COUNTS, EDGES, THRESHOLDS, TALLIES, MOMENTS)}
    cells, made = run.read(CELLS), {cell.id: cell for cell in loaded.cells}
    pairs = false_matches(run, people) if manifest.get("checked") else None
    systems, known = manifest["systems"], manifest.get("subjects_known", True)
    for done, row in enumerate(cells.iter_rows(named=True)):
        progress("evaluate", done, cells.height, row["cell"])
        mine = {name: table.filter(pl.col("cell") == row["cell"]) for name, table in tables.items()}
        enrolled = photographs(run, row["system"], made[row["cell"]].enrolled)
        scored = scored_cell(row, systems[row["system"]], people, mine)
        data = _cell_data(scored, mine, enrolled, run)
        judged.append(data)
        figures += figures_of(data)
        figures += search_figures(data)
        figures += _strangers(data, mine, loaded)
        watch = watch_of(run, loaded.scenario, data.cell, people, enrolled)
        alerts += alerts_of(data, watch) if watch and not data.misplaced else []
        reviewed += reviewers_of(data, assumed, run) if assumed and not data.misplaced else []
        compared = [d for d in differentials_of(data) if data.compares or d["metric"] == "FTA"]
        differentials += compared
        indices += indices_of(data) if data.compares else []
        sensitivity += label_sensitivity_of(data, manifest.get("label_errors", {}), compared)
        if pairs is not None:
            crossfitted = mine["thresholds"].filter("crossfit")["point"]
            trials = Trials.of(people, mine["attempts"], enrolled)
            searched = partial(_searches, scored, data.operating_points, run, enrolled)
            mismatched = pairs.filter(pl.col("cell") == row["cell"])
            looked.append(Looked(data, trials, mismatched, tuple(crossfitted), searched))
        meaning += score_meaning_of(scored) if data.compares else []
        thresholds += found_thresholds(scored) if data.compares else []
        planning += planning_of(scored) if data.compares and known else []
        if isinstance(loaded.scenario.search, Lookup) and data.searches is not None and not data.misplaced:
            lookups.append(lookup_of(data, scored, run, made[row["cell"]].enrolled))
        heads += [] if data.only_searches else heads_of(run, loaded.scenario, made[row["cell"]], people)
        if isinstance(loaded.scenario.probes, Synthetic):
            linkage += linkage_of(data, run, loaded.scenario.probes, mine)
        curves.append(curves_of(data))
        distributions.append(distributions_of(data))
    progress("evaluate", cells.height, cells.height)
    run.write(CURVES, pl.concat(curves))
    run.write(DISTRIBUTIONS, pl.concat(distributions))
    in_order = list(made)
    judged.sort(key=lambda data: in_order.index(data.cell))
    evidence = {
        "schema": SCHEMA,
        "synthetic": is_synthetic(manifest),
        "figures": [figure.as_json() for figure in figures],
        "differentials": differentials,
        "indices": indices,
        "label_sensitivity": sensitivity,
        "corrections": corrections_of(manifest["checked"], looked, manifest.get("sheet")) if looked else None,
        "score_meaning": meaning,
        "found_thresholds": thresholds,
        "planning": planning,
        "alerts": alerts,
        "lookup": lookups,
        "heads": heads,
        "linkage": linkage,
        "reviewers": reviewed,
        "provenance": provenance_of(run, loaded.scenario),
        "labels": labels_of(run.read(SUBJECTS), loaded.scenario.groups),
        "contrasts": contrasts_of(run, people, loaded.cells, loaded.scenario.search),
        "enhanced": enhanced_of(run, cells, judged),
        "claims": judge(*claimed, judged, RunFacts.of(run)) if claimed[0] else [],
        "domain_gap": domain_gap_of(run, loaded) if is_synthetic(manifest) else None,
    }
    if is_synthetic(manifest):
        evidence = marked(evidence)
    if not known:
        evidence = {name: _without_people(rows) for name, rows in evidence.items()}
    run.write_bytes(EVIDENCE, _as_json(evidence))
    run.finish("evaluate")


def _without_people(value: Any) -> Any:
    """Evidence of a log that names nobody, without what is counted or drawn by person: every picture counted as one."""
    if isinstance(value, list):
        return [_without_people(each) for each in value]
    if not isinstance(value, dict):
        return value
    row = {name: None if name in BY_PERSON else each for name, each in value.items()}
    return {**row, "words": words(row)} if "family_p" in row else row


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


def _handed(
    run: RunDirectory, people: People, claims_file: Path | None, label_errors: Path | None, checked: Path | None,
    review: Path | None,
) -> dict[str, Any]:  # fmt: skip
    """The manifest with what is handed in now in place of what was before. Raises InputError where either is wrong."""
    manifest, cells = run.manifest(), _asked(run, people)
    if claims_file is not None:
        none = list[Claim](), 0.95
        claims, level = none if claims_file == NONE else read_claims(claims_file, lambda found: misfits(found, cells))
        manifest |= {"claims": [claim.model_dump(exclude_none=True) for claim in claims], "claims_confidence": level,
                     "claims_file": claims_file.name}  # fmt: skip
    if label_errors is not None:
        kept, stated = manifest.get("label_errors", {}), label_errors
        manifest["label_errors"] = {} if stated == NONE else {**kept, **read_label_errors(stated, people)}
    if checked is not None:
        manifest["checked"] = None if checked == NONE else read_checked(checked, people)
    if review is not None:
        if review != NONE and not run.has(SEARCHES):
            raise InputError(f"{review}: reviewers look at what searches return; nothing was searched in {run.path}")
        given = None if review == NONE else read_review(review)
        manifest |= {"review": given and given.model_dump(mode="json"), "review_file": review.name}
    for kind, errors in manifest.get("label_errors", {}).items():
        composition_of(kind, errors, people)
    require_errors(run.read(SUBJECTS), people, manifest.get("label_errors", {}), run.path)
    for (_, i, *_), said in misfits(_claims(manifest)[0], cells):
        says = manifest["claims"][int(i)]["says"]
        raise InputError(f"claim {says!r}, kept from before: {said}; or drop the claims with --claims {NONE}")
    return manifest


def _asked(run: RunDirectory, people: People) -> list[Asked]:
    """The cells, as far as claims must know them beforehand."""
    points = [(cell, p) for cell, p in run.read(THRESHOLDS).select("cell", "point").rows() if in_use(p)]
    return [
        Asked(row["system"], {"name": row["condition"]}, tuple(p for cell, p in points if cell == row["cell"]), people)
        for row in run.read(CELLS).iter_rows(named=True)
    ]


def _claims(manifest: Mapping[str, Any]) -> tuple[list[Claim], float]:
    """The claims that stay with a run, and the confidence they are judged at."""
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
        failures_known=run.manifest().get("failures_known", True),
        searches=_searches(scored, points, run, references),
        misplaced=misplaced(put),
        only_searches=run.manifest()["systems"][scored.system].get("answers") == "searches",
    )


def _searches(
    scored: ScoredCell, points: tuple[str, ...], run: RunDirectory, references: pl.DataFrame,
    names: Mapping[str, str] | None = None,
) -> Searches | None:  # fmt: skip
    """The searches of a cell; None where none were made. references: its rows of REFERENCES; names: a person's one
    name, for each that stands for it.
    """
    made = run.read(SEARCHES).filter(pl.col("cell") == scored.cell) if run.has(SEARCHES) else pl.DataFrame()
    if made.is_empty():
        return None
    manifest = run.manifest()
    limits = {point: scored.tallied.thresholds[scored.tallied.index(point)] for point in points}
    parts = (run.read(CANDIDATES, part) for part in run.parts(CANDIDATES, scored.cell))
    if names:
        renamed = pl.col("subject").replace(dict(names))
        if "search" in manifest:  # made here: who is taken out may be there under another name
            made = made.with_columns(mated=_there(scored, run, references, made, names)).with_columns(renamed)
        else:
            enrolled = pl.concat([references["subject"], made.filter("mated")["subject"]])
            made = made.with_columns(renamed).with_columns(mated=pl.col("subject").is_in(enrolled.unique().implode()))
        parts = (part.with_columns(renamed) for part in parts)
    cut = manifest.get("lists_cut_at", {}).get(scored.cell, 0)
    found = searches_of(scored.people, scored.direction, limits, made, parts, cut)
    if "search" not in manifest:
        return found
    able = _able(scored, run, references)
    shown = able.filter(pl.col("state") != "failed")
    beside = misplaced(run.read(ATTEMPTS).filter(pl.col("cell") == scored.cell))
    return replace(found, each=shown.height / able["subject"].n_unique(), unsearched=beside)


def _able(scored: ScoredCell, run: RunDirectory, references: pl.DataFrame) -> pl.DataFrame:
    """Of a run's own searches, what the gallery is taken from: passes (of a look-up) or photographs."""
    if run.manifest()["search"]["kind"] == "lookup":
        return run.read(ATTEMPTS).filter((pl.col("cell") == scored.cell) & (pl.col("state") != "undelivered"))
    return references.filter(pl.col("state") == "enrolled")


def _there(
    scored: ScoredCell, run: RunDirectory, references: pl.DataFrame, made: pl.DataFrame, names: Mapping[str, str]
) -> pl.Series:  # fmt: skip
    """Whether each search's person was in its gallery, under whatever name."""
    manifest, people = run.manifest(), scored.people
    search = TypeAdapter[Search](Search).validate_python(manifest["search"])
    able = people.index(_able(scored, run, references)["subject"].unique())
    if manifest["systems"][scored.system].get("answers") == "searches":  # one gallery, from which nobody is taken out
        gallery = Gallery(able, len(able))
    else:
        gallery = gallery_of(search, people, manifest["scenario"]["seed"], able)
    one = np.array([people.subjects.index(names.get(subject, subject)) for subject in people.subjects])
    rows = zip(people.index(made["subject"]), made["mated"], strict=True)
    return pl.Series([bool((one[gallery.members(int(i), mated=m)] == one[i]).any()) for i, m in rows], dtype=pl.Boolean)


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
