"""What a black box may answer, and how it is told where it answers something else."""

import numpy as np
import pytest

from pipelines.black_box import answers, asked, fault, incomparable, misshapen, unlisted
from pipelines.errors import InputError
from pipelines.interface import Candidates, Captures

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


FACES = Captures.of([(0, 0, 9, 9)], [[1.0, 2.0]], 2, {})


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (fault([("a/1", 1.0)], GALLERY, 3, "distance"), "returned a list; give Candidates"),
        (misshapen(FACES, 1, 2), "returned a Captures; give a list of Captures"),
        (misshapen([FACES, None], 2, 2), "returned a list; give a list of Captures"),
        (misshapen([FACES] * 2, 1, 2), "returned 2 Captures for 1 picture; give one for each"),
        (
            misshapen([FACES], 1, 3),
            "returned boxes, scores and templates of shapes (1, 4), (1,), (1, 2) and 1 reasons; they should",
        ),
        (incomparable([[1.0]], 2, 1), "returned scores of shape (1, 1); it should be (2, 1)"),
        (incomparable([[1.0], [np.nan]], 2, 1), "returned nan for templates 1 and 0"),
        (unlisted(None, GALLERY), "returned None; give a mapping"),
        (unlisted({"z/1": "blurred"}, GALLERY), "returned 'z/1', which it was not given"),
        (misshapen([FACES], 1, 2) + incomparable([[1.0]], 1, 1) + unlisted({"a/1": "blurred"}, GALLERY), ""),
    ],
)
def test_an_answer_of_another_kind_is_told(told, sentence):
    assert told.startswith(sentence)
    assert bool(told) == bool(sentence)


def test_what_a_system_raises_is_one_sentence_that_says_when():
    def expired():
        raise RuntimeError("licence\nexpired")

    with pytest.raises(InputError, match=r"^system box: the search of picture 3 raised RuntimeError: licence expired$"):
        asked("box", "the search of picture 3", expired)
    with pytest.raises(InputError, match=r"^system box: it raised TypeError: "):
        asked("box", "it", lambda: None, len)  # what cannot even be looked at
    with pytest.raises(InputError, match=r"^system box: it is wrong$"):
        asked("box", "it", lambda: 1, lambda answer: "is wrong")
    assert asked("box", "it", lambda: 1) == 1


def test_a_system_is_known_by_what_it_can_be_asked():
    assert answers(type("T", (), {"capture": 1})()) == "templates"
    assert answers(type("C", (), {"capture": 1, "compare": 1})()) == "comparisons"
    assert answers(type("S", (), {"search": 1, "enrol": 1})()) == "searches"
