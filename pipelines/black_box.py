"""What is held against black boxes: which kind a system is, and whether what it answers can be."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

import numpy as np

from pipelines.interface import Candidates

Answers = Literal["templates", "comparisons", "searches"]


def answers(system: Any) -> Answers:
    """What a system can be asked: it makes templates, compares its own (Comparer), or searches alone (Searcher)."""
    return "searches" if hasattr(system, "search") else "comparisons" if hasattr(system, "compare") else "templates"


def fault(found: Candidates, gallery: Collection[str], k: int, direction: str) -> str:
    """What is wrong with a list of candidates, as the end of a sentence; "" where nothing is."""
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
