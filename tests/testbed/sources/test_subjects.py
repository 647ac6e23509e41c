from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.errors import InputError
from testbed.scenario.models import Subjects
from testbed.sources.subjects import group_labels, pick, read_subjects


def write(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "people.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_ids_stay_text_and_labels_carry_who_says_so(tmp_path: Path) -> None:
    table = write(tmp_path, "\ufeffface_id,sex,skin\n007,female,black\n001, male ,\n")
    people = read_subjects(Subjects(table=table, id="face_id", provenance={"sex": "self-reported"}), ["sex", "skin"])
    assert people.columns == ["subject", "sex", "sex:provenance", "skin", "skin:provenance"]
    assert people.rows() == [
        ("001", "male", "self-reported", "unknown", "not stated"),
        ("007", "female", "self-reported", "black", "not stated"),
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_cells_are_separated_as_the_header_is(tmp_path: Path, separator: str) -> None:
    text = 'id,sex\na,"f, as stated; by her"\n'.replace("id,sex", f"id{separator}sex").replace("a,", f"a{separator}")
    people = read_subjects(Subjects(table=write(tmp_path, text), id="id"), ["sex"])
    assert people["subject", "sex"].rows() == [("a", "f, as stated; by her")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("subject,sex\n", "no rows"),
        ("subject,sexe\na,f\n", "did you mean 'sexe'"),
        ("subject|sex\na|f\n", "has no column"),
        ("subject,sex\na,f\na,m\n", "lines 2 and 3 both have the id 'a'"),
        ("subject,sex\n,f\n", "line 2: the id '' is empty"),
        ("subject,sex\na,f\n../b,m\n", "line 3: the id '../b' holds a path separator"),
        ("subject,sex\na\\b,m\n", "path separator"),
        ('subject,sex\n"a\tb",m\n', "control character"),
        ("subject,sex\na,all\n", "line 2: 'all' as a label of sex is reserved"),
        ("subject,sex\na,f,x\n", "line 2: has 3 cells where the header has 2"),
        ("subject,sex,sex\na,f,x\n", "two columns are called 'sex'"),
        (b"subject,sex\na,\xff\xfe\n", "not UTF-8"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not UTF-8"),
    ],
)
def test_a_bad_table_is_refused_in_one_sentence_that_names_the_place(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    with pytest.raises(InputError, match=r"people\.csv") as refused:
        read_subjects(Subjects(table=write(tmp_path, text)), ["sex"])
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_missing_table_and_provenance_of_no_column_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_subjects(Subjects(table=tmp_path / "none.csv"), [])
    with pytest.raises(InputError, match="has no column 'race'"):
        read_subjects(Subjects(table=write(tmp_path, "subject\na\n"), provenance={"race": "assigned"}), [])


def test_labels_that_would_merge_two_groups_or_read_as_a_total_are_refused(tmp_path: Path) -> None:
    merged = write(tmp_path, "subject,a,b\n1,south asian,male\n2,south,asian male\n")
    with pytest.raises(InputError, match="both be called 'south asian male'"):
        read_subjects(Subjects(table=merged), ["a", "b"])
    total = write(tmp_path, "subject,a,b\n1,same,group\n")
    with pytest.raises(InputError, match="'same group'"):
        read_subjects(Subjects(table=total), ["a", "b"])


def test_the_full_cross_follows_the_order_of_the_groups() -> None:
    people = pl.DataFrame({"subject": ["1"], "sex": ["male"], "skin": ["black"]})
    assert group_labels(people, ["skin", "sex"]).to_list() == ["black male"]
    assert group_labels(people, []).to_list() == ["everyone"]


def test_a_limit_takes_turns_over_the_groups() -> None:
    labels = ["b"] * 6 + ["a"] * 3 + ["c"]
    people = pl.DataFrame({"subject": [f"{i}" for i in range(10)], "g": labels})
    assert pick(people, ["g"], 6)["g"].value_counts().sort("g").rows() == [("a", 3), ("b", 2), ("c", 1)]
    assert pick(people, ["g"], 4)["subject"].to_list() == ["0", "6", "7", "9"]
    assert len(pick(people, ["g"], 99)) == 10
