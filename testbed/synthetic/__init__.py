"""People who do not exist, made from numbers: every truth about them is exact."""
