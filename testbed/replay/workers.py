"""Worker processes: one inference thread each, so that a result does not depend on how many there are."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from pipelines.errors import InputError

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def default_workers() -> int:
    """One worker for each core this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def pool(workers: int) -> Iterator[Executor]:
    """`workers` spawned processes with one thread each. A worker that dies ends the work with one sentence."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))  # read by BLAS when a spawned worker imports it
    executor = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _one_thread)
    try:
        yield executor
        executor.shutdown()
    except BrokenProcessPool:
        raise InputError(
            "a worker process died (most often: out of memory); finished parts are kept, "
            "continue with --resume and a smaller --workers"
        ) from None
    except BaseException:
        # What the workers are at will never be written: do not make the user wait for it.
        for child in multiprocessing.active_children():
            child.kill()
        raise
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def cluster(address: str) -> Iterator[tuple[Executor, int]]:
    """The workers of a Dask cluster, and how many; they must see the run's folder under the same path.

    address: of its scheduler, `tls://host:port`, or `tcp://` on this machine alone: templates are people's data.
    Raises InputError where it cannot be reached or would send them in the clear.
    """
    try:
        from distributed import Client, Security
    except ImportError:
        raise InputError("--cluster: needs dask.distributed; pip install 'cctv-face-testbed[cluster]'") from None
    scheme, _, place = address.rpartition("://")
    host = place.rpartition(":")[0].strip("[]")
    if scheme != "tls" and host not in ("127.0.0.1", "::1", "localhost"):
        raise InputError(f"--cluster {address}: would send people's data in the clear; give tls://HOST:PORT")
    security = Security()  # type: ignore[no-untyped-call]
    if scheme == "tls" and not security.get_connection_args("client").get("ssl_context"):  # type: ignore[no-untyped-call]
        raise InputError(f"--cluster {address}: needs certificates; set distributed.comm.tls in Dask's configuration")
    try:
        client = Client(address, timeout="10s", set_as_default=False, security=security)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"--cluster {address}: no scheduler answers there ({error}); start `dask scheduler`") from None
    with client:
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        if not workers:
            raise InputError(f"--cluster {address}: has no workers; start `dask worker {address}`")
        yield client.get_executor(), workers  # type: ignore[no-untyped-call]


def _one_thread() -> None:
    import signal

    import cv2

    cv2.setNumThreads(1)
    # Ctrl-C reaches the whole process group; the parent alone decides what to keep.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A parent that is killed cannot end its workers, and they would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
