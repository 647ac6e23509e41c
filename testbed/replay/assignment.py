"""Which found face is whose: overlap with the truth boxes, each used once."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from testbed.sources.frames import Truth


def overlaps(found: npt.NDArray[Any], truth: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Intersection over union of boxes `(n, 4)` and `(m, 4)`, pixels x1 y1 x2 y2: `(n, m)` in [0, 1]."""
    a, b = found[:, None].astype(np.float64), truth[None].astype(np.float64)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.clip(sides, 0, None).prod(axis=-1)
    areas = [np.clip(box[..., 2:] - box[..., :2], 0, None).prod(axis=-1) for box in (a, b)]
    union = areas[0] + areas[1] - shared
    return cast(npt.NDArray[np.float64], np.divide(shared, union, out=np.zeros_like(shared), where=union > 0))


def _covered(found: npt.NDArray[Any], truth: npt.NDArray[Any]) -> float:
    """The share of a truth box `(4,)` that lies in a found one."""
    shared = np.minimum(found[2:], truth[2:]) - np.maximum(found[:2], truth[:2])
    return float(np.clip(shared, 0, None).prod() / (truth[2:] - truth[:2]).prod())


def assign(found: npt.NDArray[Any], truth: Truth, least: float) -> list[tuple[int, float] | None]:
    """For each found box `(n, 4)`: the index of its truth box and their overlap, or None (unassigned).

    The assignment with the greatest total overlap (Hungarian), counting only overlaps of at least `least`.
    Where the truth does not say where the person is (`truth.anywhere`), the largest face is theirs. Where nobody else
    is in the picture (`truth.alone`) and one face was found, it is theirs too if it covers more than half of the truth
    box: a system that calls the whole picture, or head and shoulders, a face means that person.
    """
    result: list[tuple[int, float] | None] = [None] * len(found)
    if not len(found) or not truth.transits:
        return result
    if truth.anywhere:
        largest = int(np.argmax((found[:, 2:] - found[:, :2]).prod(axis=-1)))
        result[largest] = (0, float("nan"))
        return result
    overlap = overlaps(found, truth.boxes)
    if truth.alone and len(found) == 1 and _covered(found[0], truth.boxes[0]) > 1 / 2:
        return [(0, float(overlap[0, 0]))]
    # Overlaps below `least` must not tempt the assignment away from a valid one.
    rows, columns = linear_sum_assignment(np.where(overlap >= least, overlap, 0), maximize=True)
    for i, j in zip(rows, columns, strict=True):
        if overlap[i, j] >= least:
            result[i] = (int(j), float(overlap[i, j]))
    return result
