"""Small films, made at once and in this process."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from testbed.scenario.synthetic import Synthetic

SMALL = {"name": "lane", "distance": 2.5, "size": [320, 180], "fps": 4, "field": 30}


class _Here(Executor):
    """Work done at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


@pytest.fixture(scope="session")
def here() -> Executor:
    return _Here()


@pytest.fixture(scope="session")
def made_up() -> Callable[..., Synthetic]:
    """Two people come one by one before one small camera, but for what is given."""

    def make(**more: Any) -> Synthetic:
        base = {
            "kind": "synthetic",
            "people": [{"count": 2}],
            "cameras": [SMALL],
            "staging": "one by one",
            "frames_each": 3,
        }
        return Synthetic.model_validate(base | more)

    return make
