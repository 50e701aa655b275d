"""Values in search filters (RFC 4515)."""

from __future__ import annotations

from string import ascii_letters, digits
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SIDS_PER_FILTER = 50
_PLAIN = frozenset((ascii_letters + digits + "@.-_").encode("ascii"))


def filter_value(value: str | bytes) -> str:
    """Return a value for a search filter with every byte escaped but plain letters, digits and `@.-_`."""
    raw = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return "".join(chr(byte) if byte in _PLAIN else f"\\{byte:02x}" for byte in raw)


def any_of_sids(sids: Sequence[bytes]) -> str:
    """Return the filter that matches objects with one of the binary SIDs."""
    return f"(|{''.join(f'(objectSid={filter_value(sid)})' for sid in sids)})"


def batches_of_sids(sids: Sequence[bytes]) -> list[Sequence[bytes]]:
    """Cut a list of SIDs into parts that fit into one filter each."""
    return [sids[start : start + SIDS_PER_FILTER] for start in range(0, len(sids), SIDS_PER_FILTER)]
