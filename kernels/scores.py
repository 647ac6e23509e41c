"""What a score is, and the cells by which a kernel bins it quickly without moving any across an exact edge.

A unit is one transit: its score against a reference is the best of its captures' (least distance, greatest
similarity). A score is float64 on float32 templates, components summed in their order: `scores_of` defines it,
and every faster tier must agree. A faster tier multiplies matrices, whose rounding has a proven limit; a score
within that limit of an edge that has to be exact is scored again by the definition (`scores_at`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Metric = Literal["euclidean", "cosine"]

BLOCK = 1 << 18
"""Scores held at once by the NumPy twin: 2 MiB, which a core's second cache holds."""

ONE_CELL = 0.5
"""Cells by which a float32 score may err: more, and it is scored again. It then moves by one bin at most."""

MOST_CELLS = 65000
"""A cell's number has 16 bits."""

_NEAR_IN_DOUBLE = 1e-6
_ON_GRID = 1e-9


@dataclass(frozen=True)
class Faces:
    """One side of the comparison, units sorted by subject.

    templates `(n, d)` float32; unit k owns rows `starts[k]:starts[k+1]`, at least one; `subjects` `(units,)` int64,
    ascending, indexes the arrays `groups` and `folds` that the kernels take.
    """

    templates: npt.NDArray[np.float32]
    starts: npt.NDArray[np.int64]
    subjects: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        if not all(np.isfinite(self.templates[i : i + 65536]).all() for i in range(0, len(self.templates), 65536)):
            raise ValueError("templates must be finite")
        if (np.diff(self.subjects) < 0).any():
            raise ValueError("units must be sorted by subject")
        if len(self.starts) != len(self.subjects) + 1 or (np.diff(self.starts) < 1).any():
            raise ValueError("every unit must own at least one template")

    def __len__(self) -> int:
        return len(self.subjects)

    @property
    def single(self) -> bool:
        """Whether every unit owns exactly one template."""
        return len(self.templates) == len(self)

    @property
    def slices(self) -> npt.NDArray[np.int64]:
        """Rows of `(subject, first unit, end unit)`, one per subject present."""
        first = np.flatnonzero(np.r_[True, np.diff(self.subjects) > 0]) if len(self) else np.zeros(0, np.int64)
        return np.column_stack([self.subjects[first], first, np.r_[first[1:], len(self)]]).astype(np.int64)


def norms_of(templates: npt.NDArray[np.float32]) -> Floats:
    """Lengths `(n,)` of the templates, summed in float64, a block at a time."""
    parts = [
        np.sqrt(np.einsum("ij,ij->i", block, block))
        for block in (templates[i : i + 1024].astype(np.float64) for i in range(0, len(templates), 1024))
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def directions_of(templates: npt.NDArray[np.float32]) -> Floats:
    """As `norms_of`, for the cosine: raises ValueError for a template of zeros, which has no direction."""
    norms = norms_of(templates)
    if not norms.all():
        raise ValueError(f"template {np.flatnonzero(norms == 0)[0]} is all zeros: its cosine is undefined")
    return norms


def scores_of(probes: Faces, references: Faces, metric: Metric) -> Iterator[tuple[slice, Floats]]:
    """Scores, a block of units at a time: `(slice of units, scores (units, reference units))` float64."""
    best: Any = np.maximum if metric == "cosine" else np.minimum
    right = np.ascontiguousarray(references.templates.T, np.float64)
    if metric == "cosine":
        lengths = directions_of(probes.templates), directions_of(references.templates)
    for units in unit_blocks(probes.starts, max(1, BLOCK // max(1, right.shape[1]))):
        rows = slice(probes.starts[units.start], probes.starts[units.stop])
        left = probes.templates[rows].astype(np.float64)
        raw = np.zeros((len(left), right.shape[1]))
        for k in range(len(right)):  # in order: a compiled loop over components gives the same bits
            if metric == "cosine":
                raw += left[:, k, None] * right[k]
            else:
                raw += (left[:, k, None] - right[k]) ** 2
        raw = raw / lengths[0][rows, None] / lengths[1] if metric == "cosine" else np.sqrt(raw)
        yield units, fuse(raw, probes.starts[units.start : units.stop] - rows.start, references.starts[:-1], best)


def unit_blocks(starts: Array, rows: int) -> Iterator[slice]:
    """Slices of whole units with about `rows` templates each; a unit with more stands alone."""
    first = 0
    while first < len(starts) - 1:
        end = max(first + 1, int(np.searchsorted(starts, starts[first] + rows, "right")) - 1)
        yield slice(first, end)
        first = end


def fuse(raw: Floats, first_rows: Array, first_columns: Array, best: Any) -> Floats:
    """The best score of each pair of units, from the scores of their templates."""
    if len(first_rows) < raw.shape[0]:
        raw = best.reduceat(raw, first_rows, axis=0)
    if len(first_columns) < raw.shape[1]:
        raw = best.reduceat(raw, first_columns, axis=1)
    return raw


def scores_at(probes: Faces, references: Faces, u: Array, v: Array, metric: Metric, lengths: Any) -> Floats:
    """Scores of the pairs of units `(u[k], v[k])` as `scores_of` has them; lengths: of both sides, for the cosine."""
    out = np.zeros(len(u))
    if not len(u):
        return out
    best: Any = np.maximum if metric == "cosine" else np.minimum
    for first in range(0, len(u), 16384):
        p, r = u[first : first + 16384], v[first : first + 16384]
        wide = np.diff(references.starts)[r]
        sizes = np.diff(probes.starts)[p] * wide
        begin = np.r_[0, np.cumsum(sizes)]
        within = np.arange(begin[-1]) - np.repeat(begin[:-1], sizes)
        i = np.repeat(probes.starts[p], sizes) + within // np.repeat(wide, sizes)
        j = np.repeat(references.starts[r], sizes) + within % np.repeat(wide, sizes)
        a, b = (t.T.astype(np.float64) for t in (probes.templates[i], references.templates[j]))
        raw = np.zeros(len(i))
        for k in range(len(a)):
            raw += a[k] * b[k] if metric == "cosine" else (a[k] - b[k]) ** 2
        raw = raw / lengths[0][i] / lengths[1][j] if metric == "cosine" else np.sqrt(raw)
        out[first : first + 16384] = best.reduceat(raw, begin[:-1])
    return out


def operand(templates: npt.NDArray[np.float32], lengths: Floats, metric: Metric, probe: bool, dtype: Any) -> Array:
    """Rows whose products over both sides are cosines `(n, d)`, or squared distances `(n, d + 2)`.

    |a − b|² = (−2a, |a|², 1) · (b, 1, |b|²). lengths: of these templates.
    """
    if metric == "cosine":
        return np.divide(templates, lengths[:, None], dtype=np.float64).astype(dtype)
    n, d = templates.shape
    out = np.ones((n, d + 2), dtype)
    np.multiply(templates, -2.0 if probe else 1.0, out=out[:, :d], dtype=dtype)
    out[:, d if probe else d + 1] = lengths**2
    return out


@dataclass(frozen=True)
class Grid:
    """Equal cells over the edges: `cell = floor(clip(score · scale + offset, low, top))`.

    Cell 0 lies below the first edge, `top` above the last one. bins `(top + 2,)`: the bin of each cell. special
    `(top + 2,)`: cells whose scores must be scored again, because an edge runs through them or an exact edge is
    nearer than the rounding. A score nearer than `margin` cells to the border of its cell (never, if 0) goes to the
    cell `top + 1`, which is special too. error `(top + 2,)`: by how much a score read as of this cell may be wrong.
    """

    scale: float
    offset: float
    low: int
    top: int
    margin: float
    bins: npt.NDArray[np.int64]
    special: npt.NDArray[np.bool_]
    error: Floats
    edges: Floats

    @property
    def trusted(self) -> bool:
        """Whether the rounding leaves any cell to be read off."""
        return self.low < self.top


def grid(
    edges: Floats, exact: Floats | None, metric: Metric, width: int, longest: float, dtype: Any, cells: int = 0
) -> Grid:
    """Cells for scores from products of `operand`s of `width` columns in `dtype`; longest: the greatest norm.

    exact: edges that no score may cross by rounding; None means all of them (float64 products, in practice).
    cells: how many, between the first and the last edge; 0 finds the number that most edges fall on.
    Error limits: Higham, Accuracy and Stability of Numerical Algorithms, § 3.1: |fl(a·b) − a·b| ≤ γ |a|·|b|.
    """
    start, span = (float(edges[0]), float(edges[-1] - edges[0])) if len(edges) else (0.0, 0.0)
    cells = cells or int(min(round(span / max(float(np.median(np.diff(edges))), 1e-300)), 1e9)) if span > 0 else 1
    if cells > max(4 * len(edges), 4096):  # unequal bins: fine cells, so that few have an edge inside
        cells = 16 * len(edges)
    cells = min(cells, MOST_CELLS)
    step = span / cells if span > 0 else 1.0
    scale, offset, top = 1 / step, 1 - start / step, cells + 1

    unit = float(np.finfo(dtype).eps)
    gamma = 1.01 * (width + 6) * unit  # eps is twice the unit roundoff: room for what precedes and follows the sum
    left = np.arange(top + 1) - 1.0  # the border of each cell, moved one down
    far = np.abs(start + left * step) + step
    binning = 4 * unit * (far * scale + abs(offset) + top)
    if metric == "cosine":
        error = gamma * scale + binning
    else:  # |d̂ − d| ≤ |d̂² − d²| / d̂, and the error of d² does not shrink with d
        spread = 4 * gamma * longest**2 + 1e-300
        at_least = left * step + start
        error = np.full(top + 1, np.inf)
        np.divide(spread * scale, at_least, out=error, where=at_least > 0)
        error += binning
    room = float(np.finfo(dtype).max) ** 0.5 / 16  # squares, and cells of scores, must not overflow
    if not max(longest, scale, abs(offset)) < room:
        error = np.full(top + 1, np.inf)
    limit = _NEAR_IN_DOUBLE if exact is None else ONE_CELL
    untrusted = np.flatnonzero(~(error <= limit))
    low = int(untrusted[-1]) if len(untrusted) else 0

    place = edges * scale + offset
    special = np.zeros(top + 2, bool)
    special[top + 1] = True
    if len(untrusted):
        special[: low + 1] = True
    on_grid = np.abs(place - np.rint(place)) < _ON_GRID
    special[np.clip(np.floor(place[~on_grid]), 0, top).astype(int)] = True
    if exact is not None:
        # A cell is special where an exact edge lies in it or nearer to it than the rounding of its own scores.
        cell = np.arange(low + 1, top + 1)
        at = np.sort(np.asarray(exact, np.float64)) * scale + offset
        reach = error[cell] + _ON_GRID
        special[cell] |= np.searchsorted(at, cell - reach) < np.searchsorted(at, cell + 1 + reach, "right")
        special[0] |= low == 0 and bool((at < 1 + error[0] + _ON_GRID).any())
    bins = np.searchsorted(edges, start + (np.arange(top + 2) - 0.5) * step).astype(np.int64)
    error = np.r_[error, np.inf] * step
    return Grid(scale, offset, low, top, 2 * limit if exact is None else 0.0, bins, special, error, edges)
