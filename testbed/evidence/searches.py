"""Searches of a gallery: FPIR, FNIR and selectivity, clustered two ways (METRICS.md § Rates, § Intervals).

All searches share one gallery, so a person enrolled who looks like many (a "wolf") raises errors in many searches.
Variance is therefore clustered by the person searched for and by the person returned, `V = V_probe + V_reference −
V_both` (Cameron, Gelbach & Miller 2011, J. Bus. Econ. Stat. 29:238), and where the three terms come out below the
larger of the two one-way variances, that one stands (MacKinnon, Nielsen & Webb 2024, arXiv 2406.08880).

An error belongs to a reference that *decided* it: without that person in the gallery there would have been none. For
FPIR that is who was returned alone at the threshold, so V_reference is the delete-one jackknife over the gallery,
which does not understate the variance on average (Efron & Stein 1981, Ann. Stat. 9:586). Charging the best of several
candidates instead covers about as well and is up to twice as wide where most searches return somebody.

Simulated with Gaussian looks (400 replicates, two searches a person; 95 % wanted, over other people *and* other
galleries, at FPIR 5, 30 and 70 %): 94.5–99.8 % where people enrolled make up to 20 % of the variance, with 40 or 150
people searched for in galleries of 40 to 300; clustering by the person searched for alone gives 78–99.5 %. Where they
make 40 %, 94–99.8 % for 40 people searched for, and 87–97 % (alone: 48–81 %) for 150 in a gallery of 100: so strong a
wolf is often absent from the gallery at hand. Where the people searched for are the gallery too, as in a look-up, a
person's looks act in both roles, which is left out here (1,000 replicates, 30 to 100 people): 94–98 % where looks make
10 or 20 % of the variance, 90–98 % where they make 40 %.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from testbed.evidence.intervals import Clustered, Interval, by_subject, rate_interval
from testbed.matching.people import Group, People
from testbed.matching.thresholds import Direction
from testbed.runs.tables import CANDIDATES

Array = npt.NDArray[Any]
RANKS = (1, 5, 10, 20, 50)
"""Ranks that FNIR is given for, as far as the lists reach."""

UNTESTABLE = Clustered(0, 0, 0.0, 1.0, 0, 0)


@dataclass(frozen=True)
class Gallery:
    """The Q searches of one gallery of `size` people. Scores are turned so that greater is more alike; −inf: none.

    person `(Q,)` indexes People; mated `(Q,)`. best, second `(Q,)`: scores of the best wrong person returned and of
    the next one; who `(Q,)`: the number of the best. true, rank `(Q,)`: score and rank of the person searched for
    (rank 0: not returned). limit: the length at which lists are cut, None where none was seen to be; end `(Q,)`: the
    last score of a list that long, else −inf. floor: the least alike score of any list, where lists are of different
    lengths (what is less alike may have been left out), else −inf.
    returned: wrong people in non-mated searches at each point, a row each: point, at (the search), who. outranked: in
    mated searches with the person at rank R + 1, R of RANKS, those above: at, rank R, who.
    """

    size: int
    person: Array
    mated: Array
    best: Array
    second: Array
    who: Array
    true: Array
    rank: Array
    end: Array
    limit: int | None
    reach: int
    floor: float
    returned: pl.DataFrame
    outranked: pl.DataFrame

    def ranks(self, wanted: tuple[int, ...] = RANKS) -> list[int]:
        """Those of `wanted` that the lists reach."""
        return [rank for rank in wanted if rank <= max(self.reach, 1)]


@dataclass(frozen=True)
class Searches:
    """The searches of one cell, by gallery size. limits: point → threshold for each half of the people `(2,)`.

    each: photographs (or passes) that a person in the gallery has, on average. unsearched: why nothing was searched at
    all, through no failure of the system's; else "".
    """

    people: People
    direction: Direction
    limits: dict[str, Array]
    galleries: dict[int, Gallery]
    each: float = 1.0
    unsearched: str = ""

    @property
    def gallery_sizes(self) -> tuple[int, ...]:
        """People enrolled in each gallery that was searched, ascending."""
        return tuple(sorted(self.galleries))

    def fpir(self, point: str, gallery_size: int, group: Group) -> Clustered:
        """Searches for people who are not enrolled that return somebody at a point; no comparisons: untestable."""
        gallery = self.galleries[gallery_size]
        limit = self._limit(gallery, point)
        if limit is None:
            return UNTESTABLE
        mine = self.of(gallery, group, mated=False)
        alone = np.flatnonzero((gallery.best >= limit) & (gallery.second < limit))
        return two_way(gallery.person, gallery.size, mine, gallery.best >= limit, (alone, gallery.who[alone]))

    def fnir(self, point: str | None, gallery_size: int, rank: int, group: Group) -> Clustered:
        """Searches for enrolled people that do not return them within `rank` at a point (None: at any score).

        No comparisons where the lists do not reach that rank: untestable.
        """
        gallery = self.galleries[gallery_size]
        limit = self._limit(gallery, None if not gallery.reach else point)  # who is never found is missed at any
        if limit is None or (gallery.limit is not None and rank > gallery.limit):
            return UNTESTABLE
        mine = self.of(gallery, group, mated=True)
        found = (gallery.true >= limit) & (gallery.rank > 0)
        above = gallery.outranked.filter(pl.col("rank") == rank)
        search, who = above["at"].to_numpy(), above["who"].to_numpy()
        decided = found[search]
        missed = ~(found & (gallery.rank <= rank))
        return two_way(gallery.person, gallery.size, mine, missed, (search[decided], who[decided]))

    def selectivity(self, point: str, gallery_size: int, group: Group) -> Clustered:
        """Wrong people returned in searches for people not enrolled, per person enrolled: selectivity / gallery size.

        A person returned with several photographs counts once. `comparisons` is searches × gallery size; none where
        a list was cut before the threshold was reached: untestable.
        """
        gallery = self.galleries[gallery_size]
        limit = self._limit(gallery, point)
        mine = self.of(gallery, group, mated=False)
        if limit is None or (gallery.end[mine] >= limit[mine]).any():
            return UNTESTABLE
        wrong = gallery.returned.filter(pl.col("point") == point)
        search = wrong["at"].to_numpy()
        found = np.bincount(search, minlength=len(mine))
        N = gallery_size
        rate = two_way(gallery.person, N, mine, found, (search, wrong["who"].to_numpy()))
        return replace(rate, comparisons=rate.comparisons * N, variance=rate.variance / N**2)

    def count(self, gallery_size: int, group: Group, *, mated: bool) -> int:
        """Searches that were made for people of a group who are enrolled, or who are not."""
        return int(self.of(self.galleries[gallery_size], group, mated=mated).sum())

    def untestable(self, point: str | None, gallery_size: int) -> str:
        """Why a rate of searches that were made is untestable."""
        if self.unsearched:
            return self.unsearched
        gallery = self.galleries[gallery_size]
        if self._limit(gallery, point) is not None:
            return f"lists are cut at {gallery.limit} candidates, some before this threshold: there may be more"
        if point is not None and np.isnan(self.limits[point]).any():
            if not gallery.reach:
                return "no face was found, so no threshold could be found"
            return "too few comparisons of strangers to find this threshold"
        least = gallery.floor if self.direction == "similarity" else -gallery.floor
        return (
            f"lists end at different scores, the last at {least:.4g}: what they left out at this threshold is not known"
        )

    def of(self, gallery: Gallery, group: Group, *, mated: bool) -> Array:
        """Which searches `(Q,)` are for people of a group who are enrolled, or who are not."""
        return np.asarray(np.isin(self.people.groups[gallery.person], group.members) & (gallery.mated == mated))

    def _limit(self, gallery: Gallery, point: str | None) -> Array | None:
        """The threshold of every search `(Q,)`; None where there is none, or where lists may end before it."""
        if self.unsearched:
            return None
        if point is None:
            return np.full(len(gallery.person), -inf)
        limits = self.limits[point]
        if np.isnan(limits).any() or (limits < gallery.floor).any():
            return None
        return np.asarray(limits[self.people.folds[gallery.person]])


def two_way(
    person: Array, N: int, mine: Array, errors: Array, decided: tuple[Array, Array], parts: Array | None = None
) -> Clustered:  # fmt: skip
    """A rate per search of a gallery of N, clustered by the person searched for and by the enrolled who decided errors.

    person, mine, errors `(Q,)`: who is searched for, the searches counted, errors (or chances of one) of each. decided:
    search and person returned `(n,)`, a row for every error that somebody enrolled decided; parts `(n,)`: how much of
    it, unset: all. `disjoint` counts each person searched for once; since searches share the gallery it is never all of
    them, and what rests on it (zero and few errors) holds for this gallery alone.
    """
    M = int(mine.sum())
    if not M:
        return UNTESTABLE
    place = np.full(len(mine), -1)
    _, place[mine] = np.unique(person[mine], return_inverse=True)
    trials = np.bincount(place[mine])
    probe = by_subject(np.bincount(place[mine], errors[mine]), trials)
    at = np.flatnonzero(mine[decided[0]])
    part = np.ones(len(at)) if parts is None else parts[at]
    returned, who = np.unique(decided[1][at], return_inverse=True)
    # Who was never returned is in the gallery too; where somebody is exchanged for each search, it holds one more.
    found = np.bincount(who, part, max(N, len(returned), 1))
    reference = by_subject(found, np.ones_like(found))
    both, which = np.unique(np.column_stack([place[decided[0][at]], who]), axis=0, return_inverse=True)
    times = np.bincount(which.ravel(), part, len(both))
    # Σe² of e = decided − q·searches over all pairs of people, those without an error among them.
    q = float(part.sum()) / (M * N)
    cross = float(times @ (times - 2 * q * trials[both[:, 0]]) + q * q * N * (trials @ trials))
    sums = [
        each.variance * each.comparisons**2 * (each.subjects / (each.subjects - 1) if each.subjects > 1 else 1.0)
        for each in (probe, reference)
    ]
    V, freedom = max(zip(sums, (probe.freedom, reference.freedom), strict=True))
    if sum(sums) - cross > V:
        V = sum(sums) - cross
        freedom = sum(sums) ** 2 / (sums[0] ** 2 / probe.freedom + sums[1] ** 2 / reference.freedom)
    return Clustered(probe.errors, M, V / M**2, freedom, probe.subjects, min(probe.subjects, M - 1))


def search_interval(rate: Clustered, alpha: float = 0.05) -> Interval:
    """`rate_interval`, saying for which gallery it holds.

    Nothing is borrowed from looser thresholds: these show how searches depend on one another through the people in
    this gallery, which zero and few errors are about already.
    """
    interval = rate_interval(rate, [], alpha)
    how = interval.method.replace("disjoint pairs only", "each person searched for counted once, for this gallery")
    how = how.replace("clustered Wilson", "Wilson clustered two ways, by person searched for and person returned")
    return Interval(interval.low, interval.high, how.replace("no comparisons", "no such searches"))


# -- reading ------------------------------------------------------------------------------------------------------
def searches_of(
    people: People, direction: Direction, limits: dict[str, Array], searches: pl.DataFrame,
    parts: Iterable[pl.DataFrame], cut: int | None = 0,
) -> Searches:  # fmt: skip
    """From the rows of one cell: table SEARCHES, and the parts of CANDIDATES, of which one is in memory at a time.

    limits: as Searches has them, in score units. cut: the length at which lists are known to be cut, None where none
    was; 0: it is not known, and is read off the lists. Memory grows with searches, and wrong people at those points.
    """
    sign = 1.0 if direction == "similarity" else -1.0
    turned = {point: sign * limit for point, limit in limits.items()}
    known = searches.sort("gallery", "search").with_columns(at=pl.int_range(pl.len()).over("gallery"))
    known = known.with_columns(person=people.index(known["subject"]))
    known = known.with_columns(fold=people.folds[known["person"].to_numpy()])
    none = pl.DataFrame(schema=CANDIDATES.columns)
    read = [_summary(part, known, sign, turned) for part in (none, *parts)]
    summary, returned, outranked = (pl.concat(frames) for frames in zip(*read, strict=True))
    whole = known.join(summary, ["gallery", "at"], how="left", maintain_order="left")
    galleries = {
        size: _gallery(size, cut, *(frame.filter(pl.col("gallery") == size) for frame in (whole, returned, outranked)))
        for size in known["gallery"].unique()
    }
    return Searches(people, direction, turned, galleries)


def _summary(
    part: pl.DataFrame, known: pl.DataFrame, sign: float, limits: dict[str, Array]
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Of the lists of one part: what Gallery needs of each, who was returned at each point, who outranked whom."""
    key, alike, wrong = ["gallery", "at"], pl.col("alike"), pl.col("subject") != pl.col("owner")
    rows = part.join(
        known.select("gallery", "search", "at", "mated", "fold", owner="subject"), ["gallery", "search"]
    ).with_columns(alike=sign * pl.col("score"), wrong=wrong)
    lists = rows.group_by(key).agg(
        length=pl.len(), end=alike.min(), true=alike.filter(~pl.col("wrong")).max(),
        place=pl.col("rank").filter(~pl.col("wrong")).min(),
    )  # fmt: skip
    strangers = rows.filter("wrong").group_by(*key, "mated", "fold", who="subject").agg(alike.max())
    strangers = strangers.sort("alike", "who", descending=[True, False])
    best = strangers.group_by(key, maintain_order=True).agg(
        pl.col("who").first(), best=alike.first(), second=alike.get(1, null_on_oob=True)
    )
    returned = [
        strangers.filter(~pl.col("mated") & (alike >= pl.when(pl.col("fold") == 0).then(low).otherwise(high))).select(
            "gallery", "at", "who", point=pl.lit(point)
        )
        for point, (low, high) in limits.items()
    ]
    above = (
        rows.filter("mated", "wrong").join(lists.select(*key, "place"), key).filter(pl.col("rank") < pl.col("place"))
    )
    # Without somebody who stands above with so many photographs, the person would stand that much higher.
    above = above.group_by(*key, "place", who="subject").agg(photographs=pl.len())
    ranks = pl.DataFrame({"rank": RANKS}, schema={"rank": pl.Int32})
    outranked = above.join(ranks, how="cross").filter(
        pl.col("rank").is_between(pl.col("place") - pl.col("photographs"), pl.col("place") - 1)
    ).select("gallery", "at", "who", "rank").sort("gallery", "at", "rank", "who")  # fmt: skip
    nobody = strangers.clear().select("gallery", "at", "who", point=pl.lit("", pl.String))
    return lists.join(best, key, how="left"), pl.concat([nobody, *returned]), outranked


def _gallery(
    size: int, cut: int | None, whole: pl.DataFrame, returned: pl.DataFrame, outranked: pl.DataFrame
) -> Gallery:  # fmt: skip
    def scores(name: str) -> Array:
        return whole[name].fill_null(-inf).to_numpy()

    made = whole.filter(pl.col("state") == "searched")
    length, end = made["length"].fill_null(0), made["end"].fill_null(inf)
    reach = int(length.max() or 0)  # type: ignore[arg-type]
    # One list that is longer than all others ended by itself; two or more were cut there.
    limit = cut if cut != 0 else reach if reach < size and int((length == reach).sum()) > 1 else None
    return Gallery(
        size=size, person=whole["person"].to_numpy(), mated=whole["mated"].to_numpy(),
        best=scores("best"), second=scores("second"), who=_numbered(whole["who"]), true=scores("true"),
        rank=whole["place"].fill_null(0).to_numpy(),
        end=np.where(whole["length"].fill_null(0).to_numpy() == (limit or -1), scores("end"), -inf),
        limit=limit, reach=reach,
        floor=float(end.min()) if cut == 0 and len(length) and length.min() != reach else -inf,  # type: ignore[arg-type]
        returned=returned.with_columns(pl.Series("who", _numbered(returned["who"]))),
        outranked=outranked.with_columns(pl.Series("who", _numbered(outranked["who"]))),
    )  # fmt: skip


def _numbered(names: pl.Series) -> Array:
    """A number for every name, −1 for none."""
    return names.rank("dense").cast(pl.Int64).fill_null(-1).to_numpy()
