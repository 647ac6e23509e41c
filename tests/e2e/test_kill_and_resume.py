"""A run killed at any moment and resumed ends with the tables of one that was left alone."""

import os
import signal
import subprocess
import time

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
