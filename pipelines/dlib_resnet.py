"""dlib as an engineer would deploy it: HOG or MMOD detector, five-point alignment, ResNet template."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any, Literal

import numpy as np

from pipelines import dlib_models
from pipelines.interface import Captures, Image, PipelineInfo
from pipelines.model_file import digest


class DlibResnet:
    """dlib called directly.

    detector: `hog` (frontal, CPU) or `mmod` (a small network: better on turned faces, much slower).
    upsample: how many times the picture is doubled before detection; HOG needs about 80 px of face.
    detector_threshold: lowest detector score kept.
    jitters: random distortions averaged into each template (dlib's num_jitters; 1 is none).
    """

    def __init__(
        self,
        detector: Literal["hog", "mmod"] = "hog",
        upsample: int = 1,
        detector_threshold: float = 0.0,
        jitters: int = 1,
    ) -> None:
        import dlib

        weights = {name: dlib_models.model(name) for name in (dlib_models.EMBEDDER, dlib_models.FIVE_POINTS)}
        if detector == "mmod":
            weights[dlib_models.MMOD] = dlib_models.model(dlib_models.MMOD)
            self._mmod: Any = dlib.cnn_face_detection_model_v1(str(weights[dlib_models.MMOD]))
        else:
            self._hog: Any = dlib.get_frontal_face_detector()
        self._shape: Any = dlib.shape_predictor(str(weights[dlib_models.FIVE_POINTS]))
        self._resnet: Any = dlib.face_recognition_model_v1(str(weights[dlib_models.EMBEDDER]))
        self._detector, self._upsample = detector, upsample
        self._threshold, self._jitters = detector_threshold, jitters
        self.info = PipelineInfo(
            name="dlib",
            versions={"dlib": dlib.__version__},
            models={name: digest(path) for name, path in weights.items()},
            training_data=dlib_models.TRAINING_DATA,
            metric="euclidean",
            direction="distance",
            score_range=(0.0, 1.5),
            threshold=0.6,
            threshold_source="dlib's face_recognition example: below 0.6 is the same person",
            percent_rule=dlib_models.PERCENT_RULE,
            dimensions=128,
            licence="Boost (dlib), CC0 (weights)",
            options={
                "detector": detector, "upsample": upsample,
                "detector_threshold": detector_threshold, "jitters": jitters,
            },
        )  # fmt: skip

    def capture(self, images: Sequence[Image]) -> list[Captures]:
        """Every face of each picture, in the detector's order."""
        return [self._faces(image) for image in images]

    def enrol(self, images: Sequence[Image]) -> list[Captures]:
        """Reference photographs are treated as camera frames are."""
        return self.capture(images)

    def _faces(self, image: Image) -> Captures:
        started = perf_counter()
        rectangles, scores = self._detect(np.ascontiguousarray(image))
        detected = perf_counter()
        shapes = [self._shape(image, rectangle) for rectangle in rectangles]
        aligned = perf_counter()
        templates = [self._resnet.compute_face_descriptor(image, shape, self._jitters) for shape in shapes]
        return Captures.of(
            boxes=[(r.left(), r.top(), r.right() + 1, r.bottom() + 1) for r in rectangles],
            templates=[np.array(template) for template in templates],
            dimensions=128,
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
