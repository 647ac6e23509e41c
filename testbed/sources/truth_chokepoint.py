"""Truth as the ChokePoint set has it: XML with the eyes of known people in each picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from testbed.sources.annotations import Annotations, XmlReader, few_enough, rows_of
from testbed.sources.recording import Recording
from testbed.sources.sequence import PictureSequence, by_number, no_such
from testbed.sources.stills import face_box


def read_chokepoint(path: Path, footage: Recording | PictureSequence) -> Annotations:
    """The people of a ChokePoint file, each in a box made of the two eyes as for photographs (`stills.face_box`).

    A frame's number is that in the picture's name, or a clip's frame index. A face turned away has its eyes closer
    together, and so a smaller box than it fills. A frame in which somebody's eyes are not marked was not looked at.
    """
    reader = _Reader(path)
    reader.read()
    numbers = by_number(footage, path) if isinstance(footage, PictureSequence) else {n: n for n in range(len(footage))}
    absent = reader.frames.keys() - numbers.keys()
    if absent:
        raise no_such(path, absent)
    rows = rows_of((line, numbers[number], *more) for line, number, *more in reader.rows)
    eyeless = len(reader.eyeless)
    notices = [
        f"{path}: in {eyeless} pictures the eyes of somebody are not marked; they are not judged: only who has eyes "
        "there has a box"
    ] if eyeless else []  # fmt: skip
    looked_at = tuple(sorted(numbers[number] for number in reader.frames.keys() - reader.eyeless))
    return Annotations(rows, looked_at, tuple(notices))


class _Reader(XmlReader):
    root, what = "dataset", 'ChokePoint XML: <dataset><frame number="0"><person id="0001"><leftEye x="1" y="2"/>…'

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.frames: dict[int, int] = {}
        """The line of each frame's number."""
        self.eyeless: set[int] = set()
        self.rows: list[tuple[Any, ...]] = []
        self._number: int | None = None
        self._person: tuple[int, str] | None = None
        self._eyes: dict[str, tuple[float, float]] = {}

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        if name == "frame":
            number = self.count(name, attributes, "number")
            if number in self.frames:
                raise self.wrong(f"the frame {number} stands in line {self.frames[number]} already; keep one")
            self.frames[number], self._number = self.line, number
        elif name == "person":
            if self._number is None:
                raise self.wrong(f"<person> stands in no <frame>; it must be {self.what}")
            if "id" not in attributes:
                raise self.wrong(f"<person> has no id; it must be {self.what}")
            self._person, self._eyes = (self.line, attributes["id"]), {}
        elif name in ("leftEye", "rightEye"):
            self._eyes[name] = (self.number(name, attributes, "x"), self.number(name, attributes, "y"))

    def closed(self, name: str, text: str) -> None:
        if name == "frame":
            self._number = None
        elif name == "person" and self._person is not None and self._number is not None:
            line, subject = self._person
            if len(self._eyes) < 2:
                self.eyeless.add(self._number)
                return
            x1, y1, x2, y2 = map(float, face_box(np.array(list(self._eyes.values()))))
            self.rows.append((line, self._number, subject, None, x1, y1, x2 - x1, y2 - y1))
            few_enough(self.path, self.rows)
