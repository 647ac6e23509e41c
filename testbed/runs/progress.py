"""How long work tells how far it is; the command line draws it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called as work proceeds: what is being done, units done so far, units in all, and where it is just now."""

    def __call__(self, what: str, done: int, total: int, where: str = "") -> None:
        """Report progress."""
        ...


def silent(what: str, done: int, total: int, where: str = "") -> None:
    """Progress that nobody watches."""
