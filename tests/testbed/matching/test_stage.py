"""One cell of a watch-list, matched: one-to-one rates and searches are of the same scores, made another way here."""

import numpy as np
import polars as pl
import pytest

from testbed.matching.attempts import CANCELLED
from testbed.matching.people import people_of
from testbed.matching.searching import wanted
from testbed.matching.stage import _match_cell, _short
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import (
    ATTEMPTS,
    CANDIDATES,
    CAPTURES,
    FRAMES,
    REFERENCES,
    SEARCHES,
    TALLIES,
    THRESHOLDS,
    TRANSITS,
)
from testbed.scenario.loading import reload
from testbed.scenario.searching import Identification, Lookup, Watchlist

PEOPLE = [f"p{i}" for i in range(8)]
FRAMES_EACH = 4
THRESHOLD = 1.2
STANDS = {  # distances of frames `(people, frames, references)`, templates and detector scores → `(people, references)`
    "max score": lambda away, templates, photographs, shown: away.min(axis=1),
    "best frame": lambda away, templates, photographs, shown: away[np.arange(len(away)), shown.argmax(axis=1)],
    "mean template": lambda away, templates, photographs, shown: np.linalg.norm(
        templates.mean(axis=1)[:, None] - photographs, axis=2
    ),
}


def rows(table, made):
    return pl.DataFrame(made, schema=table.columns, orient="row")


@pytest.fixture
def station(tmp_path):
    """Eight people who each pass once, in four frames; two of them are wanted. Returns what `_match_cell` needs."""

    def make(fusion):
        rng = np.random.default_rng(3)
        photographs = rng.normal(size=(8, 3)).astype(np.float32)
        templates = (photographs[:, None] + rng.normal(size=(8, FRAMES_EACH, 3))).astype(np.float32)
        shown = rng.random((8, FRAMES_EACH))
        loaded = reload({
            "source": "s.yaml", "title": "A gate", "groups": [], "subjects": {"table": "p.csv"}, "seed": 5,
            "references": {"images": "{subject}.png"}, "systems": [{"pipeline": "dlib"}],
            "operating_points": ["own", "fmr=1e-1"],
            "probes": {"kind": "video", "cameras": [{"name": "gate", "file": "g.mp4", "truth": {"file": "t.csv"}}]},
            "search": {"kind": "watchlist", "wanted": 2, "fusion": fusion},
        })  # fmt: skip
        system = {"metric": "euclidean", "direction": "distance", "dimensions": 3, "threshold": THRESHOLD,
                  "score_range": (0.0, 20.0), "percent_rule": None}  # fmt: skip
        run = RunDirectory.create(tmp_path / fusion, {"systems": {"dlib": system}})
        cell, each = loaded.cells[0], [(i, f) for i in range(8) for f in range(FRAMES_EACH)]
        run.write(CAPTURES, rows(CAPTURES, [
            (cell.id, "gate", n, 0, n / 4, 0, 0, 9, 9, shown[i, f], f"gate/p{i}", f"p{i}", 1.0, "ok", "", n)
            for n, (i, f) in enumerate(each)
        ]), f"{cell.id}/gate/000000")  # fmt: skip
        run.write_array(f"captures/{cell.id}/gate/000000", templates.reshape(-1, 3))
        run.write(FRAMES, rows(FRAMES, [
            (cell.id, "gate", n, 0, n / 4, 64, 64, None, "ok", "", 1) for n in range(len(each))
        ]), f"{cell.id}/gate/000000")  # fmt: skip
        run.write(TRANSITS, rows(TRANSITS, [
            (f"gate/p{i}", "gate", f"p{i}", float(i), i + 0.75) for i in range(8)
        ]))  # fmt: skip
        run.write(REFERENCES, rows(REFERENCES, [
            ("dlib", f"{p}/{p}", p, f"{p}.png", "ee", "enrolled", "", i) for i, p in enumerate(PEOPLE)
        ]))  # fmt: skip
        run.write_array("references/dlib", photographs)
        away = np.linalg.norm(templates[:, :, None] - photographs, axis=3)
        stands = STANDS[fusion](away, templates, photographs, shown)
        return run, loaded, cell, people_of(pl.DataFrame({"subject": PEOPLE}), [], 5), stands

    return make


@pytest.mark.parametrize("fusion", STANDS)
def test_rates_thresholds_and_searches_of_a_watch_list_are_of_what_stands_for_a_pass(station, fusion):
    run, loaded, cell, people, stands = station(fusion)
    tables, _ = _match_cell(run, loaded, cell, people, None)
    tallies, thresholds = (next(f for table, f in tables if table is each) for each in (TALLIES, THRESHOLDS))
    own, mated = tallies.filter((pl.col("point") == "own") & (pl.col("role") == "probe")), np.eye(8, dtype=bool)
    passing = stands <= THRESHOLD
    assert own.filter(~pl.col("mated"))["errors"].sum() == (passing & ~mated).sum()
    assert own.filter("mated")["errors"].sum() == (~passing & mated).sum()
    # A found threshold lets at most a tenth of the other half's comparisons pass, by the same scores.
    (limits,) = thresholds.filter(pl.col("point") == "fmr=1e-1").select("threshold_0", "threshold_1").rows()
    for half, limit in enumerate(limits):
        others = people.folds != half
        between = stands[np.ix_(others, others)][~np.eye(others.sum(), dtype=bool)]
        assert (between <= limit).mean() <= 0.1
    listed = pl.concat([run.read(CANDIDATES, part) for part in run.parts(CANDIDATES, cell.id)])
    names = wanted(people, 2, 5)
    expected = {(f"gate/p{i}", f"p{j}"): stands[i, j] for i in range(8) for j in names}
    found = {(row["search"], row["subject"]): row["score"] for row in listed.iter_rows(named=True)}
    assert found == pytest.approx(expected, abs=1e-5)


def test_a_pass_whose_templates_cancel_out_is_not_acquired_compared_or_named(station):
    run, loaded, cell, people, _ = station("mean template")
    part = f"captures/{cell.id}/gate/000000"
    templates = run.read_array(part).copy()
    templates[2:4] = -templates[:2]  # the four frames of p0
    run.write_array(part, templates)
    cosine = {"metric": "cosine", "direction": "similarity", "threshold": -1.0, "score_range": (-1.0, 1.0)}
    run.note(systems={"dlib": {**run.manifest()["systems"]["dlib"], **cosine}})
    told = {table.name: frame for table, frame in _match_cell(run, loaded, cell, people, None)[0]}
    failed = told[ATTEMPTS.name].filter(pl.col("state") != "acquired")
    assert failed.select("subject", "state", "reason").rows() == [("p0", "failed", CANCELLED)]
    searched = dict(told[SEARCHES.name].select("subject", "state").rows())
    assert searched == {name: "failed" if name == "p0" else "searched" for name in PEOPLE}
    assert told[TALLIES.name].filter(pl.col("subject") == "p0", pl.col("role") == "probe").is_empty()
    listed = pl.concat([run.read(CANDIDATES, part) for part in run.parts(CANDIDATES, cell.id)])
    assert set(listed["search"]) == {f"gate/{name}" for name in PEOPLE[1:]}
    assert listed["score"].is_finite().all()


def test_what_stands_for_a_pass_makes_a_difference_to_these_rates(station):
    """Else the test above could not fail."""
    errors = [(station(fusion)[-1] <= THRESHOLD).sum() for fusion in STANDS]
    assert len(set(errors)) == 3


def test_a_gallery_of_fewer_than_the_list_could_hold_is_told_once(tmp_path):
    run = RunDirectory.create(tmp_path / "run", {"lists_could_hold": {"a": 3, "b": 12, "c": 5}})
    (said,) = _short(run, Identification(kind="identification", length=12))
    assert "search.length is 12; in 2 of 3 cells the gallery holds 5 enrolled photographs at most" in said
    (said,) = _short(run, Lookup(kind="lookup", length=50))
    assert "in 3 of 3 cells the gallery holds 12 passes" in said
    assert _short(run, Watchlist(kind="watchlist", wanted=2, length=3)) == []
