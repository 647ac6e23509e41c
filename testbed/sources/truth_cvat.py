"""Truth from CVAT 1.1 XML, for images or for video: boxes of one label, with names where an attribute holds them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from pipelines.errors import InputError
from testbed.scenario.models import TruthFile
from testbed.sources.annotations import Annotations, XmlReader, few_enough, rows_of
from testbed.sources.recording import Recording
from testbed.sources.sequence import PictureSequence, indices_of
from testbed.sources.stills import named

_SHAPES = ("polygon", "polyline", "points", "ellipse", "mask", "cuboid", "skeleton")
_UNDEFINED = ("", "__undefined__")
"""What CVAT writes where an attribute was not chosen."""


def read_cvat(truth: TruthFile, footage: Recording | PictureSequence) -> Annotations:
    """The boxes of the file's one label, or of `truth.label`; who it is, where `truth.identity` names an attribute.

    Images are matched by name, and were all looked at. Of video, a track's boxes are taken as they stand: outside, it
    is not there, and nothing is filled in: a frame that a track skips was not looked at.
    """
    reader = _Reader(truth.file)
    reader.read()
    rows = _labelled(reader, truth)
    notices = _left_out(reader, truth.label or next((box.label for box in rows), None))
    if reader.images:
        frames, told = _of_images(reader, footage)
        looked_at = sorted(frames[i] for i in frames)
        rows = [box for box in rows if box.image in frames]
        at = [frames[box.image] for box in rows]
        notices += told
    else:
        looked_at, told = _of_video(reader, rows, footage)
        rows = [box for box in rows if not box.outside]
        at = [box.frame for box in rows]
        notices += told
    table = rows_of(
        (box.line, frame, box.attributes.get(truth.identity or ""), box.track, *box.corner, *box.sides)
        for box, frame in zip(rows, at, strict=True)
    )
    return Annotations(table, tuple(looked_at), tuple(notices))


@dataclass(slots=True)
class _Box:
    line: int
    label: str
    frame: int
    image: int
    track: str | None
    outside: bool
    corner: tuple[float, float]
    sides: tuple[float, float]
    attributes: dict[str, str] = field(default_factory=dict)


class _Reader(XmlReader):
    root, what = "annotations", "CVAT 1.1 XML, for images or for video"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.boxes: list[_Box] = []
        self.images: list[tuple[int, str, tuple[float, float]]] = []
        """Line, name, and width and height of each."""
        self.shapes: Counter[str | None] = Counter()
        """Shapes that are no boxes, by label."""
        self.task: dict[str, str] = {}
        """What `meta` says of the recording; of several tasks or jobs, the first."""
        self._image: int | None = None
        self._track: dict[str, str] | None = None
        self._inside: list[str] = []
        self._attribute = ""

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        self._inside.append(name)
        if name == "image":
            size = (self.number(name, attributes, "width"), self.number(name, attributes, "height"))
            if not attributes.get("name"):
                raise self.wrong(f"<image> has no name; it must be {self.what}")
            self._image = len(self.images)
            self.images.append((self.line, attributes["name"], size))
        elif name == "track":
            self._track = attributes
        elif name in _SHAPES:
            self.shapes[(self._track or attributes).get("label")] += 1
        elif name == "box":
            self.boxes.append(self._box(attributes))
            few_enough(self.path, self.boxes)
        elif name == "attribute":
            self._attribute = attributes.get("name", "")

    def closed(self, name: str, text: str) -> None:
        self._inside.pop()
        if name == "image":
            self._image = None
        elif name == "track":
            self._track = None
        elif name == "attribute" and self._inside[-1:] == ["box"] and text not in _UNDEFINED:
            self.boxes[-1].attributes[self._attribute] = text
        elif self._inside[1:2] == ["meta"] and text:
            self.task.setdefault(name if self._inside[-1] != "original_size" else f"original {name}", text)

    def _box(self, attributes: dict[str, str]) -> _Box:
        of = self._track if self._track is not None else attributes
        if (self._image is None) == (self._track is None) or "label" not in of:
            raise self.wrong(f"<box> stands in no <image> or <track>, or has no label; it must be {self.what}")
        x1, y1, x2, y2 = (self.number("box", attributes, side) for side in ("xtl", "ytl", "xbr", "ybr"))
        if "rotation" in attributes and self.number("box", attributes, "rotation"):
            raise self.wrong(f"the box is turned by {attributes['rotation']} degrees; draw it upright")
        tracked = self._track is not None
        return _Box(
            self.line,
            of["label"],
            self.count("box", attributes, "frame") if tracked else 0,
            -1 if self._image is None else self._image,
            of.get("id") if tracked else None,
            tracked and attributes.get("outside") == "1",
            (x1, y1),
            (x2 - x1, y2 - y1),
        )


def _labelled(reader: _Reader, truth: TruthFile) -> list[_Box]:
    labels = sorted({box.label for box in reader.boxes})
    if truth.label is None and len(labels) > 1:
        raise InputError(
            f"{reader.path}: has boxes of {len(labels)} labels ({named(labels)}); say which are heads or faces, "
            f"e.g. `label: {labels[0]}`"
        )
    if truth.label is not None and labels and truth.label not in labels:
        raise InputError(f"{reader.path}: has no box of the label {truth.label!r}; its labels are {named(labels)}")
    rows = [box for box in reader.boxes if truth.label in (None, box.label)]
    known = sorted({name for box in rows for name in box.attributes})
    if truth.identity is not None and rows and truth.identity not in known:
        raise InputError(
            f"{reader.path}: no box has the attribute {truth.identity!r}, which would say who it is; "
            f"its attributes are {named(known) or 'none'}"
        )
    return rows


def _left_out(reader: _Reader, label: str | None) -> list[str]:
    shapes = sum(count for of, count in reader.shapes.items() if label in (None, of))
    return [f"{reader.path}: {shapes} shapes are no upright boxes and are left out"] if shapes else []


def _of_images(reader: _Reader, footage: Recording | PictureSequence) -> tuple[dict[int, int], list[str]]:
    """The frame of each image of the file that is one of the camera's."""
    path = reader.path
    if not isinstance(footage, PictureSequence):
        raise InputError(
            f"{path}: is about pictures with names, and the camera is a clip; export `CVAT for video 1.1`, or name "
            "a folder of pictures"
        )
    indices, elsewhere = indices_of(footage, [image[:2] for image in reader.images], path)
    here = {i: index for i, index in enumerate(indices) if index is not None}
    frames = {i: index for i, index in here.items() if reader.images[i][2] == (footage.width, footage.height)}
    if here and not frames:
        width, height = reader.images[min(here)][2]
        raise InputError(
            f"{path}: its pictures have {width:g} × {height:g} pixels, those of the camera {footage.width} × "
            f"{footage.height}; name the pictures that were annotated"
        )
    notices = [f"{path}: {elsewhere} of its pictures lie in other folders and are left out"] if elsewhere else []
    if len(frames) < len(here):
        notices.append(f"{path}: {len(here) - len(frames)} of its pictures have another size than the first; left out")
    return frames, notices


def _of_video(reader: _Reader, rows: list[_Box], footage: Recording | PictureSequence) -> tuple[list[int], list[str]]:
    """The frames that were looked at."""
    path, task = reader.path, reader.task
    size = (task.get("original width"), task.get("original height"))
    if None not in size and size != (str(footage.width), str(footage.height)):
        raise InputError(
            f"{path}: is about a recording of {size[0]} × {size[1]} pixels, the camera's has {footage.width} × "
            f"{footage.height}; name the recording that was annotated"
        )
    start, step = _whole(task.get("start_frame")) or 0, _whole(task.get("frame_filter", "").rpartition("=")[2]) or 1
    stop = _whole(task.get("stop_frame"))
    looked_at = set(range(start, len(footage) if stop is None else min(stop + 1, len(footage)), step))
    tracks: dict[str | None, dict[int, bool]] = defaultdict(dict)
    for box in rows:
        tracks[box.track][box.frame] = box.outside
    skipped: set[int] = set()
    gaps = 0
    for frames in tracks.values():
        order = sorted(frames)
        for this, following in pairwise(order):
            if following - this > step and not frames[this]:
                gaps += 1
                skipped.update(range(this + 1, min(following, len(footage))))
    missed = len(skipped & looked_at)
    notices = [
        f"{path}: {gaps} times a track skips frames without being outside; nothing is filled in, and the {missed} "
        "frames are not judged (CVAT writes every frame of a track)"
    ] if missed else []  # fmt: skip
    return sorted(looked_at - skipped), notices


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None
