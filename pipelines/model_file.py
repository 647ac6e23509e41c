"""Model files given by the user: a path and the digest it must have."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import InputError


def digest(path: Path) -> str:
    """SHA-256 of a file's content, hexadecimal. Raises OSError where it cannot be read."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_of_all(paths: Sequence[Path]) -> str:
    """One digest of many files and their names, in the order given; an unreadable file counts as empty."""
    together = hashlib.sha256()
    for path in paths:
        together.update(path.name.encode())
        try:
            together.update(bytes.fromhex(digest(path)))
        except OSError:
            together.update(b"unreadable")
    return together.hexdigest()


@dataclass(frozen=True)
class ModelFile:
    """A model file and the SHA-256 its content must have (64 hexadecimal digits)."""

    path: Path
    sha256: str

    def verified(self) -> Path:
        """The path, once its content has been checked. Raises InputError where it is absent or another file."""
        try:
            found = digest(self.path)
        except OSError as error:
            raise InputError(
                f"{self.path}: the model file cannot be read ({error.strerror}); correct its `path`"
            ) from None
        if found != self.sha256.lower():
            raise InputError(
                f"{self.path}: is not the model the scenario names: its SHA-256 is {found}, expected {self.sha256}; "
                "fetch the right file, or correct `sha256` if this one is meant"
            )
        return self.path
