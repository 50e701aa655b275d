"""Long lists in sentences: some names are shown, the rest is counted and told apart by its digest.

Without that, a waiver of what is shown would cover whatever else takes the place of the rest.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from auditor.model.message import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DIGITS = 8


def and_more(names: Sequence[str], shown: int, separator: str = ", ") -> str:
    """Return what follows the first names, which the separator stands between, in a sentence; nothing without more."""
    rest = names[shown:]
    if not rest:
        return ""
    if separator == "; ":
        return say("; and {count} more (digest {digest})", count=len(rest), digest=digest_of(rest))
    return say(" and {count} more (digest {digest})", count=len(rest), digest=digest_of(rest))


def digest_of(left_out: Iterable[str]) -> str:
    """Return the first digits of a SHA-256 of names, in whatever order they come."""
    digest = hashlib.sha256()
    for name in sorted(left_out):  # one by one: there may be a hundred thousand
        digest.update(name.encode("utf-8", "surrogatepass") + b"\x1f")
    return digest.hexdigest()[:_DIGITS]
