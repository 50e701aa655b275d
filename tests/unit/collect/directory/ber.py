"""LDAP answers in BER (RFC 4511), written by hand so that wrong ones can be written too."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PAGED_RESULTS = b"1.2.840.113556.1.4.319"
BIND_REQUEST, SEARCH_REQUEST = 0x60, 0x63
SASL_BIND, SASL_CHALLENGE = 0xA3, 0x87


def parts(data: bytes) -> list[tuple[int, bytes]]:
    """Return tag and content of every element in `data`."""
    found = []
    while data:
        start, end = _bounds(data)
        found.append((data[0], data[start:end]))
        data = data[end:]
    return found


def size_of_first(data: bytes) -> int:
    """Return how long the element that starts here is, header included; 0 while that cannot be told."""
    return _bounds(data)[1] if len(data) >= 6 else 0


def _bounds(data: bytes) -> tuple[int, int]:
    start, length = 2, data[1]
    if length > 0x80:
        start += length - 0x80
        length = int.from_bytes(data[2:start], "big")
    return start, start + length


def tlv(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def integer(value: int, tag: int = 0x02) -> bytes:
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def octets(value: bytes | str) -> bytes:
    return tlv(0x04, value.encode() if isinstance(value, str) else value)


def message(message_id: int, operation: bytes, controls: bytes = b"") -> bytes:
    return tlv(0x30, integer(message_id), operation, controls)


def result(tag: int, code: int, text: str = "", referrals: Sequence[str] = ()) -> bytes:
    referral = tlv(0xA3, *map(octets, referrals)) if referrals else b""
    return tlv(tag, integer(code, tag=0x0A), octets(""), octets(text), referral)


def bind_response(message_id: int, code: int = 0, text: str = "", challenge: bytes | None = None) -> bytes:
    answer = result(0x61, code, text)
    if challenge is not None:
        ((tag, fields),) = parts(answer)
        answer = tlv(tag, fields, tlv(SASL_CHALLENGE, challenge))
    return message(message_id, answer)


def entry(message_id: int, dn: str | bytes, attributes: Mapping[str, Sequence[bytes | str]]) -> bytes:
    pairs = (
        tlv(0x30, octets(name), tlv(0x31, *map(octets, values))) for name, values in attributes.items()
    )
    return message(message_id, tlv(0x64, octets(dn), tlv(0x30, *pairs)))


def continuation(message_id: int, url: str) -> bytes:
    return message(message_id, tlv(0x73, octets(url)))


def done(
    message_id: int,
    code: int = 0,
    text: str = "",
    *,
    cookie: bytes | None = None,
    referrals: Sequence[str] = (),
) -> bytes:
    controls = b""
    if cookie is not None:
        value = tlv(0x30, integer(0), octets(cookie))
        controls = tlv(0xA0, tlv(0x30, octets(PAGED_RESULTS), octets(value)))
    return message(message_id, result(0x65, code, text, referrals), controls)
