"""The example of claims that ships with the testbed, and the schema beside it."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from testbed.evidence.claims import json_schema, read_claims

CLAIMS = Path(__file__).resolve().parents[3] / "scenarios" / "claims"


def test_the_example_shows_every_kind_of_claim():
    claims, confidence = read_claims(CLAIMS / "example.yaml")
    assert {claim.metric for claim in claims} == {"FMR", "GFRR", "accuracy", "calibration", "FPIR", "FNIR", "fps"}
    assert any(claim.within_factor for claim in claims)
    assert confidence == 0.95


def test_the_schema_is_that_of_the_models_and_the_example_fits_it():
    assert json.loads((CLAIMS / "schema.json").read_text(encoding="utf-8")) == json_schema()
    text = (CLAIMS / "example.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    jsonschema.Draft202012Validator(json_schema()).validate(yaml.safe_load(text.replace("1e-4", "0.0001")))


@pytest.mark.parametrize("mistake", [{"at_mst": 0.1}, {"metric": "FAIL"}, {"prior": 1}, {"gallery_size": 0}])
def test_the_schema_refuses_what_reading_refuses(mistake):
    document = {"claims": [{"says": "x", "metric": "FMR", "at_most": 0.1, **mistake}]}
    assert not jsonschema.Draft202012Validator(json_schema()).is_valid(document)
