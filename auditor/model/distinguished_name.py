"""Distinguished names as text (RFC 4514), compared as Active Directory compares them.

Case and spaces around separators do not count; spaces inside a value do.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import takewhile
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPE = re.compile(r" *([A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)+) *= *")
_HEX_VALUE = re.compile(r"#((?:[0-9A-Fa-f]{2})+)")
# Unescaped spaces count only between other characters, which are none, so that hostile text costs linear time.
_TEXT_VALUE = re.compile(r'(?: *(?:[^\x00 "+,;<>\\]|\\(?:[ "#+,;<=>\\]|[0-9A-Fa-f]{2})))+')
_ESCAPED = re.compile(r"((?:\\[0-9A-Fa-f]{2})+)|\\(.)")
_NEEDS_ESCAPE = re.compile(r'^[ #]|["+,;<>\\]| $')
_UNESCAPED = "a character stands here that must be escaped, or a backslash that escapes nothing"
_OWN_NAME = re.compile(r"(?:[^\\,]|\\.)*,", re.DOTALL)
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeValue:
    """One `type=value`. A value written as `#` and hexadecimal digits is kept as its BER bytes."""

    type: str
    value: str | bytes

    def __str__(self) -> str:
        return f"{self.type}={_escaped(self.value)}"

    @property
    def key(self) -> str:
        """The form that compares: lower-case type, case-folded value."""
        if isinstance(self.value, bytes):
            return f"{self.type.lower()}=#{self.value.hex()}"
        # canonical caseless matching, Unicode 3.13 D145
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFD", self.value).casefold())
        return f"{self.type.lower()}={_escaped(folded)}"


RelativeName: TypeAlias = tuple[AttributeValue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DistinguishedName:
    """A name with at least one component, the object's own first; equal however it was spelled."""

    relative_names: tuple[RelativeName, ...] = field(compare=False)
    _keys: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.relative_names:
            msg = "a distinguished name needs at least one component"
            raise ValueError(msg)
        keys = tuple("+".join(sorted(part.key for part in name)) for name in self.relative_names)
        object.__setattr__(self, "_keys", keys)

    def __str__(self) -> str:
        return ",".join("+".join(map(str, name)) for name in self.relative_names)

    @property
    def normalised(self) -> str:
        """The spelling that all spellings of one name share, for lookups; not for display."""
        return ",".join(self._keys)

    @property
    def parent(self) -> DistinguishedName | None:
        """The name of the container, or None at the top."""
        above = self.relative_names[1:]
        return DistinguishedName(relative_names=above) if above else None

    def lineage(self) -> Iterator[DistinguishedName]:
        """Yield this name and all above it, the closest first."""
        name: DistinguishedName | None = self
        while name is not None:
            yield name
            name = name.parent

    @property
    def is_dc_form(self) -> bool:
        """True if every component is a single `DC=`, as in `DC=corp,DC=example,DC=com`."""
        return all(map(_is_dc, self.relative_names))

    @property
    def dns_domain(self) -> str | None:
        """The DNS name of the trailing `DC=` components (RFC 2247), in lower case, or None without any."""
        components = takewhile(_is_dc, reversed(self.relative_names))
        labels = [str(name[0].value) for name in components]
        return ".".join(reversed(labels)).lower() or None

    def is_within(self, other: DistinguishedName) -> bool:
        """Tell whether this is `other` or lies below it."""
        return self._keys[-len(other._keys) :] == other._keys


def _is_dc(name: RelativeName) -> bool:
    return len(name) == 1 and name[0].type.lower() == "dc" and isinstance(name[0].value, str)


def parse_dn(text: str) -> DistinguishedName:
    """Read a distinguished name (RFC 4514, 3), also with spaces around `,`, `+` and `=` (RFC 2253, 4).

    Raises ValueError that says what stands in the way and where. The quoted form and `;` as a separator
    are refused, as is an empty name.
    """
    names: list[RelativeName] = []
    position = -1
    while position < len(text):  # the position of the comma before the component
        name, position = _relative_name(text, position + 1)
        names.append(name)
    return DistinguishedName(relative_names=tuple(names))


def parsed_dn(text: str) -> DistinguishedName | None:
    """Return a DN, or None for text that is none."""
    try:
        return parse_dn(text)
    except ValueError:
        return None


def _relative_name(text: str, position: int) -> tuple[RelativeName, int]:
    """Return the component that starts at `position`, and where the comma or the end after it is."""
    part, position = _attribute_value(text, position)
    parts = [part]
    while text[position : position + 1] == "+":
        part, position = _attribute_value(text, position + 1)
        parts.append(part)
    return tuple(parts), position


def _attribute_value(text: str, position: int) -> tuple[AttributeValue, int]:
    type_match = _TYPE.match(text, position)
    if type_match is None:
        raise _failure(text, position, "an attribute type and '=' are expected, as in OU=")
    start = type_match.end()
    is_hex = text.startswith("#", start)
    value_match = (_HEX_VALUE if is_hex else _TEXT_VALUE).match(text, start)
    if value_match is None:
        raise _failure(text, start, _why_no_value(text[start : start + 1]))
    end = value_match.end()
    end += len(text[end:]) - len(text[end:].lstrip(" "))
    if text[end : end + 1] not in {"", ",", "+"}:
        raise _failure(text, end, _UNESCAPED)
    value = bytes.fromhex(value_match[1]) if is_hex else _unescaped(text, value_match)
    return AttributeValue(type=type_match[1], value=value), end


def _why_no_value(character: str) -> str:
    if character == '"':
        return "the quoted form is not supported, escape with backslashes"
    if character in {"", ",", "+"}:
        return "the value is empty"
    if character == "#":
        return "'#' must be followed by pairs of hexadecimal digits, or be written \\#"
    return _UNESCAPED


def _unescaped(text: str, match: re.Match[str]) -> str:
    try:
        return _ESCAPED.sub(_unescape, match[0])
    except UnicodeDecodeError:
        raise _failure(text, match.start(), "the escaped bytes are not UTF-8") from None


def _unescape(match: re.Match[str]) -> str:
    pairs, character = match.groups()
    return character if pairs is None else bytes.fromhex(pairs.replace("\\", "")).decode("utf-8")


def _failure(text: str, position: int, reason: str) -> ValueError:
    if not text.strip():
        return ValueError("a distinguished name cannot be empty")
    where = f"at character {position + 1}" if position < len(text) else "at the end"
    return ValueError(f"{text!r} is no distinguished name: {where}, {reason}")


def _escaped(value: str | bytes) -> str:
    if isinstance(value, bytes):
        return f"#{value.hex()}"
    escaped = _NEEDS_ESCAPE.sub(lambda match: f"\\{match[0]}", value)
    return _CONTROL_CHARACTER.sub(lambda match: f"\\{ord(match[0]):02X}", escaped)


def dns_above(text: str) -> Iterator[str]:
    """Yield the DNs above a DN, the closest first, in its own spelling: cheap, for names from one directory."""
    end_of_own_name = _OWN_NAME.match(text)
    while end_of_own_name is not None:
        text = text[end_of_own_name.end() :]
        yield text
        end_of_own_name = _OWN_NAME.match(text)


_parse_repeated = lru_cache(maxsize=1 << 12)(parse_dn)  # one name is held against many


def is_dn_within(text: str, above: str) -> bool:
    """Tell whether one DN lies at or below another; text that is no DN lies nowhere."""
    try:
        return _parse_repeated(text).is_within(_parse_repeated(above))
    except ValueError:
        return False
