"""A folder of pictures as a camera's recording: which there are, in what order, and which a truth file means."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from pipelines.errors import InputError
from pipelines.model_file import digest
from testbed.sources.frames import Frame
from testbed.sources.photographs import read_photograph

MAX_PICTURES = 1_000_000
_SUFFIXES = (".png", ".jpg", ".jpeg")
_DIGITS = re.compile("([0-9]+)")


@dataclass(frozen=True)
class PictureSequence:
    """What a folder holds: `names` within it in natural order, and `times` `(n,)` float64 seconds, by frame index.

    Width and height are those of the first picture that can be read. `notices` say what the report must mention.
    """

    path: Path
    names: tuple[str, ...]
    width: int
    height: int
    times: npt.NDArray[np.float64]
    notices: tuple[str, ...]
    backwards: ClassVar[bool] = False
    """Their order is their clock."""

    def __len__(self) -> int:
        return len(self.names)


def sequence(folder: Path, seconds_apart: float) -> PictureSequence:
    """The PNG and JPEG files in `folder` and the folders in it. Remembered while the folder is unchanged.

    Raises InputError where there is none that can be read, or more than a million.
    """
    try:
        return _sequence(folder, seconds_apart, folder.stat().st_mtime_ns)
    except OSError as error:
        raise InputError(
            f"{folder}: the folder of pictures cannot be read ({error.strerror}); correct `file`"
        ) from None


@lru_cache(maxsize=64)
def _sequence(folder: Path, seconds_apart: float, _changed: int) -> PictureSequence:
    names, others = _listed(folder)
    size = next(filter(None, (_size(folder / name) for name in names)), None)
    if size is None:
        held = f"none of its {len(names)} pictures can be read" if names else "holds no PNG or JPEG file"
        raise InputError(f"{folder}: {held}; name a folder of pictures")
    notices = []
    if others:
        notices.append(f"{folder}: {len(others)} files are no PNG or JPEG by name and are left out: {others[0]!r}, …")
    times = np.arange(len(names), dtype=np.float64) * seconds_apart
    return PictureSequence(folder, tuple(names), *size, times, tuple(notices))


def read_pictures(pictures: PictureSequence, start: int, count: int, every: int = 1) -> list[Frame]:
    """At most `count` frames from index `start`, every `every`-th; fewer at the end.

    One that cannot be read, is too large, or has another size than the first comes without image, with the reason.
    """
    return [_frame(pictures, index) for index in range(start, len(pictures), every)[:count]]


def digest_of_pictures(folder: Path) -> str:
    """SHA-256 of the names and contents of the folder's pictures. Raises OSError where they cannot be listed."""
    together = sha256()
    for name in _listed(folder)[0]:
        try:
            content = digest(folder / name)
        except OSError:
            content = "unreadable"
        together.update(f"{name}\0{content}\n".encode())
    return together.hexdigest()


def indices_of(
    pictures: PictureSequence, named: Sequence[tuple[int, str]], truth: Path
) -> tuple[list[int | None], int]:
    """The frame index that each (line, name) of the file `truth` means, and how many were left out (None).

    A name is a path whose end must be a picture's. Pictures in other folders than the camera's are left out; where
    no folder agrees and all names have the same, it was renamed: the files' own names decide. Raises InputError where
    a picture is not there, is meant twice, or a name means two.
    """
    parts = [PurePosixPath(name).parts for _, name in named]
    paths = [(pictures.path / name).parts for name in pictures.names]
    ends = {place[start:] for place in {path[:-1] for path in paths} for start in range(len(place) + 1)}
    folders = {each[:-1] for each in parts}
    if not folders & ends and len(folders) == 1:
        parts, folders = [each[-1:] for each in parts], {()}
    if folders and not folders & ends:
        raise InputError(
            f"{truth}: names pictures of {len(folders)} folders, none of which is the camera's; name one of them"
        )
    found: dict[tuple[str, ...], list[int]] = {}
    for length in {len(each) for each in parts if each[:-1] in ends}:
        for index, path in enumerate(paths):
            found.setdefault(path[-length:], []).append(index)
    here = [each[:-1] in ends for each in parts]
    absent = [name for (_, name), each, mine in zip(named, parts, here, strict=True) if mine and each not in found]
    if absent:
        raise InputError(f"{truth}: {_are(len(absent))} not in the folder {pictures.path.name}: {absent[0]!r}")
    result: list[int | None] = []
    first: dict[int, int] = {}
    for (line, name), each, mine in zip(named, parts, here, strict=True):
        meant = found[each] if mine else []
        if len(meant) > 1:
            one, other = (pictures.names[index] for index in meant[:2])
            raise InputError(f"{truth}: line {line}: {name!r} may be {one} or {other}; write more of its path")
        for index in meant:
            if index in first:
                raise InputError(f"{truth}: lines {first[index]} and {line} are of one picture, {name!r}; keep one")
            first[index] = line
        result += meant or [None]
    return result, here.count(False)


def by_number(pictures: PictureSequence, truth: Path) -> dict[int, int]:
    """Frame index by the last number in a picture's own name. Raises InputError where two have the same."""
    result: dict[int, int] = {}
    for index, name in enumerate(pictures.names):
        for number in _DIGITS.findall(PurePosixPath(name).stem)[-1:]:
            other = result.setdefault(int(number), index)
            if other != index:
                raise InputError(
                    f"{truth}: goes by the number in a picture's name, and {pictures.names[other]} and {name} have the "
                    "same; name a folder in which each has its own"
                )
    return result


def no_such(truth: Path, pictures: Iterable[int]) -> InputError:
    """What is said where pictures of these numbers are not there."""
    absent = sorted(set(pictures))
    return InputError(f"{truth}: {_are(len(absent))} not in the recording: number {absent[0]}, …")


def _are(count: int) -> str:
    return "a picture that it names is" if count == 1 else f"{count} pictures that it names are"


def _listed(folder: Path) -> tuple[list[str], list[str]]:
    """The pictures within `folder` in natural order, and the other files."""
    pictures: list[str] = []
    others: list[str] = []
    for place, folders, files in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for file in files:
            path = Path(place, file)
            name = path.relative_to(folder).as_posix()
            known = file.lower().endswith(_SUFFIXES) and not file.startswith(".") and name.isprintable()
            (pictures if known and path.is_file() else others).append(name)
        if len(pictures) > MAX_PICTURES:
            raise InputError(f"{folder}: holds more than {MAX_PICTURES:,} pictures; split it into several cameras")
    return sorted(pictures, key=_natural), sorted(others)


def _refuse(error: OSError) -> None:
    raise error


def _natural(name: str) -> tuple[list[list[str | int]], str]:
    """Sorts picture 9 before picture 10, folder by folder."""
    cut = [_DIGITS.split(part) for part in PurePosixPath(name).parts]
    return [[int(each) if i % 2 else each for i, each in enumerate(part)] for part in cut], name


def _size(path: Path) -> tuple[int, int] | None:
    try:
        height, width = read_photograph(path).shape[:2]
    except InputError:
        return None
    return width, height


def _frame(pictures: PictureSequence, index: int) -> Frame:
    path, seconds = pictures.path / pictures.names[index], float(pictures.times[index])
    try:
        image = read_photograph(path)
    except InputError as error:
        return Frame(None, index, seconds, str(error).removeprefix(f"{path}: "))
    height, width = image.shape[:2]
    if (width, height) != (pictures.width, pictures.height):
        expected = f"{pictures.width} × {pictures.height}"
        return Frame(None, index, seconds, f"the picture has {width} × {height} pixels, the first has {expected}")
    return Frame(image, index, seconds)
