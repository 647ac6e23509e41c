"""The report of people who do not exist says so everywhere, judges no group, and sets faces beside photographs."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reports.reading import read
from reports.stage import report
from reports.synthetic import in_words, said_of_made_up
from testbed.evidence.stage import evaluate
from testbed.runs.directory import RunDirectory
from testbed.scenario.loading import Loaded, reload

REPOSITORY = Path(__file__).parents[2]


def rate(value: float | None, low: float, high: float, errors: int = 3) -> dict[str, Any]:
    return {"unit": "transit", "value": value, "low": low, "high": high, "errors": errors, "comparisons": 90,
            "subjects": 10, "assumption_free": None, "method": "made up", "verdict": "measured"}  # fmt: skip


def side(fmr: float, found: float) -> dict[str, Any]:
    """One side of a row of the domain gap."""
    spread = {"mean": 0.7, "se": 0.01, "sd": 0.1, "people": 10}
    return {
        "people": 10, "faces": 40, "mean_inter_eye_px": 31.2, "transits": 10,
        "found": {"value": found, "low": found - 0.05, "high": found + 0.02, "found": 39, "shown": 40, "people": 10,
                  "method": "made up", "verdict": "measured"},
        "fmr": rate(fmr, fmr / 2, fmr * 2), "fnmr": rate(0.1, 0.02, 0.3), "eer": rate(0.05, 0.01, 0.2),
        "d_prime": {"value": 4.4, "low": 4.0, "high": 4.8, "subjects": 10, "method": "made up"},
        "strangers": spread, "same_person": spread,
        "scores": {"low": 0.3, "width": 0.01, "strangers": [0, 2, 5], "same_person": [4, 1, 0]},
    }  # fmt: skip


def with_gap(run: RunDirectory, loaded: Loaded) -> None:
    """System one has photographs beside it, system two has not."""
    evidence = json.loads((run.path / "evidence.json").read_text())
    rows, out = [], []
    for cell in loaded.cells:
        whose = {"system": cell.system.label, "condition": {"name": cell.condition_name}, "cell": cell.id}
        real = side(0.01, 0.97) if cell.system.label == "one" else None
        apart = {"value": 1.8, "low": 1.5, "high": 2.1}
        rows.append({**whose, "inter_eye_px": 30.0, "made_up": side(0.354, 0.95), "photographs": real,
                     "gap": real and {"strangers": apart, "same_person": apart}})  # fmt: skip
        out.append({**whose, "faces": 60, "turned_or_hidden": 13, "of_other_sizes": 7})
    evidence["domain_gap"] = {"photographs": {"data": "Made-up set, CC BY", "made": "2026-11-22", "sizes": [30.0]},
                              "stored_for": ["one"], "left_out": out, "rows": rows}  # fmt: skip
    run.write_bytes("evidence.json", json.dumps(evidence).encode())
    run.note(synthetic=True)


@pytest.fixture
def drawn(made_up: tuple[RunDirectory, Loaded]) -> tuple[RunDirectory, Loaded]:
    """A run in which nobody exists."""
    with_gap(*made_up)
    return made_up


def test_nobody_can_miss_that_nobody_exists(drawn: tuple[RunDirectory, Loaded], page: str) -> None:
    run, loaded = drawn
    html = report(run, loaded).read_text(encoding="utf-8")
    body = html[html.index("<body") :]
    assert body.index("Made-up people: nobody in this report exists.") < body.index("<h1>")
    assert "<title>Made-up people · " in html
    specs = json.loads(re.findall(r'<script type="application/json" id="specs">(.*?)</script>', html, re.DOTALL)[0])
    assert len(specs) > 5
    for spec in specs.values():
        assert spec["title"]["text"].startswith("made-up people")
    assert set(re.findall(r'<div class="plot" [^>]*aria-label="([^:"]+)', html)) == {"made-up people"}
    headline = re.findall(r"<p><b>one and two\.</b> (.*?)</p>", html)
    assert headline
    assert headline[0].startswith("Made-up people: ")
    assert "nobody in this report exists" not in page
    assert 'id="synthetic"' not in page


def test_every_csv_says_so_in_its_first_column(drawn: tuple[RunDirectory, Loaded], stills: RunDirectory) -> None:
    run, loaded = drawn
    report(run, loaded)
    files = sorted((run.path / "report").glob("*.csv"))
    assert "domain_gap.csv" in {file.name for file in files}
    for file in files:
        rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
        assert next(iter(rows[0])) == "synthetic"
        assert {row["synthetic"] for row in rows} == {"made-up people"}
    real = (stills.path / "report/figures.csv").read_text(encoding="utf-8")
    assert "synthetic" not in real.splitlines()[0]


def test_faces_stand_beside_photographs_of_the_same_system_only(drawn: tuple[RunDirectory, Loaded]) -> None:
    run, loaded = drawn
    html = report(run, loaded).read_text(encoding="utf-8")
    section = html[html.index('<section id="synthetic">') :]
    section = section[: section.index("</section>")]
    one, two = section.split("<h3>two, ")
    assert "of photographs 97" in one
    assert "No figures of photographs" not in one
    assert "No figures of photographs are stored for this system" in two
    assert "of 60 faces: 13 turned away or hidden, 7 of other sizes" in one
    assert "Made-up set, CC BY" in section
    contents = read(run, loaded)
    said = " ".join(in_words(contents, contents.reference_cell("one")))
    assert "made-up strangers look more alike than strangers on photographs, by 1.80" in said
    assert "[1.50–2.10]" in said
    assert re.search(r"35.4\s% of made-up strangers match", said)
    rows = list(csv.DictReader(io.StringIO((run.path / "report/domain_gap.csv").read_text(encoding="utf-8"))))
    assert [(row["system"], row["faces_of"]) for row in rows if row["condition"] == "clean"] == [
        ("one", "made up"), ("one", "photographs"), ("two", "made up")
    ]  # fmt: skip
    assert (rows[0]["fmr"], rows[0]["strangers_more_alike"], rows[1]["fmr"]) == ("0.354", "1.8", "0.01")


def test_of_too_few_people_no_gap_is_told_in_words(drawn: tuple[RunDirectory, Loaded]) -> None:
    run, loaded = drawn
    contents = read(run, loaded)
    assert contents.domain_gap is not None
    for row in contents.domain_gap["rows"]:
        row["made_up"]["fmr"]["verdict"] = "insufficient"
    (said,) = in_words(contents, contents.reference_cell("one"))
    assert "too few people to say" in said


def test_a_run_that_does_not_say_where_faces_were_says_so(made_up: tuple[RunDirectory, Loaded]) -> None:
    run, loaded = made_up
    run.note(synthetic=True)
    html = report(run, loaded).read_text(encoding="utf-8")
    assert "nothing can be set beside photographs" in html


def test_names_at_the_start_of_a_sentence_keep_their_capitals() -> None:
    assert said_of_made_up(["No stranger was taken."]) == ["Made-up people: no stranger was taken."]
    assert said_of_made_up(["FMR is low.", "Second."]) == ["Made-up people: FMR is low.", "Second."]
    assert said_of_made_up([]) == []


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example log, as the program reads it; then said to be of people who do not exist."""
    path = tmp_path_factory.mktemp("audited") / "run"
    asked = ["--groups", "examples/people.csv", "--threshold", "0.6", "--distance", "--out", str(path)]
    command = [sys.executable, "-m", "testbed.cli", "audit", "examples/scores.csv", *asked]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return path


def test_from_tables_to_page_no_claim_and_no_group_of_made_up_people_is_judged(audited: Path) -> None:
    run = RunDirectory.open(audited)
    loaded = reload(run.manifest()["scenario"])
    before = json.loads((audited / "evidence.json").read_text())
    assert {"higher", "not shown"} & {row["verdict"] for row in before["differentials"]}
    assert before["synthetic"] is False
    assert before["domain_gap"] is None
    run.note(synthetic=True)
    evaluate(run, loaded, claims_file=REPOSITORY / "scenarios/claims/example.yaml")
    html = report(run, loaded).read_text(encoding="utf-8")
    evidence = json.loads((audited / "evidence.json").read_text())
    assert evidence["synthetic"] is True
    of_people = [row for row in evidence["claims"] if row["read_as"] != "fps"]
    assert {row["verdict"] for row in of_people} == {"untestable"}
    assert {row["why"] for row in of_people} == {"synthetic people: no evidence about real ones"}
    for name in ("figures", "differentials", "indices", "score_meaning", "claims"):
        assert evidence[name], name
        assert all(row["synthetic"] is True for row in evidence[name])
    for name in ("differentials", "indices"):
        assert {row["verdict"] for row in evidence[name]} <= {"not judged", "insufficient"}
    # The numbers are those that they were.
    assert [row["low"] for row in evidence["differentials"]] == [row["low"] for row in before["differentials"]]
    text = re.sub(r"<script.*?</script>|<section id=\"terms\">.*?</section>", "", html, flags=re.DOTALL)
    text = text[text.index("<main>") :]
    assert not re.search(r"at least [\d.,]+\s?(times|×)", text)
    assert "higher rate is not shown" not in text
    assert "would come up" not in text.replace("What would come up by chance", "")
    assert ">not judged: made-up people" in text
