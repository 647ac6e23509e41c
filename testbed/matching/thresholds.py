"""Rates at every score edge, and the thresholds found from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from testbed.matching.people import People

Direction = Literal["distance", "similarity"]
Point = tuple[str, bool, float, float]
"""Name, cross-fitted, threshold in fold 0, threshold in fold 1."""
Floats = npt.NDArray[np.float64]

LOOSER_SHARES = tuple(0.6 * 0.75**k for k in range(22))
"""Shares of all non-mated comparisons at which design effects are measured: .6 down to .0014, so that
every group finds one near 5, 10 and 20 % of its own (METRICS.md § Intervals, zero and few errors)."""

STRICTER_SHARES = (0.03, 0.05, 0.075, 0.1, 0.14, 0.2, 0.28)
"""Shares of all mated comparisons that fail, for the same purpose on FNMR."""


def matching(bins: npt.NDArray[Any], direction: Direction) -> npt.NDArray[np.int64]:
    """Comparisons that match at each edge: `bins` `(..., B + 1)` → `(..., B)`. A tie matches."""
    below = np.cumsum(bins, axis=-1)
    return cast(
        npt.NDArray[np.int64], below[..., :-1] if direction == "distance" else below[..., -1:] - below[..., :-1]
    )


def share(bins: npt.NDArray[Any], direction: Direction) -> Floats:
    """Share of comparisons that match at each edge; NaN where there are none."""
    total = bins.sum(axis=-1, keepdims=True)
    empty = np.full((*bins.shape[:-1], bins.shape[-1] - 1), np.nan)
    return cast(Floats, np.divide(matching(bins, direction), total, out=empty, where=total > 0))


def at_fmr(non_mated: npt.NDArray[Any], target: float, direction: Direction) -> int | None:
    """The most lenient edge at which FMR is at most `target`; None where the data cannot show such a rate.

    They cannot when fewer than 1/`target` comparisons were made: the first error already exceeds it.
    """
    total = int(non_mated.sum())
    if total * target < 1:
        return None
    allowed = np.flatnonzero(matching(non_mated, direction) <= target * total)
    if not len(allowed):
        return None
    return int(allowed[-1] if direction == "distance" else allowed[0])


def nearest_share(bins: npt.NDArray[Any], wanted: float, direction: Direction) -> int:
    """The edge at which the matching share is nearest to `wanted`."""
    return int(np.nanargmin(np.abs(share(bins, direction) - wanted)))


def equal_error(non_mated: npt.NDArray[Any], mated: npt.NDArray[Any], direction: Direction) -> tuple[int, float] | None:
    """EER: the edge where FMR and FNMR are closest, and the midpoint of the two there. None without either class.

    Convention: midpoint of the crossing step on the edges of `counts` (ROCCH differs in the third digit).
    """
    if not non_mated.sum() or not mated.sum():
        return None
    fmr, fnmr = share(non_mated, direction), 1 - share(mated, direction)
    edge = int(np.argmin(np.abs(fmr - fnmr)))
    return edge, float((fmr[edge] + fnmr[edge]) / 2)


def edges_for(declared: Sequence[float], bins: int, thresholds: list[float]) -> Floats:
    """`bins` equal score bins over the declared range, with every threshold in use as an edge of its own."""
    return np.unique(
        np.concatenate([np.linspace(declared[0], declared[1], bins + 1), np.asarray(thresholds, np.float64)])
    )


def points_in_use(
    counts: npt.NDArray[np.int64],
    edges: Floats,
    fixed: dict[str, float],
    operating_points: list[str | float],
    direction: Direction,
    people: People,
) -> list[Point]:
    """Every threshold of pass 2: operating points, each group's EER, and the ladders for borrowed design effects.

    counts `(G, G, 2, 3, B + 1)` as `kernels.crosscount.count` gives them. A cross-fitted point that the data
    cannot show has NaN thresholds.
    """
    points: list[Point] = [(name, False, value, value) for name, value in fixed.items()]
    non_mated = counts[:, :, 0].sum(axis=(0, 1))
    mated = counts[:, :, 1].sum(axis=(0, 1, 2))
    for point in operating_points:
        if isinstance(point, str) and point.startswith("fmr="):
            # The threshold for one half of the people is found on the other half.
            found = [at_fmr(non_mated[1 - fold], float(point[4:]), direction) for fold in (0, 1)]
            limits = [float("nan") if edge is None else float(edges[edge]) for edge in found]
            points.append((point, True, limits[0], limits[1]))
    for group in people.within():
        within = counts[np.ix_(group.members, group.members)].sum(axis=(0, 1, 3))
        crossing = equal_error(within[0], within[1], direction)
        if crossing:
            points.append((f"eer:{group.name}", False, float(edges[crossing[0]]), float(edges[crossing[0]])))
    for ladder, bins, shares in (
        ("looser", non_mated.sum(axis=0), LOOSER_SHARES),
        ("stricter", mated, tuple(1 - failing for failing in STRICTER_SHARES)),
    ):
        if bins.sum():
            for edge in sorted({nearest_share(bins, wanted, direction) for wanted in shares}):
                points.append((f"{ladder}:{edge}", False, float(edges[edge]), float(edges[edge])))
    return points
