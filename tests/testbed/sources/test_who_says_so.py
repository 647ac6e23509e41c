"""Who says who belongs to which group may differ from person to person."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from pipelines.errors import InputError
from testbed.evidence.provenance import labels_of
from testbed.scenario.models import Subjects
from testbed.sources.subjects import read_subjects


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(text)
    return path


def test_a_column_of_the_table_says_it_for_each_person_and_the_scenario_for_the_rest(tmp_path: Path) -> None:
    path = table(tmp_path, "subject,sex,sex:provenance\na,f,assigned\nb,m,\nc,f,measured\n")
    people = read_subjects(Subjects(table=path, provenance={"sex": "self-reported"}), ["sex"])
    assert people["sex:provenance"].to_list() == ["assigned", "self-reported", "measured"]
    assert labels_of(people, ["sex"]) == [
        {"attribute": "sex", "provenance": "assigned", "people": 1},
        {"attribute": "sex", "provenance": "measured", "people": 1},
        {"attribute": "sex", "provenance": "self-reported", "people": 1},
    ]


def test_a_word_that_is_no_provenance_is_refused_by_its_line(tmp_path: Path) -> None:
    path = table(tmp_path, "subject,sex,sex:provenance\na,f,assigned\nb,m,probably\n")
    with pytest.raises(InputError, match="line 3: sex:provenance: 'probably' is none of self-reported, assigned"):
        read_subjects(Subjects(table=path), ["sex"])


def test_one_inferred_label_is_refused_unless_it_is_wanted_and_its_errors_are_stated(tmp_path: Path) -> None:
    path = table(tmp_path, "subject,sex,sex:provenance\na,f,assigned\nb,m,inferred\n")
    allow, errors = "`allow_inferred: true`", "`label_errors: FILE`"
    for given, missing in (
        ({}, f"{allow} and {errors}"), ({"allow_inferred": True}, errors), ({"label_errors": path}, allow)
    ):  # fmt: skip
        with pytest.raises(InputError, match=f"line 3: sex is inferred; .* need {missing} as well"):
            read_subjects(Subjects(table=path, **given), ["sex"])
    stated = Subjects(table=path, allow_inferred=True, label_errors=path)
    assert read_subjects(stated, ["sex"])["sex:provenance"].to_list() == ["assigned", "inferred"]


def test_a_scenario_that_declares_inferred_labels_is_refused_alike() -> None:
    with pytest.raises(ValidationError, match="sex is inferred"):
        Subjects(table=Path("people.csv"), provenance={"sex": "inferred"})
