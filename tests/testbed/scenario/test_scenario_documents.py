from __future__ import annotations

import pytest

from testbed.scenario.documents import parse
from testbed.scenario.loading import ScenarioError, load


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "s.yaml: is empty"),
        ("# only a comment\n", "s.yaml: is empty"),
        ("- a\n- b\n", "s.yaml:1: the file holds no mapping at its top level"),
        ("title: x\nsystems:\n\t- a\n", "s.yaml:3: is not valid YAML: a tab begins"),
        ("title: a: b\n", "s.yaml:1: is not valid YAML: a colon stands where none can"),
        ("title: [a\n", "s.yaml:2: is not valid YAML"),
        ("title: 'a\n", "s.yaml:2: is not valid YAML"),
        ("title: a\n---\ntitle: b\n", "s.yaml:2: is not valid YAML: a second document begins"),
        ("title: a\nseed: \x01\n", "s.yaml:2: holds a control character (code 1)"),
        ("a: &x [1]\nb: *x\n", "s.yaml:1: anchors and aliases"),
        ("a: 1\nb: *x\n", "s.yaml:2: anchors and aliases"),
        ("a: " + "[" * 100_000, "s.yaml:1: is nested more than 20 deep"),
        ("a: [" + "1," * 30_000 + "]", "s.yaml:1: holds more than 20000 values"),
        ("a: " + "x" * (1 << 20), "s.yaml: is larger than 1 MiB"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else value,
)
def test_what_cannot_be_read_is_one_sentence_with_its_line(refused, text, problem):
    (told,) = refused(text)
    assert told.startswith(problem)


def test_a_bomb_of_aliases_is_refused_before_it_swells(refused):
    bomb = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    assert refused(bomb) == ["s.yaml:1: anchors and aliases (& and *) are not read; write the value out"]


def test_text_that_is_not_utf8_is_told_with_its_line(folder):
    path = folder / "s.yaml"
    path.write_bytes("title: x\nquestion: Gesichter auf größe\n".encode("latin-1"))
    with pytest.raises(ScenarioError, match=r"s\.yaml:2: is not UTF-8 text"):
        load(path)


def test_a_byte_order_mark_is_no_mistake(folder, base):
    path = folder / "s.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + base.encode())
    assert load(path).scenario.title == "Small faces"


def test_an_absent_file_and_a_folder_are_told(folder):
    with pytest.raises(ScenarioError, match="there is no such file"):
        load(folder / "none.yaml")
    with pytest.raises(ScenarioError, match="is a folder"):
        load(folder)


def test_a_key_given_twice_is_told_with_both_lines(refused, base):
    (told,) = refused(base + "title: again\n")
    assert told == "s.yaml:1: title: the key is given again at s.yaml:15; keep one of the two"


def test_no_tag_makes_an_object(refused, base):
    (told,) = refused(base.replace("Small faces", "!!python/object/apply:os.getcwd []"))
    assert told == "s.yaml:1: title: the tag !!python/object/apply:os.getcwd is not read here; drop it"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("on", "on"), ("true", True), ("1e-2", 0.01), ("010", 10), ("1:30", "1:30"), ("0x10", "0x10"),
        ("2026-11-22", "2026-11-22"), ("~", None), ("", None), ("'5'", "5"), ("-3", -3), ("١", "١"), ("1_000", "1_000"),
    ],
)  # fmt: skip
def test_plain_values_are_those_of_yaml_1_2(text, value):
    read = parse(text, "s").value
    assert read == value
    assert type(read) is type(value)


# -- --set ------------------------------------------------------------------------------------------
def test_set_replaces_values_entries_and_whole_subtrees(read):
    changed = read(overrides=["subjects.limit=24", "conditions.1.inter_eye_px=[60, 20]", "systems.0.name=mine"])
    assert changed.scenario.subjects.limit == 24
    assert [cell.id for cell in changed.cells] == ["mine--clean", "mine--inter_eye_px=60", "mine--inter_eye_px=20"]
    assert [cell.id for cell in read(overrides=["conditions=[clean]"]).cells] == ["plain--clean"]
    assert read(overrides=["subjects.limit=24", "subjects.limit="]).scenario.subjects.limit is None


@pytest.mark.parametrize(
    ("assignment", "problem"),
    [
        ("subjects.limt=24", "subjects.limt: unknown key; did you mean `limit`?"),
        ("subject.limit=24", "subject: unknown key; did you mean `subjects`?"),
        ("subjects.limit=1", "subjects.limit: should be at least 2, not 1"),
        ("probes.kind=vidoe", "probes.kind: should be one of stills, video, synthetic, log, not 'vidoe'; did you mean"),
        ("conditions.7.fps=3", "`conditions` is a list with the entries 0 to 1; '7' is none of them"),
        ("conditions.0.fps=3", "`conditions.0` is the single value 'clean', which has no 'fps'"),
        ("conditions=[clean", "is not valid YAML"),
        ("seed=&a 3", "anchors and aliases"),
        ("seed", "is no assignment; write key=value"),
        ("subjects..limit=3", "is no assignment; write key=value"),
    ],
)
def test_a_mistake_in_set_is_told_where_it_was_typed(refused, assignment, problem):
    (told,) = refused(overrides=[assignment])
    assert told.startswith(f"--set {assignment}: {problem}")
