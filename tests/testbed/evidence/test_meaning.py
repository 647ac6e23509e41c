"""What a score means, from templates through a run's tables, against the full matrix of scores."""

import itertools
import json
import re
from dataclasses import replace
from math import comb

import numpy as np
import polars as pl
import pytest
from scipy import stats

from kernels.crosscount import Faces, scores_of
from pipelines.errors import InputError
from testbed.evidence.calibration import cllr, costs, reliability
from testbed.evidence.claims.percents import verdict_on_percent
from testbed.evidence.decode_run import decode_run, in_words
from testbed.evidence.decoder import decode, posterior
from testbed.evidence.figures import SAME_GROUP
from testbed.evidence.intervals import rate_interval
from testbed.evidence.likelihood import at_every_bin, cross_fitted, limits, logistic, ratio_at
from testbed.evidence.meaning import score_meaning_of
from testbed.evidence.scored import cells_of
from testbed.evidence.strangers import capacity, chance, chances, median_gallery, share_of_galleries, top_scores
from testbed.matching.comparisons import Matcher, compare
from testbed.matching.people import people_of
from testbed.matching.percent import PERCENTS, RULES
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import ATTEMPTS, CELLS, SUBJECTS

SYSTEMS = {
    "euclidean": {"threshold": 0.6, "score_range": (0.0, 1.5), "direction": "distance",
                  "percent_rule": "face_recognition wiki"},
    "cosine": {"threshold": 0.4, "score_range": (-1.0, 1.0), "direction": "similarity", "percent_rule": "(1+cos)/2"},
}  # fmt: skip


def make_run(path, metric, sizes, seed=1, noise=0.16, shift=0.5):
    """A run of one cell: a transit and a reference for each of `sizes` people by group, who look alike within it."""
    rng = np.random.default_rng(seed)
    labels = [group for group, size in sizes.items() for _ in range(size)]
    S = len(labels)
    subjects = pl.DataFrame({"subject": [f"s{i:03}" for i in range(S)], "group": labels})
    people = people_of(subjects, ["group"], 1)
    faces = rng.normal(size=(S, 16)) + shift * rng.normal(size=(len(sizes), 16))[people.groups]
    faces /= np.linalg.norm(faces, axis=1)[:, None]
    probes, references = (
        Faces((faces * 0.55 + noise * 0.55 * rng.normal(size=faces.shape)).astype(np.float32), np.arange(S + 1),
              np.arange(S)) for _ in range(2)
    )  # fmt: skip
    system = {**SYSTEMS[metric], "metric": metric}
    tables, _ = compare("c", Matcher.of(system, ["own", "fmr=1e-2"]), probes, references, people, ["own", "fmr=1e-2"])
    run = RunDirectory.create(path, {"scenario": {"groups": ["group"], "seed": 1}, "systems": {"s": system}})
    run.write(SUBJECTS, subjects)
    run.write(CELLS, pl.DataFrame({"cell": ["c"], "system": ["s"], "condition": ["clean"]}))
    run.write(ATTEMPTS, pl.DataFrame({
        "cell": "c", "camera": "k", "transit": subjects["subject"], "subject": subjects["subject"], "captures": 1,
        "state": "acquired", "reason": "",
    }))  # fmt: skip
    for table, frame in tables:
        run.write(table, frame)
    run.begin("match")
    run.finish("match")
    ((_, scores),) = scores_of(probes, references, metric)
    return run, people, scores


@pytest.fixture(scope="module", params=["euclidean", "cosine"])
def world(request, tmp_path_factory):
    run, people, scores = make_run(tmp_path_factory.mktemp("run") / "r", request.param, {"a": 24, "b": 12, "c": 4})
    (cell,) = cells_of(run)
    return run, cell, people, scores


def everyone(cell):
    return cell.population(cell.people.everyone())


def named(cell, name):
    return cell.population(next(group for group in cell.people.within() if group.name == name))


def as_alike(cell, scores, limit):
    return scores <= limit if cell.direction == "distance" else scores >= limit


def off_diagonal(scores):
    return scores[~np.eye(len(scores), dtype=bool)]


def test_the_comparisons_of_each_half_are_those_of_its_people(world):
    _, cell, people, scores = world
    same = people.folds[:, None] == people.folds[None]
    mated = np.eye(len(scores), dtype=bool)
    group = people.groups[:, None] == people.groups[None]
    for population, inside in (
        (everyone(cell), np.ones_like(mated)),
        (cell.population(people.everyone(), SAME_GROUP), group),
        (named(cell, "b"), group & (people.groups == 1)),
    ):
        for fold in (0, 1):
            there = same & (people.folds == fold)[:, None] & inside
            assert population.non_mated[fold].sum() == (there & ~mated).sum()
            assert population.mated[fold].sum() == (there & mated).sum()
        assert population.non_mated.sum() == (inside & ~mated).sum()


def test_score_intervals_between_tallied_thresholds_hold_what_was_tallied(world):
    _, cell, *_ = world
    population, points = everyone(cell), cell.thresholds()
    inside = np.bincount(cell.intervals(points), population.non_mated.sum(axis=0), minlength=len(points) + 1)
    assert inside.cumsum()[:-1] == pytest.approx([population.fmr(int(k)).errors for k in points])


def test_nobody_is_judged_by_a_fit_that_knows_them(world):
    _, cell, *_ = world
    population = everyone(cell)
    ratios = cross_fitted(population)
    for fold in (0, 1):
        assert ratios[fold] == pytest.approx(at_every_bin(population, fold=1 - fold))
    # Another half's scores may do what they like: the fit for this half's people stays, the other changes.
    mated = population.mated.copy()
    mated[0] = mated[0][::-1]
    changed = cross_fitted(replace(population, mated=mated))
    assert changed[0] == pytest.approx(ratios[0])
    assert not np.allclose(changed[1], ratios[1])


def test_likelihood_ratios_rise_with_likeness_and_never_exceed_what_the_people_can_show(world):
    _, cell, *_ = world
    for name, people in (("all", 40), ("a", 24), ("c", 4)):
        population = named(cell, name)
        low, high = limits(population)
        ratios = at_every_bin(population)
        assert low == pytest.approx(-np.log10(people + 1))
        assert high >= np.log10(people // 2 + 1) - 1e-12
        assert (np.diff(ratios[np.argsort(cell.alike, kind="stable")]) >= -1e-12).all()
        assert 10**low - 1e-12 <= ratios.min() <= ratios.max() <= 10**high * (1 + 1e-12)
    # Four people lend no design effect.
    assert limits(named(cell, "c"))[1] == pytest.approx(np.log10(2 + 1))


def test_cllr_is_that_of_the_comparisons_one_by_one(world):
    _, cell, people, scores = world
    population = everyone(cell)
    ratios = cross_fitted(population)
    mated, non_mated = [], []
    for i in range(len(scores)):
        for j in range(len(scores)):
            if people.folds[i] == people.folds[j]:
                (mated if i == j else non_mated).append(ratios[people.folds[i], cell.bin(scores[i, j])])
    cost, least, gap = costs(population, ratios)
    assert cost.value == pytest.approx(cllr(mated, non_mated))
    assert gap.value == pytest.approx(cost.value - least.value)
    assert 0 <= least.value <= cost.value
    for each in (cost, least, gap):
        assert 0 <= each.low <= each.value < each.high


def test_classes_that_lie_apart_are_no_proof_of_a_costless_system(tmp_path):
    run, *_ = make_run(tmp_path / "r", "cosine", {"a": 24}, noise=0.02, shift=0.0)
    (cell,) = cells_of(run)
    _, least, _ = costs(everyone(cell), cross_fitted(everyone(cell)))
    assert least.value == 0
    # One in 24 more people, unlike any seen, could cost log2(25 + 1) / 2 bits.
    assert least.high > np.log2(26) / 2 / 24


def test_reliability_bins_hold_every_judged_comparison_once_and_their_bands_the_share(world):
    _, cell, *_ = world
    population = everyone(cell)
    diagram = reliability(population, cross_fitted(population), 0.5)
    assert diagram.mated.sum() == population.mated[:2].sum()
    assert diagram.non_mated.sum() == population.non_mated[:2].sum()
    assert np.isnan(diagram.upto[-1])
    seen = np.repeat(cell.scores, population.mated[:2].sum(axis=0))
    assert diagram.mated[:-1].cumsum().tolist() == [as_alike(cell, seen, limit).sum() for limit in diagram.upto[:-1]]
    there = ~np.isnan(diagram.observed)
    assert (diagram.low[there] <= diagram.observed[there]).all()
    assert (diagram.observed[there] <= diagram.high[there]).all()
    assert (np.diff(diagram.predicted[~np.isnan(diagram.predicted)]) <= 1e-12).all()
    assert diagram.error.low <= diagram.expected_error <= diagram.error.high
    assert diagram.thin.tolist() == (diagram.mated + diagram.non_mated < 10).tolist()


def test_the_calibration_error_is_that_of_its_definition_and_moves_with_the_prior(world):
    _, cell, *_ = world
    population = everyone(cell)
    ratios = cross_fitted(population)
    for prior in (0.5, 0.01):
        diagram = reliability(population, ratios, prior)
        g, f = diagram.mated / diagram.mated.sum(), diagram.non_mated / diagram.non_mated.sum()
        weight = prior * g + (1 - prior) * f
        used = weight > 0
        gaps = np.abs(diagram.predicted[used] - diagram.observed[used])
        assert diagram.expected_error == pytest.approx((weight[used] * gaps).sum())
    # Overconfident by a hundred: the error is seen.
    wrong = reliability(population, np.clip(ratios * 100, None, 1e6), 0.5)
    assert wrong.expected_error > reliability(population, ratios, 0.5).expected_error


def test_a_decoded_percent_counts_the_strangers_shown_at_least_it(world):
    _, cell, _, scores = world
    rule = RULES[cell.percent_rule]
    strangers = off_diagonal(scores)
    for percent in (rule.percent(float(np.quantile(strangers, q))) for q in (0.05, 0.3, 0.7)):
        decoded = decode(everyone(cell), rule, percent)
        # No edge is there: counted at the next one that is more alike, which is named.
        assert not decoded.exact
        assert 0 < abs(decoded.counted_at - decoded.score) <= np.diff(cell.edges).max()
        assert as_alike(cell, np.array([decoded.counted_at]), decoded.score).all()
        assert decoded.errors == as_alike(cell, strangers, decoded.counted_at).sum()
        assert decoded.interval.low <= decoded.shown <= decoded.interval.high
        assert (decoded.strangers, decoded.people) == (len(strangers), 40)
    own = cell.tallied.threshold(cell.tallied.index("own"))
    at_own = decode(everyone(cell), rule, rule.percent(own))
    assert at_own.shown == pytest.approx(as_alike(cell, strangers, own).mean())
    assert at_own.interval.method.startswith(("clustered", "few", "zero"))


def test_strangers_shown_an_explained_percent_are_counted_exactly(world):
    _, cell, _, scores = world
    rule, strangers, told = RULES[cell.percent_rule], off_diagonal(scores), 0
    for percent in PERCENTS:
        if strangers.min() < rule.score(percent) < strangers.max():
            decoded, told = decode(everyone(cell), rule, percent), told + 1
            assert decoded.exact
            assert decoded.errors == as_alike(cell, strangers, rule.score(percent)).sum()
    assert told >= 2


def test_the_counts_beside_a_likelihood_ratio_are_those_of_the_scores_they_name(world):
    _, cell, _, scores = world
    same, strangers = np.diag(scores), off_diagonal(scores)
    for percent in (65, 75, 85):
        at = ratio_at(everyone(cell), RULES[cell.percent_rule].score(percent))
        for side in (at.alike, at.unlike):
            for rate, all_scores in ((side.mated, same), (side.strangers, strangers)):
                there = np.ones(len(all_scores), bool)
                if side.loose is not None:
                    there &= as_alike(cell, all_scores, side.loose)
                if side.strict is not None:
                    there &= ~as_alike(cell, all_scores, side.strict)
                assert (rate.errors, rate.comparisons) == (there.sum(), len(all_scores))
        ends = [f"{end:.6g}" for side in (at.alike, at.unlike) for end in (side.strict, side.loose) if end is not None]
        assert re.findall(r"(?:above|below|up to|from) ([-\d.]+)[:,]", at.counted) == ends


def test_the_interval_of_a_likelihood_ratio_holds_the_true_one_and_its_estimate(scored):
    # Strangers' scores are standard normal, those of one person 2 higher: log LR(s) = 2s − 2.
    where = np.array([-1.0, 0.0, 1.0, 2.0, 3.0])
    held = []
    for seed in range(120):
        cell = scored(36, 0.4, seed)
        each = [ratio_at(everyone(cell), score) for score in where]
        limits = np.array([at.limits() for at in each])
        assert all(low <= at.value <= high for at, (low, high) in zip(each, limits, strict=True))
        held.append((limits[:, 0] <= np.exp(2 * where - 2)) & (np.exp(2 * where - 2) <= limits[:, 1]))
    assert (np.mean(held, axis=0) >= 0.93).all()


def test_the_limits_of_a_likelihood_ratio_are_shares_of_the_mated_over_shares_of_strangers(scored):
    cell = scored(80, 0.2, 3)
    population = everyone(cell)
    at = ratio_at(population, 1.0)
    most, least = (
        [rate_interval(rate, lenders, 0.05 / 2) for rate, lenders in
         ((side.mated, population.stricter), (side.strangers, population.looser))]
        for side in (at.alike, at.unlike)
    )  # fmt: skip
    assert at.limits(0.05) == pytest.approx((least[0].low / least[1].high, most[0].high / most[1].low))
    assert at.limits(0.01)[0] < at.limits(0.05)[0] < np.exp(2 * 1.0 - 2) < at.limits(0.05)[1] < at.limits(0.01)[1]


def test_a_claim_on_a_percent_and_the_decoder_say_the_same(world):
    _, cell, *_ = world
    for percent in (65, 75, 85):
        decoded = decode(everyone(cell), RULES[cell.percent_rule], percent)
        claimed = verdict_on_percent(everyone(cell), percent, 0.001, "exactly", 0.05)
        said = posterior((decoded.ratio.value, *decoded.ratio.limits(0.05)), 0.001)
        assert (claimed.value, claimed.low, claimed.high) == pytest.approx(tuple(said))
        assert (claimed.basis, claimed.at_limit) == (decoded.ratio.counted, decoded.ratio.at_limit)


def test_a_decoded_likelihood_ratio_is_the_fit_at_that_score(world):
    _, cell, *_ = world
    rule = RULES[cell.percent_rule]
    decoded = decode(everyone(cell), rule, 75)
    at = cell.bin(rule.score(75))
    assert decoded.ratio.value == at_every_bin(everyone(cell))[at]
    assert decoded.logistic == at_every_bin(everyone(cell), logistic)[at]
    seen = cell.scores[everyone(cell).mated.sum(axis=0) > 0]
    best = decode(everyone(cell), rule, rule.percent(seen.min() if cell.direction == "distance" else seen.max()))
    assert best.ratio.at_limit == "over"
    assert best.ratio.value == pytest.approx(10 ** limits(everyone(cell))[1])
    text = "\n".join(in_words(best, (0.5,), None, None))
    assert "estimated over" in text
    assert "more than 40 people can show" in text
    assert "at least" not in text.partition("likelihood ratio")[2].partition("median")[0]


def test_a_percent_nobody_was_shown_is_not_decoded(world):
    _, cell, *_ = world
    with pytest.raises(InputError, match="which nobody here came near"):
        decode(everyone(cell), RULES[cell.percent_rule], 99.99)


def test_shown_percents_are_those_of_the_decoder_and_a_refused_one_says_why(world):
    _, cell, *_ = world
    row = next(row for row in score_meaning_of(cell) if row["probe_group"] == "a")
    rule, (group,) = RULES[cell.percent_rule], [g for g in cell.people.within() if g.name == "a"]
    assert [each["percent"] for each in row["percents"]] == [50, 67, 80, 90, 95]
    told = [each for each in row["percents"] if each["why"] is None]
    assert told
    for each in told:
        decoded = decode(cell.population(group), rule, each["percent"])
        assert each["shown"]["low"] <= each["shown"]["value"] == decoded.shown <= each["shown"]["high"]
        assert each["shown"]["errors"] == round(decoded.shown * each["shown"]["comparisons"])
        assert 10 ** each["log10_ratio"] == pytest.approx(decoded.ratio.value)
        assert each["at_limit"] == decoded.ratio.at_limit
        low, high = decoded.ratio.limits()
        assert (10 ** each["log10_low"] if each["log10_low"] is not None else 0) == pytest.approx(low)
        assert (10 ** each["log10_high"] if each["log10_high"] is not None else np.inf) == pytest.approx(high)
        for end, ratio in (("value", decoded.ratio.value), ("low", low), ("high", high)):
            even, rare = (chance[end] for chance in each["posterior"])
            assert even == pytest.approx(1 if np.isinf(ratio) else ratio / (1 + ratio))
            assert rare == pytest.approx(1 if np.isinf(ratio) else ratio / (ratio + 999))
    for each in (each for each in row["percents"] if each["why"] is not None):
        assert "nobody here came near" in each["why"]
        assert (each["shown"], each["log10_ratio"], each["posterior"]) == (None, None, None)


def test_a_strangers_chance_is_that_of_drawn_galleries(world):
    _, cell, people, scores = world
    population = named(cell, "a")
    k = cell.tallied.index("own")
    own = cell.tallied.threshold(k)
    members = np.flatnonzero(people.groups == 0)
    assert capacity(population) == len(members) - 1
    rng = np.random.default_rng(8)
    for size in (1, 5, 15):
        drawn = [
            as_alike(cell, scores[i, rng.permutation(members[members != i])[:size]], own).any()
            for i in members for _ in range(400)
        ]  # fmt: skip
        measured = chance(population, k, size)
        assert measured.value == pytest.approx(np.mean(drawn), abs=4 * np.sqrt(0.25 / len(drawn)))
        inner = as_alike(cell, scores[np.ix_(members, members)], own) & ~np.eye(len(members), dtype=bool)
        alone = share_of_galleries(inner.sum(axis=1).astype(float), np.full(len(members), len(members) - 1.0), size)
        assert measured.value == pytest.approx(alone.mean(), rel=1e-12)
        assert measured.low <= measured.value <= measured.high
        assert measured.how == "measured"
    assert chance(population, k, len(members)).how == "extrapolated"
    assert chance(population, k, 1).value == pytest.approx(population.fmr(k).rate)


def test_the_top_score_grows_more_alike_with_the_gallery(world):
    _, cell, people, scores = world
    population = named(cell, "a")
    members = np.flatnonzero(people.groups == 0)
    by_size = [top_scores(population, size, (0.5,))[0] for size in (1, 4, 12, 23)]
    gains = np.diff([-x if cell.direction == "distance" else x for x in by_size])
    assert (gains[~np.isnan(gains)] > 0).all()
    # With everybody in the gallery there is one gallery per stranger: the median of their best scores.
    inner = scores[np.ix_(members, members)]
    np.fill_diagonal(inner, np.nan)
    best = np.nanmin(inner, 1) if cell.direction == "distance" else np.nanmax(inner, 1)
    assert by_size[-1] == pytest.approx(np.median(best), abs=0.05)
    assert np.isnan(top_scores(population, 24)).all()
    quarters = top_scores(population, 4, (0.25, 0.5, 0.75))
    assert (np.diff(-quarters if cell.direction == "distance" else quarters) > 0).all()


def test_limits_never_fall_back_as_the_gallery_grows(world):
    _, cell, *_ = world
    for name, k in itertools.product(("all", "a", "b", "c"), cell.thresholds()):
        told = chances(named(cell, name), int(k), (1, 2, 5, 10, 20, 23, 50, 1000))
        for end in ("low", "value", "high"):
            assert (np.diff([getattr(each, end) for each in told]) >= -1e-12).all()
        assert all(each.low <= each.value <= each.high for each in told)


def test_the_median_gallery_is_that_in_which_half_the_strangers_match_in_half_of_all(world):
    _, cell, people, scores = world
    population, members = named(cell, "a"), np.flatnonzero(people.groups == 0)
    measured = 0
    for k in cell.thresholds():
        limit = float(cell.tallied.thresholds[k, 0])
        alone = as_alike(cell, scores[np.ix_(members, members)], limit) & ~np.eye(len(members), dtype=bool)
        # Of the galleries of N among n references, those without any of a stranger's x matches: C(n − x, N) / C(n, N).
        n = len(members) - 1
        share = np.array([[1 - comb(n - int(x), N) / comb(n, N) for N in range(1, n + 1)] for x in alone.sum(axis=1)])
        half = np.flatnonzero((share >= 0.5).mean(axis=0) >= 0.5)
        median = median_gallery(population, int(k))
        assert median.value == (half[0] + 1 if len(half) else None)
        assert median.how == ("measured" if len(half) else f"more than {n}")
        assert 1 <= median.low <= (median.value or n + 1)
        assert median.high is None or median.value <= median.high <= n
        measured += len(half) > 0
    assert measured


def test_the_interval_of_the_median_gallery_holds_the_true_one(scored):
    # A stranger with an average effect is shown a match among N of whom each matches at P(z > 1/√(1 − ρ/2)).
    rate = stats.norm.sf(1 / np.sqrt(1 - 0.4 / 2))
    true = int(np.ceil(np.log(0.5) / np.log(1 - rate)))
    cells = (scored(36, 0.4, seed, both_ways=True) for seed in range(80))
    found = [median_gallery(everyone(cell), cell.tallied.index("own")) for cell in cells]
    assert np.mean([each.low <= true <= (each.high or np.inf) for each in found]) >= 0.93
    assert np.median([each.value or np.inf for each in found]) == pytest.approx(true, abs=2)


def test_every_population_has_a_row_of_strict_json_and_the_small_ones_conclude_nothing(world):
    _, cell, *_ = world
    rows = list(score_meaning_of(cell))
    json.dumps(rows, allow_nan=False)
    assert [(r["probe_group"], r["reference_group"]) for r in rows] == [
        ("all", "all"), ("all", "same group"), ("a", "a"), ("b", "b"), ("c", "c"),
    ]  # fmt: skip
    assert [r["verdict"] for r in rows] == ["measured"] * 4 + ["insufficient"]
    assert [r["subjects"] for r in rows] == [40, 40, 24, 12, 4]
    assert rows[0]["expected_calibration_error"]["prior"] == rows[0]["reliability"]["prior"] == 0.5


def test_what_cannot_be_fitted_is_null_and_says_why(tmp_path):
    run, *_ = make_run(tmp_path / "r", "cosine", {"a": 8, "lone": 1, "two": 2})
    (cell,) = cells_of(run)
    rows = {r["probe_group"]: r for r in score_meaning_of(cell)}
    assert rows["lone"]["cllr"] is None
    assert rows["lone"]["why"] == "no non-mated comparisons"
    assert "cross-fitted" in rows["two"]["why"]
    assert rows["two"]["likelihood_ratios"]
    with pytest.raises(InputError, match="both are needed"):
        decode(named(cell, "lone"), RULES["(1+cos)/2"], 75)


def test_the_decoder_tells_every_group_and_leaves_none_out(world):
    run, cell, *_ = world
    text = "\n".join(decode_run(run, 75, by="group", prior=(0.001,), gallery=20_000, in_gallery=0.1))
    for name in ("all", "a", "b", "c"):
        assert f"  {name}: " in text or f"c, {name}: 75 % stands for" in text
    decoded = decode(everyone(cell), RULES[cell.percent_rule], 75)
    assert f"{100 * decoded.shown:.3g} %" in text
    assert f"{decoded.errors:,} of {decoded.strangers:,} comparisons of 40 people" in text
    assert "1 in 1,000 such pairs" in text
    assert "search of 20,000 people" in text
    low, high = (100 * float(posterior(limit, 0.001)) for limit in decoded.ratio.limits())
    assert re.search(rf"likely the same, 95 % interval {low:.3g} % to {high:.3g} %", text)


def test_small_chances_are_told_in_percent_and_no_estimate_as_a_bound(world):
    run, *_ = world
    text = "\n".join(decode_run(run, PERCENTS[1], prior=(1e-9,)))
    assert "0.0001 %" in text
    assert "<<" not in text
    assert not re.search(r"at (most|least) [^;]* likely", text)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"prior": 0.0}, "no evidence can change it"),
        ({"prior": 1.0}, "no evidence can change it"),
        ({"by": "hair"}, "it knows group"),
        ({"cell": "d"}, "has no cell 'd'"),
        ({"in_gallery": 0.1}, "needs --gallery"),
        ({"gallery": 0}, "must hold"),
        ({"gallery": 9, "in_gallery": 0.0}, "above 0"),
        ({"percent": 99.99}, "nobody here came near"),
        ({"percent": 101.0}, "shows 0 to 100 %"),
        ({"rule": "nothing.csv"}, "is not known"),
    ],
)
def test_a_question_that_has_no_answer_gets_one_sentence(world, asked, sentence):
    run, *_ = world
    with pytest.raises(InputError, match=sentence) as told:
        decode_run(run, **{"percent": 75.0, **asked})
    assert "\n" not in str(told.value)
