"""What a clustered interval and a bootstrap over people cost: this testbed and `cimat`, on the same comparisons.

500 people × 4 images: 1,996,000 non-mated and 3,000 mated scores. Both start from the scores and end with FMR and FNMR
and their intervals, or with the replicates of a bootstrap; one after the other in every round, in this process.
cimat's 2,000 replicates are extrapolated from a few. Run with `make bench`.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from kernels.crosscount import Tally
from kernels.resample import multiplicities, rates_of_pairs
from testbed.evidence.intervals import by_subject, rate_interval, within_group
from testbed.matching.people import people_of
from testbed.scorelogs.tallying import Comparisons, tally_logged

PEOPLE, IMAGES, THRESHOLD = 500, 4, 2.5
ROUNDS = 3
REPLICATES, TRIED = 2000, 4
CURVE = np.linspace(-1.0, 3.5, 40)

INSTALL = "-m pip install --no-deps cimat==0.1.2 tqdm"


def scores() -> np.ndarray:
    """A symmetric matrix `(PEOPLE·IMAGES,)²`: subject effects on strangers, 2 standard deviations more on the mated."""
    rng = np.random.default_rng(7)
    look = np.repeat(rng.standard_normal(PEOPLE), IMAGES)
    noise = rng.standard_normal((PEOPLE * IMAGES, PEOPLE * IMAGES))
    person = np.arange(PEOPLE * IMAGES) // IMAGES
    return 0.45 * (look[:, None] + look[None]) + (noise + noise.T) / 2 + 2 * (person[:, None] == person[None])


def compared(matrix: np.ndarray) -> Comparisons:
    """Every comparison of two images once, as a log of them is read."""
    one, other = np.triu_indices(len(matrix), 1)
    left, right = one // IMAGES, other // IMAGES
    return Comparisons(left, right, left == right, matrix[one, other])


def tally(comparisons: Comparisons, thresholds: np.ndarray) -> Tally:
    """The shipped tally; points called a ladder keep no list of pairs."""
    people = people_of(pl.DataFrame({"subject": [f"{i:03}" for i in range(PEOPLE)]}), [], 1)
    points = [(f"looser:{k}", False, float(t), float(t)) for k, t in enumerate(thresholds)]
    return tally_logged([comparisons], people, points, "similarity")


def our_intervals(comparisons: Comparisons) -> list[float]:
    """Variances of FMR and FNMR, after making their intervals."""
    t = tally(comparisons, np.array([THRESHOLD]))
    moments = t.squares[0].sum(axis=(0, 1)) + t.crosses[0].sum(axis=(0, 1)) * [1, 0.5, 1]
    fmr = within_group(t.errors[0].sum(axis=(0, 2)), t.comparisons[0].sum(axis=(0, 2)), moments)
    fnmr = by_subject(t.mated_errors[0], t.mated_comparisons[0])
    rate_interval(fmr, [])
    rate_interval(fnmr, [])
    return [fmr.variance, fnmr.variance]


def our_bootstrap(comparisons: Comparisons) -> None:
    """FMR of every replicate along the curve."""
    t = tally(comparisons, CURVE)
    rates_of_pairs(
        multiplicities(PEOPLE, REPLICATES, 1), t.errors.sum(axis=(1, 3)), t.comparisons[0].sum(axis=(0, 2))
    )  # fmt: skip


def cimat_estimator(matrix: np.ndarray) -> Any:
    """cimat's own shape of the same scores, both directions of a pair in one list. None where it is not installed."""
    try:
        from cimat import UncertaintyEstimator
    except ImportError:
        return None
    blocks = matrix.reshape(PEOPLE, IMAGES, PEOPLE, IMAGES).transpose(0, 2, 1, 3)
    own = np.triu_indices(IMAGES, 1)
    by_pair: dict[int, dict[int, list[float]]] = {i: {} for i in range(PEOPLE)}
    for i in range(PEOPLE):
        by_pair[i][i] = blocks[i, i][own].tolist()
        for j in range(i):
            by_pair[i][j] = by_pair[j][i] = blocks[i, j].ravel().tolist()
    return UncertaintyEstimator(by_pair)


def cimats_intervals(estimator: Any) -> list[float]:
    """The same from cimat."""
    fnmr, fmr = estimator.compute_variance(THRESHOLD)
    estimator.get_binerror_ci(var_fnr=fnmr, var_fpr=fmr)
    return [float(fmr), float(fnmr)]


def cimats_bootstrap(estimator: Any) -> None:
    """Its ROC curve of TRIED replicates, without its progress bar."""
    for _ in range(TRIED):
        estimator._run_bootstrap_dbn()


def seconds(work: Callable[[], Any]) -> float:
    """Wall seconds of a call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Print the median seconds of both, and the median of the rounds' ratios."""
    matrix = scores()
    comparisons, estimator = compared(matrix), cimat_estimator(matrix)
    ours = our_intervals(comparisons)
    print(f"{PEOPLE} people × {IMAGES} images, {len(comparisons.scores):,} comparisons; median of {ROUNDS} rounds")
    if estimator is None:
        print(f"cimat is not installed, so only our own figures follow; to compare: {sys.executable} {INSTALL}")
    elif not np.allclose(ours, cimats_intervals(estimator), rtol=1e-9):
        sys.exit("the variances differ from cimat's: the times compare two different things")
    else:
        print("variances of FMR and FNMR agree to 9 digits")
    rows = (
        ("variance and interval of FMR and FNMR", our_intervals, cimats_intervals, 1.0),
        (f"bootstrap of the curve, {REPLICATES:,} replicates", our_bootstrap, cimats_bootstrap, REPLICATES / TRIED),
    )
    for name, mine, theirs, scale in rows:
        taken = []
        for _ in range(ROUNDS):
            own = seconds(partial(mine, comparisons))
            taken.append((own, scale * seconds(partial(theirs, estimator)) if estimator else float("nan")))
        line = f"{name}: ours {statistics.median(own for own, _ in taken):.2f} s"
        if estimator is not None:
            peers, ratio = (statistics.median(x) for x in zip(*((t, t / own) for own, t in taken), strict=True))
            note = f" (extrapolated from {TRIED})" if scale > 1 else ""
            line += f", cimat {peers:.1f} s{note}, {ratio:.0f} times as long"
        print(line)


if __name__ == "__main__":
    main()
