import json
import stat

import polars as pl
import pytest

from pipelines.errors import InputError
from testbed.runs.directory import LEAVES, RunDirectory
from testbed.runs.tables import CELLS, PAIRS, TABLES, conform


@pytest.fixture
def run(tmp_path):
    return RunDirectory.create(tmp_path / "run", {"seed": 1})


def test_a_new_run_is_for_its_owner_alone(run):
    run.write(CELLS, pl.DataFrame({"cell": ["c"], "system": ["s"], "condition": ["clean"]}), "deep/er/part")
    for folder in (run.path, run.path / "cells", run.path / "cells" / "deep" / "er"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "letter.txt").write_text("keep me")
    with pytest.raises(InputError, match="not empty"):
        RunDirectory.create(tmp_path, {})
    assert (tmp_path / "letter.txt").read_text() == "keep me"


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(InputError, match="is a file"):
        RunDirectory.create(tmp_path / "run", {})


def test_a_folder_without_a_run_says_how_to_start_one(tmp_path):
    with pytest.raises(InputError, match="no run here"):
        RunDirectory.open(tmp_path)


def test_a_broken_manifest_is_one_sentence(run):
    (run.path / "run.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read as JSON"):
        RunDirectory.open(run.path)


def test_rows_are_sorted_and_bytes_do_not_depend_on_their_order(run):
    rows = [("c", "transit", "own", f"p{i}", "r", 1, 2) for i in range(50)]
    frame = pl.DataFrame(rows, schema=PAIRS.columns, orient="row")
    run.write(PAIRS, frame)
    first = (run.path / "pairs.parquet").read_bytes()
    run.write(PAIRS, frame.reverse())
    assert (run.path / "pairs.parquet").read_bytes() == first


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="condition"):
        conform(CELLS, pl.DataFrame({"cell": ["c"], "system": ["s"]}))


def test_starting_a_stage_again_makes_the_later_ones_stale(run):
    for stage, files in LEAVES.items():
        run.begin(stage)
        for name in files:
            run.write_bytes(name, b"")
        run.finish(stage)
    assert run.done("evaluate")
    run.begin("match")
    assert run.done("replay")
    assert not run.done("evaluate")
    with pytest.raises(InputError, match="--resume"):
        run.require("match", "evaluate")


def test_a_stage_whose_table_is_gone_is_not_done(run):
    for name in LEAVES["replay"]:
        run.write_bytes(name, b"")
    run.finish("replay")
    assert run.done("replay")
    (run.path / "transits.parquet").unlink()
    assert not run.done("replay")


def test_two_processes_never_work_on_one_run(run):
    with run.alone(), pytest.raises(InputError, match="another process"), RunDirectory(run.path).alone():
        pass
    with run.alone():
        pass


def test_a_failed_write_leaves_the_old_file(run, monkeypatch):
    run.note(answer=1)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="disk is full"):
        run.note(answer=2)
    assert json.loads((run.path / "run.json").read_text())["answer"] == 1


def test_no_two_tables_share_a_name():
    assert len({table.name for table in TABLES}) == len(TABLES)
