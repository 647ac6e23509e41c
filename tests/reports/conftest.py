"""A finished run made up on disk: 2 systems × 2 conditions, 19 people, one hostile group label, no real data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from reports.stage import report
from testbed.evidence.rates import group_pairs
from testbed.evidence.verdicts import words
from testbed.matching.people import Group, People, people_of
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import (
    ATTEMPTS,
    CAPTURES,
    CURVES,
    DISTRIBUTIONS,
    FRAMES,
    PHOTOGRAPHS,
    REFERENCES,
    SUBJECTS,
    THRESHOLDS,
    TIMINGS,
    Table,
)
from testbed.scenario.cells import Cell
from testbed.scenario.loading import Loaded, reload

HOSTILE = "=<script>alert(1)</script>"
RATES = {"black": 0.3, "white": 0.01, HOSTILE: 0.9, "female": 0.02, "male": 0.04}

SCENARIO: dict[str, Any] = {
    "source": "/home/somebody/secret/scenario.yaml",
    "title": "A made-up run",
    "question": "Who is falsely matched?",
    "attribution": ["Made-up faces, CC BY 4.0"],
    "groups": ["eth", "sex"],
    "subjects": {"table": "/home/somebody/secret/people.csv", "provenance": {"eth": "self-reported"}},
    "references": {"images": "/home/somebody/secret/{subject}_1.jpg"},
    "probes": {"kind": "stills", "images": "/home/somebody/secret/{subject}_2.jpg"},
    "conditions": [{"clean": True}, {"inter_eye_px": 20.0}, {"inter_eye_px": 12.0}],
    "systems": [{"pipeline": "one"}, {"pipeline": "two"}],
}
VIDEO: dict[str, Any] = {
    **SCENARIO,
    "probes": {
        "kind": "video",
        "cameras": [
            {"name": "street", "file": "/home/somebody/secret/s.mp4", "truth": {"nobody_enrolled": True, "people": 4}},
            {"name": "yard", "file": "/home/somebody/secret/y.mp4"},
        ],
    },
    "conditions": [{"clean": True}],
}
PEOPLE = [(f"person-{i:02}", ["black", "white"][i % 2], ["female", "male"][i // 2 % 2]) for i in range(16)]
PEOPLE += [(f"person-{i}", HOSTILE, "male") for i in (16, 17, 18)]


def figure(
    cell: Cell, metric: str, probe: str, reference: str | None, people: int, rate: float | None
) -> dict[str, Any]:
    """A figure of evidence.json."""
    comparisons = 0 if rate is None else people * 10
    return {
        "metric": metric, "system": cell.system.label, "condition": {"name": cell.condition_name}, "cell": cell.id,
        "operating_point": None if metric in ("FTA", "FTE") else "own",
        "threshold": None if metric in ("FTA", "FTE") else 0.6,
        "unit": {"FTE": "reference"}.get(metric, "transit"), "gallery_size": None, "rank": None,
        "probe_group": probe, "probe_attributes": {}, "reference_group": reference,
        "reference_attributes": None if reference is None else {},
        "value": rate, "low": 0.0 if rate is None else rate / 2,
        "high": 1.0 if rate is None else min(1.0, rate * 2 + 0.05),
        "confidence": 0.95, "errors": round((rate or 0) * comparisons), "comparisons": comparisons, "subjects": people,
        "method": "made up", "assumption_free": [0.0, 0.75] if rate else None,
        "verdict": "measured" if people >= 6 and comparisons else "insufficient",
    }  # fmt: skip


def figures_of(cell: Cell, people: People, *, compared: bool) -> list[dict[str, Any]]:
    """All figures of a cell; without comparisons every rate of matches is null."""

    def rate(group: Group) -> float | None:
        return RATES.get(group.name, 0.05) if compared else None

    rows = []
    for probe, reference in group_pairs(people):
        size = people.size(probe) + (people.size(reference) if probe is not reference else 0)
        rows.append(figure(cell, "FMR", probe.name, reference.name, size, rate(probe)))
    if people.attributes:
        rows.append(figure(cell, "FMR", "all", "same group", len(people.subjects), rate(people.everyone())))
    worse = 0.5 if cell.condition_name.endswith("12") else 0.0
    for group in people.within():
        for metric, value in (
            ("FNMR", rate(group)),
            ("GFRR", rate(group)),
            ("FTA", worse if compared else None),
            ("FTE", 0.1),
        ):
            rows.append(figure(cell, metric, group.name, None, people.size(group), value))
    return rows


def differentials_of(cell: Cell, people: People) -> list[dict[str, Any]]:
    """FMR of each group against the lowest of its kind: black is higher, males are not shown to be."""
    verdicts = {"black": "higher", "white": "reference", "female": "reference", "male": "not shown"}
    rows = []
    for kind, groups in {**people.single(), "eth × sex": people.crossed()}.items():
        for group in groups:
            verdict = verdicts.get(group.name, "insufficient")
            row = {
                "metric": "FMR", "kind": kind, "system": cell.system.label, "condition": {"name": cell.condition_name},
                "cell": cell.id, "operating_point": "own", "threshold": 0.6, "group": group.name,
                "group_attributes": {},
                "reference": {"eth": "white", "sex": "female"}.get(kind), "ratio": 30.0, "low": 5.37, "high": 90.0,
                "confidence": 0.95, "errors": 1, "comparisons": 80, "subjects": people.size(group), "method": "made up",
                "verdict": verdict, "family_p": 0.0005, "holm_p": 0.003 if verdict == "higher" else None,
            }  # fmt: skip
            rows.append({**row, "words": words(row)})
    return rows


def claims_of(cell: Cell) -> list[dict[str, Any]]:
    """One claim in hostile words, with every verdict."""
    verdicts = {"black": "refuted", "white": "supported", "female": "not settled", HOSTILE: "untestable"}
    return [
        {
            "says": f"Safe {HOSTILE}", "metric": "FMR", "read_as": "FMR", "who": name, "unit": "share",
            "sense": "at most", "bound": 0.01, "system": cell.system.label, "basis": None,
            "why": "too few people: 3" if verdict == "untestable" else None,
            "condition": {"name": cell.condition_name}, "cell": cell.id, "operating_point": "own",
            "probe_group": name, "reference_group": name, "value": RATES[name], "low": 0.004, "high": 0.95,
            "confidence": 0.95, "statements": 4, "errors": 3, "comparisons": 80, "subjects": 8, "verdict": verdict,
            "assumption_free_agrees": verdict != "supported", "further_people_if_as_observed": None,
            "further_people_if_half_the_bound": 223 if verdict == "not settled" else None,
        }
        for name, verdict in verdicts.items()
    ]  # fmt: skip


SCORED: dict[str, Any] = {
    "percents": [
        {"percent": 67, "score": 0.597, "log10_ratio": -1.398, "log10_low": None, "log10_high": 0.301,
         "shown": {"value": 0.02, "low": 0.01, "high": 0.04, "errors": 2, "comparisons": 80, "counted_at": 0.596},
         "at_limit": "under", "counted": "more alike, scores up to 0.59: 1 of 9 of the same person", "why": None,
         "posterior": [{"prior": 0.5, "value": 0.038, "low": 0.0, "high": 0.667},
                       {"prior": 0.001, "value": 4e-7, "low": 0.0, "high": 0.002}]},
        {"percent": 95, "score": 0.2, "shown": None, "log10_ratio": None, "log10_low": None, "log10_high": None,
         "at_limit": None, "counted": None, "posterior": None, "why": "nobody here came near"},
    ],
    "reliability": {"prior": 0.5, "bins": [
        {"upto": 0.4, "predicted": 0.97, "observed": 0.93, "low": 0.8, "high": 0.99, "mated": 14, "non_mated": 1,
         "thin": False, "redrawn": True},
        {"upto": None, "predicted": 0.97, "observed": 0.5, "low": 0.1, "high": 0.9, "mated": 1, "non_mated": 1,
         "thin": True, "redrawn": False},
    ]},
    "stranger": [{
        "operating_point": "own", "threshold": 0.6, "measured_up_to": 7,
        "chances": [{"size": 1, "value": 0.1, "low": 0.05, "high": 0.2, "how": "measured"},
                    {"size": 7, "value": 0.4, "low": 0.2, "high": 0.7, "how": "measured"},
                    {"size": 1000, "value": 0.99, "low": 0.9, "high": 1.0, "how": "extrapolated"}],
        "median_gallery": {"value": None, "low": 4, "high": None, "how": "more than 7", "modelled": 12},
    }],
}  # fmt: skip
"""What a score means to a group with people enough."""


def planned(cell: Cell) -> dict[str, Any]:
    """What a test like this would have needed."""
    rows = [{"bound": b, "comparisons": round(3 / b), "disjoint": round(6 / b), "borrowed": round(1 / b),
             "optimistic": round(9 / b**0.5)} for b in (1e-2, 1e-4)]  # fmt: skip
    return {
        "system": cell.system.label, "condition": {"name": cell.condition_name}, "cell": cell.id, "metric": "FMR",
        "statements": 2, "confidence": 0.95, "design_effect": 2.5, "measured_in": "black", "measured_on": 8,
        "people": [{"group": "black", "people": 8}, {"group": "white", "people": 7}], "rows": rows, "curve": rows,
    }  # fmt: skip


def found_thresholds(cell: Cell) -> list[dict[str, Any]]:
    """A threshold found on each half of the people."""
    return [
        {"system": cell.system.label, "condition": {"name": cell.condition_name}, "cell": cell.id,
         "operating_point": "fmr=1e-2", "found_on_half": half, "people": 9, "comparisons": 72, "threshold": 0.41,
         "low": low, "high": 0.47, "confidence": 0.95, "method": "clustered bounds of FMR, turned round"}
        for half, low in ((0, None), (1, 0.33))
    ]  # fmt: skip


def meaning_of(cell: Cell, group: Group, people: People) -> dict[str, Any]:
    """What the score means in one group; nothing where it has too few people."""
    size = people.size(group)
    few = size < 6
    cost = None if few else {"value": 0.31, "low": 0.21, "high": 0.54}
    curve = [{"score": 0.3, "percent": 95.4, "log10": 2.0, "logistic": 2.0},
             {"score": 0.6, "percent": 51.0, "log10": -1.398, "logistic": -1.0}]  # fmt: skip
    return {
        "system": cell.system.label, "condition": {"name": cell.condition_name}, "cell": cell.id, "unit": "transit",
        "probe_group": group.name, "reference_group": group.name, "percent_rule": "made-up rule", "subjects": size,
        "mated_subjects": size, "comparisons": 80, "mated_comparisons": size, "confidence": 0.95,
        "verdict": "insufficient" if few else "measured", "why": "no mated comparisons" if few else None,
        "log10_limits": None if few else [-1.398, 2.0], "likelihood_ratios": None if few else curve, "cllr": cost,
        "cllr_min": cost, "cllr_cal": cost, "cllr_logistic": cost,
        "expected_calibration_error": None if few else {**cost, "prior": 0.5},
        **{name: None if few else made for name, made in SCORED.items()},
    }  # fmt: skip


def rows(table: Table, *values: tuple[Any, ...]) -> pl.DataFrame:
    """Rows of a table."""
    return pl.DataFrame(list(values), schema=table.columns, orient="row")


def fabricate(path: Path, scenario: dict[str, Any]) -> tuple[RunDirectory, Loaded]:
    """A run whose evaluate stage is done."""
    loaded = reload(scenario)
    stills = loaded.scenario.probes.kind == "stills"
    info = {"name": "one", "threshold": 0.6, "metric": "euclidean", "direction": "distance",
            "models": {"m.dat": "ab" * 32}, "versions": {"one": "1.0"}, "training_data": "unpublished",
            "licence": "MIT", "percent_rule": None,
            "threshold_source": "the makers", "options": {"weights": "/home/somebody/secret/m.dat"}}  # fmt: skip
    run = RunDirectory.create(path, {
        "scenario": loaded.resolved, "seed": 1, "versions": {"python": "3.11"}, "hardware": {"cores": 2},
        "systems": {"one": info, "two": info}, "kernel_tiers": {"a": "numpy"}, "workers": 7,
        "inputs": {"/home/somebody/secret/people.csv": "cd" * 32},
        "notices": ["2 people have no reference photograph: person-01, person-03",
                    "/home/somebody/secret/person-05_1.jpg: cannot be read"],
        "stages": {"replay": "done", "match": "done", "evaluate": "done"},
    })  # fmt: skip
    subjects = pl.DataFrame(PEOPLE, schema=["subject", "eth", "sex"], orient="row")
    if loaded.scenario.subjects is None:
        subjects = subjects.clear()
    run.write(SUBJECTS, subjects.with_columns(pl.lit("self-reported").alias("eth:provenance")))
    people = people_of(run.read(SUBJECTS), loaded.scenario.groups, 1)
    names = run.read(SUBJECTS)["subject"].to_list()
    if stills:
        run.write(PHOTOGRAPHS, rows(PHOTOGRAPHS, *(
            ("stills", i, f"{n}/{n}_2", n, f"{n}_2.jpg", "ee" * 32, "ok", "", 1.0, 1.0, 2.0, 1.0)
            for i, n in enumerate(names)
        )))  # fmt: skip
    run.write(REFERENCES, rows(REFERENCES, *(
        (s, f"{n}/{n}_1", n, f"{n}_1.jpg", "ff" * 32, *enrolled)
        for s in ("one", "two") for i, n in enumerate(names)
        for enrolled in [("failed", f"{n}_1.jpg: no face found", None) if i == 0 else ("enrolled", "", i)]
    )))  # fmt: skip
    per_cell: dict[str, list[pl.DataFrame]] = {
        name: [] for name in ("attempts", "thresholds", "curves", "distributions")
    }
    figures, differentials = [], []
    for cell in loaded.cells:
        figures += figures_of(cell, people, compared=stills)
        differentials += differentials_of(cell, people) if stills else []
        if not stills and names:
            seen = figure(cell, "FMR", "nobody enrolled", "all", 23, 0.02)
            figures.append({**seen, "unit": "capture", "method": "disjoint pairs"})
        per_cell["attempts"].append(rows(ATTEMPTS, *(
            (cell.id, "stills", f"{n}/{n}_2", n, 1, *(("failed", "no face found") if i < 2 else ("acquired", "")))
            for i, n in enumerate(names) if stills
        )))  # fmt: skip
        per_cell["thresholds"].append(rows(THRESHOLDS, (cell.id, "own", False, 0.6, 0.6)))
        steps = [(t, t**2, 1 - t) for t in np.linspace(0, 1, 200).tolist()] if stills else []
        per_cell["curves"].append(
            rows(CURVES, *((cell.id, g.name, g.name, *s) for g in people.within() for s in steps))
        )
        per_cell["distributions"].append(rows(DISTRIBUTIONS, *(
            (cell.id, g.name, mated, 0.1, 0.2, 3, 0.5) for g in people.within() for mated in (False, True) if stills
        )))  # fmt: skip
        for camera in ["stills"] if stills else ["street", "yard"]:
            part = f"{cell.id}/{camera}/000000"
            run.write(FRAMES, rows(
                FRAMES,
                (cell.id, camera, 0, 0, 0.0, 64, 64, None, "ok", "", 2),
                (cell.id, camera, 1, 0, 0.1, None, None, None, "undecodable", "broken", 0),
            ), part)  # fmt: skip
            run.write(CAPTURES, rows(CAPTURES, *(
                (cell.id, camera, 0, i, 0.0, 1, 1, 9, 9, 0.9, None, None, None, "ok", "", i) for i in (0, 1)
            )), part)  # fmt: skip
            run.write(TIMINGS, rows(
                TIMINGS, *((cell.id, camera, i, stage, s) for i, s in enumerate((0.25, 0.0)) for stage in
                           ("detect", "template"))
            ), part)  # fmt: skip
    for table in (ATTEMPTS, THRESHOLDS, CURVES, DISTRIBUTIONS):
        run.write(table, pl.concat(per_cell[table.name]))
    meant = [meaning_of(cell, group, people) for cell in loaded.cells for group in people.within() if stills]
    evidence = {"schema": 1, "figures": figures, "differentials": differentials, "score_meaning": meant,
                "planning": [planned(cell) for cell in loaded.cells if stills],
                "found_thresholds": [row for cell in loaded.cells if stills for row in found_thresholds(cell)],
                "claims": claims_of(loaded.cells[0]) if stills else []}  # fmt: skip
    run.write_bytes("evidence.json", json.dumps(evidence, allow_nan=False).encode())
    return run, loaded


@pytest.fixture(scope="session")
def hostile() -> str:
    """A group label that is markup and a spreadsheet formula."""
    return HOSTILE


@pytest.fixture(scope="session")
def ids() -> list[str]:
    """The ids of all people."""
    return [name for name, *_ in PEOPLE]


@pytest.fixture
def without_groups(tmp_path: Path) -> tuple[RunDirectory, Loaded]:
    """A run on photographs of people of whom no groups are known."""
    return fabricate(tmp_path / "run", {**SCENARIO, "groups": []})


@pytest.fixture
def without_people(tmp_path: Path) -> tuple[RunDirectory, Loaded]:
    """A run on clips without anybody enrolled and without truth."""
    cameras = [{k: v for k, v in camera.items() if k != "truth"} for camera in VIDEO["probes"]["cameras"]]
    bare = {k: v for k, v in VIDEO.items() if k not in ("groups", "subjects", "references")}
    return fabricate(tmp_path / "run", {**bare, "probes": {"kind": "video", "cameras": cameras}})


@pytest.fixture
def made_up(tmp_path: Path) -> tuple[RunDirectory, Loaded]:
    """A run on photographs that is not reported on yet."""
    return fabricate(tmp_path / "run", SCENARIO)


@pytest.fixture(scope="session")
def stills(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run on photographs, reported on."""
    run, loaded = fabricate(tmp_path_factory.mktemp("stills") / "run", SCENARIO)
    report(run, loaded)
    return run


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run on clips of which one is declared to show nobody enrolled and the other is not described; reported on."""
    run, loaded = fabricate(tmp_path_factory.mktemp("video") / "run", VIDEO)
    report(run, loaded)
    return run


@pytest.fixture(scope="session")
def page(stills: RunDirectory) -> str:
    """The report on photographs."""
    return (stills.path / "report/index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def video_page(video: RunDirectory) -> str:
    """The report on clips."""
    return (video.path / "report/index.html").read_text(encoding="utf-8")


@pytest.fixture(params=["given=0.5", "fmr=1e-2"])
def without_own(tmp_path: Path, request: pytest.FixtureRequest) -> tuple[RunDirectory, Loaded]:
    """A run that was evaluated at another operating point than the systems' own threshold."""
    point: str = request.param
    asked = 0.5 if point.startswith("given") else point
    run, loaded = fabricate(tmp_path / "run", {**SCENARIO, "operating_points": [asked]})
    path = run.path / "evidence.json"
    run.write_bytes("evidence.json", path.read_bytes().replace(b'"own"', json.dumps(point).encode()))
    return run, loaded
