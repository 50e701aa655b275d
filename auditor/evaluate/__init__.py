"""Evidence and matrix to results. Pure: no I/O, no clock."""
