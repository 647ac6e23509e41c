"""Searches from the command line on real photographs, checked against the templates themselves; wrong input."""

import json

import numpy as np
import polars as pl
import pytest

CELL = "yunet-openvino--clean"


@pytest.fixture
def searching(london):
    """Writes a scenario of 24 people and no conditions, with a search."""
    return lambda **search: london | {"conditions": ["clean"], "search": search}


def figures(run, metric):
    rows = json.loads((run / "evidence.json").read_text())["figures"]
    return {
        (row["operating_point"], row["rank"]): row
        for row in rows if row["metric"] == metric and row["probe_group"] == "all" and row["unit"] == "search"
    }  # fmt: skip


def cosines(run):
    """Reference photograph × pass, with the people of each."""
    references = pl.read_parquet(run / "references.parquet").filter(pl.col("state") == "enrolled").sort("row")
    captures, right = [], []
    for part in sorted((run / "captures" / CELL).rglob("*.parquet")):
        table = pl.read_parquet(part).filter((pl.col("state") == "ok") & pl.col("transit").is_not_null())
        right.append(np.load(part.with_suffix(".npy"))[table["row"].to_numpy()].astype(float))
        captures.append(table)
    captures, right = pl.concat(captures), np.concatenate(right)
    left = np.load(run / "references" / "yunet-openvino.npy").astype(float)
    cosine = left @ right.T / np.linalg.norm(left, axis=1)[:, None] / np.linalg.norm(right, axis=1)
    return cosine, references["subject"].to_numpy(), captures["subject"].to_numpy()


def test_a_look_up_is_searched_counted_and_reported_as_the_templates_have_it(testbed, searching, write, tmp_path):
    result = testbed("run", write(searching(kind="lookup", length=8)), "--out", "out", "-w", 1)
    assert result.returncode == 0, result.stderr
    run = tmp_path / "out"
    manifest = json.loads((run / "run.json").read_text())
    assert manifest["search"] == {"kind": "lookup", "length": 8, "people": None}
    assert manifest["lists_cut_at"] == {CELL: 8}
    cosine, looked_up, passed = cosines(run)
    stranger = looked_up[:, None] != passed
    size = len(set(passed)) - 1
    alerts = ((cosine >= 0.4) & stranger).any(axis=1)
    own = figures(run, "FPIR")["own", None]
    assert (own["errors"], own["comparisons"], own["gallery_size"]) == (alerts.sum(), len(looked_up), size)
    # With the person there, another is left out of the gallery: the last in the drawn order.
    searches = pl.read_parquet(run / "searches.parquet")
    assert set(searches["gallery"]) == {size}
    assert searches["mated"].sum() == (~searches["mated"]).sum() == len(looked_up)
    listed = pl.concat(pl.read_parquet(p) for p in sorted((run / "candidates").rglob("*.parquet")))
    assert listed["rank"].max() == 8
    absent = listed.filter(pl.col("search").str.ends_with(", absent")).sort("search", "rank")
    by_hand = [round(s, 5) for i in np.argsort(looked_up, kind="stable")
               for s in sorted(cosine[i][stranger[i]], reverse=True)[:8]]  # fmt: skip
    assert absent["score"].round(5).to_list() == pytest.approx(by_hand, abs=2e-5)
    assert figures(run, "CMC")[None, 1]["comparisons"] == len(looked_up)
    # A threshold found on one half of the people is applied to the searches of the other.
    halved = figures(run, "FPIR")["fmr=1e-2", None]
    limits = pl.read_parquet(run / "thresholds.parquet").filter(pl.col("point") == "fmr=1e-2")
    low, high = sorted([limits["threshold_0"][0], limits["threshold_1"][0]])
    least, most = ((((cosine >= t) & stranger).any(axis=1)).sum() for t in (high, low))
    assert least <= halved["errors"] <= most
    html = (run / "report" / "index.html").read_text()
    assert 'id="searches"' in html

    # Comparisons one to one are what they are without searches, and matching again gives the same searches.
    names = [*sorted(p.relative_to(run) for p in (run / "candidates").rglob("*.parquet")), "searches.parquet"]
    before = {name: (run / name).read_bytes() for name in names}
    assert testbed("match", "out").returncode == 0
    assert {name: (run / name).read_bytes() for name in before} == before
    plain = testbed("run", write(searching(kind="lookup") | {"search": None}), "--out", "plain", "-w", 1)
    assert plain.returncode == 0, plain.stderr
    for name in ("counts", "tallies", "pairs"):
        assert (run / f"{name}.parquet").read_bytes() == (tmp_path / "plain" / f"{name}.parquet").read_bytes()


def test_a_gallery_that_cannot_be_is_told_before_anything_is_searched(testbed, searching, write, tmp_path):
    for search, sentence in (
        ({"kind": "identification", "people": 24}, "search.people: is 24, and 24 people are enrolled; name at most 23"),
        ({"kind": "watchlist", "wanted": 30}, "search.wanted: is 30, and 24 people are enrolled; name at most 23"),
    ):
        result = testbed("run", write(searching(**search)), "--out", "out")
        assert result.returncode == 2
        assert sentence in result.stderr
        assert "Traceback" not in result.stderr
        assert not (tmp_path / "out" / "frames").exists()
        for path in sorted((tmp_path / "out").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
