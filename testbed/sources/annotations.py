"""What a truth file says, whatever its format: boxes by frame, whose they are, and which frames were looked at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.parsers import expat

import polars as pl

from pipelines.errors import InputError

MAX_ROWS = 5_000_000
MAX_BYTES = 1 << 29
_MAX_DEPTH = 32
ROWS: dict[str, type[pl.DataType]] = {
    "row": pl.Int64, "frame": pl.Float64, "subject": pl.String, "track": pl.String,
    "x": pl.Float64, "y": pl.Float64, "w": pl.Float64, "h": pl.Float64,
}  # fmt: skip


@dataclass(frozen=True)
class Annotations:
    """`rows`: ROWS; row is the line in the file, subject null where nobody knows who it is, x y the upper left corner.

    looked_at: the frames in which everybody was boxed, or None where a frame without a row shows nobody.
    """

    rows: pl.DataFrame
    looked_at: tuple[int, ...] | None
    notices: tuple[str, ...] = ()


def rows_of(rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    """Rows in the order of ROWS."""
    return pl.DataFrame(list(rows), schema=ROWS, orient="row")


def few_enough(path: Path, boxes: Sized) -> None:
    """Asked as they are read, before they fill the memory: raises InputError where there are over five million."""
    if len(boxes) > MAX_ROWS:
        raise InputError(f"{path}: has more than {MAX_ROWS:,} boxes; split it by camera")


def bounded(path: Path) -> Path:
    """`path`, of a file that can be read and is not too large. Raises InputError where it is not."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: is larger than {MAX_BYTES >> 20} MiB; split it by camera")
    except OSError as error:
        raise InputError(f"{path}: the truth file cannot be read ({error.strerror}); correct `file`") from None
    return path


class XmlReader(ABC):
    """Reads an XML file element by element: a subclass says what becomes of each.

    Entities, which could make a small file a huge one or name another, are refused.
    """

    root = ""
    what = ""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._parser = expat.ParserCreate()
        self._depth = 0
        self._text = ""

    @property
    def line(self) -> int:
        """Where in the file the reader is."""
        return self._parser.CurrentLineNumber

    @abstractmethod
    def opened(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    @abstractmethod
    def closed(self, name: str, text: str) -> None:
        """An element ends; text is what stood in it since the last tag."""

    def read(self) -> None:
        """Read the whole file. Raises InputError where it is not XML or not of this kind."""
        self._parser.StartElementHandler = self._opened
        self._parser.EndElementHandler = self._closed
        self._parser.CharacterDataHandler = self._characters
        self._parser.EntityDeclHandler = self._entity
        try:
            with bounded(self.path).open("rb") as stream:
                self._parser.ParseFile(stream)
        except OSError as error:
            raise InputError(f"{self.path}: the truth file cannot be read ({error.strerror}); correct `file`") from None
        except (expat.ExpatError, LookupError, ValueError) as error:
            raise InputError(f"{self.path}: is no whole XML file ({error}); it must be {self.what}") from None

    def wrong(self, said: str) -> InputError:
        """An error at this place of the file."""
        return InputError(f"{self.path}: line {self.line}: {said}")

    def number(self, element: str, attributes: dict[str, str], name: str) -> float:
        """A numeric attribute. Raises InputError where it is absent or no number."""
        try:
            return float(attributes[name])
        except KeyError:
            raise self.wrong(f"<{element}> has no {name}; it must be {self.what}") from None
        except ValueError:
            raise self.wrong(f"{name} is {attributes[name]!r}; it must be a number") from None

    def count(self, element: str, attributes: dict[str, str], name: str) -> int:
        """An attribute that is a whole number from 0."""
        text = attributes.get(name, "")
        if not (text.isascii() and text.isdigit() and len(text) < 16):
            raise self.wrong(f"<{element}> has {name} {text!r}; it must be a whole number from 0")
        return int(text)

    def _opened(self, name: str, attributes: dict[str, str]) -> None:
        if not self._depth and name != self.root:
            raise self.wrong(f"begins with <{name}>; it must be {self.what}")
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self.wrong(f"elements are nested more than {_MAX_DEPTH} deep; it must be {self.what}")
        self._text = ""
        self.opened(name, attributes)

    def _closed(self, name: str) -> None:
        self._depth -= 1
        self.closed(name, self._text.strip())
        self._text = ""

    def _characters(self, text: str) -> None:
        self._text = (self._text + text)[:1000]

    def _entity(self, name: str, *_: object) -> None:
        raise self.wrong(f"declares the entity {name!r}; write the text itself")
