"""Reads one YAML 1.2 or JSON file into plain values and remembers the line of each."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)
from ruamel.yaml.scanner import ScannerError

from auditor.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Place: TypeAlias = tuple[str | int, ...]

# Bounds for hostile files. The size counts bytes of the file, and characters once aliases are written out.
LARGEST_SIZE = 4 * 1024 * 1024
DEEPEST_NESTING = 64

# YAML 1.2.2, 5.1
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# YAML 1.2.2, 10.3.2, without infinities, which JSON cannot say; the lengths stay within the limit of int()
_NULL = re.compile(r"null|Null|NULL|~|")
_BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]{1,4000}|0o[0-7]{1,1000}|0x[0-9a-fA-F]{1,1000}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")

_SYNTAX_CURES = (
    ("'\\t'", "indent with spaces, not with tabs"),
    ("escape character", "in double quotes write \\\\ for a backslash, or use single quotes"),
    ("mapping values", "put a value that holds ': ' or ends with ':' in quotes"),
    ("cannot start any token", "put the value in quotes"),
)
_SYNTAX_CURE = "check indentation, quotes, colons and brackets here and on the line before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file as plain values: dicts, lists, text, numbers, booleans and None.

    `lines` maps places to lines counted from 1. `problems` are those that left something to go on
    with, such as a duplicate key, of which the first value is kept. Text holds no control characters
    but line breaks and tabs: others are a problem and are replaced.
    """

    file: str
    content: dict[str, Any]
    lines: Mapping[Place, int]
    problems: tuple[Problem, ...]

    def line(self, place: Place) -> int:
        """Return the line of `place`, or of what holds it when it does not stand in the file."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines[place]

    def at(self, place: Place) -> Any:  # noqa: ANN401
        """Return the value at `place`, which must stand in the file."""
        value: Any = self.content
        for step in place:
            value = value[step]
        return value

    def problem(self, place: Place, message: str, cure: str) -> Problem:
        """Build a problem with what stands at `place`."""
        return Problem(file=self.file, line=self.line(place), place=dotted(place), message=message, cure=cure)


def dotted(place: Place) -> str:
    """Return `connections[2].port` for `("connections", 2, "port")`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{_shown_key(step)}" for step in place)
    return "".join(steps).removeprefix(".")


def _shown_key(key: str) -> str:
    return key if re.fullmatch(r"[\w-]{1,60}", key) else repr(key[:60])


def load_document(path: Path) -> Document:
    """Read one YAML 1.2 or JSON file whose top level is a mapping.

    Raises InvalidInput when there is nothing to go on with: the file cannot be read or is no UTF-8,
    the syntax is broken, it is empty, holds several documents or no mapping.
    """
    return _Reader(str(path), _read_text(path)).read()


def kind_of(value: object) -> str:
    """Return what `value` is in words: `text`, `a number`, `a list`."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "text"
    if isinstance(value, (int, float)):
        return "a number"
    return "a list" if isinstance(value, list) else "a mapping"


def _read_text(path: Path) -> str:
    def failure(line: int | None, message: str, cure: str) -> InvalidInput:
        return InvalidInput([Problem(file=str(path), line=line, place="", message=message, cure=cure)])

    try:
        with path.open("rb") as stream:
            raw = stream.read(LARGEST_SIZE + 1)
    except FileNotFoundError:
        raise failure(None, "does not exist", "check the path") from None
    except IsADirectoryError:
        raise failure(None, "is a directory", "give the path of the file in it") from None
    except OSError as error:
        cure = "give the account that runs this tool the right to read it"
        raise failure(None, f"cannot be read: {error.strerror}", cure) from None
    if len(raw) > LARGEST_SIZE:
        raise failure(None, f"is larger than {LARGEST_SIZE} bytes", "check that this is the right file")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise failure(1, "is UTF-16 text", "save the file as UTF-8")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8 text: byte 0x{raw[error.start]:02x}"
        raise failure(line, message, "save the file as UTF-8") from None
    if found := _UNPRINTABLE.search(text):
        line = text.count("\n", 0, found.start()) + 1
        message = f"contains the control character U+{ord(found.group()):04X}"
        raise failure(line, message, "save the file as UTF-8 text without control characters")
    return text


class _Reader:
    """Builds plain values from parser events; problems before a syntax error are kept with it."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._events = YAML(typ="safe", pure=True).parse(io.StringIO(text))
        self._problems: list[Problem] = []
        self._lines: dict[Place, int] = {}
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._open_anchors = 0
        self._size = 0

    def read(self) -> Document:
        self._next()
        start = self._next()
        empty = self._failure((), 1, "is empty", "write the file; its form is shown by `auditor schema`")
        if isinstance(start, StreamEndEvent):
            raise empty
        if start.version not in {None, (1, 2)}:
            self._note((), 1, "declares another version of YAML than 1.2", "remove the %YAML line")
        content = self._value(self._next(), ())
        self._next()
        if not isinstance(after := self._next(), StreamEndEvent):
            line = after.start_mark.line + 1
            raise self._failure((), line, "holds several documents", "keep one document and remove `---`")
        if content is None:
            raise empty
        if not isinstance(content, dict):
            message = f"must be a mapping of keys at its top level, not {kind_of(content)}"
            raise self._failure((), self._lines[()], message, "write `key: value` lines")
        return Document(
            file=self._file, content=content, lines=self._lines, problems=tuple(self._problems)
        )

    def _next(self) -> Any:  # noqa: ANN401 - ruamel.yaml has no type for "any event"
        try:
            return next(self._events)
        except MarkedYAMLError as error:
            # A scanner notices late what began earlier. The error may quote a secret: it is not chained.
            early = error.context_mark if isinstance(error, ScannerError) else None
            mark = early or error.problem_mark
            cure = next((cure for sign, cure in _SYNTAX_CURES if sign in str(error.problem)), _SYNTAX_CURE)
            raise self._failure((), mark.line + 1, f"is not valid YAML: {error.problem}", cure) from None
        except (YAMLError, ValueError, OverflowError, AssertionError):
            # ruamel.yaml answers so to escapes beyond Unicode and to odd %YAML lines
            message = "is not valid YAML: an escape or a directive is impossible"
            raise self._failure((), max(self._lines.values(), default=1), message, _SYNTAX_CURE) from None

    def _value(self, event: Any, place: Place) -> Any:  # noqa: ANN401
        line = event.start_mark.line + 1
        self._lines.setdefault(place, line)
        if isinstance(event, AliasEvent):
            return self._alias(event.anchor, place, line)
        if event.tag is not None:
            self._note(place, line, "carries a YAML tag", "remove the tag; put text in quotes")
        size_before = self._size
        self._open_anchors += event.anchor is not None
        value = self._untagged(event, place, line)
        if event.anchor is not None:
            self._open_anchors -= 1
            self._anchors[event.anchor] = (value, self._size - size_before)
        return value

    def _untagged(self, event: Any, place: Place, line: int) -> Any:  # noqa: ANN401
        if isinstance(event, ScalarEvent):
            self._grow(len(event.value) + 1, place, line)
            is_plain = event.implicit[0] and event.tag is None
            return _core_schema_value(event.value) if is_plain else self._text(event, place)
        self._grow(1, place, line)
        if len(place) >= DEEPEST_NESTING:
            message = f"is nested deeper than {DEEPEST_NESTING} levels"
            raise self._failure((), line, message, "check the brackets and the indentation")
        return self._mapping(place) if isinstance(event, MappingStartEvent) else self._sequence(place)

    def _alias(self, anchor: str, place: Place, line: int) -> Any:  # noqa: ANN401
        if self._open_anchors:  # keeps the nesting bounded and a small file from standing for a huge one
            self._note(place, line, "is an alias inside an anchored value", "write the value out")
            return None
        if anchor not in self._anchors:
            message = f"refers to the anchor &{anchor}, which does not stand above"
            self._note(place, line, message, "write the value out")
            return None
        value, size = self._anchors[anchor]
        self._grow(size, place, line)
        return value

    def _grow(self, size: int, place: Place, line: int) -> None:
        self._size += size
        if self._size > LARGEST_SIZE:
            message = f"grows beyond {LARGEST_SIZE} characters once its aliases are written out"
            raise self._failure(place, line, message, "remove the aliases")

    def _sequence(self, place: Place) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            values.append(self._value(event, (*place, len(values))))
        return values

    def _mapping(self, place: Place) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := self._next(), MappingEndEvent):
            line = event.start_mark.line + 1
            key = self._key(event, place)
            if key is None:
                self._value(self._next(), (*place, "?"))
                continue
            here = (*place, key)
            if key in values:
                message = f"stands twice in one mapping, on lines {self._lines[here]} and {line}"
                self._note(here, line, message, "keep one of the two")
            self._lines.setdefault(here, line)
            values.setdefault(key, self._value(self._next(), here))
        return values

    def _key(self, event: Any, place: Place) -> str | None:  # noqa: ANN401
        line = event.start_mark.line + 1
        value = self._value(event, (*place, "?"))
        if not isinstance(event, ScalarEvent):
            self._note(place, line, "has a key that is no plain text", "write the key as text")
            return None
        if not isinstance(value, str):
            self._note(place, line, f"has a key that is {kind_of(value)}", "put the key in quotes")
            return None
        if value == "<<" and event.implicit[0]:
            self._note(place, line, "uses a merge key, which YAML 1.2 has not", "write the keys out")
            return None
        return value

    def _text(self, event: ScalarEvent, place: Place) -> str:
        text: str = event.value
        line = event.start_mark.line + 1
        if _SURROGATE.search(text):  # JSON writes characters beyond U+FFFF as two escapes
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
            text, halves = _SURROGATE.subn("\ufffd", text)
            if halves:
                self._note(place, line, "holds half of a surrogate pair", "write the character itself")
        if found := _CONTROL_CHARACTER.search(text):
            message = f"contains the control character U+{ord(found.group()):04X}"
            cure = "remove it; in double quotes a backslash is written \\\\, in single quotes as it is"
            self._note(place, line, message, cure)
        return _CONTROL_CHARACTER.sub("\ufffd", text)

    def _note(self, place: Place, line: int, message: str, cure: str) -> None:
        self._problems.append(
            Problem(file=self._file, line=line, place=dotted(place), message=message, cure=cure)
        )

    def _failure(self, place: Place, line: int, message: str, cure: str) -> InvalidInput:
        last = Problem(file=self._file, line=line, place=dotted(place), message=message, cure=cure)
        return InvalidInput([*self._problems, last])


def _core_schema_value(text: str) -> str | int | float | bool | None:
    if _NULL.fullmatch(text):
        return None
    if _BOOLEAN.fullmatch(text):
        return text.lower() == "true"
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text.startswith(("0o", "0x")) else int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
