"""Counts at a gate by hand, and what intervals cover where the truth is known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from testbed.evidence.alerts import PREVALENCES, Watch, alerts_of, precision, watch_of
from testbed.evidence.intervals import clopper_pearson
from testbed.evidence.searches import searches_of
from testbed.matching.people import people_of
from testbed.matching.searching import wanted
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import ALERTS, CANDIDATES, FRAMES, SEARCHES, TRACKS, TRANSITS
from testbed.scenario.models import Scenario, System

WANTED = ("A", "B")
SEX = dict(zip("ABCDEF", "mfmfmf", strict=True))
# Passes in order of their names, and the names with their distances that each brought up.
PASSES = {
    "A/1": [("A", 0.2), ("B", 0.9)], "A/2": [("B", 0.5), ("A", 0.7)], "B/1": [("B", 0.6), ("A", 0.6)],
    "C/1": [("A", 0.5), ("B", 0.8)], "C/2": [("A", 0.4), ("B", 0.5)], "D/1": [("A", 0.9), ("B", 0.7)], "E/1": [],
}  # fmt: skip
TRACKED = [  # camera, track, transit, purity, alerts
    ("gate", 0, "A/1", 1.0, [("A", 0.2)]), ("gate", 1, "A/2", 0.5, []),
    ("gate", 2, "B/1", 1.0, [("B", 0.6), ("A", 0.6)]), ("gate", 3, "C/1", 1.0, [("A", 0.5)]),
    ("gate", 4, "C/1", 1.0, [("A", 0.5)]), ("gate", 5, "C/2", 1.0, []),
    ("gate", 6, "D/1", 1.0, []), ("gate", 7, None, None, [("B", 0.1)]),
]  # fmt: skip


def rows(table, *values):
    return pl.DataFrame(list(values), schema=table.columns, orient="row")


def gate(hours=0.5, length=2, threshold=0.6, groups=("sex",), unseen=None):
    """The rows of alerts of a hand-made cell, one operating point: `own`."""
    subjects = pl.DataFrame({"subject": list(SEX), "sex": list(SEX.values())})
    people = people_of(subjects, list(groups), 1)
    searches = rows(SEARCHES, *(
        ("c", 2, name, name[0], name[0] in WANTED, "searched" if found else "failed") for name, found in PASSES.items()
    ))  # fmt: skip
    candidates = rows(CANDIDATES, *(
        ("c", 2, name, rank, f"{who}/1", who, score)
        for name, found in PASSES.items() for rank, (who, score) in enumerate(found[:length], 1)
    ))  # fmt: skip
    limits = {"own": np.array([threshold, threshold])}
    data = SimpleNamespace(
        system="s", condition={"name": "clean"}, cell="c", direction="distance", operating_points=("own",),
        people=people, threshold=lambda _: threshold,
        searches=searches_of(people, "distance", limits, searches, [candidates]),
    )  # fmt: skip
    whose = {name: name[0] for name in PASSES}
    tracks = rows(TRACKS, *(("c", cam, k, 0.0, 1.0, 2, t, pure) for cam, k, t, pure, _ in TRACKED))
    alerts = rows(ALERTS, *(
        ("c", "own", cam, k, f"{who}/1", who, score, "unknown" if t is None else "true" if t[0] == who else "false")
        for cam, k, t, _, named in TRACKED for who, score in named
    ))  # fmt: skip
    filmed = (tracks, alerts) if hours else (None, None)
    (row,) = alerts_of(data, Watch("max score", 1, hours, searches, *filmed, whose, unseen))
    return row, {group["group"]: group for group in row["groups"]}


def counts(told):
    return told["errors"], told["comparisons"]


def test_by_pass_a_miss_and_a_false_alert_are_counted_by_hand():
    row, groups = gate()
    everybody = groups["all"]
    # A/2 brought up B alone at 0.6 or nearer; B/1 brought up both (a tie matches); C twice, D never, E has no template.
    assert counts(everybody["by_pass"]["missed"]) == (1, 3)
    # C, D and E are not wanted: C/1 and C/2 of their four passes. The wanted were taken for one another at A/2 and B/1.
    assert counts(everybody["by_pass"]["false_alerts"]) == (2, 4)
    assert counts(everybody["by_pass"]["wanted_mistaken"]) == (2, 3)
    assert counts(everybody["by_pass"]["false_alerts_of_all"]) == (4, 7)
    stopped = everybody["by_pass"]["people_stopped"]
    assert counts(stopped) == (1, 3)
    assert (stopped["least_each"], stopped["most_each"]) == (1, 2)
    assert (everybody["passes"], everybody["people"], everybody["wanted_passes"], everybody["wanted_people"]) == (
        7,
        5,
        3,
        2,
    )
    assert everybody["by_pass"]["per_camera_hour"]["units"] == 8
    assert everybody["by_pass"]["per_camera_hour"]["value"] == pytest.approx(4)
    assert counts(groups["m"]["by_pass"]["false_alerts"]) == (2, 3)
    assert counts(groups["f"]["by_pass"]["wanted_mistaken"]) == (1, 1)
    assert counts(groups["f"]["by_pass"]["missed"]) == (0, 1)
    assert groups["all"]["by_pass"]["missed"]["verdict"] == "insufficient"  # two people
    assert row["wanted"] == 2


def test_by_track_a_pass_that_falls_apart_stops_the_person_twice_but_is_one_person():
    row, groups = gate()
    seen = groups["all"]["by_track"]
    assert counts(seen["missed"]) == (1, 3)
    assert counts(seen["false_alerts_of_all"]) == (3, 7)  # B/1 and C/1 twice, of the seven tracks of known people
    assert counts(seen["false_alerts"]) == (2, 4)
    assert counts(seen["wanted_mistaken"]) == (1, 3)
    assert counts(seen["people_stopped"]) == (1, 3)  # E, who has no track, is a person all the same
    assert (seen["people_stopped"]["least_each"], seen["people_stopped"]["most_each"]) == (0, 3)
    assert seen["per_camera_hour"]["value"] == pytest.approx(4)
    made = row["tracking"]
    assert made["alerts"] == {"true": 2, "false": 3, "unknown": 1}
    assert (made["tracks"], made["passes_followed"], made["passes"], made["broken"]) == (8, 6, 7, 1)
    assert (made["mixed"], made["unassigned"]) == (1, 1)


def test_passes_without_a_face_are_told_apart_and_counted_as_missed():
    unseen = pl.DataFrame({"subject": ["A", "F", "F", "D"], "wanted": [True, True, True, False]})
    _, groups = gate(unseen=unseen)
    told = groups["all"]["unseen"]
    assert (told["wanted_passes"], told["other_passes"], told["wanted_people"]) == (3, 1, 1)  # F was never seen
    assert counts(told["missed"]) == (4, 6)  # A/2, and three of six
    assert told["missed"]["subjects"] == 3
    assert told["others_per_camera_hour"] == 10  # four passes and one, in half an hour
    assert counts(groups["m"]["unseen"]["missed"]) == (2, 3)
    assert counts(groups["all"]["by_pass"]["missed"]) == (1, 3)
    assert gate()[1]["all"]["unseen"] is None


def test_who_was_to_pass_and_is_no_transit_was_not_seen(tmp_path):
    """Six passes before each camera, of which the cell has one; four are transits."""
    scenario = Scenario(
        title="t", systems=[System(pipeline="s")], search={"kind": "watchlist", "wanted": 1}, seed=3,
        probes={"kind": "synthetic", "people": [{"count": 3}], "passes": 2,
                "cameras": [{"name": name, "scene": "gate"} for name in ("east", "west")]},
    )  # fmt: skip
    names = ["P0001", "P0002", "P0003"]
    people = people_of(pl.DataFrame({"subject": names}), [], 3)
    run = RunDirectory.create(tmp_path / "run", {})
    run.write(
        FRAMES, rows(FRAMES, *(("c", "east", n, 0, n * 0.5, 9, 9, None, "ok", "", 0) for n in range(9))), "c/east/0"
    )
    seen = [("P0001", 1), ("P0001", 2), ("P0002", 2), ("P0003", 1)]
    run.write(TRANSITS, rows(TRANSITS, *((f"east/{who}/{n}", "east", who, 0.0, 1.0) for who, n in seen)))
    for table in (SEARCHES, TRACKS, ALERTS):
        run.write(table, rows(table))
    # P0001 could not be enrolled, so one of the others is wanted.
    photographs = pl.DataFrame({"subject": names, "state": ["failed", "enrolled", "enrolled"]})
    watch = watch_of(run, scenario, "c", people, photographs)
    assert watch.unseen["subject"].sort().to_list() == ["P0002", "P0003"]
    (listed,) = wanted(people, 1, 3, np.array([1, 2]))
    assert watch.unseen.filter("wanted")["subject"].to_list() == [names[listed]]


def test_hours_are_those_of_every_camera_of_which_truth_is_known_also_where_nobody_passed(tmp_path):
    truth = {"gate": {"file": "t.csv"}, "yard": {"file": "t.csv"}, "shop": {"nobody_enrolled": True}, "door": None}
    scenario = Scenario(
        title="t", subjects={"table": "p.csv"}, references={"images": "{subject}.png"},
        systems=[System(pipeline="s")], search={"kind": "watchlist", "wanted": 1},
        probes={"kind": "video", "cameras": [{"name": n, "file": f"{n}.mp4", "truth": t} for n, t in truth.items()]},
    )  # fmt: skip
    run = RunDirectory.create(tmp_path / "run", {})
    for camera in truth:
        frames = [("c", camera, n, 0, n * 0.5, 9, 9, None, "ok", "", 0) for n in range(7200)]
        run.write(FRAMES, rows(FRAMES, *frames), f"c/{camera}/000000")
    run.write(TRANSITS, rows(TRANSITS, ("gate/A", "gate", "A", 0.0, 1.0)))
    for table in (SEARCHES, TRACKS, ALERTS):
        run.write(table, rows(table))
    photographs = pl.DataFrame({"subject": ["A"], "state": ["enrolled"]})
    watch = watch_of(run, scenario, "c", people_of(photographs, [], 1), photographs)
    assert watch.unseen is None  # nobody knows of passes that truth files do not list
    assert (watch.cameras, watch.hours) == (2, 2.0)  # nobody passed the yard in its hour


def test_photographs_have_neither_hours_nor_tracks():
    row, groups = gate(hours=None)
    assert row["tracking"] is None
    assert groups["all"]["by_track"] is None
    assert groups["all"]["by_pass"]["per_camera_hour"] is None
    assert counts(groups["all"]["by_pass"]["false_alerts"]) == (2, 4)


def test_a_list_cut_before_the_threshold_is_no_miss_and_no_rate():
    _, groups = gate(length=1)
    missed, false = (groups["all"]["by_pass"][name] for name in ("missed", "false_alerts"))
    assert (missed["value"], missed["low"], missed["high"]) == (None, 0, 1)
    assert "lists are cut at 1 candidates" in missed["method"]
    assert "search.length" in missed["method"]
    assert false["value"] is None
    assert groups["all"]["precision"] is None


def test_a_threshold_that_could_not_be_found_gives_no_rate():
    _, groups = gate(threshold=float("nan"))
    for view in ("by_pass", "by_track"):
        for name in ("missed", "false_alerts", "people_stopped"):
            assert groups["all"][view][name]["value"] is None
            assert "no such threshold" in groups["all"][view][name]["method"]


def test_precision_is_bayes_rule_by_hand_and_by_counting():
    # 1,000,000 pass, 1 in 1,000 wanted: 900 of 1,000 are noticed, and 9,990 of 999,000 others.
    ((value, _)) = precision(1e-3, (0.9, 0.9), (0.01, 0.01))
    assert value == pytest.approx(900 / (900 + 9990))
    rng = np.random.default_rng(1)
    wanted = rng.random(2_000_000) < 0.02
    stopped = rng.random(2_000_000) < np.where(wanted, 0.7, 0.05)
    assert precision(0.02, (0.7, 0.7), (0.05, 0.05))[0] == pytest.approx(wanted[stopped].mean(), abs=0.003)


def test_precision_knows_nothing_where_nobody_is_stopped():
    assert precision(0.1, (0.0, 0.0), (0.0, 0.0)) == (0.0, 1.0)
    assert precision(0.1, (0.2, 0.9), (0.0, 0.0)) == (1.0, 1.0)
    assert precision(0.1, (0.0, 0.5), (0.01, 0.2))[0] == 0


def test_precision_in_the_evidence_is_the_share_of_stops_that_were_right_at_the_runs_own_prevalence():
    _, groups = gate()
    told = groups["all"]["precision"]
    # 2 of 3 passes of wanted people are noticed, 2 of 4 of others falsely alerted.
    assert told["own"]["prevalence"] == pytest.approx(3 / 7)
    assert told["own"]["value"] == pytest.approx(2 / 4)
    assert [at["prevalence"] for at in told["at"]] == list(PREVALENCES)
    values = [at["value"] for at in told["at"]]
    assert values == sorted(values, reverse=True)
    assert all(at["low"] <= at["value"] <= at["high"] for at in (told["own"], *told["at"]))


def test_limits_of_precision_hold_together_in_simulation():
    """Two exact intervals at half of the error each: their corners cover the truth at least as often as asked for."""
    rng, t, f, covered = np.random.default_rng(2), 0.8, 0.03, 0
    truth = precision(1e-3, (t, t), (f, f))[0]
    for _ in range(1000):
        missed = clopper_pearson(rng.binomial(40, 1 - t), 40, 0.025)
        false = clopper_pearson(rng.binomial(300, f), 300, 0.025)
        low, high = precision(1e-3, (1 - missed[1], 1 - missed[0]), false)
        covered += low <= truth <= high
    assert covered >= 950


def simulated(rng, people, each, wanted=20, limit=1.5):
    """A gate where looks depend on who passes and on who is wanted: its rows, and the scores drawn `(passes, wanted)`.

    A score is 0.6 of the passer-by, 0.4 of the wanted person and the rest of the pass, all Gaussian.
    """
    names = [f"p{i:03}" for i in range(people)]
    listed = [f"w{i:02}" for i in range(wanted)]
    noise = rng.normal(size=(people, each, wanted))
    score = 0.6 * rng.normal(size=(people, 1, 1)) + 0.4 * rng.normal(size=(1, 1, wanted)) + np.sqrt(0.48) * noise
    everybody = people_of(pl.DataFrame({"subject": [*names, *listed]}), [], 1)
    search = [f"{name}/{k}" for name in names for k in range(each)]
    searches = pl.DataFrame({"cell": "c", "gallery": wanted, "search": search, "state": "searched", "mated": False,
                             "subject": np.repeat(names, each)}, schema_overrides=SEARCHES.columns)  # fmt: skip
    flat = score.reshape(-1, wanted)
    order = np.argsort(-flat, axis=1)
    candidates = pl.DataFrame({
        "cell": "c", "gallery": wanted, "search": np.repeat(search, wanted),
        "rank": np.tile(np.arange(1, wanted + 1), len(search)), "subject": np.array(listed)[order].ravel(),
        "reference": np.array(listed)[order].ravel(), "score": np.take_along_axis(flat, order, 1).ravel(),
    }, schema_overrides=CANDIDATES.columns)  # fmt: skip
    limits = {"own": np.array([limit, limit])}
    data = SimpleNamespace(
        system="s", condition={"name": "clean"}, cell="c", direction="similarity", operating_points=("own",),
        people=everybody, threshold=lambda _: limit,
        searches=searches_of(everybody, "similarity", limits, searches, [candidates]),
    )  # fmt: skip
    # The tracker sees every pass as one track, and alerts to whoever passes the threshold.
    whole = [pl.lit("gate").alias("camera"), pl.lit(1.0).alias("purity")]
    tracks = pl.DataFrame({"transit": search}).with_row_index("track").with_columns(*whole, captures=1)
    alerts = candidates.filter(pl.col("score") >= limit).join(tracks, left_on="search", right_on="transit")
    alerts = alerts.select("camera", "track", "subject", point=pl.lit("own"), verdict=pl.lit("false"))
    whose = {name: name[:4] for name in search}
    (row,) = alerts_of(data, Watch("max score", 1, 2.0, searches, tracks, alerts, whose))
    return row["groups"][0], score


def test_intervals_cover_other_people_before_other_watch_lists():
    """As the recipe of searches does, to which these rates are given; the truth from 4,000 people, 200 lists."""
    rng = np.random.default_rng(7)
    passes, people = [], []
    for _ in range(200):
        _, score = simulated(rng, 20, 2)
        alert = (score >= 1.5).any(axis=2)
        passes.append(alert.mean())
        people.append(alert.any(axis=1).mean())
    truth = {"false_alerts": np.mean(passes), "people_stopped": np.mean(people)}
    held = dict.fromkeys(truth, 0)
    for _ in range(150):
        seen = simulated(rng, 40, 2)[0]["by_pass"]
        for name, value in truth.items():
            held[name] += seen[name]["low"] <= value <= seen[name]["high"]
    # 95 % of 150, less two standard deviations of such a count.
    assert min(held.values()) >= 137, held


def test_whoever_is_stopped_is_counted_as_brute_force_counts_them():
    rng = np.random.default_rng(3)
    group, score = simulated(rng, 15, 3)
    seen = group["by_pass"]
    alert = (score >= 1.5).any(axis=2)
    assert counts(seen["false_alerts"]) == (alert.sum(), 45)
    assert counts(seen["people_stopped"]) == (alert.any(axis=1).sum(), 15)
    assert seen["missed"]["value"] is None  # nobody wanted passes


def test_both_views_agree_to_the_last_digit_where_every_pass_is_one_track():
    group, _ = simulated(np.random.default_rng(4), 40, 2)
    assert group["by_pass"] == group["by_track"]
