"""Systems whose templates nobody can read, found by their entry points, as examples/black_box brings them."""

import html
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from reports.findings import headline
from reports.reading import read
from reports.stage import report
from testbed.evidence.stage import evaluate
from testbed.matching.attempts import ELSEWHERE
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import ATTEMPTS, CANDIDATES, COUNTS, MOMENTS, SEARCHES, TALLIES
from testbed.scenario.loading import reload

EXAMPLE = Path(__file__).parents[2] / "examples" / "black_box"
WRONG = {
    "unknown": (
        "found.references + ('nobody/1',), np.r_[found.scores, 255.0]",
        "'nobody/1', which is not in its gallery",
    ),
    "disordered": ("found.references[::-1], found.scores[::-1]", "returned scores out of order"),
    "expired": ("1 / 0", "raised ZeroDivisionError: division by zero"),
}
FAULTY = {
    "capture": ("return [None]", "the capture of stills, picture ", "returned a list; give a list of Captures"),
    "enrol": ("raise RuntimeError('licence expired')", "the enrolment of ", "raised RuntimeError: licence expired"),
    "compare": ("return None", "the comparison of 24 templates with 24", "returned scores of shape ()"),
    "__init__": ("raise RuntimeError('licence expired')", "its constructor", "raised RuntimeError: licence expired"),
}
"""A Comparer's methods, what each does wrong, what was asked, and what is said of it."""


@pytest.fixture
def run(tmp_path):
    """`testbed run` on made-up pictures of 24 people with the example's systems; wrong: what a faulty one returns."""
    rng = np.random.default_rng(5)
    (tmp_path / "photos").mkdir()
    for i in range(24):
        looks = rng.uniform(40, 215, size=(6, 6))
        for shot, noise in ((1, 8), (2, 45 if i else 400)):
            picture = np.clip(looks + rng.normal(size=(6, 6)) * noise, 0, 255).astype(np.uint8)
            picture = cv2.resize(picture, (120, 150), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(tmp_path / "photos" / f"p{i:02}_{shot}.png"), picture)
    (tmp_path / "people.csv").write_text("subject,sex\n" + "".join(f"p{i:02},{'fm'[i % 2]}\n" for i in range(24)))
    site = tmp_path / "site"
    dist = site / "black_box_example-1.0.dist-info"
    dist.mkdir(parents=True)
    (dist / "METADATA").write_text("Metadata-Version: 2.1\nName: black-box-example\nVersion: 1.0\n")

    def call(system, search, wrong=None, out="out", face="one", method=None, **changes):
        named = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]["entry-points"]["testbed.pipelines"]
        if wrong:
            code = f"        found = super().search(image, k - 1)\n        return Candidates({wrong})\n"
            (site / "faulty.py").write_text(
                "import numpy as np\nfrom black_box import *\nfrom pipelines.interface import Candidates\n\n\n"
                f"class Faulty(ThumbnailSearch):\n    def search(self, image, k):\n{code}"
            )
            named = {**named, "faulty": "faulty:Faulty"}
        if method:
            (site / "faulty.py").write_text(
                "from black_box import *\n\n\nclass Faulty(Thumbnails):\n"
                f"    def {method}(self, *given):\n        {FAULTY[method][0]}\n"
            )
            named = {**named, "faulty": "faulty:Faulty"}
        lines = "".join(f"{name} = {where}\n" for name, where in named.items())
        (dist / "entry_points.txt").write_text(f"[testbed.pipelines]\n{lines}")
        scenario = {
            "title": "black boxes", "groups": ["sex"], "subjects": {"table": "people.csv"},
            "references": {"images": "photos/{subject}_1.png", "face": face},
            "probes": {"kind": "stills", "images": "photos/{subject}_2.png"},
            "systems": [system], "operating_points": ["own"], **({"search": search} if search else {}), **changes,
        }  # fmt: skip
        (tmp_path / "s.yaml").write_text(json.dumps(scenario))
        paths = os.pathsep.join([str(site), str(EXAMPLE)])
        return subprocess.run(
            [sys.executable, "-m", "testbed.cli", "run", "s.yaml", "--out", out, "-w", "1"], cwd=tmp_path,
            capture_output=True, text=True, timeout=600, check=False,
            env={**os.environ, "PYTHONPATH": paths, "COLUMNS": "200", "NO_COLOR": "1"},
        )  # fmt: skip

    return call


def figure(folder, metric, point="own", rank=None):
    rows = json.loads((folder / "evidence.json").read_text())["figures"]
    return next((
        row for row in rows
        if (row["metric"], row["operating_point"], row["rank"], row["probe_group"]) == (metric, point, rank, "all")
        and row["reference_group"] in (None, "all")
    ), None)  # fmt: skip


def thumbnails(folder, shot):
    sys.path.insert(0, str(EXAMPLE))
    try:
        from black_box import Thumbnails
    finally:
        sys.path.remove(str(EXAMPLE))
    system = Thumbnails()
    pictures = [cv2.imread(str(folder / "photos" / f"p{i:02}_{shot}.png"))[..., ::-1] for i in range(24)]
    return system, np.concatenate([faces.templates for faces in system.capture(pictures)])


def test_a_system_that_compares_its_own_templates_is_counted_and_searched(run, tmp_path):
    result = run({"pipeline": "thumbnails"}, {"kind": "identification", "length": 5})
    assert result.returncode == 0, result.stderr
    folder = tmp_path / "out"
    system, photographs = thumbnails(tmp_path, 1)
    scores = system.compare(thumbnails(tmp_path, 2)[1], photographs)
    mated = np.eye(24, dtype=bool)
    fmr, fnmr = figure(folder, "FMR"), figure(folder, "FNMR")
    assert (fmr["errors"], fmr["comparisons"]) == (((scores <= 20) & ~mated).sum(), 24 * 23)
    assert (fnmr["errors"], fnmr["comparisons"]) == ((scores > 20).diagonal().sum(), 24)
    alerts = ((scores <= 20) & ~mated).any(axis=1).sum()
    fpir = figure(folder, "FPIR")
    assert (fpir["errors"], fpir["comparisons"], fpir["gallery_size"]) == (alerts, 24, 23)
    assert figure(folder, "CMC", None, 1)["errors"] >= 1  # p00 was drawn to be missed


def test_a_system_that_only_answers_searches_shows_its_own_misses_and_nothing_else(run, tmp_path):
    system = {"pipeline": "thumbnail-search", "options": {"shelves": 8, "looked_at": 1}}
    assert run(system, {"kind": "identification", "length": 4}).returncode == 0
    exact = {"pipeline": "thumbnail-search", "options": {"shelves": 8, "looked_at": 8}}
    assert run(exact, {"kind": "identification", "length": 4}, out="exact").returncode == 0
    some, everywhere = tmp_path / "out", tmp_path / "exact"
    for folder in (some, everywhere):
        searches = pl.read_parquet(folder / "searches.parquet")
        assert searches["mated"].sum() == 12  # half of the people are its gallery, the others are not there
        assert set(searches["gallery"]) == {12}
        assert json.loads((folder / "run.json").read_text())["lists_cut_at"] == {"thumbnail-search--clean": 4}
        assert figure(folder, "FMR") is None
        fta = figure(folder, "FTA", None)
        assert fta["value"] is None
        assert "only answers searches" in fta["method"]
        assert 'id="searches"' in (folder / "report" / "index.html").read_text()
    # By hand, from all scores.
    enrolled = pl.read_parquet(everywhere / "references.parquet")["subject"].to_list()
    at = np.array([int(name[1:]) for name in enrolled])
    system, photographs = thumbnails(tmp_path, 1)
    scores = system.compare(thumbnails(tmp_path, 2)[1], photographs)[:, at]
    outside = np.setdiff1d(np.arange(24), at)
    assert figure(everywhere, "FPIR")["errors"] == (scores[outside] <= 20).any(axis=1).sum()
    best = at[scores.argmin(axis=1)]
    assert figure(everywhere, "CMC", None, 1)["errors"] == (best[at] != at).sum()
    assert figure(some, "CMC", None, 1)["errors"] > figure(everywhere, "CMC", None, 1)["errors"]


@pytest.mark.slow
def test_black_boxes_are_tried_on_made_up_people_too(run, tmp_path):
    camera = {"name": "lane", "distance": 2.0, "size": [320, 240], "field": 18, "fps": 4}
    made_up = {
        "kind": "synthetic", "people": [{"count": 4, "headwear": "none"}], "staging": "one by one", "frames_each": 1,
        "contrasts": [{"cause": "photograph_px", "levels": [90, 20]}], "cameras": [camera],
    }  # fmt: skip
    both = [{"pipeline": "thumbnails"}, {"pipeline": "thumbnail-search"}]
    result = run(both[0], {"kind": "identification", "length": 3}, systems=both, probes=made_up, subjects=None,
                 references=None)  # fmt: skip
    assert result.returncode == 0, result.stderr
    evidence = json.loads((tmp_path / "out/evidence.json").read_text())
    assert {row["system"] for row in evidence["contrasts"]} == {"thumbnails"}  # the other shows no faces
    assert evidence["domain_gap"]["rows"] == []
    assert {row["system"] for row in evidence["figures"] if row["metric"] == "FPIR"} == {
        "thumbnails",
        "thumbnail-search",
    }
    page = (tmp_path / "out/report/index.html").read_text()
    assert "Nobody but this system can compare its templates" in page
    assert "domain_gap.csv" not in page


@pytest.mark.parametrize("kind", WRONG)
def test_a_searcher_that_answers_what_cannot_be_ends_the_run_with_one_sentence(run, kind):
    wrong, sentence = WRONG[kind]
    result = run({"pipeline": "faulty"}, {"kind": "identification", "length": 4}, wrong)
    assert result.returncode == 2
    assert "system faulty: the search of stills, picture " in result.stderr
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_where_every_box_lies_beside_the_person_nothing_was_measured(run, tmp_path):
    assert run({"pipeline": "thumbnails"}, {"kind": "identification", "length": 5}).returncode == 0
    made = RunDirectory.open(tmp_path / "out")
    loaded = reload(made.manifest()["scenario"])
    (cell,) = (cell.id for cell in loaded.cells)
    attempts = made.read(ATTEMPTS).with_columns(state=pl.lit("failed"), reason=pl.lit(ELSEWHERE))
    made.write(ATTEMPTS, attempts)
    made.write(SEARCHES, made.read(SEARCHES).with_columns(state=pl.lit("failed")))
    made.write(CANDIDATES, pl.DataFrame(schema=CANDIDATES.columns), f"{cell}/searches/000")
    for table in (COUNTS, TALLIES, MOMENTS):
        made.write(table, made.read(table).clear())
    evaluate(made, loaded)
    report(made, loaded)
    beside = "in 24 of 24 passes the system's face box is not where the truth has the person"
    for metric, point, rank in (
        ("FPIR", "own", None),
        ("FNIR", "own", 1),
        ("CMC", None, 1),
        ("selectivity", "own", None),
    ):
        row = figure(tmp_path / "out", metric, point, rank)
        assert (row["value"], row["verdict"], row["method"]) == (None, "insufficient", beside)
    assert figure(tmp_path / "out", "FTA", None)["method"] == f"not known: {beside}"
    contents = read(made, loaded)
    assert headline(contents, "thumbnails") == [f"Nothing was measured: {beside}."]
    page = html.unescape((tmp_path / "out/report/index.html").read_text())
    assert f'cannot be told<small style="white-space: normal">{beside}' in page
    assert "cannot be known from lists" not in page
    assert ">FTA</a> is not known: in 24 of 24 passes" in page


@pytest.mark.parametrize("method", FAULTY)
def test_what_a_system_does_wrong_is_one_sentence_that_says_when(run, method):
    result = run({"pipeline": "faulty"}, {"kind": "identification", "length": 4}, method=method)
    assert result.returncode == 2
    _, asked, said = FAULTY[method]
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith(f"testbed: system faulty: {asked}")
    assert said in last
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("system", "search"),
    [("thumbnail-search", None), ("thumbnail-search", {"kind": "lookup"}), ("thumbnails", {"kind": "lookup"})],
)
def test_a_black_box_is_not_asked_for_what_it_cannot_answer(run, system, search):
    result = run({"pipeline": system}, search)
    assert result.returncode == 2
    assert "write `search: {kind: identification}`" in result.stderr


def test_a_searcher_is_not_asked_for_the_largest_face_of_photographs_that_it_reads_itself(run):
    result = run({"pipeline": "thumbnail-search"}, {"kind": "identification"}, face="largest")
    assert result.returncode == 2
    assert "leave out `references.face`" in result.stderr
