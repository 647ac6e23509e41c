"""What enhancing small faces does to searches and to rates (METRICS.md § Enhanced pictures).

A prior draws several faces from one small picture; whatever differs between the draws was made up. The searches of all
draws are laid beside one another, and each enhancer's errors beside those of the picture as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import inf
from typing import Any

import numpy as np
import polars as pl

from testbed.evidence.contrasts import Strangers, share_interval
from testbed.evidence.figures import bounded, verdict
from testbed.evidence.intervals import FEWEST_SUBJECTS, Clustered, by_subject, rate_interval, within_group
from testbed.evidence.linkage import per_person
from testbed.evidence.rates import ALPHA, CellData
from testbed.evidence.searches import Array, Gallery, search_interval, two_way
from testbed.matching.people import Group, People
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import CANDIDATES, PAIRS, SEARCHES

PLAIN = "none"
INTERPOLATED = ("bicubic", "lanczos")
OF_ENHANCER = ("cell", "condition", "picture", "enhance", "draw", "enlarge")
"""Columns of CELLS in which cells of one and the same picture may differ."""
TOP = 5
"""How many of the most alike people are compared between draws, in galleries of twice as many or more."""
EXAMPLES = 20
NOT_SEARCHED = "passes were not searched among the reference photographs: add `search: {kind: identification}`"
NOTHING_SHARED = "nothing could be compared in both"

Enhancer = tuple[str, int | None]
"""Column `enhance` and column `enlarge` of CELLS."""


def enhanced_of(run: RunDirectory, cells: pl.DataFrame, judged: Sequence[CellData]) -> list[dict[str, Any]]:
    """A row, JSON-able, for each system and picture that is enhanced: `rates` by enhancer, and `priors` by population.

    cells: table CELLS; judged: what its cells' figures are made from, in the scenario's order.
    """
    if "enhance" not in cells.columns or cells.filter(pl.col("enhance") != PLAIN).is_empty():
        return []
    made = {data.cell: data for data in judged}
    pairs = run.read(PAIRS).filter(pl.col("unit") == "transit")
    order = pl.Series("cell", [*made], dtype=pl.String)
    known = pl.DataFrame(order).join(cells, "cell", how="left", maintain_order="left")
    pictures = known.group_by([name for name in cells.columns if name not in OF_ENHANCER], maintain_order=True)
    rows = []
    for _, together in pictures:
        enhancers: dict[Enhancer, list[CellData]] = {}
        for row in together.sort("draw", nulls_last=False, maintain_order=True).iter_rows(named=True):
            enhancers.setdefault((row["enhance"], row["enlarge"]), []).append(made[row["cell"]])
        if any(how != PLAIN for how, _ in enhancers):
            first = next(iter(enhancers.values()))[0]
            searched = {of: searched_with(run, drawn) for of, drawn in enhancers.items()}
            rows.append({
                "system": first.system, "condition": {"name": picture_of(first.condition["name"])},
                "cells": together["cell"].to_list(), "confidence": 1 - ALPHA,
                "rates": [*rates_of(enhancers, pairs), *returned_of(enhancers, searched)],
                "priors": [{**_whose(of, drawn), **completions_of(drawn, searched[of])}
                           for of, drawn in enhancers.items() if of[0].startswith("prior:")],
            })  # fmt: skip
    return rows


def picture_of(condition: str) -> str:
    """A condition's name without what was made of the picture afterwards."""
    kept = [part for part in re.split(r",|; ", condition) if not part.startswith(("enhance=", "enlarge="))]
    return ",".join(kept) or "camera"


def _whose(enhancer: Enhancer, drawn: Sequence[CellData]) -> dict[str, Any]:
    return {"enhance": enhancer[0], "enlarge": enhancer[1], "draws": len(drawn)}


# -- rates, before and after --------------------------------------------------------------------------------------
def rates_of(enhancers: Mapping[Enhancer, Sequence[CellData]], pairs: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """FTA, FNMR, FRR and FMR of every enhancer, group and operating point, each cell at its own threshold.

    Of several draws the errors of all, clustered by person: a draw is no new person. `least` and `most`: of one draw.
    `against`: the difference, within the same people, to the picture as it is and to plain enlargement.
    """
    baselines, first = _baselines(enhancers), next(iter(enhancers.values()))[0]
    points = first.operating_points if any(data.compares for drawn in enhancers.values() for data in drawn) else ()
    asked = [("FTA", None), *((metric, point) for point in points for metric in ("FNMR", "FRR", "FMR"))]
    for metric, point in [(m, p) for m, p in asked if not first.unknown(m)]:
        counted = {of: totals(drawn, metric, point, pairs) for of, drawn in enhancers.items()}
        for of, drawn in enhancers.items():
            for group in first.people.within():
                mine = np.isin(first.people.groups, group.members)
                yield {
                    **_whose(of, drawn), "group": group.name, "attributes": group.attributes, "metric": metric,
                    "operating_point": point, **_rate(drawn, metric, point, group, _inside(counted[of], mine)),
                    "against": _against(of, baselines, {of: _inside(each, mine) for of, each in counted.items()}),
                }  # fmt: skip


def _baselines(enhancers: Iterable[Enhancer]) -> list[Enhancer]:
    """The picture as it is, and plain enlargement."""
    return [of for of in enhancers if of[0] == PLAIN] + [of for of in enhancers if of[0] in INTERPOLATED][:1]


def _against(
    of: Enhancer, baselines: Sequence[Enhancer], counted: Mapping[Enhancer, tuple[Array, Array]]
) -> list[dict[str, Any]]:
    return [
        {"enhance": base[0], "enlarge": base[1], **difference(counted[base], counted[of])}
        for base in baselines if base != of and of[0] != PLAIN
    ]  # fmt: skip


def returned_of(
    enhancers: Mapping[Enhancer, Sequence[CellData]], searched: Mapping[Enhancer, Searched | None]
) -> Iterator[dict[str, Any]]:
    """FPIR of every enhancer, group and operating point, as `rates_of`: a search for somebody who is not there returns
    somebody. Of several draws the mean, clustered as FPIR's own.
    """
    made = {of: each for of, each in searched.items() if each is not None}
    first = next(iter(enhancers.values()))[0]
    for point in first.operating_points if made else ():
        reached = {of: each.draws.reach(each.limits[point]) for of, each in made.items()}
        for group in first.people.within():
            rows, counted = {}, {}
            for of, each in made.items():
                told = not np.isnan(each.limits[point]).any()
                absent = each.draws.searches(group, mated=False) & told
                rate = in_one_draw(each.draws, each.gallery, absent, reached[of])
                somebody = _anybody(reached[of])[absent]
                shares = [float(share) for share in somebody.mean(axis=0)] if absent.any() else []
                rows[of] = {"threshold": each.threshold(point), **_told(rate, searched=True),
                            "least": min(shares, default=None), "most": max(shares, default=None)}  # fmt: skip
                who, people = each.draws.person[absent], len(first.people.subjects)
                trials = np.bincount(who, minlength=people) * reached[of].shape[1]
                counted[of] = np.bincount(who, somebody.sum(axis=1), people), trials
            for of, row in rows.items():
                yield {
                    **_whose(of, enhancers[of]), "group": group.name, "attributes": group.attributes, "metric": "FPIR",
                    "operating_point": point, **row, "against": _against(of, _baselines(made), counted),
                }  # fmt: skip


def totals(drawn: Sequence[CellData], metric: str, point: str | None, pairs: pl.DataFrame) -> tuple[Array, Array]:
    """Errors and trials of all draws together: by person `(S,)`, of FMR by probe and reference person `(S, S)`."""
    each = [_counted(data, metric, point, pairs) for data in drawn]
    return sum(x for x, _ in each), sum(n for _, n in each)  # type: ignore[return-value]


def _counted(data: CellData, metric: str, point: str | None, pairs: pl.DataFrame) -> tuple[Array, Array]:
    tallied, (failed, passes) = data.tallied, data.attempts
    if metric == "FTA":
        return failed, passes
    assert point is not None, "a rate of comparisons has a threshold"
    k, enrolled = tallied.index(point), data.enrolments[1] - data.enrolments[0]
    # Without a threshold nothing was compared; yet who was never found is missed at any.
    told = tallied.threshold(k) is not None or (metric == "FRR" and data.nobody_found)
    if metric == "FNMR":
        return tallied.mated_errors[k] * told, tallied.mated_comparisons[k] * told
    if metric == "FRR":
        trials = passes * enrolled * told
        return trials - (tallied.mated_comparisons[k] - tallied.mated_errors[k]) * told, trials
    trials = np.outer(passes - failed, enrolled) * told
    folds = data.people.folds
    apart = folds[:, None] != folds if point.startswith("fmr=") else False
    trials[np.eye(len(trials), dtype=bool) | apart] = 0
    rows = pairs.filter((pl.col("cell") == data.cell) & (pl.col("point") == point))
    errors = np.zeros(trials.shape)
    errors[data.people.index(rows["probe_subject"]), data.people.index(rows["reference_subject"])] = rows["errors"]
    return errors, trials


def _inside(counted: tuple[Array, Array], mine: Array) -> tuple[Array, Array]:
    errors, trials = counted
    at = np.ix_(*[mine] * errors.ndim)
    return errors[at], trials[at]


def _rate(
    drawn: Sequence[CellData], metric: str, point: str | None, group: Group, counted: tuple[Array, Array]
) -> dict[str, Any]:
    # What one draw's comparisons lend is too good for those of several together, which are of the same people.
    single = [data.clustered(metric, point, group, group if metric == "FMR" else None) for data in drawn]
    rate, lenders = single[0] if len(drawn) == 1 else (_clustered(*counted), [])
    shares = [each.rate for each, _ in single if each.comparisons]
    thresholds = [found for data in drawn if (found := data.threshold(point)) is not None]
    return {
        "threshold": float(np.mean(thresholds)) if thresholds else None,
        "value": rate.rate if rate.comparisons else None, **bounded(rate_interval(rate, lenders, ALPHA)),
        "least": min(shares, default=None), "most": max(shares, default=None), "errors": rate.errors,
        "comparisons": rate.comparisons, "subjects": rate.subjects, "unit": "transit",
        "verdict": verdict([rate], paired=metric == "FMR"),
    }  # fmt: skip


def _clustered(errors: Array, trials: Array) -> Clustered:
    if errors.ndim == 1:
        return by_subject(errors, trials)
    both, made = errors + errors.T, trials + trials.T  # the two directions of a pair together
    moments = np.array([(both * both).sum(), (both * made).sum(), (made * made).sum()]) / 2
    return within_group(both.sum(axis=1), made.sum(axis=1), moments)


def difference(before: tuple[Array, Array], after: tuple[Array, Array]) -> dict[str, Any]:
    """Mean of the differences of shares within people `(S,)` or within pairs of people `(S, S)`, where both have any.

    Student's t over people, or clustered by both people; Tango's interval where few differ (METRICS.md § Contrasts). A
    difference of 0.2 counts as a fifth of an event.
    """
    both = (before[1] > 0) & (after[1] > 0)
    shares = [np.divide(x, n, out=np.full(x.shape, np.nan), where=both) for x, n in (before, after)]
    d = shares[1] - shares[0]
    if d.ndim == 1:
        people, (low, high) = int(both.sum()), share_interval(d[both], ALPHA)
    else:
        found = Strangers.of(d)
        up, down = (float((sign * d[both]).clip(min=0).sum()) / max(1, int(both.sum())) for sign in (1, -1))
        people, (low, high) = found.rate.subjects, replace(found, up=up, down=down).rate_bounds(ALPHA)
    told = bool(both.any())
    return {
        "value": float(d[both].mean()) if told else None, "low": low if told else -1.0, "high": high if told else 1.0,
        "before": float(shares[0][both].mean()) if told else None, "people": people,
        "why": None if told else NOTHING_SHARED,
        "verdict": "measured" if told and people >= FEWEST_SUBJECTS else "insufficient",
    }  # fmt: skip


# -- draws beside one another -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Draws:
    """Q searches, each made with D draws, in which L different people were returned. Scores: greater is more alike.

    sign: 1 where that is the system's own direction, else −1.
    person `(Q,)` indexes People, own `(Q,)` those returned (−1: never); mated `(Q,)`. have `(Q, D)`: there was a
    template. alike `(Q, D, L)`: a person's best; −inf: not on the list. full, end `(Q, D)`: the list was cut, and its
    last score, so that whoever is not on it is no more alike than that.
    """

    people: People
    sign: float
    person: Array
    own: Array
    mated: Array
    have: Array
    alike: Array
    full: Array
    end: Array

    @classmethod
    def of(
        cls, people: People, direction: str, made: pl.DataFrame, listed: pl.DataFrame, cut: Sequence[int | None]
    ) -> Draws:
        """From rows of SEARCHES and CANDIDATES of one gallery size, with a column `draw` from 0; searches of all draws.

        cut `(D,)`: the length at which a draw's lists were cut, None where none was.
        """
        D, sign = len(cut), 1.0 if direction == "similarity" else -1.0
        shared = made.filter(pl.len().over("search") == D).sort("search", "draw")
        whole = shared.unique("search", keep="first", maintain_order=True)
        Q, names = whole.height, listed["subject"].unique().sort()
        at = pl.DataFrame({"search": whole["search"], "q": np.arange(Q)})
        rows = listed.join(at, "search").with_columns(alike=sign * pl.col("score"))
        place = {name: i for i, name in enumerate(names)}
        q, d = rows["q"].to_numpy(), rows["draw"].to_numpy()
        alike, end, length = np.full((Q, D, len(names)), -inf), np.full((Q, D), inf), np.zeros((Q, D), np.int64)
        who = np.array([place[name] for name in rows["subject"]], np.int64)
        np.maximum.at(alike, (q, d, who), rows["alike"].to_numpy())
        np.minimum.at(end, (q, d), rows["alike"].to_numpy())
        np.add.at(length, (q, d), 1)
        full = length == np.array([-1 if limit is None else limit for limit in cut])
        own = np.array([place.get(name, -1) for name in whole["subject"]], np.int64)
        have = (shared["state"] == "searched").to_numpy().reshape(Q, D)
        return cls(people, sign, people.index(whole["subject"]), own, whole["mated"].to_numpy(), have, alike, full, end)

    def searches(self, group: Group, *, mated: bool) -> Array:
        """Which searches `(Q,)` are for people of a group who are in the gallery, or who are not."""
        return np.asarray(np.isin(self.people.groups[self.person], group.members) & (self.mated == mated))

    @property
    def mine(self) -> Array:
        """Whose scores `(Q, 1, L)` are the person's own."""
        return np.asarray(self.own[:, None, None] == np.arange(self.alike.shape[2]))

    def own_scores(self) -> Array:
        """The person's own `(Q, D)`; NaN: no template, nobody there, or cut off."""
        return _known(np.where(self.mine, self.alike, -inf))

    def best_strangers(self) -> Array:
        """The most alike stranger's `(Q, D)`; NaN: no template, or a list that was cut before the first."""
        return _known(np.where(self.mine, -inf, self.alike))

    def tops(self) -> Array:
        """Who is on top `(Q, D)`, of those returned; −1: nobody. Ties stand in the order of people, as in lists."""
        if not self.alike.size:
            return np.full(self.have.shape, -1)
        return np.where(np.isfinite(self.alike.max(axis=2)), self.alike.argmax(axis=2), -1)

    def reach(self, limits: Array) -> Array:
        """Who reaches the threshold `(Q, D, L)`; limits `(D, 2)`: by draw and half of the people, turned."""
        return np.asarray(self.alike >= self._limits(limits)[..., None])

    def short(self, limits: Array) -> Array:
        """Lists `(Q, D)` that were cut where others may reach the threshold, too."""
        return np.asarray(self.full & (self.end >= self._limits(limits)))

    def _limits(self, limits: Array) -> Array:
        return np.asarray(limits[:, self.people.folds[self.person]].T)


def _known(alike: Array) -> Array:
    best = alike.max(axis=2, initial=-inf)
    return np.where(np.isfinite(best), best, np.nan)


@dataclass(frozen=True)
class Searched:
    """The searches of one enhancer's draws in the largest gallery. limits: point → `(D, 2)`, turned; NaN: none.

    cut: the longest length at which a draw's lists were cut, None where none was.
    """

    draws: Draws
    gallery: Gallery
    limits: dict[str, Array]
    cut: int | None

    def threshold(self, point: str) -> float | None:
        """The mean over draws and halves, in the system's unit; None without one."""
        limit = self.limits[point]
        return None if np.isnan(limit).any() else float(self.draws.sign * limit.mean())


def searched_with(run: RunDirectory, drawn: Sequence[CellData]) -> Searched | None:
    """The searches of draws of one enhancer; None where passes were not searched among the references."""
    manifest = run.manifest()
    if manifest.get("search", {}).get("kind") != "identification" or any(data.searches is None for data in drawn):
        return None
    number = {data.cell: draw for draw, data in enumerate(drawn)}
    made = run.read(SEARCHES).filter(pl.col("cell").is_in([*number]))
    size = int(made["gallery"].max())  # type: ignore[arg-type]
    parts = [run.read(CANDIDATES, part) for cell in number for part in run.parts(CANDIDATES, cell)]
    listed = pl.concat([pl.DataFrame(schema=CANDIDATES.columns), *parts])
    made, listed = (
        frame.filter(pl.col("gallery") == size).with_columns(
            draw=pl.col("cell").replace_strict(number, return_dtype=pl.Int64)
        )
        for frame in (made, listed)
    )
    cut = [manifest["lists_cut_at"][cell] for cell in number]
    draws = Draws.of(drawn[0].people, drawn[0].direction, made, listed, cut)
    assert drawn[0].searches is not None
    limits = {
        point: draws.sign * np.array([data.tallied.thresholds[data.tallied.index(point)] for data in drawn])
        for point in drawn[0].operating_points
    }
    return Searched(
        draws, drawn[0].searches.galleries[size], limits, max((c for c in cut if c is not None), default=None)
    )


def completions_of(drawn: Sequence[CellData], searched: Searched | None) -> dict[str, Any]:
    """What the searches of one prior's draws say; `why`: nothing of it can be told."""
    if searched is None:
        return {"gallery": None, "cut": None, "spread": None, "why": NOT_SEARCHED, "groups": [], "examples": []}
    deviation, people = spread_of(drawn), drawn[0].people
    return {
        "gallery": searched.gallery.size, "cut": searched.cut, "spread": deviation, "why": None,
        "groups": [group_of(searched, group, deviation) for group in people.within()],
        "examples": examples_of(searched.draws, searched.limits),
    }  # fmt: skip


def spread_of(drawn: Sequence[CellData]) -> float | None:
    """Standard deviation of the non-mated scores of all draws, from their bins; None without comparisons."""
    counts = [data.counts[:, :, 0].sum(axis=(0, 1)) for data in drawn]
    scores = [np.r_[d.edges[0], (d.edges[1:] + d.edges[:-1]) / 2, d.edges[-1]] for d in drawn]
    n, x = np.concatenate(counts), np.concatenate(scores)
    if n.sum() < 2:
        return None
    mean = float(n @ x) / n.sum()
    return float(np.sqrt(n @ (x - mean) ** 2 / (n.sum() - 1))) or None


def group_of(searched: Searched, group: Group, deviation: float | None) -> dict[str, Any]:
    """How far scores move, who is on top and who is matched over the draws, for searches for people of a group."""
    draws, gallery = searched.draws, searched.gallery
    there, absent = (draws.searches(group, mated=mated) for mated in (True, False))
    several = there & (draws.have.sum(axis=1) > 1)
    tops, owners = draws.tops(), draws.person
    distinct = np.array([len({*row[row >= 0]}) for row in tops])
    enough = gallery.size >= 2 * TOP and not (draws.full & (np.isfinite(draws.alike).sum(axis=2) < TOP)).any()
    overlap = _overlaps(draws, several) if enough else None
    on_top = _each(distinct, owners, several, draws.have.shape[1])
    unknown = there[:, None] & draws.have & np.isnan(draws.own_scores())
    return {
        "group": group.name, "attributes": group.attributes, "passes": int(there.sum()),
        "people": len(np.unique(owners[there])), "without_template": int((~draws.have[there]).sum()),
        "cut_off": int(unknown.sum()),
        "own": _moves(draws.own_scores(), owners, there, deviation),
        "stranger": _moves(draws.best_strangers(), owners, there, deviation),
        "on_top": {**on_top, "low": max(1.0, on_top["low"])},  # somebody is
        "changes": _told(_by_person(distinct > 1, owners, several)),
        "overlap": None if overlap is None else _each(overlap, owners, several, 1.0),
        "points": [
            {"operating_point": point, "threshold": searched.threshold(point),
             **matched(draws, gallery, there, absent, limit)}
            for point, limit in searched.limits.items()
        ],
    }  # fmt: skip


def _moves(scores: Array, owners: Array, mine: Array, deviation: float | None) -> dict[str, Any]:
    """Greatest less least score `(Q, D)` over the draws of searches that know two or more: median, 90th percentile."""
    at = np.flatnonzero(mine & (np.isfinite(scores).sum(axis=1) > 1))
    ranges = np.nanmax(scores[at], axis=1) - np.nanmin(scores[at], axis=1) if len(at) else np.zeros(0)
    told: dict[str, Any] = {"passes": len(at), "people": len(np.unique(owners[at]))}
    told["verdict"] = "measured" if told["people"] >= FEWEST_SUBJECTS else "insufficient"
    for name, share in (("median", 0.5), ("ninetieth", 0.9)):
        ends = quantile(ranges, owners[at], share)
        in_spread = {end: x if x is None or not deviation else x / deviation for end, x in ends.items()}
        told[name] = {**ends, "in_spreads": in_spread if deviation else None}
    return told


def quantile(values: Array, owners: Array, share: float) -> dict[str, float | None]:
    """A quantile of values `(n,)` that are at least 0, each of one person, with its interval.

    The values at which the bounds of the share that is no greater hold `share` (Woodruff 1952), clustered by person;
    `high` None: so few people cannot show how high it is.
    """
    if not len(values):
        return {"value": None, "low": None, "high": None}
    at = np.unique(values)
    everybody = np.ones(len(values), bool)
    bounds = [rate_interval(_by_person(values <= x, owners, everybody), [], ALPHA) for x in at]
    before = rate_interval(_by_person(values < at[0], owners, everybody), [], ALPHA)
    low = next((float(x) for x, b in zip(at, bounds, strict=True) if b.high >= share), float(at[-1]))
    high = next((float(x) for x, b in zip(at, bounds, strict=True) if b.low > share), None)
    value = float(np.quantile(values, share, method="inverted_cdf"))
    return {"value": value, "low": 0.0 if before.high >= share else low, "high": high}


def _overlaps(draws: Draws, mine: Array) -> Array:
    """Of the most alike people of two draws, the share of all these that are in both (Jaccard), mean over draws."""
    order = np.argsort(-draws.alike, axis=2, kind="stable")[:, :, :TOP]
    overlaps = np.zeros(len(mine))
    for q in np.flatnonzero(mine):
        sets = [
            {*order[q, d][np.isfinite(draws.alike[q, d, order[q, d]])]} for d in np.flatnonzero(draws.have[q])
        ]  # fmt: skip
        overlaps[q] = np.mean([len(a & b) / max(1, len(a | b)) for a, b in combinations(sets, 2)])
    return overlaps


def matched(draws: Draws, gallery: Gallery, there: Array, absent: Array, limits: Array) -> dict[str, Any]:
    """Who is called a match at a threshold in at least one of the draws. A draw without a template matches nobody.

    right, stranger: the person was in the gallery; the right person, a stranger is on top and matches in some draw;
    both: each in another. one: the person was not; somebody matches in one draw, on average; some: in some draw;
    people: how many different people match in all draws. at_least: some lists were cut before the threshold.
    """
    if np.isnan(limits).any():
        nothing = dict.fromkeys(("right", "stranger", "both", "one", "some", "people"))
        return {**nothing, "at_least": False}
    reach, mine = draws.reach(limits), draws.mine
    own, tops = np.where(mine, draws.alike, -inf).max(axis=2, initial=-inf), draws.tops()
    own_reaches = (reach & mine).any(axis=2)
    first = tops[..., None] == np.arange(reach.shape[2])
    above = ~mine & ((draws.alike > own[..., None]) | first)
    right = _some(own_reaches & (tops == draws.own[:, None]))
    fooled, anybody = _some(reach & above), _some(reach)
    stranger = _some(fooled)
    # A stranger decides an outcome who alone brings it about, over all draws.
    wrong_by = _alone(fooled)
    outranked = _some(above & (own_reaches & (above.sum(axis=2) == 1))[..., None]) & ~right[:, None]
    both = right & stranger

    def told(errors: Array, of: Array, decided: Array) -> dict[str, Any]:
        rate = two_way(draws.person, gallery.size, of, errors, (decided[:, 0], decided[:, 1]))
        return _told(rate, searched=True)

    asked = there | absent
    one, some = (
        _told(in_one_draw(draws, gallery, absent, reach), searched=True),
        told(_some(anybody), absent, _alone(anybody)),
    )
    # Who matches in one draw matches in some: neither limit of the lesser share lies above that of the greater.
    some["low"], one["high"] = max(some["low"], one["low"]), min(some["high"], one["high"])
    return {
        "right": told(right, there, np.argwhere(outranked)), "stranger": told(stranger, there, wrong_by),
        "both": told(both, there, wrong_by[both[wrong_by[:, 0]]]),
        "one": one, "some": some,
        "people": _each(anybody.sum(axis=1), draws.person, absent, gallery.size),
        "at_least": bool(draws.short(limits)[asked].any()),
    }  # fmt: skip


def in_one_draw(draws: Draws, gallery: Gallery, absent: Array, reach: Array) -> Clustered:
    """Somebody matches, each draw of a search counted; reach `(Q, D, L)`. Of one draw alone it is FPIR."""
    Q, D, L = reach.shape
    alone = _alone(reach.reshape(Q * D, L))
    errors, person = _anybody(reach).ravel(), np.repeat(draws.person, D)
    return two_way(person, gallery.size, np.repeat(absent, D), errors, (alone[:, 0], alone[:, 1]))


def _anybody(reach: Array) -> Array:
    """Whether anybody matches, by search and draw."""
    return np.asarray(reach.any(axis=2))


def _some(events: Array) -> Array:
    """Whether there is any, over the second axis."""
    return np.asarray(events.any(axis=1))


def _alone(who: Array) -> Array:
    """Rows (search, person) of searches `(Q, L)` in which one person alone stands."""
    return np.argwhere(who & (who.sum(axis=1) == 1)[:, None])


def _by_person(errors: Array, owners: Array, mine: Array) -> Clustered:
    return by_subject(np.bincount(owners[mine], errors[mine]), np.bincount(owners[mine]))


def _each(counts: Array, owners: Array, mine: Array, most: float) -> dict[str, Any]:
    """A mean per search, clustered by person, none over `most`."""
    return per_person(np.bincount(owners[mine], counts[mine]), np.bincount(owners[mine]), most, ALPHA)


def _told(rate: Clustered, *, searched: bool = False) -> dict[str, Any]:
    interval = search_interval(rate, ALPHA) if searched else rate_interval(rate, [], ALPHA)
    return {
        "value": rate.rate if rate.comparisons else None, **bounded(interval), "errors": rate.errors,
        "comparisons": rate.comparisons, "subjects": rate.subjects, "unit": "search",
        "verdict": verdict([rate], paired=False),
    }  # fmt: skip


def examples_of(draws: Draws, limits: Mapping[str, Array]) -> list[dict[str, Any]]:
    """Searches for people who are there, evenly over all with a template: their scores by draw, in the system's unit.

    Nobody is named. reached: the operating points at which a score is a match.
    """
    with_list = np.flatnonzero(draws.mated & draws.have.any(axis=1))
    chosen = np.unique(np.linspace(0, max(len(with_list) - 1, 0), EXAMPLES).round().astype(int))[: len(with_list)]
    own, strangers = draws.own_scores(), draws.best_strangers()
    folds = draws.people.folds[draws.person]

    def told(q: int, d: int, score: float) -> dict[str, Any]:
        reached = [point for point, limit in limits.items() if score >= limit[d, folds[q]]]
        return {"draw": d + 1, "score": None if np.isnan(score) else draws.sign * score, "reached": reached}

    return [
        {
            "group": draws.people.labels[draws.people.groups[draws.person[q]]],
            **{who: [told(q, int(d), float(scores[q, d])) for d in np.flatnonzero(draws.have[q])]
               for who, scores in (("own", own), ("stranger", strangers))},
        }
        for q in with_list[chosen]
    ]  # fmt: skip
