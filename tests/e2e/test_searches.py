"""Searches from the command line on real photographs, checked against the templates themselves; wrong input."""

import json
import shutil

import av
import cv2
import numpy as np
import polars as pl
import pytest

from testbed.matching.people import people_of
from testbed.matching.searching import wanted

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


def test_a_scripted_station_misses_and_stops_whom_the_script_says(testbed, london, data, write, tmp_path):
    """One is wanted, and passes as they look, then as somebody else looks; one of four others looks like the wanted."""
    people = pl.read_csv(data / "london_set/subjects.csv", schema_overrides={"face_id": pl.String})
    people = people.filter(pl.col("face_gender") == "female").gather_every(9).head(5).rename({"face_id": "subject"})
    people.write_csv(tmp_path / "people.csv")
    names = people["subject"].to_list()
    w = names[wanted(people_of(people, ["face_eth"], 5), 1, 5)[0]]
    double, *others = (name for name in names if name != w)
    smile, neutral = (str(data / "london_set" / shot) for shot in ("smiling/{}_08.jpg", "neutral/{}_03.jpg"))
    for name in names:
        shutil.copy(neutral.format(name), tmp_path / f"{name}.jpg")
    passes = [(w, smile.format(w)), (double, neutral.format(w)), *((name, smile.format(name)) for name in others),
              (w, smile.format(others[0]))]  # fmt: skip
    truth = ["camera,frame,subject,x,y,w,h"]
    with av.open(str(tmp_path / "gate.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=4, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 480, 480, "yuv420p"
        for n in range(10 * len(passes)):  # three pictures of somebody, then nobody for longer than a track waits
            who, file = passes[n // 10]
            picture = np.full((480, 480, 3), 128, np.uint8)
            if n % 10 < 3:
                picture = cv2.resize(cv2.imread(file), (480, 480), interpolation=cv2.INTER_AREA)[..., ::-1]
                truth.append(f"gate,{n},{who},150,150,180,220")
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts = n
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    (tmp_path / "truth.csv").write_text("\n".join(truth))
    gate = {"name": "gate", "file": "gate.mp4", "truth": {"file": "truth.csv"}}
    station = {
        **london, "groups": ["face_eth"], "subjects": {"table": "people.csv"}, "conditions": ["clean"],
        "references": {"images": "{subject}.jpg"}, "probes": {"kind": "video", "cameras": [gate]},
        "systems": [{"pipeline": "dlib-onnx"}],
        "operating_points": [0.5], "search": {"kind": "watchlist", "wanted": 1},
    }  # fmt: skip
    result = testbed("run", write(station), "--out", "out", "-w", 1)
    assert result.returncode == 0, result.stderr
    (row,) = json.loads((tmp_path / "out/evidence.json").read_text())["alerts"]
    everybody = row["groups"][0]
    assert (row["wanted"], row["cameras"], row["hours"]) == (1, 1, pytest.approx(15 / 3600))
    assert (everybody["group"], everybody["passes"], everybody["wanted_passes"]) == ("all", 6, 2)
    for view in ("by_pass", "by_track"):
        seen = everybody[view]
        assert [(seen[name]["errors"], seen[name]["comparisons"]) for name in seen if name != "per_camera_hour"] == [
            (1, 2), (1, 4), (1, 6), (0, 2), (1, 4),
        ]  # fmt: skip
        assert seen["per_camera_hour"]["value"] == pytest.approx(3600 / 15)
    assert row["tracking"]["alerts"] == {"true": 1, "false": 1, "unknown": 0}
    assert everybody["precision"]["own"]["value"] == pytest.approx((2 / 6 * 1 / 2) / (2 / 6 * 1 / 2 + 4 / 6 * 1 / 4))
    assert 'id="alerts"' in (tmp_path / "out/report/index.html").read_text()


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
