"""Tasks on threads, their results in order: the same output for any number of them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

import numpy as np  # noqa: F401, its BLAS must be loaded to be limited
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

Task = TypeVar("Task")
Result = TypeVar("Result")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _libraries() -> Any:
    """The BLAS in use; looked up once, for that reads the whole memory map."""
    return ThreadpoolController()


def in_order(function: Callable[[Task], Result], tasks: Iterable[Task], threads: int | None) -> Iterator[Result]:
    """Results in the order of the tasks; a few are kept ahead, so memory does not grow with their number.

    BLAS works with one thread meanwhile: its results must not depend on how many there are.
    """
    with _libraries().limit(limits=1, user_api="blas"):
        if (threads or cores()) == 1:
            yield from map(function, tasks)
            return
        waiting: deque[Future[Result]] = deque()
        with ThreadPoolExecutor(threads or cores()) as pool:
            for task in tasks:
                waiting.append(pool.submit(function, task))
                if len(waiting) > 4 * (threads or cores()):
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
