"""How a look-up fares as more people pass more cameras (METRICS.md § Look-up).

A photograph is searched among N of those who passed some of the cameras. The share of all such groups of N in which
somebody is shown is counted exactly, not sampled (`strangers.share_of_galleries`, roles reversed: there a stranger at
the camera is searched among photographs, here a photograph among those who passed), and averaged over all choices of
that many cameras, or over CHOICES of them drawn by seed. The interval leaves each person out in turn, as the one
photographed and as one who passed (delete-one jackknife), which on average does not understate the variance (Efron &
Stein 1981, Ann. Stat. 9:586); hence N is two below the people there are at most.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from scipy import special

from testbed.evidence.intervals import FEW, by_subject, clopper_pearson, wilson
from testbed.evidence.scored import Array
from testbed.evidence.strangers import modelled, share_of_galleries

CHOICES = 20
"""Choices of cameras of one number that are averaged over."""
SIZES = 16
SEED = 0x100C
RETURNED, RIGHT, WRONG = "returned", "right", "wrong"
"""Nobody was there: somebody is shown. The person was there, and is on top; or a stranger is."""


@dataclass(frozen=True)
class Share:
    """A share of look-ups with its limits; people: photographed, searches: photographs times choices of cameras."""

    value: float
    low: float
    high: float
    people: int
    searches: int


@dataclass(frozen=True)
class Growth:
    """What was measured with one number of cameras, averaged over `choices` of them (of `possible`).

    sizes `(N,)`: people who passed. At K thresholds, shares[measure][k][n]. matches `(K, S)`: of those who passed
    (all choices pooled), how many strangers match a photograph of person s, mean over photographs; candidates `(S,)`.
    """

    cameras: int
    choices: int
    possible: int
    sizes: Array
    shares: dict[str, list[list[Share]]]
    matches: Array
    candidates: Array

    def breaks_at(self, k: int) -> int | None:
        """The least N measured at which the model `1 − (1 − FMR)^N` leaves the interval; None where it never does."""
        told = self.shares[RETURNED][k]
        for size, share in zip(self.sizes, told, strict=True):
            if not share.low <= modelled(told[0].value, int(size)) <= share.high:
                return int(size)
        return None


def choices_of(cameras: int, number: int, seed: int = SEED) -> list[tuple[int, ...]]:
    """All choices of `number` cameras where they are CHOICES at most, else CHOICES different ones drawn by seed."""
    if comb(cameras, number) <= CHOICES:
        return list(combinations(range(cameras), number))
    rng, drawn = np.random.default_rng([seed, cameras, number]), set[tuple[int, ...]]()
    while len(drawn) < CHOICES:
        drawn.add(tuple(sorted(rng.choice(cameras, number, replace=False).tolist())))
    return sorted(drawn)


def numbers_of(cameras: int) -> list[int]:
    """The numbers of cameras that are measured: 1, 2, 5, 10, …, and all."""
    rungs = [rung * 10**power for power in range(6) for rung in (1, 2, 5)]
    return [*(rung for rung in rungs if rung < cameras), cameras]


def growth(
    blocks: Iterable[tuple[Array, Array]], passed: Array, limits: Array, bounds: Array | None = None,
    alpha: float = 0.05,
) -> list[Growth]:  # fmt: skip
    """Everything measured, by number of cameras.

    blocks: of photographs `(b,)` whose they are and `(b, S, C)` how alike each person's passes at each camera are
    (−inf: no template), read once. passed `(S, C)`: who passed. limits `(K, S)`: the threshold for each person's
    photographs. bounds `(K,)`: upper limits of FMR per camera, where errors are few; none: [0, 1] there.
    """
    choices = {number: choices_of(passed.shape[1], number) for number in numbers_of(passed.shape[1])}
    seen: dict[int, list[Array]] = {
        number: [np.asarray(passed[:, list(choice)].any(axis=1)) for choice in chosen]
        for number, chosen in choices.items()
    }
    rooms = {number: min(int(each.sum()) for each in there) - 2 for number, there in seen.items()}
    rooms = {number: room for number, room in rooms.items() if room >= 1}
    # One grid for all numbers of cameras, and where each ends, so that they can be compared at the same N.
    drawn = np.geomspace(1, max(rooms.values(), default=1), SIZES).round().astype(int)
    grid = np.unique(np.r_[drawn, np.array([*rooms.values()], np.int64)])
    sums = {
        number: (choices[number], seen[number], _Sums(grid[grid <= room], len(limits), len(passed)))
        for number, room in rooms.items()
    }
    for owners, alike in blocks:
        for chosen, there, held in sums.values():
            for choice, each in zip(chosen, there, strict=True):
                held.add(owners, alike[:, :, list(choice)].max(axis=2), each, limits)
    return [
        held.told(number, len(chosen), comb(passed.shape[1], number), bounds, alpha)
        for number, (chosen, _, held) in sums.items()
    ]


class _Sums:
    """Sums over photographs and choices of cameras, as they are and with each person left out."""

    def __init__(self, sizes: Array, points: int, people: int) -> None:
        self.sizes = sizes
        shape = (points, len(sizes))
        self.whole = {name: np.zeros(shape) for name in (RETURNED, RIGHT, WRONG)}
        self.without = {name: np.zeros((*shape, people)) for name in self.whole}
        self.searches = {name: np.zeros(people) for name in self.whole}
        self.matches, self.candidates = np.zeros((points, people)), np.zeros(people)
        self.takes_part = np.zeros(people, bool)

    def add(self, owners: Array, alike: Array, there: Array, limits: Array) -> None:
        """The photographs `(b,)` of a block: how alike each person is at best, `(b, S)`."""
        rows = np.arange(len(owners))
        own = alike[rows, owners]
        strangers = alike.copy()
        strangers[rows, owners] = -np.inf
        candidates = float(there.sum()) - there[owners]
        present = there[owners].astype(float)
        above = strangers >= np.maximum(own, -np.finfo(float).max)[:, None]  # a tie is not the right person on top
        everybody = np.ones(len(owners))
        np.add.at(self.candidates, owners, candidates)
        self.takes_part |= there
        self.takes_part[owners] = True
        for k, limit in enumerate(limits[:, owners]):
            matching = strangers >= limit[:, None]
            np.add.at(self.matches[k], owners, matching.sum(axis=1))
            found = present * (own >= limit)
            outranking = matching & above
            self._count(RETURNED, k, owners, there, matching, candidates, self.sizes, 0 * everybody, everybody)
            self._count(RIGHT, k, owners, there, above, candidates, self.sizes - 1, found, -found)
            self._count(WRONG, k, owners, there, outranking, candidates, self.sizes - 1, 0 * everybody, present)
        for name, made in ((RETURNED, everybody), (RIGHT, present), (WRONG, present)):
            np.add.at(self.searches[name], owners, made)

    def _count(
        self, name: str, k: int, owners: Array, there: Array, among: Array, candidates: Array, sizes: Array,
        start: Array, weight: Array,
    ) -> None:  # fmt: skip
        """Adds `start + weight · share of galleries that hold one of `among` (b, S)`, and so without each person."""
        held, sizes = among.sum(axis=1).astype(float), sizes[:, None].astype(float)

        def shares(one: float, other: float) -> Array:
            return np.asarray(start + weight * share_of_galleries(held - one, candidates - other, sizes))

        whole, besides = shares(0, 0), shares(0, 1)
        # `one` fewer of those who count: only where there is one to leave out.
        fewer = np.where(held > 0, shares(1, 1), besides)
        self.whole[name][k] += whole.sum(axis=1)
        left = np.where(there, besides.sum(axis=1)[:, None] + (fewer - besides) @ among, whole.sum(axis=1)[:, None])
        for sums, row in zip(left, np.where(there[owners], besides, whole), strict=True):
            np.subtract.at(sums, owners, row)
        self.without[name][k] += left

    def told(self, cameras: int, choices: int, possible: int, bounds: Array | None, alpha: float) -> Growth:
        """The shares with their limits."""
        shares = {
            name: [
                [self._share(name, k, n, None if bounds is None else cameras * bounds[k], alpha)
                 for n in range(len(self.sizes))] for k in range(len(whole))
            ] for name, whole in self.whole.items()
        }  # fmt: skip
        for each in shares[RETURNED]:
            each[:] = _never_fewer(each)
        seen = self.searches[RETURNED] > 0
        made = self.searches[RETURNED][seen]
        return Growth(cameras, choices, possible, self.sizes, shares, self.matches[:, seen] / made,
                      self.candidates[seen] / made)  # fmt: skip

    def _share(self, name: str, k: int, n: int, bound: float | None, alpha: float) -> Share:
        made = self.searches[name]
        total, people, size = made.sum(), int((made > 0).sum()), int(self.sizes[n])
        if people < 2:
            return Share(float("nan"), 0.0, 1.0, people, int(total))
        if name == WRONG and size == 1:
            return Share(0.0, 0.0, 0.0, people, int(total))  # nobody else was there
        q = float(np.clip(self.whole[name][k, n] / total, 0, 1))
        each = (self.without[name][k, n] / (total - made))[self.takes_part]
        d = each - each.mean()
        S, V = len(d), float(d @ d) * (len(d) - 1) / len(d)
        spread = q * (1 - q)
        if V > 1e-18 and spread > 1e-12 and (freedom := by_subject(d, np.ones(S)).freedom) >= FEW:
            quantile = float(special.stdtrit(freedom, 1 - alpha / 2))
            # A photograph was compared with that many galleries that share nobody.
            apart = 1.0 if name == RIGHT else max(1.0, self.candidates.sum() / self.searches[RETURNED].sum() / size)
            low, high = wilson(q, min(spread / V, total * apart), quantile)
            return Share(q, float(low), float(high), people, int(total))
        # Few or no errors: each person photographed counts once; a stranger's bound comes from comparisons instead.
        worth = min(spread / V, people) if V > 1e-18 and spread > 1e-12 else float(people)
        low, high = clopper_pearson(q * worth, worth, alpha)
        if name == RETURNED:
            high = max(q, modelled(min(1.0, bound), size)) if bound is not None and q < 0.5 else 1.0
            low = low if q < 1 else clopper_pearson(S // (size + 1), S // (size + 1), alpha)[0]
        return Share(q, min(low, q), max(high, q), people, int(total))


def _never_fewer(shares: list[Share]) -> list[Share]:
    """Among more people somebody is never less likely shown: a lower limit holds for all larger N, an upper for all
    smaller.
    """
    lows = np.maximum.accumulate([each.low for each in shares])
    highs = np.minimum.accumulate([each.high for each in shares][::-1])[::-1]
    return [
        Share(s.value, float(min(low, s.value)), float(max(high, s.value)), s.people, s.searches)
        for s, low, high in zip(shares, lows, highs, strict=True)
    ]
