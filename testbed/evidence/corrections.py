"""Figures with and without what a person found by looking (METRICS.md § Differentials, truth errors)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipelines.errors import InputError
from testbed.evidence.differentials import differentials_of
from testbed.evidence.figures import SAME_GROUP, verdict
from testbed.evidence.given import read_given
from testbed.evidence.identity_check import ANSWERS, Trials, answered, closed, corrected
from testbed.evidence.intervals import clopper_pearson, rate_interval
from testbed.evidence.rates import ALPHA, CellData, group_pairs
from testbed.evidence.search_figures import search_figures
from testbed.evidence.searches import Searches
from testbed.matching.people import Group, People

_COUNTED = ("value", "low", "high", "errors", "comparisons")


@dataclass(frozen=True)
class Looked:
    """What a cell is corrected with: its data, what was compared, its rows of PAIRS per transit, and which points
    are cross-fitted. searched: its searches, with names in place of others (None: there were none).
    """

    data: CellData
    trials: Trials
    pairs: pl.DataFrame
    crossfitted: tuple[str, ...]
    searched: Callable[[Mapping[str, str]], Searches | None] = lambda _: None


def read_checked(path: Path, people: People) -> dict[str, Any]:
    """The answers of a filled-in sheet, as `run.json` keeps them. Raises InputError where there are none."""
    filled = read_given(path, "a sheet as `testbed check` writes it")
    answers = answered(filled, people, str(path))
    closed(answers["yes"], answers["no"], str(path))
    if not any(answers.values()):
        raise InputError(f"{path}: no row is answered; write {', '.join(ANSWERS)} into the column same_person")
    return {
        "file": path.name,
        "rows": filled.height,
        **{answer: sorted(map(list, answers[answer])) for answer in ANSWERS},
    }


def corrections_of(
    checked: Mapping[str, Any], cells: Sequence[Looked], asked: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Evidence.json's `corrections`: what was answered, FMR and FNMR (FPIR, FNIR) both ways, verdicts that change.

    asked: point, cell (None: all) and rows of the sheet that was written, where known; what has no answer is counted
    against it, else against all false matches and the rows handed in. Of the random pairs that no system matched, the
    share found to be one person is that of truth errors which show as right rejections: `low` and `high`
    (Clopper–Pearson, pairs drawn at random) times `pairs`, all such pairs of people, is how many there may be.
    """
    yes, no, unclear = (frozenset(map(tuple, checked[answer])) for answer in ANSWERS)
    same = closed(yes, no, checked["file"])
    told = {"same": yes, "different": no, "unclear": unclear}
    matched = {pair for cell in cells for pair in _pairs(cell.pairs)}
    listed = matched if asked is None else {
        pair for cell in cells if asked["cell"] in (None, cell.data.cell)
        for pair in _pairs(cell.pairs.filter(pl.col("point") == asked["point"]))
    }  # fmt: skip
    answers = yes | no | unclear
    names = _one_name(same, cells)
    figures: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for cell in cells:
        tallied = corrected(cell.data.tallied, cell.trials, cell.pairs, same, cell.crossfitted)
        new = replace(cell.data, tallied=tallied, searches=cell.searched(names) if names else cell.data.searches)
        figures += _figures(cell.data, new)
        changed += _changed(cell.data, new)
    return {
        "file": checked["file"], "rows": checked["rows"], "same_person": len(same), "followed": len(same - yes),
        "unanswered": max(len(listed - answers), (checked if asked is None else asked)["rows"] - len(answers)),
        "false_matches": {**{answer: len(pairs & matched) for answer, pairs in told.items()},
                          "listed": len(listed), "unanswered": len(listed - answers)},
        "others": _others({answer: len(pairs - matched) for answer, pairs in told.items()},
                          _comparable(cells) - len(matched)),
        "every_comparison_known": all(cell.trials.all_made(cell.data.tallied, cell.crossfitted) for cell in cells),
        "figures": figures, "verdicts": changed,
    }  # fmt: skip


def _others(told: dict[str, int], pairs: int) -> dict[str, Any]:
    looked = told["same"] + told["different"]
    low, high = clopper_pearson(told["same"], looked, ALPHA) if looked else (0.0, 1.0)
    share = told["same"] / looked if looked else None
    return {**told, "share": share, "low": low, "high": high, "confidence": 1 - ALPHA, "pairs": pairs,
            "estimated_low": max(told["same"], low * pairs), "estimated_high": high * pairs}  # fmt: skip


def _pairs(rows: pl.DataFrame) -> set[tuple[str, str]]:
    """The pairs of people of rows of PAIRS, whoever was the probe."""
    people = rows.select("probe_subject", "reference_subject").unique().iter_rows()
    return {(min(p, r), max(p, r)) for p, r in people}


def _one_name(same: frozenset[tuple[str, str]], cells: Sequence[Looked]) -> dict[str, str]:
    """For every name of a person who has several, the one that counts: the first that is enrolled, else the first."""
    people = cells[0].data.people.subjects
    enrolled = np.any([cell.trials.references > 0 for cell in cells], axis=0)
    rank = {name: (not there, name) for name, there in zip(people, enrolled, strict=True)}
    names: dict[str, str] = {}
    for pair in same:  # closed, so every name is paired with every other of that person
        for one in pair:
            names[one] = min(*pair, names.get(one, one), key=rank.__getitem__)
    return names


def _comparable(cells: Sequence[Looked]) -> int:
    """Pairs of people of whom one has a transit and the other a reference, in any cell."""
    shown, enrolled = (
        np.any([getattr(cell.trials, side) > 0 for cell in cells], axis=0) for side in ("transits", "references")
    )
    both, one, other = (int(n.sum()) for n in (shown & enrolled, shown & ~enrolled, ~shown & enrolled))
    return both * (both - 1) // 2 + both * (one + other) + one * other


def _figures(old: CellData, new: CellData) -> Iterator[dict[str, Any]]:
    """FMR of every pair of groups and FNMR of every group, both ways. FTA and FTE do not depend on who is who."""
    if not old.compares:
        yield from _of_searches(old, new)
        return
    people = old.people
    everyone = [(people.everyone(), SAME_GROUP)] if people.attributes else []
    for point in old.operating_points:
        wanted: list[tuple[str, Group, Group | None]] = [("FMR", *pair) for pair in (*group_pairs(people), *everyone)]
        for metric, probe, reference in [*wanted, *(("FNMR", group, None) for group in people.within())]:
            (rate, known), (_, found) = (_counted(data, metric, point, probe, reference) for data in (old, new))
            yield {
                "metric": metric, "system": old.system, "condition": old.condition, "cell": old.cell,
                "operating_point": point, "threshold": old.threshold(point), "probe_group": probe.name,
                "reference_group": None if reference is None else reference.name, "gallery_size": None, "rank": None,
                **known, **{f"corrected_{name}": each for name, each in found.items()},
                "confidence": 1 - ALPHA, "subjects": rate.subjects,
                "verdict": verdict([rate], paired=metric == "FMR"),
            }  # fmt: skip


def _of_searches(old: CellData, new: CellData) -> Iterator[dict[str, Any]]:
    """FPIR and FNIR both ways. A search of somebody enrolled under another name was of somebody enrolled."""
    for before, after in zip(search_figures(old), search_figures(new), strict=True):
        if before.metric in ("FPIR", "FNIR"):
            known, found = before.as_json(), after.as_json()
            for name in ("unit", "probe_attributes", "reference_attributes", "method", "assumption_free"):
                del known[name]
            yield {**known, **{f"corrected_{name}": found[name] for name in _COUNTED}}


def _counted(
    data: CellData, metric: str, point: str, probe: Group, reference: Group | None
) -> tuple[Any, dict[str, Any]]:
    rate, lenders = data.clustered(metric, point, probe, reference)
    bound = rate_interval(rate, lenders, ALPHA)
    value = rate.rate if rate.comparisons else None
    return rate, dict(zip(_COUNTED, (value, bound.low, bound.high, rate.errors, rate.comparisons), strict=True))


def _changed(old: CellData, new: CellData) -> Iterator[dict[str, Any]]:
    """Higher rates that are shown only as recorded, or only once corrected."""
    both: Iterable[tuple[dict[str, Any], dict[str, Any]]] = zip(
        differentials_of(old), differentials_of(new), strict=True
    )
    for before, after in both:
        if (before["verdict"] == "higher") != (after["verdict"] == "higher"):
            whose = ("metric", "kind", "system", "condition", "cell", "operating_point", "group")
            yield {name: before[name] for name in whose} | {
                name: each[key]
                for each, names in ((before, ("verdict", "words")), (after, ("corrected_verdict", "corrected_words")))
                for name, key in zip(names, ("verdict", "words"), strict=True)
            }
