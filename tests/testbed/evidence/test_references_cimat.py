"""Agreement with `cimat` 0.1.2, by the authors of the variance we use (Fogliato et al., IJCV 2024, arXiv 2306.01198).

`cimat.json` holds what cimat said of seeded random cases under NumPy 1, and cimat itself is asked again: the lock holds
it without its dependencies (it asks for NumPy 1; its code runs on NumPy 2).
    python tests/testbed/evidence/test_references_cimat.py      writes cimat.json anew

What is the same, and what differs:
* Variance of FMR: equal. cimat walks over ordered pairs, we over unordered ones; both leave out the diagonal, and
  both replace a negative covariance of pairs sharing a person by zero, which is METRICS' floor Σe²/M².
* Variance of FNMR: equal. A person without a mated comparison counts nowhere.
* Interval: ours is cimat's (Wilson, n* = p(1 − p)/V) with Student's t for 1.96, and n* is at most M.
* Zero errors: cimat takes n* = 2M, every comparison twice and all of them independent. We do not (METRICS § Intervals).
* A score equal to the threshold: a match with us, an error of neither kind with cimat. The cases have none.
* A pair of people with an empty list of scores makes cimat's variance NaN. The cases leave such pairs out.
* Bootstrap: cimat keeps each person with chance ½ ("double or nothing") and all comparisons among those kept; we draw
  people with replacement and keep each person's sums (`kernels.resample`). Given the same people, replicates rise and
  fall together. Beside the plug-in (ΣS² − Σe²)/M², with sums over pairs of people, ours vary by ΣS²/M² and cimat's by
  (ΣS² + Σe²)/M²: the noise of single pairs is counted twice, and three times.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from kernels.resample import multiplicities, rates_of_pairs
from testbed.evidence.intervals import by_subject, rate_interval, wilson, within_group

TABLE = Path(__file__).with_name("cimat.json")
SEEDS = range(12)
BOOTSTRAPPED, REPLICATES = 11, 400  # the last case, of 45 people


def case(seed):
    """Scores by pair of people, as cimat has them: {person: {person: [score, …]}}, symmetric, and a threshold."""
    rng = np.random.default_rng(seed)
    people = 45 if seed == BOOTSTRAPPED else int(rng.integers(5, 16))
    images = rng.integers(2, 5, people)
    images[0] = 1  # nobody to be mated with
    look = rng.standard_normal(people) * (seed % 2)  # where nobody is special, covariances are often negative
    scores = {i: {} for i in range(people)}
    for i in range(people):
        for j in range(i, people):
            n = images[i] * (images[i] - 1) // 2 if i == j else images[i] * images[j]
            if n == 0 or (i != j and rng.random() < 0.1):
                continue  # these two were never compared
            mean = 2.2 if i == j else 0.5 * (look[i] + look[j])
            scores[i][j] = scores[j][i] = (mean + rng.standard_normal(n)).tolist()
    return scores, 1.2


def asked_of_cimat(seed):
    """What cimat says of a case."""
    from cimat import UncertaintyEstimator

    scores, threshold = case(seed)
    estimator = UncertaintyEstimator(scores)
    fnmr_variance, fmr_variance = estimator.compute_variance(threshold)
    fnmr_interval, fmr_interval = estimator.get_binerror_ci(threshold)
    told = {
        "errors": estimator.fp / 2, "comparisons": (estimator.fp + estimator.tn) / 2,
        "fmr_variance": fmr_variance, "fmr_interval": fmr_interval,
        "misses": estimator.fn, "mated": estimator.fn + estimator.tp,
        "fnmr_variance": fnmr_variance, "fnmr_interval": fnmr_interval,
    }  # fmt: skip
    told = {key: np.asarray(value, float).tolist() for key, value in told.items()}
    if seed == BOOTSTRAPPED:
        np.random.seed(seed)  # the state that cimat draws from
        estimator.run_bootstrap(B=REPLICATES)
        # Its own look-up takes the nearest score for the threshold; this is the curve at the threshold.
        told["replicates"] = [float(fmr[limits > threshold][-1]) for fmr, _, limits in estimator.boot_results]
    return told


def ours(seed):
    """Errors and comparisons `(G, G)` of unordered pairs, both halves filled and no diagonal; FMR and FNMR."""
    scores, threshold = case(seed)
    G = len(scores)
    errors, trials, misses, mated = np.zeros((G, G), int), np.zeros((G, G), int), np.zeros(G, int), np.zeros(G, int)
    for i, others in scores.items():
        for j, values in others.items():
            if i == j:
                misses[i], mated[i] = sum(v < threshold for v in values), len(values)
            else:
                errors[i, j], trials[i, j] = sum(v >= threshold for v in values), len(values)
    upper = np.triu_indices(G, 1)
    x, n = errors[upper], trials[upper]
    fmr = within_group(errors.sum(1), trials.sum(1), np.array([x @ x, x @ n, n @ n]))
    return errors, trials, fmr, by_subject(misses, mated)


@pytest.fixture(scope="module", params=["cimat.json", "cimat itself"])
def cimat(request):
    """seed → what cimat says, from the table or asked now."""
    if request.param == "cimat.json":
        return {row["seed"]: row for row in json.loads(TABLE.read_text(encoding="utf-8"))}
    return {seed: asked_of_cimat(seed) for seed in SEEDS}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_clustered_variances_are_cimats(cimat, seed):
    told, (_, _, fmr, fnmr) = cimat[seed], ours(seed)
    assert (fmr.errors, fmr.comparisons) == (told["errors"], told["comparisons"])
    assert (fnmr.errors, fnmr.comparisons) == (told["misses"], told["mated"])
    assert fmr.errors > 0
    assert fmr.variance == pytest.approx(told["fmr_variance"], rel=1e-9)
    assert fnmr.variance == pytest.approx(told["fnmr_variance"], rel=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_published_interval_is_ours_with_196_for_students_t(cimat, seed):
    *_, fmr, fnmr = ours(seed)
    for rate, interval in ((fmr, cimat[seed]["fmr_interval"]), (fnmr, cimat[seed]["fnmr_interval"])):
        n = rate.rate * (1 - rate.rate) / rate.variance
        if 1 < rate.errors < rate.comparisons - 1:  # cimat gives one error a rule of its own
            assert wilson(rate.rate, n, stats.norm.ppf(0.975)) == pytest.approx(interval, rel=1e-9)
    shipped = rate_interval(fmr, [])
    if shipped.method.startswith("clustered Wilson"):
        low, high = cimat[seed]["fmr_interval"]
        assert shipped.low < low < high < shipped.high


def test_some_cases_meet_the_floor_and_some_do_not():
    """Else agreement on negative covariances would show nothing."""
    floored = []
    for seed in SEEDS:
        errors, trials, fmr, _ = ours(seed)
        e = errors - fmr.rate * trials
        floored.append(fmr.variance * fmr.comparisons**2 == pytest.approx((e**2).sum() / 2))
    assert 0 < sum(floored) < len(floored)


def test_a_replicate_of_the_same_people_rises_and_falls_with_cimats(cimat):
    errors, trials, *_ = ours(BOOTSTRAPPED)
    np.random.seed(BOOTSTRAPPED)
    kept = np.array([[np.random.choice([0, 1]) for _ in errors] for _ in range(REPLICATES)])
    made = rates_of_pairs(kept.astype(float), errors.sum(1)[None], trials.sum(1))[:, 0]
    assert np.corrcoef(made, cimat[BOOTSTRAPPED]["replicates"])[0, 1] > 0.9


def test_the_bootstraps_vary_as_the_clustered_sums_say(cimat):
    errors, trials, fmr, _ = ours(BOOTSTRAPPED)
    S, e = (errors - fmr.rate * trials).sum(1), errors - fmr.rate * trials
    by_people, by_pairs = (S**2).sum() / fmr.comparisons**2, (e**2).sum() / 2 / fmr.comparisons**2
    made = rates_of_pairs(multiplicities(len(errors), 4000, 1), errors.sum(1)[None], trials.sum(1))[:, 0]
    assert np.var(made) == pytest.approx(by_people, rel=0.1)
    # 400 replicates know their spread to 7 %, and halving the people adds a little.
    assert np.var(cimat[BOOTSTRAPPED]["replicates"]) == pytest.approx(by_people + by_pairs, rel=0.25)


if __name__ == "__main__":
    table = [{"seed": seed, **asked_of_cimat(seed)} for seed in SEEDS]
    TABLE.write_text("[\n" + ",\n".join(json.dumps(row) for row in table) + "\n]\n", encoding="utf-8")
    sys.stdout.write(f"{TABLE}: {len(table)} cases\n")
