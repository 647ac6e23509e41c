"""The run directory: the tables every stage reads and writes, and `run.json` beside them."""
