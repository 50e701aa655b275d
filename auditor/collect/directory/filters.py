"""Values in search filters (RFC 4515)."""

from __future__ import annotations

from string import ascii_letters, digits

_PLAIN = frozenset((ascii_letters + digits + "@.-_").encode("ascii"))


def filter_value(value: str | bytes) -> str:
    """Return a value for a search filter with every byte escaped but plain letters, digits and `@.-_`."""
    raw = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return "".join(chr(byte) if byte in _PLAIN else f"\\{byte:02x}" for byte in raw)
