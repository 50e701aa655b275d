"""Audits the accounts behind Hire2Retire connections against the documented permission matrix."""

__version__ = "0.1.0"
