"""The `dlib` pipeline with its network run by ONNX Runtime: the same templates to 1e-5, many times sooner."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pipelines import dlib_graph, dlib_models
from pipelines.dlib_faces import DIMENSIONS, DlibFaces
from pipelines.interface import Image
from pipelines.onnx_session import session

SIDE = 150
"""Pixels of an aligned face."""

LIMIT = 1e-5
"""Largest difference from dlib's own templates, number by number, at which the two are called equal."""

_AT_ONCE = 16


class DlibOnnx(DlibFaces):
    """dlib's detector, alignment and weights; the network runs in ONNX Runtime, all faces of a picture at once.

    detector: `hog` (frontal, CPU) or `mmod` (a small network: better on turned faces, much slower).
    upsample: how many times the picture is doubled before detection; HOG needs about 80 px of face.
    detector_threshold: lowest detector score kept.
    """

    def __init__(
        self, detector: Literal["hog", "mmod"] = "hog", upsample: int = 1, detector_threshold: float = 0.0
    ) -> None:
        import dlib

        super().__init__(detector, upsample, detector_threshold)
        self._chip: Any = dlib.get_face_chip
        self._resnet = Resnet(self._weights[dlib_models.EMBEDDER])
        self.info = self._describe(
            "dlib-onnx",
            {"dlib": dlib.__version__, "onnxruntime": self._resnet.version},
            "Boost (dlib), MIT (ONNX Runtime), CC0 (weights)",
            models={"dlib_resnet.onnx": self._resnet.sha256},
        )

    def _templates(self, image: Image, shapes: Sequence[Any]) -> list[npt.NDArray[np.float32]]:
        # Size and margin are those of dlib's compute_face_descriptor.
        return list(self._resnet.templates([self._chip(image, shape, SIDE, 0.25) for shape in shapes]))


class Resnet:
    """dlib's network in ONNX Runtime, on one thread. Raises InputError without the library or sound weights.

    version: of the library. sha256: of the ONNX model, built from dlib's weights.
    """

    def __init__(self, weights: Path) -> None:
        model = dlib_graph.model(weights)
        self._session = session(model)
        import onnxruntime

        self.version: str = onnxruntime.__version__
        self.sha256 = sha256(model).hexdigest()

    def templates(self, chips: Sequence[Image]) -> npt.NDArray[np.float32]:
        """Templates `(n, 128)` of n aligned faces, RGB uint8 `(150, 150, 3)`; the same bits in any batch."""
        parts = [np.zeros((0, DIMENSIONS), np.float32)]
        for start in range(0, len(chips), _AT_ONCE):
            parts += self._session.run(None, {"chips": np.stack(chips[start : start + _AT_ONCE])})
        return np.concatenate(parts)


def difference(resnet: Resnet, chips: Sequence[Image]) -> float:
    """The largest difference, number by number, between dlib's own templates of aligned faces and those of `resnet`."""
    import dlib

    own = dlib.face_recognition_model_v1(str(dlib_models.model(dlib_models.EMBEDDER)))
    return float(np.abs([own.compute_face_descriptor(chip) for chip in chips] - resnet.templates(chips)).max())
