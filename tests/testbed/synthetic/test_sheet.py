"""The contact sheet, its table, and what the command refuses."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from pipelines.errors import InputError
from testbed.cli.synth import synth
from testbed.synthetic.portrait import SIZE
from testbed.synthetic.sheet import LABEL


def test_a_sheet_shows_people_and_its_table_says_what_was_declared(tmp_path: Path, capsys):
    for name in ("a", "b"):
        synth("people", 1, tmp_path / f"{name}.png", 5, ["tone=8", "glasses=true", "shirt=red"], ["sex"])
    assert "a.png (2 of 2)" in capsys.readouterr().out
    picture = np.asarray(Image.open(tmp_path / "a.png"))
    assert picture.shape == (SIZE[1] + LABEL, 2 * SIZE[0], 3)
    assert picture.std() > 20
    table = pl.read_csv(tmp_path / "a.csv")
    assert table["sex"].to_list() == ["female", "male"]
    assert table["tone"].to_list() == [8, 8]
    assert table["glasses"].to_list() == [True, True]
    assert table["shirt"].to_list() == ["red", "red"]
    assert table["picture"].to_list() == [1, 2]
    assert (table["ita"] < -20).all()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"what": "dogs"}, "dogs: cannot be made up; write: testbed synth people, or name a scenario file"),
        ({"n": 0}, "a population of 0 people cannot be made; ask for 1 to 100,000"),
        ({"sheet": Path("x.gif")}, "--sheet x.gif: must end in .png or .jpg"),
        ({"sheet": Path("no/such/x.png")}, "--sheet no/such/x.png: there is no folder no/such"),
        ({"declare": ["tone=12"]}, "tone: '12' is not one of 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"),
        ({"declare": ["tone"]}, "tone: '' is not one of"),
        ({"declare": ["shoes=red"]}, "shoes: people have no such attribute; known: sex, age"),
        ({"declare": ["tone=2"], "cross": ["tone"]}, "--cross tone: is declared too; name it once"),
        ({"cross": ["shoes"]}, "shoes: people have no such attribute"),
        ({"declare": ["sex=female"], "cross": ["beard"]}, "beard: stubble with sex: female cannot be drawn"),
    ],
)
def test_wrong_input_is_one_sentence_and_leaves_nothing(given, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=re.escape(sentence)) as raised:
        synth(**{"what": "people", "n": 1, "sheet": Path("x.png"), "seed": 1, "declare": None, "cross": None} | given)
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())
