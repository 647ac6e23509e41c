"""What is left of a search's errors once people have looked at its candidates (METRICS.md § Reviewers).

The lists are those that were returned; how people answer is assumed (`testbed.scenario.reviewing`). What follows is an
expectation in closed form, checked by a simulation of the reviewers one answer at a time. One reviewer picks the right
person, if shown, with the hit rate; who does not see the right person, shown or not, picks a stranger as if it were not
there. Of several strangers, one is picked in proportion to `exp(alike · z)`, z its standardised likeness.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import inf, isfinite, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy import special

from testbed.evidence.figures import verdict
from testbed.evidence.intervals import Clustered, by_subject
from testbed.evidence.rates import ALPHA, CellData
from testbed.evidence.searches import Array, Gallery, Searches, search_interval, two_way
from testbed.matching.people import Group
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import CANDIDATES, SEARCHES
from testbed.scenario.loading import read_as
from testbed.scenario.models import Scenario
from testbed.scenario.reviewing import SOURCES, VARIED, Review
from testbed.scenario.strict import Strict

PREVALENCES = (0.5, 0.1, 0.01, 1e-3, 1e-4)
"""Shares of searches whose person is among those searched, for which precision is told."""
RAREST = 0.02
"""The rarest that was studied: the effect of rarity is not carried beyond."""
REPEATS, MOST_PLAYED = 400, 20_000_000
"""Of the simulation: how often all lists are looked at, less often where they are so many (20 times at least)."""
Told = dict[str, float]
"""`value`, `least` and `most` of what is assumed, `low` and `high` of the sample too."""


@dataclass(frozen=True)
class Assumed:
    """One value for each assumption of `Review`."""

    hit_rate: float
    false_alarm_rate: float
    fatigue: float
    rare: float
    alike: float
    shared: float
    prevalence: float
    minutes_per_candidate: float
    reviewers: int = 1
    agree: str = "both"

    @classmethod
    def of(cls, review: Review, **ends: int) -> Assumed:
        """The middle of every range, but for those whose end is named: 0 the low one, 1 the high one."""
        ranges = {name: getattr(review, name) for name in VARIED}
        values = {name: pair[ends[name]] if name in ends else sum(pair) / 2 for name, pair in ranges.items()}
        return cls(**values, reviewers=review.reviewers, agree=review.agree)

    @property
    def hit(self) -> float:
        """The hit rate at this prevalence, at the beginning of a shift."""
        rarer = np.log10(0.5 / np.clip(self.prevalence, RAREST, 0.5))
        return float(special.expit(special.logit(self.hit_rate) - self.rare * rarer))


@dataclass(frozen=True)
class Lists:
    """The Q lists of one gallery as reviewers see them at one threshold; a list may be empty.

    person, mated, there, rows `(Q,)`: who is searched for (an index of People), whether enrolled, whether shown, and
    how many candidates are shown. Strangers shown, each once, by list and the most alike first: at, who, z `(n,)`, z
    being standardised by the best strangers of all searches in which nobody was there. longest: no list holds more.
    """

    person: Array
    mated: Array
    there: Array
    rows: Array
    at: Array
    who: Array
    z: Array
    longest: float = inf

    @property
    def strangers(self) -> Array:
        """How many strangers each list shows `(Q,)`."""
        return np.bincount(self.at, minlength=len(self.person))

    def nth(self, n: int) -> Array:
        """z of each list's n-th stranger, from 0 `(Q,)`; −inf where it has fewer."""
        count = self.strangers
        z = np.full(len(count), -np.inf)
        z[count > n] = self.z[(np.cumsum(count) - count)[count > n] + n]
        return z

    @property
    def best(self) -> Array:
        """Who the most alike stranger of each list is `(Q,)`; −1: it has none."""
        first = np.full(len(self.person), -1)
        first[self.at[::-1]] = self.who[::-1]
        return first


@dataclass(frozen=True)
class Expected(Clustered):
    """A mean of chances, clustered as a rate is. `errors` is their sum, rounded; 0 or all only if it is just that."""

    mean: float = 0.0

    @property
    def rate(self) -> float:
        """The mean; NaN without trials."""
        return self.mean if self.comparisons else float("nan")


class _File(Strict):
    review: Review


def read_review(path: Path) -> Review:
    """What a file assumes under `review:`, be it a whole scenario. Raises InputError, all mistakes at once."""
    others = Scenario.model_fields.keys() - {"review"}
    needs = "review, a mapping as in scenarios/hidden-work.yaml"
    return read_as(_File, path, "file of reviewers", needs, others).review


# -- what reviewers make of a list ----------------------------------------------------------------------------------
def outcomes(lists: Lists, a: Assumed, best: Array | None = None) -> tuple[Array, Array]:
    """Chances `(Q,)` that a search ends with the right person named, and with a stranger; expectation over a shift.

    best: z of the stranger who decides how tempting a list is; unset: its most alike. Of two reviewers of whom either
    may name somebody, both can happen at once.
    """
    tempting = lists.nth(0) if best is None else best
    some = np.isfinite(tempting)
    f = np.where(some, special.expit(special.logit(a.false_alarm_rate) + a.alike * np.where(some, tempting, 0)), 0)
    h, u, uu = a.hit, a.fatigue / 2, a.fatigue**2 / 3  # right answers fall from 1 to 1 − fatigue over a shift
    right = np.where(lists.there, h * (1 - u), 0.0)
    absent = f + (1 - f) * u
    overlooked = (1 - h) * f + ((1 - h) * (1 - f) + h * f) * u + h * (1 - f) * uu
    wrong = np.where(some, np.where(lists.there, overlooked, absent), 0.0)
    if a.reviewers == 1:
        return right, wrong
    if a.agree == "either":
        return tuple(a.shared * p + (1 - a.shared) * (1 - (1 - p) ** 2) for p in (right, wrong))  # type: ignore[return-value]
    alone = 1 - a.shared
    return a.shared * right + alone * right**2, a.shared * wrong + alone * wrong**2 * _same(lists, a.alike)


def _weights(lists: Lists, alike: float) -> Array:
    """Chance that each stranger is the one picked where one is, `(n,)`."""
    weight = np.exp(alike * (lists.z - lists.nth(0)[lists.at]))
    return np.asarray(weight / np.bincount(lists.at, weight, len(lists.person))[lists.at])


def _same(lists: Lists, alike: float) -> Array:
    """Chance `(Q,)` that two who each pick a stranger of a list pick the same one."""
    return np.bincount(lists.at, _weights(lists, alike) ** 2, len(lists.person))


def simulated(lists: Lists, a: Assumed, seed: int, repeats: int = REPEATS) -> tuple[Array, Array]:
    """`outcomes` by playing each reviewer's answers: shares of repeats `(repeats, Q)`, whether right, whether wrong."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, 0x5EE]))
    Q, some, best = len(lists.person), lists.strangers > 0, lists.nth(0)
    f = special.expit(special.logit(a.false_alarm_rate) + a.alike * np.where(some, best, 0))
    until = np.cumsum(_weights(lists, a.alike)) if len(lists.at) else np.zeros(0)
    before: Array = np.cumsum(some) - some  # each list with strangers takes 1 of `until`
    rights, wrongs = np.zeros((repeats, Q), bool), np.zeros((repeats, Q), bool)

    def answers() -> Array:
        """−2: nobody, −1: the right person, else which of the strangers."""
        fresh = 1 - a.fatigue * rng.random(Q)
        hit, refuses = rng.random(Q) < a.hit * fresh, rng.random(Q) < (1 - f) * fresh
        pick = np.minimum(np.searchsorted(until, before + rng.random(Q), side="right"), max(len(until) - 1, 0))
        return np.where(lists.there & hit, -1, np.where(some & ~refuses, pick, -2))

    for k in range(repeats):
        one = answers()
        other = np.where(rng.random(Q) < a.shared, one, answers()) if a.reviewers == 2 else one
        if a.agree == "either":
            rights[k], wrongs[k] = (one == -1) | (other == -1), (one >= 0) | (other >= 0)
        else:
            rights[k], wrongs[k] = (one == -1) & (other == -1), (one >= 0) & (one == other)
    return rights, wrongs


# -- a rate of them, with its interval ------------------------------------------------------------------------------
def expected(lists: Lists, mine: Array, chance: Array, decided: Array, size: int) -> Expected:
    """The mean of `chance (Q,)` over the searches `mine (Q,)`, clustered two ways as `two_way` does for errors.

    decided `(Q,)`: the part of it that would go without the most alike stranger, who is in a gallery of `size`.
    """
    at = np.flatnonzero(decided > 0)
    rate = two_way(lists.person, size, mine, chance, (at, lists.best[at]), decided[at])
    M, x = rate.comparisons, float(chance[mine].sum())
    share = min(x / max(M, 1), 1.0)
    errors = 0 if x == 0 else M if share > 1 - 1e-12 else int(np.clip(round(x), 1, max(M - 1, 1)))
    return Expected(**{**vars(rate), "errors": errors, "mean": share})


@dataclass(frozen=True)
class Looked:
    """One point's lists, as `review` has them looked at."""

    lists: Lists
    review: Review
    size: int

    def wrong(self, mine: Array, alpha: float, prevalence: float | None = None) -> Told:
        """Of the searches `mine`, those that end with a stranger named: value, and limits of assumptions and sample."""
        return self._told(mine, alpha, "wrong", prevalence)

    def right(self, mine: Array, alpha: float, prevalence: float | None = None) -> Told:
        """Of the searches `mine`, those that end with the right person named."""
        return self._told(mine, alpha, "right", prevalence)

    def _told(self, mine: Array, alpha: float, what: str, prevalence: float | None) -> Told:
        def at(a: Assumed) -> tuple[float, Assumed]:
            return float(outcomes(self.lists, a)[what == "wrong"][mine].mean()), a

        middle, least, most = (
            [a if prevalence is None else replace(a, prevalence=prevalence) for a in each]
            for each in ([Assumed.of(self.review)], *corners(self.review, what))
        )
        value = at(middle[0])[0]
        low, high = min(map(at, least), key=lambda e: e[0]), max(map(at, most), key=lambda e: e[0])
        return {
            "value": value, "least": low[0], "most": high[0],
            "low": min(low[0], self._limits(mine, low[1], what, alpha)[0]),
            "high": max(high[0], self._limits(mine, high[1], what, alpha)[1]),
        }  # fmt: skip

    def _limits(self, mine: Array, a: Assumed, what: str, alpha: float) -> tuple[float, float]:
        """Sampling limits at one corner. Chances are counted as shares of the largest, so that where all are the same
        the interval is that of how often there is a list, times the chance.
        """
        chance = outcomes(self.lists, a)[what == "wrong"]
        top = float(chance[mine].max(initial=0))
        if top == 0:  # no such list: what one with a single candidate would do
            top = 1.0 if what == "wrong" and a.alike else _of_one(a)[what == "wrong"]
        decided = np.zeros(len(chance))
        if what == "wrong":
            without = outcomes(self.lists, a, best=self.lists.nth(1))[1]
            decided = np.maximum(chance - without, 0)
        scale = top or 1.0
        interval = search_interval(expected(self.lists, mine, chance / scale, decided / scale, self.size), alpha)
        return interval.low * top, interval.high * top


def _of_one(a: Assumed) -> tuple[float, float]:
    """Chances of a right and of a wrong answer to a list of one usual candidate, who is, or is not, the person."""
    one, none = np.zeros(1, np.int64), np.zeros(0, np.int64)
    there = Lists(one, one == 0, one == 0, one + 1, none, none, np.zeros(0))
    absent = Lists(one, one > 0, one > 0, one + 1, one, one, np.zeros(1))
    return float(outcomes(there, a)[0][0]), float(outcomes(absent, a)[1][0])


def corners(review: Review, what: str) -> tuple[list[Assumed], list[Assumed]]:
    """Where fewest and most searches end `right` (`wrong`): each assumption at the end that makes it so.

    Each moves the chance one way only, but for likeness, which is tried at both ends and in the middle.
    """
    more = {"fatigue": 1, "hit_rate": 0, "rare": 1, "prevalence": 0}
    if what == "right":
        more = {name: 1 - end for name, end in more.items()}
    more |= {"false_alarm_rate": 1, "shared": int(review.agree == "both")}
    likeness: list[dict[str, int]] = [{}, {"alike": 0}, {"alike": 1}] if what == "wrong" else [{}]
    least = {name: 1 - end for name, end in more.items()}
    return tuple([Assumed.of(review, **ends, **each) for each in likeness] for ends in (least, more))  # type: ignore[return-value]


# -- work -----------------------------------------------------------------------------------------------------------
def mean_rows(lists: Lists, mine: Array, alpha: float) -> tuple[float, float, float]:
    """Candidates shown in a search of `mine`: mean and limits, clustered by person (Student's t)."""
    M = int(mine.sum())
    if not M:
        return float("nan"), 0.0, float("inf")
    _, place = np.unique(lists.person[mine], return_inverse=True)
    rate = by_subject(np.bincount(place, lists.rows[mine]), np.bincount(place))
    mean, G = float(lists.rows[mine].mean()), rate.subjects
    if G < 2:
        return mean, 0.0, float("inf")
    half = float(special.stdtrit(rate.freedom, 1 - alpha / 2)) * sqrt(rate.variance * G / (G - 1))
    return mean, max(mean - half, 0.0), min(mean + half, lists.longest)


def hours_of(rows: tuple[float, float], a: Assumed) -> float:
    """Hours of review a search; rows: candidates shown where the person is among those searched, and where not."""
    shown = a.prevalence * rows[0] + (1 - a.prevalence) * rows[1]
    return shown * a.minutes_per_candidate * a.reviewers / 60


def precision(prevalence: float, right: float, wrong_there: float, wrong_absent: float) -> float | None:
    """Of the searches that end with somebody named, the share with the right one; None where nobody is ever named."""
    named = prevalence * (right + wrong_there) + (1 - prevalence) * wrong_absent
    return prevalence * right / named if named > 0 else None


# -- rows of evidence -----------------------------------------------------------------------------------------------
def reviewers_of(data: CellData, review: Review, run: RunDirectory) -> Iterator[dict[str, Any]]:
    """A row for each operating point and gallery of a cell. Reads its rows of SEARCHES and its parts of CANDIDATES."""
    searches = data.searches
    if searches is None:
        return
    made = run.read(SEARCHES).filter(pl.col("cell") == data.cell)
    for size in searches.gallery_sizes:
        gallery = searches.galleries[size]
        able = [point for point in data.operating_points if not _why(searches, gallery, point)]
        parts = (run.read(CANDIDATES, part) for part in run.parts(CANDIDATES, data.cell))
        shown = shown_of(searches, size, able, made, parts, review.length)
        for point in data.operating_points:
            row = {
                "system": data.system, "condition": data.condition, "cell": data.cell, "operating_point": point,
                "threshold": data.threshold(point), "gallery_size": size, "confidence": 1 - ALPHA,
                "assumptions": assumptions(review),
            }  # fmt: skip
            if why := _why(searches, gallery, point):
                yield {**row, "why": why, "groups": [], "sensitivity": [], "simulation": None}
                continue
            looked = Looked(lists_of(searches, gallery, point, shown, review.length), review, size)
            everyone = data.people.everyone()
            yield {
                **row, "why": None,
                "groups": [_of_group(searches, looked, point, group) for group in data.people.within()],
                "sensitivity": sensitivity(looked, _inside(searches, gallery, everyone)),
                "simulation": _simulation(looked),
            }  # fmt: skip


def assumptions(review: Review) -> dict[str, Any]:
    """What is assumed: every range with its middle and source, and what is fixed."""
    ranges = {
        name: {"low": low, "high": high, "middle": (low + high) / 2,
               "source": SOURCES[name] if (low, high) == type(review).model_fields[name].default else None}
        for name in VARIED for low, high in [getattr(review, name)]
    }  # fmt: skip
    fixed = ("reviewers", "agree", "length", "shift_hours", "volume", "seed")
    return {"ranges": ranges, **{name: getattr(review, name) for name in fixed}}


def shown_of(
    searches: Searches, size: int, points: list[str], made: pl.DataFrame, parts: Iterable[pl.DataFrame],
    length: int | None,
) -> pl.DataFrame:  # fmt: skip
    """Every candidate that reviewers are shown at any of the points: at (the search), subject, wrong, alike."""
    gallery, people = searches.galleries[size], searches.people
    folds = people.folds[gallery.person]
    loosest = (
        np.min([searches.limits[point][folds] for point in points], axis=0) if points else np.full(len(folds), np.inf)
    )
    known = made.filter(pl.col("gallery") == size).sort("search").with_row_index("at")
    known = known.select("search", pl.col("at").cast(pl.Int64), owner="subject", least=pl.Series(loosest))
    sign = 1.0 if searches.direction == "similarity" else -1.0
    kept = [
        part.filter(pl.col("gallery") == size).join(known, "search").with_columns(alike=sign * pl.col("score"))
        .filter((pl.col("alike") >= pl.col("least")) & (pl.col("rank") <= (length or 2**31 - 1)))
        .select("at", "subject", "alike", wrong=pl.col("subject") != pl.col("owner"))
        for part in (pl.DataFrame(schema=CANDIDATES.columns), *parts)
    ]  # fmt: skip
    return pl.concat(kept)


def lists_of(searches: Searches, gallery: Gallery, point: str, shown: pl.DataFrame, length: int | None = None) -> Lists:
    """What reviewers see at one point, `length` candidates at most."""
    limit, Q = searches.limits[point][searches.people.folds[gallery.person]], len(gallery.person)
    here = shown.filter(pl.col("alike") >= pl.Series(limit).gather(shown["at"]))
    there = np.zeros(Q, bool)
    there[here.filter(~pl.col("wrong"))["at"].to_numpy()] = True
    usual = gallery.best[~gallery.mated & np.isfinite(gallery.best)]
    spread = float(usual.std(ddof=1)) if len(usual) > 1 else 0.0
    who = here.filter("wrong").group_by("at", "subject").agg(pl.col("alike").max())
    who = who.sort("at", "alike", "subject", descending=[False, True, False])
    # Scores that are all the same say nothing of who is more alike.
    z = (who["alike"].to_numpy() - usual.mean()) / spread if spread > 0 else np.zeros(who.height)
    return Lists(
        gallery.person, gallery.mated, there, np.bincount(here["at"].to_numpy(), minlength=Q), who["at"].to_numpy(),
        who["subject"].rank("dense").cast(pl.Int64).to_numpy(), z,
        min(gallery.limit or inf, length or inf),
    )  # fmt: skip


def sensitivity(looked: Looked, mine: Array) -> list[dict[str, Any]]:
    """What each assumption that is a range does alone: results at both of its ends, the others in the middle."""
    review = looked.review
    varied = [name for name in VARIED if getattr(review, name)[0] < getattr(review, name)[1]]
    middle = _results(looked.lists, mine, Assumed.of(review))
    return [
        {"assumption": name, "from": getattr(review, name)[0], "to": getattr(review, name)[1], "middle": middle,
         "low": _results(looked.lists, mine, Assumed.of(review, **{name: 0})),
         "high": _results(looked.lists, mine, Assumed.of(review, **{name: 1}))}
        for name in varied if name != "shared" or review.reviewers == 2
    ]  # fmt: skip


def _results(lists: Lists, mine: Array, a: Assumed) -> dict[str, float | None]:
    right, wrong = outcomes(lists, a)
    there, absent = mine & lists.mated, mine & ~lists.mated
    if not there.any() or not absent.any():
        found, taken = (_mean(right, there), _mean(wrong, absent))
        return {"false_identifications": taken, "misses": None if found is None else 1 - found,
                "hours_per_1000": None, "hours_per_correct": None, "precision": None}  # fmt: skip
    found, mistaken, taken = float(right[there].mean()), float(wrong[there].mean()), float(wrong[absent].mean())
    hours = hours_of((float(lists.rows[there].mean()), float(lists.rows[absent].mean())), a)
    correct = a.prevalence * found
    return {
        "false_identifications": taken, "misses": 1 - found, "hours_per_1000": 1000 * hours,
        "hours_per_correct": hours / correct if correct > 0 else None,
        "precision": precision(a.prevalence, found, mistaken, taken),
    }  # fmt: skip


def _mean(values: Array, mine: Array) -> float | None:
    return float(values[mine].mean()) if mine.any() else None


def _of_group(searches: Searches, looked: Looked, point: str, group: Group) -> dict[str, Any]:
    lists, gallery = looked.lists, searches.galleries[looked.size]
    mine = _inside(searches, gallery, group)
    there, absent = mine & lists.mated, mine & ~lists.mated
    listed = absent & (lists.strangers > 0)
    fpir, fnir = searches.fpir(point, looked.size, group), searches.fnir(point, looked.size, 1, group)
    found = _rate(looked.right(there, ALPHA), lists, there) if there.any() else _nothing()
    return {
        "group": group.name, "attributes": group.attributes,
        "false_identifications": {"machine": _machine(fpir), **_rated(looked, absent)},
        "survive": _rated(looked, listed),
        "misses": {"machine": _machine(fnir), **_turned(found)},
        "wrong_when_there": _rated(looked, there),
        "work": _work(looked, there, absent), "precision": _precisions(looked, there, absent, fpir, fnir),
    }  # fmt: skip


def _rated(looked: Looked, mine: Array) -> dict[str, Any]:
    return _rate(looked.wrong(mine, ALPHA), looked.lists, mine) if mine.any() else _nothing()


def _rate(told: Told, lists: Lists, mine: Array) -> dict[str, Any]:
    people = len(np.unique(lists.person[mine]))
    counted = Clustered(0, int(mine.sum()), 0.0, 1.0, people, people)
    return {**told, "comparisons": counted.comparisons, "subjects": people, "verdict": verdict([counted], paired=False)}


def _nothing() -> dict[str, Any]:
    return {"value": None, "least": None, "most": None, "low": 0.0, "high": 1.0, "comparisons": 0, "subjects": 0,
            "verdict": "insufficient"}  # fmt: skip


def _turned(found: dict[str, Any]) -> dict[str, Any]:
    """The rate of what was not found."""
    ends = {"value": "value", "least": "most", "most": "least", "low": "high", "high": "low"}
    turned = {name: None if found[of] is None else 1 - found[of] for name, of in ends.items()}
    return {**found, **turned}


def _machine(rate: Clustered) -> dict[str, Any]:
    """A rate of the machine alone: its most alike candidate taken for the person."""
    interval = search_interval(rate, ALPHA)
    return {"value": rate.rate if rate.comparisons else None, "low": interval.low, "high": interval.high,
            "errors": rate.errors, "comparisons": rate.comparisons, "subjects": rate.subjects,
            "method": interval.method, "verdict": verdict([rate], paired=False)}  # fmt: skip


def _work(looked: Looked, there: Array, absent: Array) -> dict[str, Any] | None:
    """Hours of review per 1,000 searches, per correct identification, and at the stated volume.

    Three estimates are bounded at a third of the error each: candidates where the person is there, candidates where
    not, and how often the person is found.
    """
    if not there.any() or not absent.any():
        return None
    lists, review, alpha = looked.lists, looked.review, ALPHA / 3
    rows = [mean_rows(lists, each, alpha) for each in (there, absent)]
    middle = Assumed.of(review)
    told = _results(lists, there | absent, middle)
    ends: list[list[list[float]]] = [[], []]  # least and most: mean and limit of hours, and of hours per correct
    for side in (0, 1):
        for end in (0, 1):
            a = Assumed.of(review, minutes_per_candidate=side, prevalence=end)
            found = looked.right(there, alpha, a.prevalence)
            correct = [a.prevalence * found[name] for name in (("most", "high"), ("least", "low"))[side]]
            hours = [hours_of((rows[0][k], rows[1][k]), a) for k in (0, 1 + side)]
            each = [h / c if c > 0 else np.inf for h, c in zip(hours, correct, strict=True)]
            ends[side].append([*hours, *each])
    least, low, least_each, low_each = map(min, zip(*ends[0], strict=True))
    most, high, most_each, high_each = map(max, zip(*ends[1], strict=True))
    hourly = {"value": told["hours_per_1000"], "least": 1000 * least, "most": 1000 * most, "low": 1000 * low,
              "high": 1000 * high}  # fmt: skip
    scale = review.volume / 1000
    volume = {name: value * scale if value is not None else None for name, value in hourly.items()}
    return {
        "per_1000": _finite(hourly),
        "per_correct": _finite({"value": told["hours_per_correct"], "least": least_each, "most": most_each,
                                "low": low_each, "high": high_each}),
        "at_volume": _finite(volume),
        "shifts": _finite({name: v / review.shift_hours if v is not None else None for name, v in volume.items()}),
        "candidates": {"there": rows[0][0], "absent": rows[1][0]},
        "searches": int((there | absent).sum()), "subjects": len(np.unique(lists.person[there | absent])),
    }  # fmt: skip


def _finite(numbers: dict[str, Any]) -> dict[str, float | None]:
    """Without infinities: a limit that is none is null."""
    return {name: None if value is None or not isfinite(value) else float(value) for name, value in numbers.items()}


def _precisions(
    looked: Looked, there: Array, absent: Array, fpir: Clustered, fnir: Clustered
) -> list[dict[str, Any]] | None:  # fmt: skip
    """Precision with reviewers and by the machine alone, by prevalence; each of three rates has a third of the error.

    Of the machine: a search whose best candidate is a stranger, at the threshold, names that stranger.
    """
    if not there.any() or not absent.any():
        return None
    alpha = ALPHA / 3
    # Who is not found first, though somebody is shown, has a stranger on top.
    on_top = fnir.rate - float((looked.lists.rows[there] == 0).mean())
    taken, rows = looked.wrong(absent, alpha), []
    false, missed = (search_interval(rate, ALPHA / 2) for rate in (fpir, fnir))
    for at in PREVALENCES:
        found, mistaken = looked.right(there, alpha, at), looked.wrong(there, alpha, at)

        def share(a: str, b: str, at: float = at, f: Told = found, m: Told = mistaken) -> float | None:
            return precision(at, f[a], m[b], taken[b])

        rows.append({
            "prevalence": at, "value": share("value", "value"), "least": share("least", "most"),
            "most": share("most", "least"), "low": share("low", "high") or 0.0,
            "high": 1.0 if (top := share("high", "low")) is None else top,
            "machine": {
                "value": precision(at, 1 - fnir.rate, on_top, fpir.rate),
                "low": precision(at, 1 - missed.high, missed.high, false.high) or 0.0,
                "high": precision(at, 1 - missed.low, 0.0, false.low),
            },
        })  # fmt: skip
    return rows


def _simulation(looked: Looked) -> dict[str, Any]:
    """The middle assumptions played out: shares of searches, their mean and the spread by reviewers' luck alone."""
    lists, a = looked.lists, Assumed.of(looked.review)
    repeats = int(np.clip(MOST_PLAYED // len(lists.person), 20, REPEATS))
    rights, wrongs = simulated(lists, a, looked.review.seed, repeats)
    told: dict[str, Any] = {"repeats": len(rights), "seed": looked.review.seed}
    for name, played, mine in (("false_identifications", wrongs, ~lists.mated), ("misses", ~rights, lists.mated)):
        if not mine.any():
            told[name] = None
            continue
        each = played[:, mine].mean(axis=1)
        low, high = np.quantile(each, (0.025, 0.975))
        told[name] = {"mean": float(each.mean()), "low": float(low), "high": float(high),
                      "error": float(each.std(ddof=1) / sqrt(len(each)))}  # fmt: skip
    return told


def _why(searches: Searches, gallery: Gallery, point: str) -> str:
    """Why nothing can be said of a point; "" where something can."""
    if np.isnan(searches.limits[point]).any():
        return "no such threshold could be found among so few comparisons"
    return searches.untestable(point, gallery.size) if (searches.limits[point] < gallery.floor).any() else ""


def _inside(searches: Searches, gallery: Gallery, group: Group) -> Array:
    return np.asarray(np.isin(searches.people.groups[gallery.person], group.members))
