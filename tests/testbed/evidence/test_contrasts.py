"""Paired contrasts: intervals and tests against references, and a simulated run in which one cause acts and one not."""

from __future__ import annotations

from dataclasses import asdict
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from pipelines.errors import InputError
from testbed.evidence.contrasts import (
    Passes,
    Strangers,
    contrasts_of,
    effects,
    mean_interval,
    share_interval,
    sign_flip,
    tango,
)
from testbed.evidence.intervals import within_group
from testbed.matching import black_box
from testbed.matching.comparisons import Matcher, compare
from testbed.matching.people import people_of
from testbed.matching.units import captures_of, references_of, transits_as_probes
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import ATTEMPTS, CAPTURES, FACES, FRAMES, REFERENCES, THRESHOLDS, Table
from testbed.scenario.cells import Cell
from testbed.scenario.models import Condition, System
from testbed.scenario.searching import Watchlist
from testbed.scenario.synthetic import Pair

Z = 1.959964


# -- intervals ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("b", "c", "n", "low", "high"),
    [
        (6, 16, 161, -0.1240, -0.0054),  # Cavo et al. 2012, as R's contingencytables 3.0 gives it
        (1, 7, 21, -0.5172, -0.0260),  # Bentur et al. 2009: Fagerland, Lydersen & Laake 2014 have −0.517 to −0.026
    ],
)
def test_tango_gives_published_limits(b, c, n, low, high):
    assert tango(b, c, n, Z) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("b", "c", "n"), [(0, 0, 24), (5, 0, 24), (24, 0, 24), (3, 9, 32), (40, 20, 160), (0.4, 2.3, 9)]
)
def test_tango_is_the_root_of_the_quartic_of_yang_sun_and_hardin(b, c, n):
    g, d, s = Z**2, b - c, b + c
    quartic = [
        n**2 * (n / g + 1) ** 2,
        -n * d * (n / g + 1) * (4 * n / g + 1),
        2 * n * d**2 * (3 * n / g + 2) / g - n**2 * (s / g + 1),
        n * d * (2 * s / g + 1) - d**3 * (4 * n / g + 1) / g,
        d**2 * (d**2 / g - s) / g,
    ]
    roots = np.roots(quartic)
    real = roots.real[np.abs(roots.imag) < 1e-6]
    for limit in tango(b, c, n, Z):
        assert min(abs(real - limit)) < 1e-5 or abs(limit) == 1


def test_nobody_differing_leaves_an_interval_as_wide_as_the_people_are_few():
    for n in (6, 24, 400):
        assert tango(0, 0, n, Z) == pytest.approx((-(Z**2) / (n + Z**2), Z**2 / (n + Z**2)))
        assert share_interval(np.zeros(n)) == pytest.approx(tango(0, 0, n, Z), abs=1e-6)
    assert share_interval(np.full(24, -0.4))[1] < 0


def test_means_have_the_interval_of_the_t_test():
    d = np.random.default_rng(3).normal(-0.3, 0.2, 24)
    told = stats.ttest_1samp(d, 0).confidence_interval(0.95)
    assert mean_interval(d) == pytest.approx((told.low, told.high))
    assert share_interval(d) == pytest.approx((told.low, told.high))


def test_limits_at_a_smaller_alpha_are_wider():
    d = np.random.default_rng(3).normal(0.1, 0.2, 24)
    for bounds in (mean_interval, share_interval, lambda d, a: Strangers.of(np.outer(d, np.ones(24))).rate_bounds(a)):
        (low, high), (lower, higher) = bounds(d, 0.05), bounds(d, 0.001)
        assert lower < low < high < higher


def test_shares_of_frames_are_covered_whether_many_differ_or_few():
    """Seed 11, 600 replicates a regime: 95 % less four standard errors is 91.4 %."""
    rng = np.random.default_rng(11)
    for n, before, after in ((8, 0.95, 0.9), (24, 0.9, 0.6), (24, 0.99, 0.97), (60, 0.7, 0.7)):
        held = 0
        for _ in range(600):
            one, two = (rng.binomial(5, rng.beta(4 * p, 4 * (1 - p), n)) / 5 for p in (before, after))
            low, high = share_interval(two - one)
            held += low <= after - before <= high
        assert held / 600 >= 0.914


# -- tests --------------------------------------------------------------------------------------------------------
def test_flipping_signs_of_few_people_is_scipys_exact_permutation_test():
    for seed in range(5):
        d = np.random.default_rng(seed).normal(0.5, 1, 9)
        told = stats.permutation_test((d,), np.sum, permutation_type="samples", n_resamples=np.inf)
        assert sign_flip(d) == pytest.approx(told.pvalue)


def test_flipping_the_signs_of_events_is_mcnemars_exact_test():
    for up, down in product(range(6), range(8)):
        d = np.r_[np.ones(up), -np.ones(down), np.zeros(5)]
        assert sign_flip(d) == pytest.approx(stats.binomtest(up, up + down).pvalue if up + down else 1)


def test_drawn_signs_come_near_the_exact_ones_and_never_give_zero():
    d = np.r_[np.ones(17), -np.ones(8)]
    exact = stats.binomtest(17, 25).pvalue
    assert sign_flip(d) == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 10_000))
    assert sign_flip(np.ones(100), 499) == pytest.approx(1 / 500)
    assert sign_flip(d) == sign_flip(d)


# -- strangers ----------------------------------------------------------------------------------------------------
def test_variance_of_strangers_is_that_of_two_loops_over_pairs_that_share_a_person():
    rng = np.random.default_rng(4)
    d = rng.normal(size=(9, 9)) + rng.normal(size=9)
    d[np.eye(9, dtype=bool) | (rng.random((9, 9)) < 0.2)] = np.nan
    found = Strangers.of(d)
    e = d - np.nanmean(d)
    made = [(i, j) for i in range(9) for j in range(9) if not np.isnan(d[i, j])]
    shared = sum(e[a] * e[b] for a in made for b in made if set(a) & set(b))
    assert found.mean == pytest.approx(np.nanmean(d))
    assert found.rate.comparisons == len(made)
    floor = sum((np.nan_to_num(e[i, j]) + np.nan_to_num(e[j, i])) ** 2 for i in range(9) for j in range(i))
    assert found.rate.variance == pytest.approx(max(shared, floor) / len(made) ** 2)


def test_where_the_baseline_has_no_error_the_difference_varies_as_the_rate_does():
    rng = np.random.default_rng(5)
    errors = (rng.random((20, 20)) < 0.2).astype(float) * ~np.eye(20, dtype=bool)
    both = errors + errors.T
    moments = np.array([(both**2).sum() / 2, both.sum(), 4 * 190.0])  # every pair is compared both ways
    rate = within_group(both.sum(axis=1), np.full(20, 38), moments)
    found = Strangers.of(np.where(np.eye(20, dtype=bool), np.nan, errors)).rate
    assert (found.variance, found.freedom) == pytest.approx((rate.variance, rate.freedom))


def strangers(rng, people, related, shift=0.0, own_references=False):
    """Scores of every pair in two arms: a lasting part, and parts of each person before the camera and enrolled."""
    lasting = rng.standard_normal((people, people)) / 2
    probes, references = rng.standard_normal((2, 2, people)) * np.sqrt(related / 2)
    references[1] = references[1] if own_references else references[0]
    arms = []
    for arm in (0, 1):
        noise = rng.standard_normal((people, people)) * np.sqrt(1 - related)
        arms.append(lasting + probes[arm][:, None] + references[arm] + noise + arm * shift)
        np.fill_diagonal(arms[arm], np.nan)
    return arms


def matches(scores, threshold):
    return np.where(np.isnan(scores), np.nan, scores > threshold)


@pytest.mark.parametrize("own_references", [False, True])
def test_a_cause_that_does_nothing_to_strangers_is_seldom_shown(own_references):
    """Seed 6, 200 replicates, 24 people, half of the variance a person's: 5 % and three standard errors is 9.6 %."""
    rng = np.random.default_rng(6)
    called = np.zeros(3)
    for _ in range(200):
        one, two = strangers(rng, 24, 0.5, own_references=own_references)
        rates = [Strangers.of(matches(two, t) - matches(one, t)) for t in (0.8, 2.2)]
        for rate in rates:
            low, high = rate.rate_bounds()
            assert (rate.rate_p() <= 0.05) <= (rate.rate.freedom < 4 or low > 0 or high < 0)
        called += [Strangers.of(two - one).score_p() <= 0.05, *(rate.rate_p() <= 0.05 for rate in rates)]
    assert (called / 200 <= 0.096).all()


def test_differences_of_strangers_are_covered():
    """Seed 7, 200 replicates: 95 % less three standard errors is 90.4 %."""
    rng, sd, held = np.random.default_rng(7), np.sqrt(0.25 + 1), np.zeros(3)
    thresholds = (0.8, 2.2)
    for _ in range(200):
        one, two = strangers(rng, 20, 0.5, 0.5, own_references=True)
        low, high = Strangers.of(two - one).score_bounds()
        held[0] += low <= 0.5 <= high
        for k, t in enumerate(thresholds):
            true = stats.norm.sf((t - 0.5) / sd) - stats.norm.sf(t / sd)
            low, high = Strangers.of(matches(two, t) - matches(one, t)).rate_bounds()
            held[k + 1] += low <= true <= high
    assert (held / 200 >= 0.904).all()


def test_no_false_match_in_either_arm_leaves_what_disjoint_pairs_allow():
    d = np.where(np.eye(24, dtype=bool), np.nan, 0.0)
    found = Strangers.of(d)
    assert found.rate_bounds() == pytest.approx(tango(0, 0, 12, Z))
    assert found.rate_p() == 1


# -- effects by hand ----------------------------------------------------------------------------------------------
def by_hand() -> list[Passes]:
    """Eight people with a distance of 0.1 (then 0.5) to themselves, 0.9 (0.8) to others; the last is not enrolled.

    After: the first has no template, and the second's distance stays as it was.
    """
    arms = []
    for own, other in ((0.1, 0.9), (0.5, 0.8)):
        scores = np.full((8, 8), other)
        np.fill_diagonal(scores, own)
        scores[:, 7] = np.nan
        arms.append(Passes(np.full(8, own), np.ones(8), np.arange(8) < 7, scores, {}))
    arms[1].acquired[0], arms[1].scores[0], arms[1].scores[1, 1] = 0, np.nan, 0.1
    return arms


def test_who_passed_in_one_arm_only_is_counted_as_left_out():
    before, after = by_hand()
    after.acquired[[3, 4]] = after.found[[3, 4]] = np.nan  # never put before the camera there
    found = {e.metric: e for e in effects(before, after, [], np.arange(8) % 2, "distance")}
    assert (found["detection"].people, found["detection"].left_out) == (6, 2)


def told(direction="distance", points=(("own", False, 0.3, 0.3),)):
    sign = 1 if direction == "distance" else -1
    arms = [Passes(a.found, a.acquired, a.enrolled, sign * a.scores, a.truth) for a in by_hand()]
    points = [(name, crossfit, sign * a, sign * b) for name, crossfit, a, b in points]
    return {(e.metric, e.point): e for e in effects(*arms, points, np.arange(8) % 2, direction)}


@pytest.mark.parametrize("direction", ["distance", "similarity"])
def test_every_measure_is_that_worked_by_hand(direction):
    found = told(direction)
    values = {metric: (round(e.value, 6), e.people, e.left_out, e.comparisons) for (metric, _), e in found.items()}
    sign = 1 if direction == "distance" else -1
    assert values == {
        "detection": (0.4, 8, 0, 8),
        "FTA": (0.125, 8, 0, 8),  # the first
        "mated score": (sign * round(5 * 0.4 / 6, 6), 6, 2, 6),  # without the first and the last
        "non-mated score": (sign * -0.1, 7, 1, 7 * 7 - 6),
        "FNMR": (round(5 / 6, 6), 6, 2, 6),
        "FRR": (round(6 / 7, 6), 7, 1, 7),  # the first is missed, too
        "FMR": (0.0, 7, 1, 43),
    }
    assert found["mated score", None].worse == ("higher" if direction == "distance" else "lower")
    assert found["non-mated score", None].worse == ("lower" if direction == "distance" else "higher")


def test_a_crossfitted_threshold_applies_to_the_half_it_is_for_and_counts_strangers_inside_halves():
    found = told(points=(("fmr=1e-1", True, 0.3, 0.85), ("fmr=1e-9", True, float("nan"), 0.1)))
    # Odd people (fold 1) are matched up to 0.85: with themselves always, with each other only after.
    assert found["FNMR", "fmr=1e-1"].value == pytest.approx(3 / 6)
    assert found["FMR", "fmr=1e-1"].value == pytest.approx(
        9 / 18
    )  # 4·3 odd, less 3 with the one not enrolled; 3·3 even
    assert found["FMR", "fmr=1e-1"].comparisons == 18
    unknown = found["FNMR", "fmr=1e-9"]
    assert (unknown.people, unknown.threshold, unknown.comparisons) == (0, None, 0)
    assert unknown.method == "the baseline has too few comparisons to find this threshold"


# -- a simulated run ----------------------------------------------------------------------------------------------
LEVELS = {"tone=2,shirt=white": (0.95, 0.05), "tone=9,shirt=white": (0.55, 0.11), "tone=2,shirt=black": (0.95, 0.05)}
"""Chance that a frame's face is found, and the spread of its template, by arm."""


def rows(table: Table, made: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(made, schema=table.columns, orient="row")


def simulated(path: Path, count: int = 30, seed: int = 1, arms: dict[str, tuple[float, float]] = LEVELS):
    """A run whose match stage is done: everybody before every arm for six frames, one system."""
    rng, names = np.random.default_rng(seed), [f"p{i:03}" for i in range(count)]
    people = people_of(pl.DataFrame({"subject": names}), [], seed)
    base, tone, shirt = arms
    pairs = [Pair("tone", 2, 9, False, {}, base, tone), Pair("shirt", "white", "black", True, {}, base, shirt)]
    info = {"threshold": 0.5, "score_range": (0.0, 4.0), "metric": "euclidean", "direction": "distance",
            "dimensions": 32, "percent_rule": None}  # fmt: skip
    run = RunDirectory.create(path, {"systems": {"made": info}, "contrasts": [asdict(pair) for pair in pairs]})
    heads = rng.normal(0, 0.15, (count, 32)).astype(np.float32)
    run.write_array("references/made", heads + rng.normal(0, 0.02, heads.shape).astype(np.float32))
    run.write(REFERENCES, rows(REFERENCES, [
        ("made", f"{n}/photograph", n, "photograph.png", "", "enrolled", "", i) for i, n in enumerate(names)
    ]))  # fmt: skip
    faces, attempts, cells, thresholds = [], [], [], []
    for arm, (chance, spread) in arms.items():
        cell = Cell(f"made--{arm}", System(pipeline="made"), Condition(clean=True), arm, "clean", arm, "photograph")
        cells.append(cell)
        captures, templates = [], []
        for i, name in enumerate(names):
            transit, seen = f"{arm}/{name}", 0
            for frame in range(6 * i, 6 * i + 6):
                light = 0.03 if "tone=9" in arm else 0.31
                faces.append((arm, frame, transit, name, 1, 1, 9, 9, 60.0, 0, 0, 0, *[0.0] * 4, 2.0, 0.98, light, True))
                if rng.random() < chance:
                    captures.append((cell.id, arm, frame, 0, 0.0, 1, 1, 9, 9, 0.9, transit, name, 0.9, "ok", "",
                                     len(templates)))  # fmt: skip
                    templates.append(heads[i] + rng.normal(0, spread, 32))
                    seen += 1
            attempts.append((cell.id, arm, transit, name, seen, *(("acquired", "") if seen else ("failed", "none"))))
        part = f"{cell.id}/{arm}/000000"
        run.write(CAPTURES, rows(CAPTURES, captures), part)
        run.write_array(f"captures/{part}", np.array(templates, np.float32).reshape(-1, 32))
        run.write(FRAMES, rows(FRAMES, [
            (cell.id, arm, frame, 0, 0.0, 64, 64, None, "ok", "", 1) for frame in range(6 * count)
        ]), part)  # fmt: skip
        probes = transits_as_probes(*captures_of(run, cell.id, 32), people)
        points: list[Any] = ["own", "fmr=5e-2"]
        compared = compare(
            cell.id, Matcher.of(info, points), probes, references_of(run, "made", people), people, points
        )
        thresholds += [frame for table, frame in compared[0] if table is THRESHOLDS]
    run.write(FACES, rows(FACES, faces))
    run.write(ATTEMPTS, rows(ATTEMPTS, attempts))
    run.write(THRESHOLDS, pl.concat(thresholds))
    return run, people, cells


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory):
    run, people, cells = simulated(tmp_path_factory.mktemp("contrasts") / "run")
    return run, people, cells, contrasts_of(run, people, cells)


def test_a_built_in_effect_is_found_and_a_placebo_is_not(simulation):
    told = simulation[3]
    verdicts = {(r["cause"], r["metric"], r["operating_point"]): r["verdict"] for r in told}
    assert verdicts["tone", "detection", None] == verdicts["tone", "mated score", None] == "shown: worse"
    assert {verdict for (cause, *_), verdict in verdicts.items() if cause == "shirt"} == {"not shown"}
    found = next(r for r in told if (r["cause"], r["metric"]) == ("tone", "detection"))
    assert found["low"] <= -0.4 <= found["high"] < 0
    assert found["truth"] == {
        "baseline": {"luminance": pytest.approx(0.31), "inter_eye_px": 60, "visible": pytest.approx(0.98)},
        "level": {"luminance": pytest.approx(0.03), "inter_eye_px": 60, "visible": pytest.approx(0.98)},
    }
    mated = next(r for r in told if (r["cause"], r["metric"]) == ("tone", "mated score"))
    assert mated["value"] > 0 > mated["more_alike"]["high"]  # a greater distance is less alike


def test_tests_of_a_system_and_condition_are_one_family(simulation):
    told = simulation[3]
    assert {r["tests"] for r in told} == {len(told)} == {2 * (4 + 2 * 3)}
    assert all(r["holm_p"] >= r["p"] for r in told)
    assert all(r["together_low"] <= r["low"] <= r["value"] <= r["high"] <= r["together_high"] for r in told)


def test_scores_are_the_best_of_a_pass_and_thresholds_the_baselines(simulation):
    run, people, cells, told = simulation
    heads = run.read_array("references/made")
    captures, templates = captures_of(run, cells[0].id, 32)
    best = {
        name: min(np.linalg.norm(templates[row].astype(float) - heads[people.subjects.index(name)])
                  for row in captures.filter(pl.col("subject") == name)["row"])
        for name in people.subjects
    }  # fmt: skip
    found = next(r for r in told if r["metric"] == "mated score" and r["left_out"] == 0)
    assert found["before"] == pytest.approx(np.mean(list(best.values())))
    asked = run.read(THRESHOLDS).filter((pl.col("cell") == cells[0].id) & (pl.col("point") == "fmr=5e-2"))
    mine = asked.select("threshold_0", "threshold_1").to_numpy().mean()
    assert [r["threshold"] for r in told if r["operating_point"] == "fmr=5e-2"] == pytest.approx([mine] * 6)


def test_under_a_watch_list_scores_are_those_of_its_fusion(simulation):
    run, people, cells, _ = simulation
    heads = run.read_array("references/made")
    captures, templates = captures_of(run, cells[0].id, 32)
    mean = {
        name: np.linalg.norm(templates[of["row"].to_numpy()].astype(float).mean(axis=0) - heads[i])
        for i, name in enumerate(people.subjects) if (of := captures.filter(pl.col("subject") == name)).height
    }  # fmt: skip
    fusion = Watchlist(kind="watchlist", wanted=3, fusion="mean template")
    found = next(r for r in contrasts_of(run, people, cells, fusion) if r["metric"] == "mated score")
    assert (found["left_out"], found["before"]) == (0, pytest.approx(np.mean(list(mean.values())), rel=1e-6))


def test_a_system_that_compares_by_itself_is_asked_and_one_that_only_searches_is_left_out(simulation, monkeypatch):
    run, people, cells, told = simulation
    manifest = run.manifest()
    asked = manifest | {"systems": {"made": {**manifest["systems"]["made"], "metric": "its own"}}}
    box = SimpleNamespace(compare=lambda left, right: 2 * np.linalg.norm(left[:, None] - right[None], axis=2))
    monkeypatch.setattr(black_box, "build", lambda system: box)
    for answers, expected in (("comparisons", 2.0), ("searches", None)):
        asked["systems"]["made"]["answers"] = answers
        monkeypatch.setattr(RunDirectory, "manifest", lambda self: asked)
        made = [r["before"] for r in contrasts_of(run, people, cells) if r["metric"] == "mated score"]
        before = [r["before"] for r in told if r["metric"] == "mated score"]
        assert made == ([] if expected is None else pytest.approx([expected * each for each in before], rel=1e-5))


def test_five_people_are_never_enough(tmp_path):
    run, people, cells = simulated(tmp_path / "run", count=5)
    told = contrasts_of(run, people, cells)
    assert {r["verdict"] for r in told} == {"insufficient"}
    assert all(r["p"] is None and r["holm_p"] is None for r in told)


def test_a_system_that_never_finds_a_face_is_told_without_scores(tmp_path):
    blind = dict.fromkeys(LEVELS, (0.9, 0.05)) | {"tone=9,shirt=white": (0.0, 0.05)}
    run, people, cells = simulated(tmp_path / "run", count=12, arms=blind)
    told = {(r["cause"], r["metric"], r["operating_point"]): r for r in contrasts_of(run, people, cells)}
    assert told["tone", "FTA", None]["verdict"] == "shown: worse"
    assert told["tone", "FRR", "own"]["after"] == 1
    for metric in ("mated score", "non-mated score"):
        row = told["tone", metric, None]
        assert (row["value"], row["low"], row["verdict"], row["left_out"]) == (None, None, "insufficient", 12)


def test_nothing_is_contrasted_in_a_run_without_contrasts(tmp_path):
    run = RunDirectory.create(tmp_path / "run", {})
    assert contrasts_of(run, people_of(pl.DataFrame({"subject": ["a"]}), [], 1), []) == []


def test_a_person_who_passes_twice_is_refused_in_one_sentence(tmp_path):
    run, people, cells = simulated(tmp_path / "run", count=6)
    attempts = run.read(ATTEMPTS)
    run.write(ATTEMPTS, pl.concat([attempts, attempts[:1].with_columns(transit=pl.lit("again"))]))
    with pytest.raises(InputError, match=r"p000 passes 2 times; a contrast compares one pass"):
        contrasts_of(run, people, cells)


def test_a_cause_that_does_nothing_is_shown_in_few_runs(tmp_path):
    """Seed 100 to 139: any effect of two placebos in at most 5 % of 40 runs, and three standard errors: 6."""
    nothing = dict.fromkeys(LEVELS, (0.8, 0.08))
    alarms = 0
    for seed in range(100, 140):
        run, people, cells = simulated(tmp_path / str(seed), 12, seed, nothing)
        alarms += any(r["verdict"].startswith("shown") for r in contrasts_of(run, people, cells))
    assert alarms <= 6
