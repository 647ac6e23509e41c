"""How far made-up faces are from photographs, for the same system and face size (METRICS.md § Made-up people).

`python -m testbed.evidence.domain_gap RUN` stores the figures of a run on photographs (scenarios/real-photographs.yaml)
in real_photographs.json, and docs/domain-gap.md with them: figures only, no photograph, no template, no name.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from math import nan, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats

from kernels.scores import Faces, scores_of
from pipelines.errors import InputError
from testbed.evidence.figures import Figure
from testbed.evidence.intervals import FEWEST_SUBJECTS, by_subject, rate_interval, sufficient
from testbed.evidence.rates import ALPHA, CellData, figures_of
from testbed.evidence.scored import counts_by_fold
from testbed.evidence.tallied import Tallied
from testbed.matching.comparisons import Matcher, compare
from testbed.matching.people import People, people_of
from testbed.matching.units import captures_of, references_of, transits_as_probes
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import COUNTS, FACES, FRAMES, MOMENTS, SUBJECTS, TALLIES, THRESHOLDS, TRANSITS
from testbed.scenario.cells import Cell
from testbed.scenario.loading import Loaded, reload
from testbed.scenario.models import Stills

Floats = npt.NDArray[np.float64]
Row = dict[str, Any]

STORED = "real_photographs.json"
TURNED, VISIBLE = 20.0, 0.9
"""Whoever turns by more degrees, or shows a smaller share of the face, looks not as people on photographs do."""
HALF_BAND = 0.3
"""Of an octave: a face belongs to the stored size nearest to it, if no further away than this: 20 and 30 px touch."""
DISPLAY_BINS = 150
"""Over the whole range of scores, so that histograms of one system always line up."""
FEWEST_TO_REDRAW = 3
"""People compared with their own photograph, below which leaving one out shows no spread."""
FACE = ["camera", "frame", "transit"]


@cache
def stored() -> Row:
    """The figures of photographs that this package holds."""
    return dict(json.loads(files("testbed.evidence").joinpath(STORED).read_text(encoding="utf-8")))


def domain_gap_of(run: RunDirectory, loaded: Loaded, photographs: Row | None = None) -> Row | None:
    """evidence.json's `domain_gap`: every system, condition and face size of made-up people beside photographs.

    None where the run does not say where every face was (table FACES). photographs: as `stored` gives them. A pass's
    score is the best of its captures', whatever a search fuses. No row of a system that compares by itself.
    """
    if not run.has(FACES):
        return None
    real = stored() if photographs is None else photographs
    seen, systems = run.read(FACES).filter("put"), run.manifest()["systems"]
    people = people_of(run.read(SUBJECTS), [], loaded.scenario.seed)
    beside = {label: _sizes(real, info) for label, info in systems.items()}
    rows, left_out = [], []
    for cell in loaded.cells:
        info, known = systems[cell.system.label], beside[cell.system.label]
        if info.get("answers", "templates") != "templates":
            continue
        whose = {"system": cell.system.label, "condition": {"name": cell.condition_name}, "cell": cell.id}
        mine = seen.join(_delivered(run, cell), on=["camera", "frame"], how="semi")
        facing = mine.filter(
            pl.col("yaw").abs() <= TURNED, pl.col("pitch").abs() <= TURNED, pl.col("visible") >= VISIBLE
        )
        sizes = facing["inter_eye_px"] * (cell.condition.scale or 1.0)
        bands = nearest(sizes.to_numpy(), real["sizes"])
        left_out.append({**whose, "faces": mine.height, "turned_or_hidden": mine.height - facing.height,
                         "of_other_sizes": int(np.isnan(bands).sum())})  # fmt: skip
        for band, made_up in _figures(run, cell, info, people, facing.with_columns(band=bands, size=sizes)):
            theirs = known.get(band)
            rows.append({**whose, "inter_eye_px": band, "made_up": made_up, "photographs": theirs,
                         "gap": theirs and gap(made_up, theirs, info["direction"])})  # fmt: skip
    about = {name: real[name] for name in ("data", "made", "sizes")}
    return {"photographs": about, "stored_for": [label for label, known in beside.items() if known],
            "left_out": left_out, "rows": rows}  # fmt: skip


def _sizes(real: Row, info: Mapping[str, Any]) -> dict[float, Row]:
    """The stored figures of a system by face size; empty where there are none of the very same."""
    return {row["inter_eye_px"]: row for each in real["systems"] if same_system(each, info) for row in each["sizes"]}


def photographs_of(run: RunDirectory, loaded: Loaded) -> Row:
    """What is stored of a run on photographs. Raises InputError for any other run."""
    if not isinstance(loaded.scenario.probes, Stills) or run.manifest().get("synthetic"):
        raise InputError(f"{run.path}: is no run on photographs; make one with scenarios/real-photographs.yaml")
    if any(cell.condition.inter_eye_px is None for cell in loaded.cells):
        raise InputError(f"{run.path}: a condition sets no inter_eye_px; every one must say how large faces are")
    run.require("match", "python -m testbed.evidence.domain_gap")
    manifest, owners = run.manifest(), run.read(TRANSITS).select("transit", "subject")
    people = people_of(run.read(SUBJECTS), [], loaded.scenario.seed)
    systems: dict[str, Row] = {}
    for cell in loaded.cells:
        info, size = manifest["systems"][cell.system.label], cell.condition.inter_eye_px
        shown = _delivered(run, cell).join(owners, on="transit").with_columns(band=size, size=size)
        about = systems.setdefault(cell.system.label, {**identity(info), "versions": info["versions"], "sizes": []})
        about["sizes"] += [{"inter_eye_px": band, **row} for band, row in _figures(run, cell, info, people, shown)]
    return {
        "schema": 1, "data": "; ".join(loaded.scenario.attribution), "made": f"{date.today():%Y-%m-%d}",
        "sizes": sorted({cell.condition.inter_eye_px for cell in loaded.cells}), "systems": [*systems.values()],
    }  # fmt: skip


def identity(info: Mapping[str, Any]) -> Row:
    """What must be the same for scores and decisions to be: name, digests of models, options, metric, threshold.

    Options that are files are left out: their digests are among the models'.
    """
    options = {k: v for k, v in info["options"].items() if not isinstance(v, dict) and "/" not in str(v)}
    return {"name": info["name"], "models": sorted(info["models"].values()), "options": options,
            "metric": info["metric"], "direction": info["direction"], "threshold": info["threshold"]}  # fmt: skip


def same_system(known: Mapping[str, Any], info: Mapping[str, Any]) -> bool:
    """Whether stored figures are of the system that says `info` of itself."""
    wanted = json.loads(json.dumps(identity(info)))
    return all(known[name] == value for name, value in wanted.items())


def nearest(sizes: Floats, bands: list[float]) -> Floats:
    """The band of each face `(n,)`: the size it is nearest to on a scale of octaves; NaN beyond HALF_BAND of any."""
    octaves = np.abs(np.log2(sizes)[:, None] - np.log2(np.asarray(bands, np.float64)))
    best = octaves.argmin(axis=1)
    near = octaves[np.arange(len(sizes)), best] <= HALF_BAND + 1e-9
    return np.where(near, np.asarray(bands, np.float64)[best], nan)


def gap(made_up: Row, photographs: Row, direction: str) -> Row:
    """How much more alike made-up pairs are, in standard deviations of the photographs' scores, with intervals.

    The spread of the photographs' scores is taken as known; the variances of both means add.
    """
    told: Row = {}
    for who in ("strangers", "same_person"):
        ours, theirs = made_up[who], photographs[who]
        told[who] = None
        if ours and theirs and theirs["sd"] > 0:
            apart = (ours["mean"] - theirs["mean"]) / theirs["sd"] * (1 if direction == "similarity" else -1)
            fewest = min(ours["people"], theirs["people"])
            half = stats.t.ppf(1 - ALPHA / 2, fewest - 1) * sqrt(ours["se"] ** 2 + theirs["se"] ** 2) / theirs["sd"]
            told[who] = {"value": _short(apart), "low": _short(apart - half), "high": _short(apart + half)}
    return told


def _delivered(run: RunDirectory, cell: Cell) -> pl.DataFrame:
    """Camera, frame, transit of every frame that the system was shown."""
    parts = [run.read(FRAMES, part).filter(pl.col("state") == "ok").select(FACE) for part in run.parts(FRAMES, cell.id)]
    return pl.concat(parts) if parts else pl.DataFrame(schema={name: FRAMES.columns[name] for name in FACE})


def _figures(
    run: RunDirectory, cell: Cell, info: Row, people: People, shown: pl.DataFrame
) -> Iterator[tuple[float, Row]]:
    """Every band of the faces shown (columns camera, frame, transit, subject, size, band; NaN: none), from small."""
    captures, templates = captures_of(run, cell.id, info["dimensions"])
    references = references_of(run, cell.system.label, people, cell.enrolled)
    for band in sorted(shown["band"].filter(shown["band"].is_not_nan()).unique()):
        here = shown.filter(pl.col("band") == band)
        theirs = captures.join(here, on=FACE, how="semi")
        probes = transits_as_probes(theirs, templates, people)
        yield band, {
            "people": here["subject"].n_unique(), "faces": here.height,
            "mean_inter_eye_px": _short(float(here["size"].mean())),  # type: ignore[arg-type]
            "found": _found(here, theirs, people), **_compared(cell, info, people, probes, references),
        }  # fmt: skip


def _found(shown: pl.DataFrame, captures: pl.DataFrame, people: People) -> Row:
    """The share of faces shown that were found, the interval clustered by person."""
    missing, size = shown.join(captures, on=FACE, how="anti"), len(people.subjects)
    trials, errors = (np.bincount(people.index(each["subject"]), minlength=size) for each in (shown, missing))
    missed = by_subject(errors, trials)
    bounds = rate_interval(missed, [], ALPHA)
    return {"value": _short(1 - missed.rate), "low": _short(1 - bounds.high), "high": _short(1 - bounds.low),
            "found": missed.comparisons - missed.errors, "shown": missed.comparisons, "people": missed.subjects,
            "method": f"missed faces: {bounds.method}",
            "verdict": "measured" if sufficient(missed, paired=False) else "insufficient"}  # fmt: skip


def _compared(cell: Cell, info: Row, people: People, probes: Faces, references: Faces) -> Row:
    """FMR and FNMR at the system's own threshold, EER, d′, and how scores are distributed; per transit."""
    matcher = Matcher.of(info, ["own"])
    tables = {table.name: frame for table, frame in compare(cell.id, matcher, probes, references, people, ["own"])[0]}
    counts = counts_by_fold(tables[COUNTS.name], people, len(matcher.edges)).sum(axis=3)
    nobody = np.zeros((2, len(people.subjects)), np.int64)
    data = CellData(
        cell=cell.id, system=cell.system.label, condition={}, direction=matcher.direction, operating_points=("own",),
        people=people, attempts=(nobody[0], nobody[1]), enrolments=(nobody[0], nobody[1]), counts=counts,
        tallied=Tallied.of(people, tables[THRESHOLDS.name], tables[TALLIES.name], tables[MOMENTS.name]),
        edges=matcher.edges,
    )  # fmt: skip
    probers = len(np.unique(probes.subjects))  # few people before the camera are few, however many are enrolled
    rates = {
        figure.metric: _told(figure, probers) for figure in figures_of(data) if figure.metric in ("FMR", "FNMR", "EER")
    }
    sums = score_sums(probes, references, info["metric"], len(people.subjects))
    strangers, same = _spread(sums)
    return {
        "transits": len(probes), **{metric.lower(): rates[metric] for metric in ("FMR", "FNMR", "EER")},
        "d_prime": d_prime(sums, matcher.direction), "strangers": strangers, "same_person": same,
        "scores": _histogram(counts[0, 0], matcher.edges, info["score_range"]),
    }  # fmt: skip


def _told(figure: Figure, probers: int) -> Row:
    value = None if figure.value is None else _short(figure.value)
    free = figure.assumption_free and [_short(each) for each in figure.assumption_free]
    few = probers < FEWEST_SUBJECTS
    return {
        "unit": figure.unit, "value": value, "low": _short(figure.low), "high": _short(figure.high),
        "errors": figure.errors, "comparisons": figure.comparisons, "subjects": probers if few else figure.subjects,
        "assumption_free": free, "method": figure.method, "verdict": "insufficient" if few else figure.verdict,
    }  # fmt: skip


def score_sums(probes: Faces, references: Faces, metric: Any, people: int) -> Floats:
    """Numbers, sums and sums of squares of scores `(2, 3, S)`, non-mated and mated, by person.

    A non-mated comparison stands in both of its people, so that taking a person away takes all of theirs.
    """
    sums = np.zeros((2, 3, people))
    for units, scores in scores_of(probes, references, metric):
        mated = probes.subjects[units, None] == references.subjects[None]
        for kind, chosen in enumerate((~mated, mated)):
            for power in range(3):
                terms = np.where(chosen, scores**power, 0.0)
                sums[kind, power] += np.bincount(probes.subjects[units], terms.sum(axis=1), people)
                if kind == 0:
                    sums[kind, power] += np.bincount(references.subjects, terms.sum(axis=0), people)
    return sums


def totals(sums: Floats) -> Floats:
    """`score_sums` over everybody, then with each person left out `(2, 3, 1 + G)`."""
    total = sums.sum(axis=2, keepdims=True) / np.array([2, 1])[:, None, None]
    return np.concatenate([total, total - sums[:, :, (sums[:, 0] > 0).any(axis=0)]], axis=2)


def jackknife(values: Floats) -> float:
    """The standard error of a statistic from its values `(1 + G,)` over everybody and with each person left out.

    People go with all of their comparisons, so it stands up to comparisons that share a person. NaN where one of the
    values is.
    """
    return float(values[1:].std() * sqrt(max(0, len(values) - 2)))


def d_prime(sums: Floats, direction: str) -> Row | None:
    """d′, the distance of the means in standard deviations, with its jackknife interval; None without people enough."""
    probers = _probers(sums)
    with np.errstate(all="ignore"):
        mean, spread = _moments(totals(sums))
        apart = (mean[1] - mean[0]) / np.sqrt((spread**2).sum(axis=0) / 2)
    if probers < FEWEST_TO_REDRAW or not np.isfinite(apart).all():
        return None
    value = float(apart[0]) * (1 if direction == "similarity" else -1)
    half = stats.t.ppf(1 - ALPHA / 2, probers - 1) * jackknife(apart)
    return {"value": _short(value), "low": _short(value - half), "high": _short(value + half), "subjects": probers,
            "method": "jackknife over people"}  # fmt: skip


def _probers(sums: Floats) -> int:
    """People compared with a photograph of their own: the degrees of freedom, however many more are enrolled."""
    return int((sums[1, 0] > 0).sum())


def _moments(total: Floats) -> tuple[Floats, Floats]:
    """Means and standard deviations `(…, n)` from numbers, sums and sums of squares `(…, 3, n)`."""
    n, first, second = np.moveaxis(total, -2, 0)
    return first / n, np.sqrt(np.maximum(second / n - (first / n) ** 2, 0))


def _spread(sums: Floats) -> tuple[Row | None, Row | None]:
    """Of strangers and of the same person: mean and standard deviation of scores, standard error of the mean."""
    probers = _probers(sums)
    with np.errstate(all="ignore"):
        mean, spread = _moments(totals(sums))
    sides = [
        {"mean": _short(float(mean[k, 0])), "se": _short(jackknife(mean[k])), "sd": _short(float(spread[k, 0])),
         "people": probers} if probers >= FEWEST_TO_REDRAW and np.isfinite(mean[k]).all() else None
        for k in (0, 1)
    ]  # fmt: skip
    return sides[0], sides[1]


def _histogram(counts: npt.NDArray[np.int64], edges: Floats, score_range: tuple[float, float]) -> Row | None:
    """Comparisons by display bin: `low` of the first that is used, `width`, and numbers of either kind."""
    centres = np.r_[edges[0], (edges[1:] + edges[:-1]) / 2, edges[-1]]
    display = np.linspace(*score_range, DISPLAY_BINS + 1)
    heights = np.array([np.histogram(np.clip(centres, *score_range), display, weights=each)[0] for each in counts])
    used = np.flatnonzero(heights.any(axis=0))
    if not len(used):
        return None
    strangers, same = heights[:, used[0] : used[-1] + 1].astype(int).tolist()
    return {"low": _short(display[used[0]]), "width": _short(display[1] - display[0]), "strangers": strangers,
            "same_person": same}  # fmt: skip


def _short(number: float) -> float:
    """Six digits: what is stored is to be read, and to be the same on every machine."""
    return float(f"{number:.6g}")


def document(real: Row) -> str:
    """docs/domain-gap.md: the stored figures as tables."""
    lines = [
        "# Photographs that made-up faces are set beside", "",
        "Made by `python -m testbed.evidence.domain_gap RUN` from a run of `scenarios/real-photographs.yaml`; do not "
        "edit. Figures only: no photograph, no template and no name is stored.", "",
        f"* Data: {real['data']}", f"* Made on {real['made']}",
        "* Reference photographs: neutral faces. Probe photographs: the same people smiling, made smaller until the "
        "pupils are so many pixels apart, and nothing else: no motion, no noise, no codec.",
        "* Intervals: 95 %, people as what is independent (METRICS.md § Intervals; d′ by the jackknife over people).",
        "", "The report of a synthetic run shows these figures beside its own, for systems with the same name, models, "
        "options and threshold. For another system, add it to that scenario and make the figures again.",
    ]  # fmt: skip
    for system in real["systems"]:
        options = ", ".join(f"{name} {value}" for name, value in system["options"].items()) or "none"
        versions = ", ".join(f"{name} {value}" for name, value in system["versions"].items())
        lines += ["", f"## {system['name']}", "", f"Options: {options}. Versions: {versions}. {system['metric']} "
                  f"{system['direction']}, own threshold {system['threshold']:g}. Models (SHA-256): "
                  f"{', '.join(f'`{digest[:12]}…`' for digest in system['models'])}", "",
                  "| inter-eye px | people | photographs | found | FMR | FNMR | EER | d′ | "
                  "strangers’ scores, mean (SD) | same person’s |", "| --- " * 10 + "|"]  # fmt: skip
        for row in system["sizes"]:
            spreads = [side and f"{side['mean']:.3f} ({side['sd']:.3f})" for side in (row["strangers"],
                                                                                   row["same_person"])]  # fmt: skip
            cells = [f"{row['inter_eye_px']:g}", row["people"], row["faces"],
                     *(_rate(row[name]) for name in ("found", "fmr", "fnmr", "eer")), _number(row["d_prime"]),
                     *(each or "–" for each in spreads)]  # fmt: skip
            lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def _rate(rate: Row) -> str:
    if rate["value"] is None:
        return "–"
    return f"{100 * rate['value']:.3g} % [{100 * rate['low']:.3g}–{100 * rate['high']:.3g}]"


def _number(told: Row | None) -> str:
    return f"{told['value']:.2f} [{told['low']:.2f}–{told['high']:.2f}]" if told else "–"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Store the figures of a run on photographs, to set made-up faces by.")
    parser.add_argument("run", type=Path, help="a run of scenarios/real-photographs.yaml")
    parser.add_argument("--out", type=Path, default=Path("testbed/evidence") / STORED)
    parser.add_argument("--document", type=Path, default=Path("docs/domain-gap.md"))
    chosen = parser.parse_args()
    try:
        run = RunDirectory.open(chosen.run)
        real = photographs_of(run, reload(run.manifest()["scenario"]))
    except InputError as error:
        print(f"domain_gap: {error}", file=sys.stderr)
        sys.exit(2)
    for path, text in ((chosen.out, json.dumps(real, ensure_ascii=False, allow_nan=False)),
                       (chosen.document, document(real))):  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace('{"inter_eye_px"', '\n{"inter_eye_px"').rstrip("\n") + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
