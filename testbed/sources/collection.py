"""A published collection of pictures as it lies on disk: what its manifest says of it, and which files are pictures."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from pipelines.errors import InputError
from testbed.scenario.loading import read_as
from testbed.scenario.strict import Strict

MANIFEST = "manifest.yaml"
SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp", ".gif", ".ppm", ".jp2", ".tga"))
MOST_FILES = 200_000
MOST_DEPTH = 16
MOST_BYTES = 1 << 28
"""Of one picture; its pixels are bounded where it is read."""


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("holds a character that cannot be printed; write it on one line, in plain text")
    return text


Line = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_printable)]


class Manifest(Strict):
    """What is said of a collection by whoever holds it."""

    name: Line = Field(description="what it is called")
    source: Line = Field(description="where it was published")
    licence: Line = Field(description="under which licence; `none` and `unknown` are answers too")
    people: int | None = Field(None, ge=1, description="how many different people it shows; unset: not known")
    one_face_each: bool = Field(
        False, description="every picture shows one face: where several are found, the largest is compared"
    )


@dataclass(frozen=True)
class Collection:
    """Pictures in order of their path, relative to `folder`; what else was there, in counts by kind.

    left_out: links (never followed), other files (archives among them: never opened), pictures that are too large.
    """

    folder: Path
    manifest: Manifest
    pictures: tuple[Path, ...]
    left_out: Mapping[str, int]


def read_collection(folder: Path) -> Collection:
    """The pictures under a folder, at any depth up to 16. Raises InputError without a manifest or without pictures.

    Nothing outside the folder is read: links are counted and left alone.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; name the one that holds the collection's pictures")
    manifest = _manifest(folder)
    pictures: list[Path] = []
    left_out: Counter[str] = Counter(dict.fromkeys(("links", "other files", "too large"), 0))
    for where, folders, files in os.walk(folder, onerror=_unreadable):
        folders.sort()
        here = Path(where)
        if len(here.relative_to(folder).parts) > MOST_DEPTH:
            raise InputError(f"{folder}: its folders lie more than {MOST_DEPTH} deep; bring the pictures further up")
        left_out["links"] += sum((here / name).is_symlink() for name in folders)
        for name in files:
            kind = _kind(here / name)
            if kind == "picture":
                pictures.append((here / name).relative_to(folder))
            elif here / name != folder / MANIFEST:
                left_out[kind] += 1
        if len(pictures) + left_out.total() > MOST_FILES:
            raise InputError(f"{folder}: holds more than {MOST_FILES:,} files; name a part of the collection")
    if not pictures:
        known = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
        raise InputError(f"{folder}: holds no pictures; put them there as files ({known}), archives are not opened")
    return Collection(folder, manifest, tuple(sorted(pictures)), dict(left_out))


def _manifest(folder: Path) -> Manifest:
    file = folder / MANIFEST
    if file.is_symlink() or not file.is_file():
        raise InputError(
            f"{folder}: has no {MANIFEST}; write one that says what the collection is, in three lines: `name: …`, "
            "`source: …` (where it was published) and `licence: …`"
        )
    return read_as(Manifest, file, "manifest", "name, source and licence")


def _kind(file: Path) -> str:
    if file.is_symlink():
        return "links"
    if file.suffix.lower() not in SUFFIXES or not file.is_file():
        return "other files"
    return "too large" if file.stat().st_size > MOST_BYTES else "picture"


def _unreadable(error: OSError) -> None:
    raise InputError(f"{error.filename}: the folder cannot be read ({error.strerror}); correct its permissions")
