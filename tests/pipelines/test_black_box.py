"""What a black box may answer, and how it is told where it answers something else."""

import numpy as np
import pytest

from pipelines.black_box import answers, fault
from pipelines.interface import Candidates

GALLERY = ("a/1", "b/1", "c/1")


def test_a_list_in_order_ties_among_it_and_an_empty_one_are_fine():
    assert fault(Candidates(("b/1", "a/1", "c/1"), np.array([1.0, 1.0, 2.0])), GALLERY, 3, "distance") == ""
    assert fault(Candidates(("b/1", "a/1"), np.array([2.0, 1.0])), GALLERY, 3, "similarity") == ""
    assert fault(Candidates((), np.zeros(0)), GALLERY, 3, "distance") == ""


@pytest.mark.parametrize(
    ("names", "scores", "sentence"),
    [
        (("z/1",), [1.0], "returned 'z/1', which is not in its gallery"),
        (("a/1", "b/1", "a/1"), [1.0, 2.0, 3.0], "returned 'a/1' twice"),
        (("a/1", "b/1"), [1.0, np.nan], "returned a score that is not finite"),
        (("a/1", "b/1"), [2.0, 1.0], "returned scores out of order, 2 before 1 (distance)"),
        (("a/1", "b/1"), [1.0], "returned 2 references with scores of shape (1,)"),
        (("a/1", "b/1", "c/1", "a/1"), [1.0, 2.0, 3.0, 4.0], "returned 4 references where 3 were asked for"),
    ],
)
def test_a_list_that_cannot_be_is_told_with_what_is_wrong(names, scores, sentence):
    assert sentence in fault(Candidates(names, np.array(scores)), GALLERY, 3, "distance")


def test_a_system_is_known_by_what_it_can_be_asked():
    assert answers(type("T", (), {"capture": 1})()) == "templates"
    assert answers(type("C", (), {"capture": 1, "compare": 1})()) == "comparisons"
    assert answers(type("S", (), {"search": 1, "enrol": 1})()) == "searches"
