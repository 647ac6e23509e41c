"""Photographs on disk: which file is whose, and their pixels."""

from __future__ import annotations

import glob
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from pipelines.errors import InputError
from pipelines.interface import Image

MAX_SIDE = 20_000
MAX_PIXELS = 100_000_000
FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF", "PPM", "JPEG2000", "TGA")
"""What is opened. Pillow knows more formats, but some of them call other programs (EPS calls Ghostscript)."""

_PLACE = "{subject}"


@dataclass(frozen=True, order=True)
class Photograph:
    """One file and whose face it shows."""

    subject: str
    path: Path


def find(pattern: str, subjects: Sequence[str]) -> list[Photograph]:
    """The photographs of `subjects`, sorted by subject, then path; several per person are allowed.

    `pattern` is a path with `{subject}` for the id and, if wanted, `*` for any run of characters. Raises
    InputError where a file could be either of two people's.
    """
    known = frozenset(subjects)
    found = []
    for file in _matching(pattern):
        owners = _owners(pattern, file, known)
        if len(owners) > 1:
            raise InputError(
                f"{file}: by the pattern {pattern} this could be {owners[0]}'s or {owners[1]}'s; "
                "make the pattern narrower"
            )
        found += [Photograph(owner, Path(file)) for owner in owners]
    return sorted(found)


def strangers(pattern: str, known: Sequence[str]) -> None:
    """Raise InputError where files match `pattern` but belong to no id in `known` (the whole table)."""
    ids = frozenset(known)
    unclaimed = [file for file in _matching(pattern) if not _owners(pattern, file, ids)]
    if unclaimed:
        names = ", ".join(Path(file).name for file in unclaimed[:5]) + (", …" if len(unclaimed) > 5 else "")
        raise InputError(
            f"{pattern}: {len(unclaimed)} of the photographs it matches belong to nobody in the subjects table "
            f"({names}); add their rows, or make the pattern narrower"
        )


def read_photograph(path: Path) -> Image:
    """The picture upright (EXIF), as RGB uint8 `(h, w, 3)`; transparency is laid on white.

    Raises InputError where it is not a whole picture, a side exceeds 20,000 px or the area 100 megapixels
    (read from the header, before anything is decoded).
    """
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path}: the file is empty (zero bytes); replace the photograph")
        with warnings.catch_warnings():
            # Pillow warns below our own limit, which is checked on the header right here.
            warnings.simplefilter("ignore")
            with Pillow.open(path, formats=FORMATS) as picture:
                width, height = picture.size
                if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
                    raise _too_large(path, f"{width:,} × {height:,} pixels")
                return _rgb(ImageOps.exif_transpose(picture))
    except InputError:
        raise
    except Pillow.DecompressionBombError:
        raise _too_large(path, "it") from None
    except UnidentifiedImageError:
        raise InputError(f"{path}: is not a picture in a format known here; save it as JPEG or PNG") from None
    # A decoder fed with a damaged file raises whatever its parser ran into.
    except Exception as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{path}: the photograph cannot be read ({said}); replace it") from None


def _too_large(path: Path, size: str) -> InputError:
    return InputError(
        f"{path}: {size} exceeds the limit of {MAX_SIDE:,} pixels a side and {MAX_PIXELS // 10**6} megapixels; "
        "scale it down"
    )


def _rgb(picture: Pillow.Image) -> Image:
    if picture.mode.startswith("I;16"):
        # `convert` would clip 16 bits at 255 instead of scaling them.
        grey = np.asarray(picture).astype(np.uint16) >> 8
        return np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)
    if picture.mode in ("I", "F"):
        raise ValueError("it has 32-bit pixels of unknown range, 8 or 16 bits are needed")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Pillow.alpha_composite(Pillow.new("RGBA", layer.size, "white"), layer)
    return np.array(picture.convert("RGB"))


def _matching(pattern: str) -> list[str]:
    """Every file that the pattern could mean for some id."""
    wild = "*".join(glob.escape(part) for part in pattern.replace(_PLACE, "*").split("*"))
    whole = _regex(pattern)
    return sorted(file for file in glob.glob(wild) if whole.fullmatch(file) and Path(file).is_file())  # noqa: PTH207


def _owners(pattern: str, file: str, known: frozenset[str]) -> list[str]:
    """The known ids for which `pattern` can mean `file`: with `*` beside it, where an id ends is open."""
    head = re.compile(_literal(pattern.partition(_PLACE)[0]))
    possible: set[str] = set()
    for start in range(len(file)):
        if head.fullmatch(file, 0, start):
            end = file.find("/", start)
            stops = range(start + 1, (len(file) if end < 0 else end) + 1)
            possible.update(file[start:stop] for stop in stops)
    return sorted(subject for subject in possible & known if _regex(pattern, subject).fullmatch(file))


def _regex(pattern: str, subject: str | None = None) -> re.Pattern[str]:
    """`pattern` for one id; for any id (the same at every place) where `subject` is None."""
    first, *others = pattern.split(_PLACE)
    if subject is not None:
        return re.compile(re.escape(subject).join(map(_literal, (first, *others))))
    return re.compile(_literal(first) + "([^/]+)" + r"\1".join(map(_literal, others)))


def _literal(part: str) -> str:
    return "[^/]*".join(re.escape(piece) for piece in part.split("*"))
