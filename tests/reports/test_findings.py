"""The sentences of the first screen."""

from __future__ import annotations

import re
from dataclasses import replace

import polars as pl
import pytest

from reports import findings, tables
from reports.reading import Contents, read
from reports.wording import THIN
from testbed.runs.directory import RunDirectory
from testbed.scenario.loading import reload

RATE = rf"[\d.]+{THIN}%"
FREE = rf"(, assumption-free \[[<\d.]+–[\d.]+{THIN}%\])?"
WHOLE = re.compile(rf"{RATE} \[[<\d.]+–[\d.]+{THIN}%\]{FREE} \([\d,]+ of [\d,]+ [a-z ]+, [\d,]+ (?:people|person)\)")


@pytest.fixture(scope="module")
def contents(stills: RunDirectory) -> Contents:
    return read(stills, reload(stills.manifest()["scenario"]))


def sentences(contents: Contents) -> list[str]:
    return [
        said
        for system in contents.systems
        for said in [
            *findings.headline(contents, system),
            *(each for finding in findings.findings(contents, system) for each in finding.sentences),
        ]
    ]


def test_every_printed_rate_carries_its_interval_and_numbers(contents: Contents) -> None:
    rates = 0
    for said in sentences(contents):
        rates += len(WHOLE.findall(said))
        rest = re.sub(rf"as high as {RATE}", "", WHOLE.sub("", said))
        assert f"{THIN}%" not in rest, f"a bare rate: {said}"
    assert rates >= 10


def test_a_group_shown_to_be_falsely_matched_more_is_said_with_both_rates(contents: Contents) -> None:
    (said,) = [said for said in findings.headline(contents, "one") if "falsely matched" in said]
    assert "People labelled black are falsely matched at least 5.3 times as often as those labelled white" in said
    assert len(WHOLE.findall(said)) == 2


def test_systems_of_which_the_same_is_to_be_said_stand_together(contents: Contents) -> None:
    ((systems, _),) = findings.headlines(contents)
    assert systems == "one and two"
    cells = {cell.id for cell in contents.cells if cell.system.label == "two"}
    apart = replace(contents, figures=[{**f, "errors": 1} if f["cell"] in cells else f for f in contents.figures])
    assert [system for system, _ in findings.headlines(apart)] == ["one", "two"]


def test_systems_with_the_same_figures_throughout_are_said_to_have_them(contents: Contents) -> None:
    assert contents.alike == [["one", "two"]]
    assert findings.same_throughout(contents) == ["one and two give the same figures throughout (same model files)."]
    last = [*contents.planning[:-1], {**contents.planning[-1], "design_effect": 9.0}]
    apart = replace(contents, planning=last)
    assert apart.alike == [["one"], ["two"]]
    assert findings.same_throughout(apart) == []


def test_labels_as_wrong_as_stated_are_spoken_of_on_the_first_screen(contents: Contents) -> None:
    def said(*rows: tuple[str, str, bool | None, bool | None, str | None]) -> list[str]:
        given = [
            {"metric": metric, "kind": "eth", "file": "m.csv", "system": system, "condition": {"name": "clean"},
             "operating_point": "own", "shown": shown, "still_shown": still, "why": why}
            for system, metric, shown, still, why in rows
        ]  # fmt: skip
        return findings.checks(replace(contents, label_sensitivity=given))

    start = "If labels of “eth” are wrong as often as stated (m.csv): "
    assert said() == []
    assert said(("one", "FMR", True, True, None), ("one", "FNMR", True, False, None)) == [
        f"{start}1 of the 2 higher rates that are shown stay shown."
    ]
    assert said(("one", "FMR", True, False, None)) == [f"{start}the one higher rate that is shown is no longer shown."]
    why = "cannot be recomputed: it is impossible"
    assert said(("one", "FMR", True, None, why)) == [f"{start}FMR {why}."]
    both = said(("one", "FMR", False, True, None), ("two", "FMR", False, True, None))
    assert both == [f"one and two. {start}no higher rate is shown as labelled; 1 more would be shown."]


def test_claims_are_told_in_short_with_every_verdict_of_theirs(contents: Contents, hostile: str) -> None:
    safe = f"“Safe {hostile}”: "
    assert findings.claimed(contents) == [
        f"{safe}refuted in 1 of 4 statements, supported in 1, not settled in 1, untestable in 1 (one)."
    ]
    refuted = replace(contents, claims=[
        {**c, "verdict": "refuted", "system": s} for s in contents.systems for c in contents.claims
    ])  # fmt: skip
    assert findings.claimed(refuted) == [f"{safe}refuted."]


def test_a_lower_limit_is_rounded_down_never_up(contents: Contents) -> None:
    assert not any("5.4 times" in said for said in sentences(contents))


def test_a_difference_not_shown_is_not_called_equality(contents: Contents) -> None:
    (open_,) = [f for f in findings.findings(contents, "one") if f.weight == "open"]
    assert "male" in open_.sentences[0]
    assert "not evidence that they are treated alike" in open_.sentences[0]


def test_an_insufficient_group_is_named_and_never_ranked(contents: Contents, hostile: str) -> None:
    cell = contents.reference_cell("one")
    (unknown,) = [f for f in findings.findings(contents, "one") if f.weight == "unknown"]
    assert any(f"{hostile} (3)" in said for said in unknown.sentences)
    worst = findings.worst_group(contents, cell)
    assert worst is not None
    assert worst["probe_group"] == "black", "the highest rate of all is of a group with too few people"
    order = [group.name for group, _ in tables.ranked(contents, cell, contents.kinds()["eth"])]
    assert order == ["black", "white", hostile]


def test_the_worst_condition_for_finding_faces_is_told(contents: Contents) -> None:
    said = " ".join(each for f in findings.findings(contents, "one") for each in f.sentences)
    assert f"It was worst at 12{THIN}px between the eyes: 50.0{THIN}%" in said


def test_clean_is_the_reference_condition_wherever_it_stands(contents: Contents) -> None:
    turned = replace(contents, cells=contents.cells[::-1])
    assert turned.conditions[0] != "clean"
    assert turned.reference_condition == "clean"


def test_a_condition_under_which_no_face_was_found_is_not_what_the_first_screen_speaks_of(contents: Contents) -> None:
    unseen = [cell.id for cell in contents.cells if cell.condition_name == "clean"]
    state = pl.when(pl.col("cell").is_in(unseen)).then(pl.lit("failed")).otherwise("state")
    without = replace(contents, attempts=contents.attempts.with_columns(state=state))
    assert without.wanted_condition == "clean"
    assert without.reference_condition == next(name for name in contents.conditions if name != "clean")
    nobody = replace(contents, attempts=contents.attempts.with_columns(state=pl.lit("failed")))
    assert nobody.reference_condition == "clean"


def test_passers_by_are_spoken_of_per_found_face(video: RunDirectory) -> None:
    contents = read(video, reload(video.manifest()["scenario"]))
    said = " ".join(findings.headline(contents, "one"))
    assert "In clips that show nobody enrolled" in said
    assert "every one of them false" in said
    assert WHOLE.search(said)
    assert findings.too_small(contents) == "", "nothing was compared, so no group was found too small"


def changed(contents: Contents, **of: dict[str, object]) -> Contents:
    """`contents` with the fields of everybody's FMR within groups set anew."""
    return replace(contents, figures=[
        {**f, **of["figure"]} if f["metric"] == "FMR" and f["probe_group"] == "all" else f for f in contents.figures
    ])  # fmt: skip


def test_the_assumption_free_interval_stands_beside_the_other(contents: Contents) -> None:
    assert f"], assumption-free [0–75.0{THIN}%] (" in findings.headline(contents, "one")[0]


def test_too_few_people_are_told_first(contents: Contents) -> None:
    few = changed(contents, figure={"verdict": "insufficient", "subjects": 4})
    said = findings.headline(few, "one")[0]
    assert said.startswith("Only 4 people could be compared, too few to say how often a stranger")


def test_what_is_only_shown_under_other_conditions_is_told(contents: Contents) -> None:
    def verdict(row: dict[str, object], i: int) -> dict[str, object]:
        there = row["cell"] == contents.cells[1].id and row["group"] in ("male", "black")
        return {**row, "verdict": "higher", "low": 2.0 + i / 1000} if there else row

    turned = replace(contents, differentials=[verdict(d, i) for i, d in enumerate(contents.differentials)])
    (found,) = [f for f in findings.findings(turned, "one") if f.heading == "Under other conditions"]
    assert found.sentences[0].startswith(
        f"At 20{THIN}px between the eyes, people labelled male are falsely matched at "
    )
    assert len(found.sentences) == 1, "what is said of the reference condition is not said again"


def test_other_conditions_are_told_in_the_order_of_the_scenario(contents: Contents) -> None:
    """At 12 px the ratio is higher than at 20 px, which the scenario names first."""
    times = {"inter_eye_px=20": 3.0, "inter_eye_px=12": 7.0}
    turned = replace(contents, differentials=[
        {**d, "verdict": "higher", "low": times[d["condition"]["name"]]}
        if d["group"] == "male" and d["kind"] == "sex" and d["condition"]["name"] in times else d
        for d in contents.differentials
    ])  # fmt: skip
    (found,) = [f for f in findings.findings(turned, "one") if f.heading == "Under other conditions"]
    assert [said.split()[1] for said in found.sentences] == ["20", "12"]


def test_groups_without_a_false_match_are_not_ranked(contents: Contents) -> None:
    none = replace(contents, figures=[{**f, "errors": 0, "value": 0.0} for f in contents.figures])
    worst = findings.worst_group(none, none.reference_cell("one"))
    assert worst is not None
    assert worst["high"] == max(
        f["high"] for f in none.figures
        if (f["cell"], f["metric"], f["verdict"]) == (worst["cell"], "FMR", "measured")
        and f["probe_group"] == f["reference_group"] != "all"
    )  # fmt: skip


def test_a_look_up_is_told_by_strangers_shown_as_a_match_and_how_alike_the_middle_one_is(contents: Contents) -> None:
    cell = contents.reference_cell("one")
    rate = {"value": 0.39, "low": 0.25, "high": 0.55, "errors": 39, "comparisons": 100, "subjects": 100,
            "assumption_free": None}  # fmt: skip
    middle = {"share": 0.5, "score": 0.35, "percent": 65.0, "score_low": 0.4, "percent_low": 60.0, "score_high": 0.3,
              "percent_high": 70.0}  # fmt: skip
    hit = {"group": "all", "shown": contents.main_point, "threshold": 0.6, "percent": None, "absent": rate}
    look = {"cell": cell.id, "people": 101, "top_hits": [hit],
            "top_scores": {"people": 100, "searches": 100, "deciles": [middle]}}  # fmt: skip
    said = " ".join(findings.headline(replace(contents, lookup=[look]), "one")).replace(THIN, " ")
    assert (
        "At its own threshold of 0.6, of searches for somebody who was not there, among 101 people who passed, 39.0 % "
        "[25.0–55.0 %] (39 of 100 searches, 100 people) have a stranger on top who is called a match."
    ) in said
    assert "is shown as 65 % (95 % limits: at least 60 % and at most 70 %)" in said
    assert "return somebody" not in said
