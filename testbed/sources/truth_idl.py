"""Truth from IDL, as the Brainwash set has it: a picture's name and the heads in it, one picture to a line."""

from __future__ import annotations

import re
from pathlib import Path

from pipelines.errors import InputError
from testbed.sources.annotations import Annotations, bounded, few_enough, rows_of
from testbed.sources.sequence import PictureSequence, indices_of

_LINE = re.compile(r'"([^"]+)"\s*(:?)\s*')
_NUMBER = r"\s*([-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*"
_BOX = re.compile(rf"\({_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}\)(?:\s*:{_NUMBER}(?:/{_NUMBER})?)?\s*(,?)\s*")
_AS = '"picture.png": (x1, y1, x2, y2), (x1, y1, x2, y2);'


def read_idl(path: Path, pictures: PictureSequence) -> Annotations:
    """The heads of an IDL file: anonymous, never followed; corners in either order, scores (`:0.9`) not used.

    A line without boxes says that nobody is in the picture. Raises InputError, with the line, where it is none.
    """
    named: list[tuple[int, str]] = []
    boxes: list[tuple[int, int, tuple[float, ...]]] = []  # line, which of `named`, corners
    try:
        with bounded(path).open(encoding="utf-8-sig") as stream:
            for line, text in enumerate(stream, start=1):
                if text.strip():
                    name, found = _line(path, line, text.strip())
                    boxes += [(line, len(named), box) for box in found]
                    named.append((line, name))
                    few_enough(path, boxes)
    except OSError as error:
        raise InputError(f"{path}: the truth file cannot be read ({error.strerror}); correct `file`") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is no text in UTF-8; an IDL file has lines such as {_AS}") from None
    if not named:
        raise InputError(f"{path}: is empty; an IDL file has lines such as {_AS}")
    frames, elsewhere = indices_of(pictures, named, path)
    rows = rows_of(
        (line, frames[which], None, None, min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1))
        for line, which, (x1, y1, x2, y2) in boxes
        if frames[which] is not None
    )
    notices = [f"{path}: {elsewhere} of its pictures lie in other folders and are left out"] if elsewhere else []
    return Annotations(rows, tuple(sorted(each for each in frames if each is not None)), tuple(notices))


def _line(path: Path, line: int, text: str) -> tuple[str, list[tuple[float, ...]]]:
    """Name and corners (x1, y1, x2, y2) of one line, without blanks around it."""
    text = text.removesuffix(";").removesuffix(".").rstrip()
    head = _LINE.match(text)
    if head is None:
        raise InputError(f"{path}: line {line}: is no line of IDL; it must be {_AS}")
    place, more, boxes = head.end(), False, list[tuple[float, ...]]()
    while place < len(text) or more:
        box = _BOX.match(text, place)
        if box is None or not (head[2] if not boxes else more):
            raise InputError(f"{path}: line {line}: box {len(boxes) + 1} cannot be read; the line must be {_AS}")
        boxes.append(tuple(float(box[i]) for i in range(1, 5)))
        few_enough(path, boxes)
        place, more = box.end(), bool(box[7])
    return head[1], boxes
