"""dlib as an engineer would deploy it: HOG or MMOD detector, five-point alignment, ResNet template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pipelines import dlib_models
from pipelines.dlib_faces import DlibFaces
from pipelines.interface import Image


class DlibResnet(DlibFaces):
    """dlib called directly.

    detector: `hog` (frontal, CPU) or `mmod` (a small network: better on turned faces, much slower).
    upsample: how many times the picture is doubled before detection; HOG needs about 80 px of face.
    detector_threshold: lowest detector score kept.
    jitters: random distortions averaged into each template (dlib's num_jitters; 1 is none; above it dlib draws
        anew each time, and a run is no longer repeated to the byte).
    """

    def __init__(
        self,
        detector: Literal["hog", "mmod"] = "hog",
        upsample: int = 1,
        detector_threshold: float = 0.0,
        jitters: int = 1,
    ) -> None:
        import dlib

        super().__init__(detector, upsample, detector_threshold)
        self._resnet: Any = dlib.face_recognition_model_v1(str(self._weights[dlib_models.EMBEDDER]))
        self._jitters = jitters
        self.info = self._describe(
            "dlib", {"dlib": dlib.__version__}, "Boost (dlib), CC0 (weights)", options={"jitters": jitters}
        )

    def _templates(self, image: Image, shapes: Sequence[Any]) -> list[npt.NDArray[np.float64]]:
        return [np.array(self._resnet.compute_face_descriptor(image, shape, self._jitters)) for shape in shapes]
