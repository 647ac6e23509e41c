"""Progress drawn for a person: bars on a terminal, a line now and then where the output is a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from testbed.runs.progress import Progress as Tell

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def bars() -> Iterator[Tell]:
    """A `Progress` to hand to the stages."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines()
        return
    with Progress(
        TextColumn("{task.description:<9}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), TextColumn("{task.fields[where]}", style="dim"),
        console=console,
    ) as drawn:  # fmt: skip
        yield _Bars(drawn)


class _Bars:
    def __init__(self, drawn: Progress) -> None:
        self._drawn = drawn
        self._tasks: dict[str, tuple[TaskID, float, int]] = {}

    def __call__(self, what: str, done: int, total: int, where: str = "") -> None:
        if what not in self._tasks:
            task = self._drawn.add_task(what, total=total, completed=done, rate="", where=where)
            self._tasks[what] = (task, time.monotonic(), done)
        task, since, first = self._tasks[what]
        rate = _rate(what, done - first, time.monotonic() - since)
        self._drawn.update(task, completed=done, total=total, rate=rate, where="" if done >= total else where)


class _Lines:
    """One line when a step starts, one every ten seconds, one when it ends."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[float, int]] = {}
        self._last = 0.0

    def __call__(self, what: str, done: int, total: int, where: str = "") -> None:
        now = time.monotonic()
        since, first = self._since.setdefault(what, (now, done))
        if what in self._since and done < total and now - self._last < SECONDS_BETWEEN_LINES and done > first:
            return
        self._last = now
        elapsed, made = now - since, done - first
        left = f", about {elapsed / made * (total - done):.0f} s left" if made and done < total else ""
        print(f"{what}: {done}/{total}{_rate(what, made, elapsed, ', ')}{left} {where}".rstrip(), file=sys.stderr)


def _rate(what: str, made: int, seconds: float, before: str = "") -> str:
    return f"{before}{made / seconds:.1f} frames/s" if what == "replay" and made and seconds > 0 else ""
