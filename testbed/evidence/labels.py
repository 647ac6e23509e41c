"""What wrong group labels would do to the rates (METRICS.md § Differentials, provenance of labels)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.errors import InputError

Floats = npt.NDArray[np.float64]

LEAST_INFORMATION = 1e-3
"""Below this smallest singular value the labels say too little to be corrected."""


@dataclass(frozen=True)
class Misclassification:
    """`assigned[t, a]` `(G, G)`: the probability that somebody of true group t is labelled a; rows sum to 1."""

    labels: tuple[str, ...]
    assigned: Floats

    @classmethod
    def of(cls, frame: pl.DataFrame, labels: tuple[str, ...], name: str) -> Misclassification:
        """From a table with columns `true` and one per label, in `labels`' order. Raises InputError.

        name: the file the table came from, for the message.
        """
        if frame.columns[:1] != ["true"] or set(frame.columns[1:]) != set(labels):
            raise InputError(f"{name}: columns must be `true` and the groups {', '.join(labels)}")
        if sorted(map(str, frame["true"])) != sorted(labels):
            raise InputError(f"{name}: column `true` must name each of the groups {', '.join(labels)} once")
        place = {str(group): row for row, group in enumerate(frame["true"])}
        for column in labels:
            if not frame[column].dtype.is_numeric():
                raise InputError(f"{name}: column `{column}` must hold probabilities between 0 and 1")
        assigned = frame.select(labels).to_numpy().astype(np.float64)
        for row in range(len(labels)):
            whole = np.isfinite(assigned[row]).all() and (assigned[row] >= 0).all()
            if not whole or abs(assigned[row].sum() - 1) > 1e-6:
                raise InputError(f"{name}: row {row + 2}: must be probabilities of at least 0 that sum to 1")
        return cls(labels, assigned[[place[label] for label in labels]])

    def composition(self, people: npt.NDArray[Any]) -> Floats:
        """`[a, t]`: the share of those labelled a who are of group t, from how many people bear each label `(G,)`.

        The true shares are those under which the labels seen are likeliest (EM). Raises InputError where two groups
        are labelled so alike that the labels do not tell them apart, or where the labels cannot be explained unless a
        group is empty.
        """
        if np.linalg.svd(self.assigned, compute_uv=False).min() < LEAST_INFORMATION:
            raise InputError("the misclassification matrix labels two groups alike, so no rate can be told apart by it")
        seen = people / people.sum()
        true = np.full(len(seen), 1 / len(seen))
        for _ in range(10_000):
            expected = true @ self.assigned
            weight = np.divide(seen, expected, out=np.zeros_like(expected), where=expected > 0)
            step = true * (self.assigned @ weight)
            if np.abs(step - true).max() < 1e-12:
                break
            true = step
        joint = (true[:, None] * self.assigned).T
        total = joint.sum(axis=1, keepdims=True)
        shares = np.asarray(np.divide(joint, total, out=np.eye(len(seen)), where=total > 0))
        if np.linalg.svd(shares, compute_uv=False).min() < LEAST_INFORMATION:
            empty = self.labels[int(true.argmin())]
            raise InputError(
                f"by the misclassification matrix more people of other groups bear the label {empty} than there are "
                "with it, so nobody would be left who is of that group; state smaller probabilities of error"
            )
        return shares


@dataclass(frozen=True)
class Recomputed:
    """Rates as they would be by true group, with bounds `[low, high]`, all of one shape.

    possible: whether such rates would give the data. Where not, what labels are said to be wrong cannot be right.
    """

    corrected: Floats
    low: Floats
    high: Floats
    possible: bool = True


def recompute(rates: Floats, low: Floats, high: Floats, composition: Floats) -> Recomputed:
    """Rates by true group from rates by label.

    rates, low, high: FMR by probe × reference group `(G, G)`, or FNMR or FTA `(G,)`, with simultaneous bounds. A
    group as labelled is a mixture, so its rate is one too: `R = C·X·Cᵀ` (`C·x`), solved for X. The bounds of X are
    those of a linear map of the bounds of R. Errors of labelling are taken to be unrelated to errors of matching.
    A rate a little outside [0, 1] is chance, and is cut there. Where the rates so cut no longer give those by label
    within their bounds, or the bounds of one lie outside altogether, matrix and data contradict each other.
    """
    inverse = np.linalg.inv(composition)
    up, down = np.maximum(inverse, 0), np.minimum(inverse, 0)

    def mapped(above: Floats, below: Floats) -> Floats:
        """The greatest (the least) X where every positive weight meets `above` and every negative one `below`."""
        if rates.ndim == 1:
            whole = up @ above + down @ below
        else:  # weights are products of one of the probe's and one of the reference's label
            whole = up @ above @ up.T + down @ above @ down.T + up @ below @ down.T + down @ below @ up.T
        return np.asarray(whole)

    least, most = mapped(low, high), mapped(high, low)
    found = np.clip(mapped(rates, rates), 0.0, 1.0)
    again = composition @ found if rates.ndim == 1 else composition @ found @ composition.T
    slack = 1e-9  # of arithmetic
    explained = ((low - slack <= again) & (again <= high + slack)).all() and (least <= 1).all() and (most >= 0).all()
    return Recomputed(found, np.clip(least, 0.0, 1.0), np.clip(most, 0.0, 1.0), bool(explained))
