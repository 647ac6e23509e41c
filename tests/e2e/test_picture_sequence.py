"""A folder of pictures as a camera, with heads that have no names: faces are found, and nobody is called anything."""

import json

import polars as pl
import pytest
from PIL import Image as Pillow

from tests.e2e.test_kill_and_resume import tables


@pytest.fixture
def cafe(data, edge_system, tmp_path):
    """Three pictures of a made-up afternoon, the second of them broken, and where the heads are."""
    folder = tmp_path / "cafe"
    folder.mkdir()
    face = Pillow.open(data / "london_set/neutral/001_03.jpg").convert("RGB").resize((240, 240))
    for name, at in (("shot9.png", (20, 60)), ("shot10.png", (0, 0)), ("shot11.png", (380, 100))):
        picture = Pillow.new("RGB", (640, 360), (90, 90, 90))
        picture.paste(face, at)
        picture.save(folder / name)
    (folder / "shot10.png").write_bytes(b"broken")
    heads = '"cafe/shot9.png": (80, 80, 200, 260);\n"cafe/shot11.png": (440, 120, 560, 300), (5, 5, 25, 25).\n'
    (tmp_path / "heads.idl").write_text(heads)
    camera = {"name": "cafe", "file": "cafe", "seconds_apart": 100, "truth": {"file": "heads.idl", "format": "idl"}}
    return {
        "title": "A café", "probes": {"kind": "video", "cameras": [camera], "segment": 1}, "systems": [edge_system],
    }  # fmt: skip


def test_a_folder_of_pictures_goes_through_to_the_report_and_resumes_to_the_same_bytes(testbed, cafe, write, tmp_path):
    done = testbed("run", write(cafe), "--out", "out", "-w", 1)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "out"
    frames = pl.concat([pl.read_parquet(path) for path in sorted((run / "frames").rglob("*.parquet"))])
    assert frames.select("frame", "seconds", "state", "faces").rows() == [
        (0, 0.0, "ok", 1), (1, 100.0, "undecodable", 0), (2, 200.0, "ok", 1),
    ]  # fmt: skip
    captures = pl.concat([pl.read_parquet(path) for path in sorted((run / "captures").rglob("*.parquet"))])
    assert captures["transit"].null_count() == len(captures) == 2
    evidence = json.loads((run / "evidence.json").read_text())
    assert all(row["value"] is None for row in evidence["figures"] if row["metric"] in ("FMR", "FNMR", "FTA"))
    page = (run / "report/index.html").read_text()
    assert "annotators marked where heads are, and nobody knows whose" in page
    assert '<td class="known">heads that were annotated, without names</td>' in page
    assert "nobody enrolled appears" not in page
    assert ">heads</a> in which a face was found</th>" in page
    assert "nothing was compared and there are no matches to count" in page
    assert "Nothing was compared: no figure" not in page
    assert "nothing to count</td>" not in page[: page.index('id="in-words"')]

    expected = tables(run)
    for path in [*(run / "frames").rglob("000002.parquet"), run / "evidence.json"]:
        path.unlink()
    manifest = json.loads((run / "run.json").read_text())
    manifest["stages"] = {"replay": "running", "match": "stale", "evaluate": "stale", "report": "stale"}
    (run / "run.json").write_text(json.dumps(manifest))
    done = testbed("run", "--resume", "out", "-w", 2)
    assert done.returncode == 0, done.stderr
    assert tables(run) == expected

    (tmp_path / "cafe/shot9.png").unlink()
    (run / "evidence.json").unlink()
    manifest["stages"]["replay"] = "running"
    (run / "run.json").write_text(json.dumps(manifest))
    done = testbed("run", "--resume", "out")
    assert done.returncode == 2
    assert "cafe: has changed since this run began" in done.stderr


def test_mistakes_about_a_folder_are_one_sentence_each(typed, cafe, write):
    camera = cafe["probes"]["cameras"][0]
    for change, said in (
        ({"seconds_apart": None}, "is a folder of pictures, which carry no times: add `seconds_apart`"),
        ({"file": "heads.idl"}, "is no folder of pictures; a clip has times of its own: leave out `seconds_apart`"),
        ({"file": "absent"}, "there is no file absent"),
        ({"truth": {"file": "heads.idl", "format": "idl", "label": "head"}}, "is a key of `format: cvat` alone"),
        ({"truth": {"file": "heads.idl", "format": "voc"}}, "'voc'"),
        ({"truth": {"file": "heads.idl", "format": "chokepoint"}}, "heads.idl: is no whole XML file"),
    ):
        changed = {**cafe, "probes": {**cafe["probes"], "cameras": [{**camera, **change}]}}
        done = typed("run", write(changed), "--out", "bad")
        assert done.returncode == 2, change
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    done = typed("run", write({**cafe, "search": {"kind": "identification"}}), "--out", "bad")
    assert done.returncode == 2
    assert "search: nobody on these recordings is known" in done.stderr
