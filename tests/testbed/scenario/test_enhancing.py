"""What a scenario says of enhancement: draws as conditions of their own, names, columns, and mistakes."""

from __future__ import annotations

import pytest

from testbed.replay.stage import cells_table
from testbed.scenario.enhancing import Completion
from testbed.scenario.loading import reload

PRIORS = """\
priors:
  A: {people: [{count: 20}]}
"""


def test_each_draw_is_a_condition_of_its_own(read, base):
    how = "{inter_eye_px: 20, enlarge: 2, enhance: [none, bicubic, {prior: A, draws: 3}]}"
    loaded = read(base.replace("inter_eye_px: 20", how) + PRIORS)
    assert [cell.condition_name for cell in loaded.cells] == [
        "clean", "enhance=none", "enhance=bicubic", *(f"enhance=prior-A-{k}" for k in (1, 2, 3)),
    ]  # fmt: skip
    assert loaded.cells[4].condition.enhance == Completion(prior="A", draw=2)
    assert reload(loaded.resolved).cells == loaded.cells
    columns = cells_table(loaded).select("enhance", "draw", "enlarge").rows()
    assert columns == [
        ("none", None, None), ("none", None, None), ("bicubic", None, 2), *(("prior:A", k, 2) for k in (1, 2, 3)),
    ]  # fmt: skip


def test_one_prior_alone_and_a_clean_picture_may_be_enhanced(read, base):
    text = base.replace("- clean", "- {clean: true, enhance: {prior: A, draws: 2}, enlarge: 3}") + PRIORS
    loaded = read(text)
    assert [cell.condition_name for cell in loaded.cells[:2]] == [
        f"clean,enhance=prior-A-{k},enlarge=3" for k in (1, 2)
    ]
    assert reload(loaded.resolved).cells == loaded.cells


def test_a_model_is_counted_from_the_scenario_s_folder_and_named_by_its_file(read, base, folder):
    (folder / "my net.onnx").write_bytes(b"x")
    loaded = read(base.replace("inter_eye_px: 20", "{inter_eye_px: 20, enhance: [{model: my net.onnx}, lanczos]}"))
    assert [cell.condition_name for cell in loaded.cells[1:]] == ["enhance=model-my-net.onnx", "enhance=lanczos"]
    assert loaded.cells[1].condition.enhance.model == folder / "my net.onnx"
    assert cells_table(loaded)["enhance"].to_list() == ["none", "model:my net.onnx", "lanczos"]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("bicubik", "should be one of none, bicubic, lanczos, not 'bicubik'"),
        ("{prior: B}", "names no prior; add it under `priors` (A)"),
        ("[none, {prior: A, draws: 0}]", "conditions[1].enhance[1].draws: should be at least 1, not 0"),
        ("{prior: A, draw: 1, draws: 2}", "says both `draw` and `draws`; keep one of them"),
        ("{prior: A, drawz: 2}", "unknown key; did you mean `draw"),
        ("{model: gone.onnx}", "there is no file gone.onnx"),
        ("none, enlarge: [2, 3]", "sweeps over the same value twice"),
        ("bicubic, enlarge: 9", "enlarge: should be at most 8, not 9"),
    ],
)
def test_a_mistake_is_one_sentence_where_it_was_made(refused, base, how, told):
    (sentence,) = refused(base.replace("inter_eye_px: 20", f"{{inter_eye_px: 20, enhance: {how}}}") + PRIORS)
    assert told in sentence
    assert sentence.startswith("s.yaml:12")


def test_more_people_than_a_prior_holds_are_refused(refused, base):
    (told,) = refused(base + "priors:\n  A: {people: [{count: 300}, {count: 201}]}\n")
    assert "has 501 people; a prior has at most 500" in told


def test_more_components_than_portraits_are_refused(refused, base):
    (told,) = refused(base + "priors:\n  A: {people: [{count: 10}]}\n")
    assert "60 " not in told.split("components, not")[0]
    assert told.endswith("at most 59 principal components, not 60; name more people or fewer `components`")
