"""A run killed at any moment and resumed ends with the tables of one that was left alone."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import TESTBED, environment

OUTSIDE_IDENTITY = ("timings", "report", "run.json")


def tables(run):
    """Every data file of a run: all but timings, the report and the manifest."""
    return {
        str(path.relative_to(run)): path.read_bytes()
        for path in sorted(run.rglob("*"))
        if path.is_file() and path.relative_to(run).parts[0] not in OUTSIDE_IDENTITY
    }


def kill_once(run, moment, command, cwd):
    """Start `command`, SIGKILL it and its workers once `moment(run)` holds; True if it was still running."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment(),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while process.poll() is None and not moment(run):
        time.sleep(0.005)
    alive = process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return alive


def parts(run, wanted):
    return lambda run: sum(1 for _ in (run / "frames").rglob("*.parquet")) >= wanted


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_bytes_on_any_number_of_workers(testbed, london, write, tmp_path):
    scenario = write(london)
    result = testbed("run", scenario, "--out", "whole", "--workers", 1)
    assert result.returncode == 0, result.stderr
    expected = tables(tmp_path / "whole")

    run = tmp_path / "killed"
    moments = [
        lambda run: (run / "run.json").exists(),
        parts(run, 1),
        parts(run, 4),
        lambda run: (run / "references").is_dir(),
        lambda run: (run / "counts.parquet").exists(),
    ]
    killed = [kill_once(run, moments[0], [*TESTBED, "run", str(scenario), "--out", "killed", "-w", "2"], tmp_path)]
    for moment in moments[1:]:
        killed.append(kill_once(run, moment, [*TESTBED, "run", "--resume", "killed", "-w", "2"], tmp_path))
    assert all(killed[:4]), "the run ended before it could be killed: the test shows nothing"
    result = testbed("run", "--resume", "killed", "--workers", 2)
    assert result.returncode == 0, result.stderr
    found = {name: content for name, content in tables(run).items() if not name.endswith(".partial")}
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []


def children(pid):
    """Process ids whose parent is `pid`."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name_and_rest = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:  # it has just ended
            continue
        if int(name_and_rest[1]) == pid:
            found.append(int(stat.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc, which only Linux has")
def test_workers_end_with_a_parent_that_is_killed(london, write, tmp_path):
    command = [*TESTBED, "run", str(write(london)), "--out", "out", "-w", "2"]
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and not parts(tmp_path / "out", 1)(tmp_path / "out"):
        time.sleep(0.005)
    workers = children(process.pid)
    assert len(workers) >= 2
    process.kill()
    process.wait()
    patience = 600
    while patience and any(Path(f"/proc/{pid}").exists() for pid in workers):
        time.sleep(0.1)
        patience -= 1
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
