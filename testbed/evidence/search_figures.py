"""The figures of searches: FPIR, FNIR, selectivity and CMC, by gallery size, point, rank and group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from testbed.evidence.figures import Figure, bounded, verdict
from testbed.evidence.intervals import Clustered, Interval, rate_interval
from testbed.evidence.rates import ALPHA, CellData
from testbed.evidence.searches import Searches, search_interval
from testbed.matching.people import Group

CMC_RANKS = (1, 2, 3, 5, 10, 20, 50, 100)


def search_figures(data: CellData) -> Iterator[Figure]:
    """Every figure of one cell's searches; none where no searches were made. `comparisons` counts searches.

    What the lists cannot show has no value, and `method` says why. CMC is the share of mated searches that return
    the person within a rank at any score; its `errors` are those that do not. `FPIR model` is `1 − (1 − FMR)^N`
    (N × photographs or passes a person),
    given only where FMR is known: a model, which overstates where probes differ and knows nothing of how a system
    treats its gallery. Selectivity is never below FPIR, so neither is its lower limit, which then holds whenever
    FPIR's does.
    """
    searches = data.searches
    if searches is None:
        return
    for size in searches.gallery_sizes:
        gallery = searches.galleries[size]
        for group in data.people.within():
            for rank in gallery.ranks(CMC_RANKS):
                yield _figure(data, searches, "CMC", None, size, group, searches.fnir(None, size, rank, group), rank)
            for point in searches.limits:
                yield _figure(data, searches, "FPIR", point, size, group, searches.fpir(point, size, group))
                chosen = searches.selectivity(point, size, group)
                yield _figure(data, searches, "selectivity", point, size, group, chosen)
                for rank in gallery.ranks():
                    rate = searches.fnir(point, size, rank, group)
                    yield _figure(data, searches, "FNIR", point, size, group, rate, rank)
        for point in searches.limits if data.compares else ():
            yield _model(data, point, size, searches.each)


def _figure(
    data: CellData, searches: Searches, metric: str, point: str | None, size: int, group: Group, rate: Clustered,
    rank: int | None = None,
) -> Figure:  # fmt: skip
    interval, value, made = search_interval(rate, ALPHA), rate.rate, rate.comparisons
    if metric == "CMC":
        interval, value = Interval(1 - interval.high, 1 - interval.low, interval.method), 1 - value
    if metric == "selectivity":
        interval, value = Interval(size * interval.low, size * interval.high, interval.method), size * value
        made //= size
        if made and point is not None:  # a search that returns somebody returns one person at least
            alert = search_interval(searches.fpir(point, size, group), ALPHA).low
            if alert > interval.low:
                interval = Interval(alert, interval.high, f"{interval.method}; lower limit that of FPIR")
    if not made and searches.count(size, group, mated=metric in ("CMC", "FNIR")):
        interval = Interval(interval.low, interval.high, searches.untestable(point, size))
    return Figure(
        metric=metric, operating_point=point, threshold=data.threshold(point), unit="search", probe_group=group,
        reference_group=None, value=value if made else None, errors=rate.errors, comparisons=made,
        subjects=rate.subjects, gallery_size=size, rank=rank, verdict=verdict([rate], paired=False),
        **bounded(interval), **_whose(data),
    )  # fmt: skip


def _model(data: CellData, point: str, size: int, each: float) -> Figure:
    everyone = data.people.everyone()
    rate, lenders = data.clustered("FMR", point, everyone, everyone)
    found = rate_interval(rate, lenders, ALPHA)
    often = "" if each == 1 else f", N × {each:.3g} for those who are there more than once"
    value, low, high = (1 - (1 - p) ** (size * each) for p in (rate.rate, found.low, found.high))
    return Figure(
        metric="FPIR model", operating_point=point, threshold=data.threshold(point), unit="search",
        probe_group=everyone, reference_group=everyone, value=value if rate.comparisons else None,
        errors=rate.errors, comparisons=rate.comparisons, subjects=rate.subjects, gallery_size=size,
        verdict=verdict([rate], paired=True),
        **bounded(Interval(low, high, f"model 1 − (1 − FMR)^N{often}: {found.method}")), **_whose(data),
    )  # fmt: skip


def _whose(data: CellData) -> dict[str, Any]:
    return {"system": data.system, "condition": data.condition, "cell": data.cell}
