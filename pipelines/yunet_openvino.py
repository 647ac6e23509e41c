"""An edge pipeline: YuNet (OpenCV) finds the face, an OpenVINO re-identification network makes the template."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from time import perf_counter
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.errors import InputError
from pipelines.interface import Captures, Image, PipelineInfo
from pipelines.model_file import ModelFile

# Where the five points lie in the 128×128 input, as the model's description in Open Model Zoo gives them.
REFERENCE_POINTS = 128 * np.array(
    [
        (0.31556875, 0.46157410714),
        (0.68262291667, 0.46157410714),
        (0.5002625, 0.64050535714),
        (0.349471875, 0.82469196429),
        (0.65343645833, 0.82469196429),
    ]
)


class YunetOpenvino:
    """YuNet + face-reidentification-retail-0095.

    detector: the YuNet ONNX file. embedder: the network's .xml. weights: its .bin.
    detector_threshold: lowest YuNet score kept.
    long_side: larger pictures are shrunk to this many pixels for detection only (YuNet is trained on faces
    of about 10 to 300 px and misses larger ones); the template is made from the full picture.
    """

    def __init__(
        self,
        detector: ModelFile,
        embedder: ModelFile,
        weights: ModelFile,
        detector_threshold: float = 0.6,
        long_side: int = 640,
    ) -> None:
        try:
            import openvino
        except ImportError:
            raise InputError("OpenVINO is not installed; `make setup` installs it") from None
        if embedder.path.with_suffix(".bin") != weights.path:
            raise InputError(
                f"{weights.path}: OpenVINO reads the weights beside {embedder.path.name}; put both in one folder"
            )
        # OpenCV 5 warns on every construction that its new engine ignores setPreferableTarget; nothing asks for it.
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        paths = [model.verified() for model in (detector, embedder, weights)]
        try:
            self._yunet: Any = cv2.FaceDetectorYN.create(
                str(paths[0]), "", (long_side, long_side), score_threshold=detector_threshold
            )
        except cv2.error as error:
            raise InputError(f"{paths[0]}: OpenCV cannot read it as a YuNet model ({_first_line(error)})") from None
        try:
            self._network: Any = openvino.Core().compile_model(
                str(paths[1]), "CPU", {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
            )
        except RuntimeError as error:
            raise InputError(f"{paths[1]}: OpenVINO cannot read it ({_first_line(error)})") from None
        takes = tuple(self._network.input(0).shape)
        if takes != (1, 3, 128, 128):
            raise InputError(f"{paths[1]}: takes {takes}, not (1, 3, 128, 128); give face-reidentification-retail-0095")
        self._long_side = long_side
        self._dimensions = int(np.prod(tuple(self._network.output(0).shape)[1:]))
        self.info = PipelineInfo(
            name="yunet-openvino",
            versions={"opencv": cv2.__version__, "openvino": version("openvino")},
            models={model.path.name: model.sha256.lower() for model in (detector, embedder, weights)},
            training_data=(
                "face-reidentification-retail-0095: not published by Intel; YuNet: WIDER FACE (photographs "
                "gathered from the web, without the consent of those pictured)"
            ),
            metric="cosine",
            direction="similarity",
            score_range=(-1.0, 1.0),
            threshold=0.4,
            threshold_source=(
                "Open Model Zoo's face_recognition_demo: distance (1 − cos)/2 at most 0.3, that is cos at least 0.4"
            ),
            percent_rule="(1+cos)/2",
            dimensions=self._dimensions,
            licence="MIT (YuNet), Apache-2.0 (network, OpenVINO)",
            options={"detector_threshold": detector_threshold, "long_side": long_side},
        )

    def capture(self, images: Sequence[Image]) -> list[Captures]:
        """Every face of each picture, in the detector's order."""
        return [self._faces(image) for image in images]

    def enrol(self, images: Sequence[Image]) -> list[Captures]:
        """Reference photographs are treated as camera frames are."""
        return self.capture(images)

    def _faces(self, image: Image) -> Captures:
        started = perf_counter()
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        height, width = bgr.shape[:2]
        shrink = min(1.0, self._long_side / max(height, width))
        small = bgr if shrink == 1.0 else cv2.resize(bgr, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        self._yunet.setInputSize((small.shape[1], small.shape[0]))
        found = self._yunet.detect(small)[1]
        faces = np.zeros((0, 15), np.float32) if found is None else found.astype(np.float32)
        corners = np.column_stack([faces[:, 0:2], faces[:, 0:2] + faces[:, 2:4]]) / shrink
        points = faces[:, 4:14].reshape(-1, 5, 2) / shrink
        detected = perf_counter()
        chips = [_align(bgr, five) for five in points]
        aligned = perf_counter()
        templates = [self._template(chip) for chip in chips]
        return Captures.of(
            boxes=corners,
            templates=templates,
            dimensions=self._dimensions,
            timings={
                "detect": detected - started,
                "align": aligned - detected,
                "template": perf_counter() - aligned,
            },
            scores=faces[:, 14],
            landmarks=points,
        )

    def _template(self, chip: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        tensor = chip.transpose(2, 0, 1)[None].astype(np.float32)
        return np.array(self._network([tensor])[0], dtype=np.float32).reshape(-1)


def _align(bgr: npt.NDArray[Any], points: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """The face brought to the network's five points by a similarity (least squares, all five points)."""
    matrix = similarity(points.astype(np.float64), REFERENCE_POINTS)
    chip: npt.NDArray[np.uint8] = cv2.warpAffine(bgr, matrix, (128, 128), flags=cv2.INTER_LINEAR)
    return chip


def similarity(source: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The `(2, 3)` rotation, scale and shift that takes `source` to `target`, `(n, 2)` each (Umeyama 1991)."""
    centre_s, centre_t = source.mean(axis=0), target.mean(axis=0)
    s, t = source - centre_s, target - centre_t
    # In the plane the least-squares rotation-with-scale has a closed form: no SVD, no reflection.
    a = float((s * t).sum() / (s * s).sum())
    b = float((s[:, 0] * t[:, 1] - s[:, 1] * t[:, 0]).sum() / (s * s).sum())
    linear = np.array([[a, -b], [b, a]])
    return np.column_stack([linear, centre_t - linear @ centre_s])


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1].strip()
