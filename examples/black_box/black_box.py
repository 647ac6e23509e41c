"""Two toy systems that know nothing of faces: one compares its own templates, the other only answers searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from pipelines.interface import Candidates, Captures, Image, PipelineInfo


def _info(name: str, side: int, dimensions: int, **options: object) -> PipelineInfo:
    return PipelineInfo(
        name=name,
        versions={},
        models={},
        training_data="none",
        metric="its own",
        direction="distance",
        score_range=(0.0, 255.0),
        threshold=20.0,
        threshold_source="made up for this example",
        percent_rule=None,
        dimensions=dimensions,
        licence="Apache-2.0",
        options={"side": side, **options},
    )


def _thumbnail(image: Image, side: int) -> bytes:
    """The middle of the picture in grey, every thumbnail as bright as the others."""
    height, width = image.shape[:2]
    middle = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[
        height // 6 : -height // 6 or None, width // 4 : -width // 4 or None
    ]
    small = cv2.resize(middle, (side, side), interpolation=cv2.INTER_AREA).astype(float)
    return np.clip(small - small.mean() + 128, 1, 255).astype(np.uint8).tobytes()


class Thumbnails:
    """A Comparer: every picture is one face, its template so many bytes.

    side: pixels of a thumbnail's side.
    """

    def __init__(self, side: int = 16) -> None:
        self.info = _info("thumbnails", side, side * side)
        self._side = side

    def capture(self, images: Sequence[Image]) -> list[Captures]:
        """One face a picture. The bytes travel as numbers and come back unchanged."""
        return [self._face(image) for image in images]

    def enrol(self, images: Sequence[Image]) -> list[Captures]:
        """As camera frames."""
        return self.capture(images)

    def compare(self, probes: npt.NDArray[np.float32], references: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Mean absolute difference of the thumbnails `(n, m)`."""
        left, right = (templates.astype(np.uint8).astype(float) for templates in (probes, references))
        return np.array([np.abs(right - each).mean(axis=1) for each in left]).reshape(len(left), len(right))

    def _face(self, image: Image) -> Captures:
        template = np.frombuffer(_thumbnail(image, self._side), np.uint8)
        height, width = image.shape[:2]
        return Captures.of([(0, 0, width, height)], [template], self.info.dimensions, {})


class ThumbnailSearch:
    """A Searcher with an approximate index: thumbnails are sorted into shelves, and only some shelves are looked at.

    side: pixels of a thumbnail's side. shelves: how many there are. looked_at: how many are looked at; all of them
    make the search exact.
    """

    def __init__(self, side: int = 16, shelves: int = 4, looked_at: int = 2) -> None:
        self.info = _info("thumbnail-search", side, 0, shelves=shelves, looked_at=looked_at)
        self._side, self._shelves, self._looked_at = side, shelves, looked_at

    def enrol(self, images: Mapping[str, Image]) -> Mapping[str, str]:
        """All of them can be enrolled."""
        self._names = list(images)
        self._gallery = np.array([self._vector(image) for image in images.values()])
        self._middles = self._gallery[: self._shelves]
        self._shelf = np.array([self._nearest(vector)[0] for vector in self._gallery])
        return {}

    def search(self, image: Image, k: int) -> Candidates:
        """The best of the shelves that are nearest."""
        vector = self._vector(image)
        here = np.flatnonzero(np.isin(self._shelf, self._nearest(vector)[: self._looked_at]))
        scores = np.abs(self._gallery[here] - vector).mean(axis=1)
        best = np.argsort(scores, kind="stable")[:k]
        return Candidates(tuple(self._names[i] for i in here[best]), scores[best])

    def _nearest(self, vector: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        return np.argsort(np.abs(self._middles - vector).mean(axis=1), kind="stable")

    def _vector(self, image: Image) -> npt.NDArray[np.float64]:
        return np.frombuffer(_thumbnail(image, self._side), np.uint8).astype(float)
