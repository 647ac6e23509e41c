"""What every system under test looks like from outside: pictures in, templates and boxes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""An RGB picture, uint8 `(h, w, 3)`."""

Metric = Literal["euclidean", "cosine", "its own"]
"""How templates are compared; `its own`: by the system itself, as a Comparer or Searcher."""


@dataclass(frozen=True)
class PipelineInfo:
    """What a system says about itself; every field reaches the report.

    `threshold` and `score_range` are in the system's own unit. `direction` says which way is more
    alike. `percent_rule` names the rule by which its scores are shown as "percent" (METRICS.md § What
    a similarity or a "percent" means), or None when it shows none. `models` maps file names to SHA-256 digests;
    `options` is what the system was built with.
    """

    name: str
    versions: Mapping[str, str]
    models: Mapping[str, str]
    training_data: str
    metric: Metric
    direction: Literal["distance", "similarity"]
    score_range: tuple[float, float]
    threshold: float
    threshold_source: str
    percent_rule: str | None
    dimensions: int
    licence: str
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Captures:
    """All faces of one image, as arrays; row i of every array is the same face.

    boxes `(n, 4)` float32 pixels x1 y1 x2 y2; scores `(n,)` float32, the detector's own, NaN where it
    gives none; landmarks `(n, 5, 2)` float32 pixels (image-left eye, image-right eye, nose, image-left
    mouth corner, image-right mouth corner) or None; templates `(n, d)` float32, rows of NaN where none
    could be made; reasons `(n,)`: "" where a template was made, else why not. timings: seconds by stage.
    """

    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    landmarks: npt.NDArray[np.float32] | None
    templates: npt.NDArray[np.float32]
    reasons: tuple[str, ...]
    timings: Mapping[str, float]

    def __len__(self) -> int:
        return len(self.boxes)

    def fault(self, i: int) -> str:
        """Why face i has no template that can be compared; "" where it has one."""
        if self.reasons[i]:
            return self.reasons[i]
        if not np.isfinite(self.templates[i]).all():
            return "the template is not finite (NaN or infinite)"
        return "" if self.templates[i].any() else "the template is all zeros"

    @classmethod
    def of(
        cls,
        boxes: npt.ArrayLike,
        templates: Sequence[npt.ArrayLike],
        dimensions: int,
        timings: Mapping[str, float],
        scores: npt.ArrayLike | None = None,
        landmarks: npt.ArrayLike | None = None,
    ) -> Captures:
        """Captures from what a library returns; a template of another length than `dimensions` is refused.

        Refused means: its row is NaN and `reasons` says why, so that the face counts as a failure to acquire.
        """
        corners = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)
        rows = np.full((len(corners), dimensions), np.nan, dtype=np.float32)
        reasons = []
        for i, template in enumerate(templates):
            vector = np.asarray(template, dtype=np.float32).reshape(-1)
            if vector.shape != (dimensions,):
                reasons.append(f"the template has {vector.size} numbers instead of {dimensions}")
            else:
                rows[i] = vector
                reasons.append("")
        return cls(
            boxes=corners,
            scores=np.full(len(corners), np.nan, np.float32) if scores is None else np.asarray(scores, np.float32),
            landmarks=None if landmarks is None else np.asarray(landmarks, np.float32).reshape(-1, 5, 2),
            templates=rows,
            reasons=tuple(reasons),
            timings=dict(timings),
        )


class Pipeline(Protocol):
    """A system under test: stateless after construction, one thread, same picture → same answer."""

    info: PipelineInfo

    def capture(self, images: Sequence[Image]) -> list[Captures]:
        """Every face in each camera frame."""
        ...

    def enrol(self, images: Sequence[Image]) -> list[Captures]:
        """The one face of each reference photograph; zero or several faces come back as they are."""
        ...


class Comparer(Pipeline, Protocol):
    """A system whose templates mean something to itself alone: it is handed back what it made, and compares.

    Templates are rows of `info.dimensions` numbers; bytes fit in them unchanged, one number each.
    """

    def compare(self, probes: npt.NDArray[np.float32], references: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Scores `(n, m)` of templates `(n, d)` and `(m, d)`."""
        ...


@dataclass(frozen=True)
class Candidates:
    """What a search returned, best first: names of reference photographs, and their scores `(n,)` float64."""

    references: tuple[str, ...]
    scores: npt.NDArray[np.float64]


class Searcher(Protocol):
    """A system that only answers searches: no template and no comparison is seen. `info.dimensions` is 0."""

    info: PipelineInfo

    def enrol(self, images: Mapping[str, Image]) -> Mapping[str, str]:
        """Make these photographs, by name, the gallery; returns those that could not be enrolled, and why."""
        ...

    def search(self, image: Image, k: int) -> Candidates:
        """The best of the gallery for one picture, at most `k`; nobody where no face is found."""
        ...
