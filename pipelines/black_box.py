"""What is held against systems under test: which kind one is, and whether what it answers can be."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, TypeVar

import numpy as np

from pipelines.errors import InputError
from pipelines.interface import Candidates, Captures

T = TypeVar("T")
Answers = Literal["templates", "comparisons", "searches"]


def answers(system: Any) -> Answers:
    """What a system can be asked: it makes templates, compares its own (Comparer), or searches alone (Searcher)."""
    return "searches" if hasattr(system, "search") else "comparisons" if hasattr(system, "compare") else "templates"


def asked(system: str, what: str, call: Callable[[], T], wrong: Callable[[T], str] = lambda _: "") -> T:
    """What the system of that label answers to `call`, which is `what` it was asked, as a sentence begins.

    Raises InputError where its code raises anything, its answer cannot be read, or `wrong` ends the sentence.
    """
    try:
        answer = call()
        told = wrong(answer)
    except InputError:
        raise
    except Exception as error:  # other people's code may fail in any way
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(f"system {system}: {what} raised {said[:300]}") from error
    if told:
        raise InputError(f"system {system}: {what} {told}")
    return answer


def misshapen(found: list[Captures], images: int, dimensions: int) -> str:
    """What is wrong with the captures of so many images, as the end of a sentence; "" where nothing is."""
    if not isinstance(found, list | tuple) or not all(isinstance(faces, Captures) for faces in found):
        return f"returned {_kind(found)}; give a list of Captures, one for each picture"
    if len(found) != images:
        return f"returned {len(found)} Captures for {images} picture{'s' * (images != 1)}; give one for each"
    for faces in found:
        n, shapes = len(faces.boxes), [np.shape(each) for each in (faces.boxes, faces.scores, faces.templates)]
        if shapes != [(n, 4), (n,), (n, dimensions)] or len(faces.reasons) != n:
            return (
                f"returned boxes, scores and templates of shapes {', '.join(map(str, shapes))} and "
                f"{len(faces.reasons)} reasons; they should be {(n, 4)}, {(n,)}, {(n, dimensions)} and {n}"
            )
    return ""


def incomparable(scores: Any, n: int, m: int) -> str:
    """What is wrong with the scores of n templates with m, as the end of a sentence; "" where nothing is."""
    numbers = np.asarray(scores, np.float64)
    if numbers.shape != (n, m):
        return f"returned scores of shape {numbers.shape}; it should be ({n}, {m})"
    if not np.isfinite(numbers).all():
        u, v = np.argwhere(~np.isfinite(numbers))[0]
        return f"returned {numbers[u, v]} for templates {u} and {v}; a score must be a finite number"
    return ""


def unlisted(failed: Any, gallery: Collection[str]) -> str:
    """What is wrong with those that a Searcher could not enrol, as the end of a sentence; "" where nothing is."""
    if not isinstance(failed, Mapping):
        return f"returned {_kind(failed)}; give a mapping of those that could not be enrolled, and why: {{}} for none"
    unknown = next((name for name in failed if name not in gallery), None)
    return "" if unknown is None else f"returned {unknown!r}, which it was not given; return names that it was given"


def _kind(answer: object) -> str:
    return "None" if answer is None else f"a {type(answer).__name__}"


def fault(found: Candidates, gallery: Collection[str], k: int, direction: str) -> str:
    """What is wrong with a list of candidates, as the end of a sentence; "" where nothing is."""
    if not isinstance(found, Candidates):
        return f"returned {_kind(found)}; give Candidates, names with their scores"
    names, scores = found.references, np.asarray(found.scores, np.float64)
    if scores.shape != (len(names),):
        return f"returned {len(names)} references with scores of shape {scores.shape}; give a score for each"
    if len(names) > k:
        return f"returned {len(names)} references where {k} were asked for; give the best {k}"
    for name in names:
        if name not in gallery:
            return f"returned {name!r}, which is not in its gallery; return names that it was given"
    if len(set(names)) < len(names):
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        return f"returned {twice!r} twice; return each reference once, with its best score"
    if not np.isfinite(scores).all():
        return "returned a score that is not finite (NaN or infinite); leave such a reference out"
    worse = np.diff(scores) * (-1 if direction == "similarity" else 1)
    if (worse < 0).any():
        i = int(np.argmax(worse < 0))
        return (
            f"returned scores out of order, {scores[i]:g} before {scores[i + 1]:g} ({direction}); return the best first"
        )
    return ""
