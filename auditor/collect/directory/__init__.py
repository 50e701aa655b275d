"""Active Directory over LDAPS: hosts, sign-in, and the directory entries the checks need. Only reads."""

from auditor.collect.directory.collector import collect_directory
from auditor.collect.directory.limits import DEFAULT_LIMITS, Limits

__all__ = ["DEFAULT_LIMITS", "Limits", "collect_directory"]
