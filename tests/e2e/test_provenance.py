"""Where pictures come from, and who says who belongs to which group, as the program tells it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from reports.wording import percent
from testbed.evidence.provenance import UNSAID


def test_a_folder_is_told_with_its_marks_its_consent_and_its_sources(typed: Any, data: Path) -> None:
    told = typed("provenance", data / "london_set")
    assert told.returncode == 0, told.stderr
    assert "Face Research Lab London Set (london-set, 2017)" in told.stdout
    for line in (
        "recognised by its name and by",
        "consent    yes",
        "status     available",
        "figshare.5047666",
    ):
        assert line in told.stdout


def test_an_unknown_folder_gets_no_clean_bill_and_no_error(typed: Any, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.jpg").touch()
    told = typed("provenance", "mine")
    assert told.returncode == 0
    assert "no clean bill" in told.stdout


def test_ones_own_folder_that_is_named_alike_is_not_said_to_be_the_set(typed: Any, tmp_path: Path) -> None:
    (tmp_path / "own" / "Anna_Smith").mkdir(parents=True)
    for i in range(1, 4):
        (tmp_path / "own" / "Anna_Smith" / f"Anna_Smith_000{i}.jpg").touch()
    told = typed("provenance", "own").stdout
    assert told.startswith("Files named like those of Labeled Faces in the Wild (LFW)")
    for words in ("recognised perhaps, by the names of its files alone", "for example Anna_Smith/Anna_Smith_0001.jpg"):
        assert words in told


def test_the_table_is_listed_and_each_set_told(typed: Any) -> None:
    table = typed("provenance", "--list").stdout
    assert "dukemtmc" in table
    told = typed("provenance", "--about", "wildtrack").stdout
    assert "status     not known" in told
    assert "unknown" not in table + told
    told = typed("provenance", "--about", "tiny-images").stdout
    assert "RETRACTED (2020-06-29)" in told


def test_a_scenario_is_told_by_its_folders(typed: Any, write: Any, london: dict[str, Any], tmp_path: Path) -> None:
    told = typed("provenance", write(london))
    assert told.returncode == 0, told.stderr
    assert told.stdout.count("Face Research Lab London Set, name and structure") == 2


@pytest.mark.parametrize(("asked", "told"), [
    (("nowhere",), "nowhere: there is no such file or folder"),
    (("--about", "vgg-face"), "there is no data set 'vgg-face' in the table; did you mean `vggface`?"),
    ((), "name one thing to look at"),
    (("a.txt",), "a.txt: is neither a folder, a run nor a scenario"),
])  # fmt: skip
def test_wrong_input_is_one_sentence(typed: Any, tmp_path: Path, asked: tuple[str, ...], told: str) -> None:
    (tmp_path / "a.txt").touch()
    result = typed("provenance", *asked)
    assert result.returncode == 2
    assert result.stderr.startswith(f"testbed: {told}")
    assert result.stderr.count("\n") == 1


AUDIT = ("audit", "scores.csv", "--groups", "people.csv", "--threshold", 0.5, "--distance", "--out", "run")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of 16 people, half of whose labels somebody inferred."""
    lines = ["probe,reference,probe_subject,reference_subject,score"]
    for i in range(16):
        for j in range(16):
            near = 0.6 + (i * 7 + j * 3) % 10 / 25 - 0.2 * (i > 7 and j > 7)  # those of group b are more alike
            lines.append(f"c{i},p{j},s{i:02},s{j:02},{0.1 if i == j else near:.3f}")
    (tmp_path / "scores.csv").write_text("\n".join(lines) + "\n")
    rows = [f"s{i:02},{'ab'[i // 8]},{'inferred' if i % 2 else 'self-reported'}" for i in range(16)]
    (tmp_path / "people.csv").write_text("\n".join(["subject,group,group:provenance", *rows]) + "\n")
    (tmp_path / "wrong.csv").write_text("true,a,b\na,0.95,0.05\nb,0.05,0.95\n")
    return tmp_path


def test_inferred_labels_are_refused_without_leave_and_a_matrix(typed: Any, log: Path) -> None:
    allow, errors = "--allow-inferred", "--label-errors FILE"
    for given, missing in (((), f"{allow} and {errors}"), ((allow,), errors), (("--label-errors", "wrong.csv"), allow)):
        result = typed(*AUDIT, *given)
        assert result.returncode == 2
        assert result.stderr.startswith("testbed: people.csv: line 3: group is inferred")
        assert f"need {missing} as well" in result.stderr
        assert not (log / "run").exists()


def test_with_both_the_rates_are_given_twice_and_the_report_says_who_says_so(typed: Any, log: Path) -> None:
    result = typed(*AUDIT, "--allow-inferred", "--label-errors", "wrong.csv")
    assert result.returncode == 0, result.stderr
    evidence = json.loads((log / "run/evidence.json").read_text())
    assert evidence["labels"] == [
        {"attribute": "group", "provenance": "inferred", "people": 8},
        {"attribute": "group", "provenance": "self-reported", "people": 8},
    ]
    (rate,) = [row for row in evidence["label_sensitivity"]
               if (row["metric"], row["operating_point"]) == ("FMR", "own")
               and row["probe_group"] == row["reference_group"] == "b"]  # fmt: skip
    assert rate["least"] <= rate["value"] <= rate["corrected"] <= rate["greatest"]
    assert [row["words"] for row in evidence["provenance"]] == [UNSAID, "not stated"]
    page = (log / "run/report/index.html").read_text()
    first = " ".join(page[page.index('<section id="found">') :].split("</section>")[0].replace("\u202f", " ").split())
    assert "Labels of “group” are inferred, i.e. guesses, for 8 of 16 people: strangers within one group" in first
    ends = f"{percent(rate['least'])} to {percent(rate['greatest'])} among b".replace("\u202f", " ")
    assert ends in first
    assert "Labels of “group” are inferred" in result.stdout
    for told in ('id="labels"', "Group labels: who says so", "guessed from appearance", "self-reported"):
        assert told in page
    dropped = typed("evaluate", "run", "--label-errors", "none")
    assert (dropped.returncode, "labels of group are inferred" in dropped.stderr) == (2, True)
    assert typed("evaluate", "run").returncode == 0


def scenario(tmp_path: Path, **subjects: Any) -> Path:
    (tmp_path / "photos").mkdir(exist_ok=True)
    (tmp_path / "people.csv").write_text("subject,group\ns1,a\ns2,b\ns3,a\ns4,b\n")
    path = tmp_path / "scenario.yaml"
    path.write_text(yaml.safe_dump({
        "title": "t", "groups": ["group"], "subjects": {"table": "people.csv", **subjects},
        "references": {"images": "photos/{subject}_1.jpg"},
        "probes": {"kind": "stills", "images": "photos/{subject}_2.jpg"}, "systems": [{"pipeline": "dlib"}],
    }))  # fmt: skip
    return path


@pytest.mark.parametrize(("subjects", "matrix", "told"), [
    ({"provenance": {"group": "inferred"}}, "", "subjects.provenance.group: group is inferred"),
    ({"provenance": {"group": "inferred"}, "allow_inferred": True}, "", "subjects.provenance.group: group is inferred"),
    ({"provenance": {"group": "inferred"}, "allow_inferred": True, "label_errors": "no.csv"}, "",
     "there is no file no.csv"),
    ({"provenance": {"group": "inferred"}, "allow_inferred": True, "label_errors": "m.csv"},
     "true,a,c\na,1,0\nc,0,1\n", "m.csv: must have the column `true`"),
    ({"provenance": {"group": "guessed"}}, "", "subjects.provenance.group: should be one of"),
])  # fmt: skip
def test_a_scenario_says_before_anything_runs_what_inferred_labels_need(
    typed: Any, tmp_path: Path, subjects: dict[str, Any], matrix: str, told: str
) -> None:
    (tmp_path / "m.csv").write_text(matrix or "true,a,b\na,1,0\nb,0,1\n")
    result = typed("run", scenario(tmp_path, **subjects), "--out", "run")
    assert result.returncode == 2
    assert told in result.stderr
    assert not (tmp_path / "run").exists()
