"""What the pipelines on dlib share: its detectors, its five points, and what is known of its network for faces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pipelines import dlib_models
from pipelines.interface import Captures, Image, PipelineInfo
from pipelines.model_file import digest

DIMENSIONS = 128


class DlibFaces(ABC):
    """Faces found and marked by dlib; a subclass makes their templates with dlib's network, and sets `info`."""

    info: PipelineInfo

    def __init__(self, detector: Literal["hog", "mmod"], upsample: int, detector_threshold: float) -> None:
        import dlib

        names = [dlib_models.EMBEDDER, dlib_models.FIVE_POINTS, *([dlib_models.MMOD] if detector == "mmod" else [])]
        self._weights = {name: dlib_models.model(name) for name in names}
        if detector == "mmod":
            self._mmod: Any = dlib.cnn_face_detection_model_v1(str(self._weights[dlib_models.MMOD]))
        else:
            self._hog: Any = dlib.get_frontal_face_detector()
        self._shape: Any = dlib.shape_predictor(str(self._weights[dlib_models.FIVE_POINTS]))
        self._detector, self._upsample, self._threshold = detector, upsample, detector_threshold

    def capture(self, images: Sequence[Image]) -> list[Captures]:
        """Every face of each picture, in the detector's order."""
        return [self._faces(image) for image in images]

    def enrol(self, images: Sequence[Image]) -> list[Captures]:
        """Reference photographs are treated as camera frames are."""
        return self.capture(images)

    @abstractmethod
    def _templates(self, image: Image, shapes: Sequence[Any]) -> Sequence[npt.ArrayLike]:
        """One template for each of a picture's faces, given as dlib's five points."""

    def _describe(
        self,
        name: str,
        versions: Mapping[str, str],
        licence: str,
        models: Mapping[str, str] | None = None,
        options: Mapping[str, object] | None = None,
    ) -> PipelineInfo:
        """`info` of a pipeline; `models` and `options` are those beyond what all of them have."""
        return PipelineInfo(
            name=name,
            versions=versions,
            models={**{name: digest(path) for name, path in self._weights.items()}, **(models or {})},
            training_data=dlib_models.TRAINING_DATA,
            metric="euclidean",
            direction="distance",
            score_range=(0.0, 1.5),
            threshold=0.6,
            threshold_source="dlib's face_recognition example: below 0.6 is the same person",
            percent_rule=dlib_models.PERCENT_RULE,
            dimensions=DIMENSIONS,
            licence=licence,
            options={
                "detector": self._detector, "upsample": self._upsample,
                "detector_threshold": self._threshold, **(options or {}),
            },
        )  # fmt: skip

    def _faces(self, image: Image) -> Captures:
        started = perf_counter()
        rectangles, scores = self._detect(np.ascontiguousarray(image))
        detected = perf_counter()
        shapes = [self._shape(image, rectangle) for rectangle in rectangles]
        aligned = perf_counter()
        templates = self._templates(image, shapes)
        return Captures.of(
            boxes=[(r.left(), r.top(), r.right() + 1, r.bottom() + 1) for r in rectangles],
            templates=templates,
            dimensions=DIMENSIONS,
            timings={
                "detect": detected - started,
                "align": aligned - detected,
                "template": perf_counter() - aligned,
            },
            scores=scores,
            landmarks=[_five_points(shape) for shape in shapes],
        )

    def _detect(self, image: Image) -> tuple[list[Any], list[float]]:
        if self._detector == "mmod":
            found = [f for f in self._mmod(image, self._upsample) if f.confidence >= self._threshold]
            return [f.rect for f in found], [f.confidence for f in found]
        rectangles, scores, _ = self._hog.run(image, self._upsample, self._threshold)
        return list(rectangles), list(scores)


def _five_points(shape: Any) -> list[tuple[float, float]]:
    """dlib's five points (two corners of each eye, base of the nose) as two eyes, nose, and no mouth (NaN)."""
    corners = np.array([(shape.part(i).x, shape.part(i).y) for i in range(5)], dtype=float)
    # dlib's order is: person's left eye (outer, inner), person's right eye (outer, inner), nose.
    right, left = corners[0:2].mean(axis=0), corners[2:4].mean(axis=0)
    missing = (float("nan"), float("nan"))
    return [tuple(left), tuple(right), tuple(corners[4]), missing, missing]
