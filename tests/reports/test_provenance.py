"""What a reader is told of where the data come from: from the run's own names, and without anybody's file."""

from __future__ import annotations

import json
from typing import Any

from reports.stage import report
from testbed.evidence.provenance import NO_CLEAN_BILL, NOBODY, Recognised, known_sets, labels_of, provenance_of
from testbed.runs.directory import RunDirectory
from testbed.runs.tables import SUBJECTS
from testbed.scenario.loading import Loaded, reload


def told(run: RunDirectory, loaded: Loaded) -> list[dict[str, Any]]:
    """Its evidence, with rows of provenance and labels put in; those rows."""
    rows = provenance_of(run, loaded.scenario)
    evidence = json.loads((run.path / "evidence.json").read_text())
    evidence |= {"provenance": rows, "labels": labels_of(run.read(SUBJECTS), loaded.scenario.groups)}
    run.write_bytes("evidence.json", json.dumps(evidence).encode())
    return rows


def test_data_that_were_withdrawn_are_named_on_top_and_explained_below(made_up: tuple[RunDirectory, Loaded]) -> None:
    run, loaded = made_up
    pattern = "/home/somebody/brainwash/{subject}_2.jpg"
    loaded = reload({**loaded.resolved, "probes": {"kind": "stills", "images": pattern}})
    systems = run.manifest()["systems"]
    run.note(scenario=loaded.resolved, systems={"one": {**systems["one"], "training_data": "WIDER FACE and more"}})
    rows = told(run, loaded)
    assert [(row["what"], row["set"], row["sure"], row["flag"]) for row in rows] == [
        ("references", None, None, None),
        ("probes", "brainwash", "name alone", "withdrawn"),
        ("training data of one", "wider-face", "as declared", "no consent"),
        ("training data of two", None, None, None),
    ]
    assert rows[0]["words"] == NO_CLEAN_BILL
    assert "unpublished" in rows[-1]["words"]
    assert "somebody" not in json.dumps(rows)
    page = report(run, loaded).read_text(encoding="utf-8")
    for said in (
        "Withdrawn by its makers: Brainwash (probes, by its name alone).",
        "one was trained on pictures of people who were not asked: WIDER FACE.",
        "removed at the request of the depositor",
        "Group labels: who says so",
        "whoever handed the labels in does not say",
    ):
        assert said in page
    assert "/home/somebody" not in page


def test_files_that_are_only_named_alike_are_flagged_with_a_perhaps(made_up: tuple[RunDirectory, Loaded]) -> None:
    run, loaded = made_up
    row = next(known for known in known_sets() if known.id == "lfw")
    evidence = json.loads((run.path / "evidence.json").read_text())
    evidence["provenance"] = [{
        **dict.fromkeys(("licence", "withdrawn", "why", "copies", "gathered")), "what": "probes", "set": "lfw",
        "name": row.name, "sure": "perhaps", "marks": [], "status": row.status, "consent": row.consent, "sources": [],
        "flag": row.flag, "words": Recognised(row, "perhaps", ()).said(),
    }]  # fmt: skip
    run.write_bytes("evidence.json", json.dumps(evidence).encode())
    page = report(run, loaded).read_text(encoding="utf-8")
    for said in (
        "who were not asked: perhaps Labeled Faces in the Wild (LFW) (probes, by names of files alone).",
        "<td>files named like those of Labeled Faces in the Wild (LFW)<small>perhaps</small></td>",
        "<small>if it is that set</small>",
        "If they are that set: Those pictured were not asked",
    ):
        assert said in page


def test_where_nothing_is_to_be_flagged_nothing_is_said_on_top(made_up: tuple[RunDirectory, Loaded]) -> None:
    run, loaded = made_up
    told(run, loaded)
    page = report(run, loaded).read_text(encoding="utf-8")
    assert "Where the data come from." not in page
    assert NO_CLEAN_BILL in page


def test_people_who_do_not_exist_were_not_to_be_asked(made_up: tuple[RunDirectory, Loaded]) -> None:
    run, loaded = made_up
    run.note(synthetic=True)
    assert provenance_of(run, loaded.scenario)[0]["words"] == NOBODY
