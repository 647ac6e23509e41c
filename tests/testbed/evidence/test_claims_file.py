from pathlib import Path

from testbed.evidence.claims import read_claims

EXAMPLE = Path(__file__).resolve().parents[3] / "scenarios" / "claims" / "example.yaml"


def test_the_example_that_the_readme_names_can_be_read():
    claims, confidence = read_claims(EXAMPLE)
    assert {claim.metric for claim in claims} == {"FMR", "GFRR", "accuracy"}
    assert confidence == 0.95
