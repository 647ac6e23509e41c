"""Whether a result stands if group labels are wrong as often as somebody states (METRICS.md § Differentials)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipelines.errors import InputError
from testbed.evidence.differentials import kinds_of
from testbed.evidence.figures import verdict
from testbed.evidence.given import read_given
from testbed.evidence.intervals import rate_interval
from testbed.evidence.labels import Floats, Misclassification, Recomputed, recompute
from testbed.evidence.provenance import said_by
from testbed.evidence.rates import ALPHA, CellData
from testbed.evidence.verdicts import allowed, at_least
from testbed.matching.people import Group, People, people_of
from testbed.scenario.models import Scenario
from testbed.sources.subjects import read_subjects

IMPOSSIBLE = "cannot be recomputed: with labels wrong this often the data would be impossible"


def read_label_errors(path: Path, people: People) -> dict[str, Any]:
    """What a file says of one kind of group, as `run.json` keeps it. Raises InputError where it fits no kind.

    The file: a row per true group, column `true`, and a column per label with the probability of being labelled so.
    Its labels say which attribute it speaks of (or the full cross of all).
    """
    frame = read_given(path, "a table of label errors (like examples/label_errors.csv)")
    written = frame.columns[1:]
    kinds = kinds_of(people)
    # A word under two attributes names groups `attribute=word`; in a file on one of them the word alone will do.
    named = {
        kind: {name: g.name for g in groups for name in (g.name, g.attributes.get(kind, g.name))}
        for kind, groups in kinds.items()
    }
    fitting = [kind for kind, names in named.items() if {names.get(label) for label in written} == set(names.values())]
    if frame.columns[0] != "true" or len(fitting) != 1:
        there = "; ".join(f"{kind}: {', '.join(g.name for g in groups)}" for kind, groups in kinds.items())
        raise InputError(
            f"{path}: must have the column `true` and a column for each label of one attribute of this run "
            f"({there or 'which has no groups'})"
        )
    (kind,) = fitting
    names = named[kind]
    if len(written) > len(kinds[kind]):
        raise InputError(f"{path}: has two columns for one label; keep one")
    frame = frame.select(
        pl.col("true").replace(names),
        *(pl.col(label).cast(pl.Float64, strict=False).alias(names[label]) for label in written),
    )
    matrix = Misclassification.of(frame, tuple(g.name for g in kinds[kind]), str(path))
    found = {"file": path.name, "labels": list(matrix.labels), "assigned": matrix.assigned.tolist()}
    try:
        composition_of(kind, found, people)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return {kind: found}


def require_errors(subjects: pl.DataFrame, people: People, noted: Collection[str], where: Path) -> None:
    """Raise InputError where an inferred attribute is in none of the kinds of group that label errors are `noted` of.

    subjects: table SUBJECTS; where: what the message begins with.
    """
    for attribute in people.attributes:
        if not {attribute, " × ".join(people.attributes)} & {*noted} and "inferred" in said_by(subjects, attribute):
            raise InputError(
                f"{where}: labels of {attribute} are inferred, and no file says how often they are wrong; give one on "
                f"{attribute} with `label_errors` or --label-errors"
            )


def check_stated(scenario: Scenario) -> None:
    """Raise InputError, before anything is run, where a scenario's own file of label errors does not fit its people."""
    stated = scenario.subjects
    if stated is not None and stated.label_errors is not None:
        subjects = read_subjects(stated, scenario.groups)
        people = people_of(subjects, scenario.groups, scenario.seed)
        require_errors(subjects, people, read_label_errors(stated.label_errors, people), stated.label_errors)


def label_sensitivity_of(
    data: CellData, noted: Mapping[str, Mapping[str, Any]], differentials: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """FMR of every pair of groups, FNMR and FTA, as labelled and recomputed: rows of `label_sensitivity`.

    noted: by kind of group, as `read_label_errors` gives it. differentials: of this cell. Bounds hold for all rates of
    one table at once, at α/G² each where there are G² of them. `corrected` is None where a rate of the table has no
    comparisons; `least` and `greatest`, the range of both readings, then hold whatever it may be. Where no rates by
    true group would give the data of a table, nothing of it is recomputed, and `why` says so. `shown` says whether a
    higher rate than the reference group's is shown as labelled, `still_shown` whether it is if the labels are wrong
    that often (None: nothing could be recomputed).
    """
    compared = {(d["metric"], d["operating_point"], d["kind"], d["group"]): d for d in differentials}
    families: list[tuple[str, str | None]] = [] if data.unknown("FTA") else [("FTA", None)]
    families += [(metric, point) for point in data.operating_points for metric in ("FMR", "FNMR") if data.compares]
    for kind, errors in noted.items():
        composition, groups = composition_of(kind, errors, data.people), kinds_of(data.people)[kind]
        for metric, point in families:
            told = {g.name: compared.get((metric, point, kind, g.name)) for g in groups}
            for row, found in _recomputed(data, metric, point, groups, composition):
                within = row["reference_group"] in (None, row["probe_group"])
                said = _difference(told[row["probe_group"]] if within else None, found, groups)
                yield {**row, "kind": kind, "file": errors["file"], **said}


def _recomputed(
    data: CellData, metric: str, point: str | None, groups: Sequence[Group], composition: Floats
) -> Iterator[tuple[dict[str, Any], Recomputed]]:
    """Each rate of one table with what it is by true group, and the whole table's."""
    pairs = [(a, b) for a in groups for b in groups] if metric == "FMR" else [(a, None) for a in groups]
    rates = [data.clustered(metric, point, a, b) for a, b in pairs]
    bounds = [rate_interval(*each, ALPHA / len(pairs)) for each in rates]
    table = np.array([(rate.rate, each.low, each.high) for (rate, _), each in zip(rates, bounds, strict=True)])
    value, low, high = table.T.reshape(3, *[len(groups)] * (2 if metric == "FMR" else 1))
    # A rate without comparisons may be anything from 0 to 1, and so may what it is mixed into.
    zero, one = np.nan_to_num(value, nan=0.0), np.nan_to_num(value, nan=1.0)
    found, reach = recompute(zero, low, high, composition), recompute(zero, zero, one, composition)
    least, greatest = np.fmin(value, reach.low), np.fmax(value, reach.high)
    known = bool(np.isfinite(value).all())
    possible = found.possible or not known
    none = dict.fromkeys(("corrected", "corrected_low", "corrected_high", "least", "greatest"))
    for i, ((a, b), (rate, _), bound) in enumerate(zip(pairs, rates, bounds, strict=True)):
        yield {
            "metric": metric, "system": data.system, "condition": data.condition, "cell": data.cell,
            "operating_point": point, "threshold": data.threshold(point),
            "probe_group": a.name, "reference_group": None if b is None else b.name,
            "value": rate.rate if rate.comparisons else None, "low": bound.low, "high": bound.high,
            **({
                "corrected": float(found.corrected.flat[i]) if known else None,
                "corrected_low": float(found.low.flat[i]), "corrected_high": float(found.high.flat[i]),
                "least": float(least.flat[i]), "greatest": float(greatest.flat[i]),
            } if possible else none), "why": None if possible else IMPOSSIBLE, "confidence": 1 - ALPHA,
            "errors": rate.errors, "comparisons": rate.comparisons, "subjects": rate.subjects,
            "verdict": verdict([rate], paired=metric == "FMR"),
        }, replace(found, possible=possible)  # fmt: skip


def _difference(told: Mapping[str, Any] | None, found: Recomputed, groups: Sequence[Group]) -> dict[str, Any]:
    """Whether a group's higher rate stays shown, in a sentence; nothing for the reference and groups too small."""
    nothing = {"compared_with": None, "shown": None, "still_shown": None, "words": None}
    if told is None or told["verdict"] not in ("higher", "not shown"):
        return nothing
    names = [group.name for group in groups]
    mine, base = names.index(told["group"]), names.index(told["reference"])
    low, high = ((np.diag(each) if each.ndim == 2 else each) for each in (found.low, found.high))
    least = float(low[mine] / high[base]) if high[base] > 0 else 0.0
    most = float(high[mine] / low[base]) if low[base] > 0 else None
    shown, still = told["verdict"] == "higher", least > 1 if found.possible else None
    if still is None:
        said = (f"higher as labelled, at least {at_least(told['low'])} times; " if shown else "") + f"{IMPOSSIBLE}."
    elif still:
        was = "a higher rate stays shown" if shown else "a higher rate is not shown as labelled, but would be"
        said = f"{was} if labels are wrong this often, at least {at_least(least)} times."
    elif shown:
        said = (f"higher as labelled, at least {at_least(told['low'])} times; no longer shown if labels are wrong "
                f"this often: then the data allow {allowed(least, most)}.")  # fmt: skip
    else:
        said = "a higher rate is shown neither as labelled nor if labels are wrong this often."
    words = f"{told['group']}, {told['metric']} against {told['reference']}: {said}"
    return {"compared_with": told["reference"], "shown": shown, "still_shown": still, "words": words}


def composition_of(kind: str, errors: Mapping[str, Any], people: People) -> Floats:
    """Who bears each label, by one kind's errors as `run.json` keeps them. Raises InputError where they do not fit."""
    groups = kinds_of(people).get(kind, [])
    if [g.name for g in groups] != list(errors["labels"]):
        raise InputError(f"the groups of this run are no longer those of {errors['file']}; give --label-errors again")
    matrix = Misclassification(tuple(errors["labels"]), np.array(errors["assigned"], np.float64))
    return matrix.composition(np.array([people.size(group) for group in groups]))
