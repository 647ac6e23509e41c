"""What is claimed of a system, held against the evidence (METRICS.md § Claims)."""

from testbed.evidence.claims.asked import Asked, misfits
from testbed.evidence.claims.claim import Claim, json_schema, read_claims
from testbed.evidence.claims.judging import RunFacts, judge
from testbed.evidence.claims.verdicts import verdict_on

__all__ = ["Asked", "Claim", "RunFacts", "json_schema", "judge", "misfits", "read_claims", "verdict_on"]
