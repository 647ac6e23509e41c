"""A camera that films for two days, from the command line: filmed, replayed, linked and told; twice the same tables."""

from __future__ import annotations

import json

import polars as pl

CAMERA = {"name": "cafe", "distance": 2.0, "size": [320, 240], "field": 18, "fps": 4}
SCENARIO = {
    "title": "two days",
    "probes": {"kind": "synthetic", "people": [{"count": 3, "headwear": "none"}], "cameras": [CAMERA], "days": 2,
               "staging": "one by one", "frames_each": 2},
    "systems": [{"pipeline": "dlib-onnx"}], "operating_points": ["own", 0.2],
}  # fmt: skip


def test_two_days_are_linked_and_told_twice_alike(testbed, write, tmp_path):
    path = write(SCENARIO)
    for out in ("one", "other"):
        result = testbed("run", path, "--out", out, "-w", 2)
        assert result.returncode == 0, result.stderr
    one, other = tmp_path / "one", tmp_path / "other"
    for table in ("records", "links", "tallies"):
        assert (one / f"{table}.parquet").read_bytes() == (other / f"{table}.parquet").read_bytes()
    links, captures = pl.read_parquet(one / "links.parquet"), pl.read_parquet(one / "captures/**/*.parquet")
    assert links.select("subject", "earlier", "later").rows() == [(f"P000{k}", 1, 2) for k in (1, 2, 3)]
    evidence = json.loads((one / "evidence.json").read_text())
    (row,), (found,) = evidence["linkage"], evidence["heads"]
    assert row["synthetic"] is True
    given = next(point for point in row["points"] if point["operating_point"] == "given=0.2")
    whole = next(each for each in given["links"] if each["group"] == "all" and each["gap"] is None)
    assert whole["linked"]["errors"] == int((links["score"] <= 0.2).sum())
    assert given["records"]["templates"] == int((captures["state"] == "ok").sum()) > 6
    assert found["found"]["errors"] == captures["transit"].count()
    page = (one / "report" / "index.html").read_text()
    assert 'id="linkage"' in page
    assert 'id="heads"' in page
