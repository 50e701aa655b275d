"""Checks beyond the matrix: excess, good practice, and the audit's own completeness."""
