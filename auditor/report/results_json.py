"""Writes and reads results.json, the record every other output is rendered from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping as MappingABC
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from auditor.errors import InvalidInput, Problem, RunFailed
from auditor.model.outcome import Outcome
from auditor.model.results import Results  # noqa: TC001 - pydantic reads the annotation at run time
from auditor.processes import here
from auditor.report.visible_text import escape_in_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from auditor.processes import Spread

CURE = "point to the results.json of a run, unaltered, written by this or an earlier version of the tool"


class _Record(BaseModel):
    # The settings of this model reach the plain dataclasses below it: an unknown field is refused,
    # because leaving it out of a report would be silent.
    model_config = ConfigDict(extra="forbid")
    results: Results


def results_bytes(results: Results) -> bytes:
    """Return the file's content: UTF-8 JSON, indented by two, `\\n` at every line's end.

    Equal records give equal bytes. What a reader of the file could not see is a JSON escape.
    """
    return b"".join(_encoded(results, here))


def _encoded(results: Results, spread: Spread) -> Iterator[bytes]:
    """Yield the content in pieces: of a large estate neither all plain values nor all text is ever held."""
    start = "{\n"
    for each in fields(results):
        value = getattr(results, each.name)
        yield f'{start}  "{each.name}": '.encode()
        if isinstance(value, tuple) and value:
            yield from _encoded_array(spread(_encoded_member, value))
        else:
            yield _encode(value, "  ")
        start = ",\n"
    yield b"\n}\n"


def _encoded_array(members: Iterable[bytes]) -> Iterator[bytes]:
    start = b"[\n    "
    for member in members:
        yield start + member
        start = b",\n    "
    yield b"\n  ]"


def _encoded_member(value: object) -> bytes:
    return _encode(value, "    ")


def _encode(value: object, indent: str) -> bytes:
    """Return a value as it stands at this depth. A line's end is never inside a text: there it is an escape."""
    text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False, default=_fields_of)
    return escape_in_json(text.replace("\n", f"\n{indent}")).encode("utf-8")


def _fields_of(record: object) -> dict[str, object]:
    """Return the fields of a part of the record, in the file's order."""
    if isinstance(record, MappingABC):
        return dict(record)
    if not is_dataclass(record):
        raise TypeError(f"{type(record).__name__} is no part of a record")
    return {each.name: getattr(record, each.name) for each in fields(record)}


def write_results(results: Results, path: Path, spread: Spread = here) -> str:
    """Write the record to `path` and return the SHA-256 of the file. Raises RunFailed when it cannot be written."""
    digest = hashlib.sha256()
    try:
        with path.open("wb") as stream:
            for piece in _encoded(results, spread):
                digest.update(piece)
                stream.write(piece)
    except OSError as error:
        raise RunFailed(f"{path} cannot be written: {error.strerror}") from error
    return digest.hexdigest()


def read_results(path: Path) -> Results:
    """Read a record. Raises InvalidInput, listing every problem, when `path` does not hold one."""
    return parse_results(read_content(path), path)


def read_content(path: Path) -> bytes:
    """Return the file byte for byte. Raises InvalidInput when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput([_problem(path, f"cannot be read: {error.strerror}")]) from error


def parse_results(content: bytes, path: Path) -> Results:
    """Return the record that `content` holds; `path` only names the file in problems."""
    try:
        plain = json.loads(content)
    except json.JSONDecodeError as error:
        raise InvalidInput([_problem(path, f"is not JSON: {error.msg}", line=error.lineno)]) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput([_problem(path, "is not JSON text in UTF-8")]) from error
    try:
        results = _Record.model_validate({"results": plain}).results
    except ValidationError as error:
        problems = [
            _problem(path, detail["msg"], place=".".join(str(step) for step in detail["loc"][1:]))
            for detail in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise InvalidInput(problems) from error
    _require_true_counts(results, path)
    return results


def results_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of results.json."""
    definitions = _Record.model_json_schema()["$defs"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "results.json of the Hire2Retire permission auditor, version 1.0",
        "$ref": "#/$defs/Results",
        "$defs": definitions,
    }


def _require_true_counts(results: Results, path: Path) -> None:
    """Raise InvalidInput where counted outcomes are not those of the requirements beside them."""
    counted = [
        (f"connections.{place}.counts", connection.counts, connection.requirements)
        for place, connection in enumerate(results.connections)
    ]
    everything = tuple(one for connection in results.connections for one in connection.requirements)
    problems = [
        _problem(path, f"says {claimed} {outcome}, the requirements say {actual}", place=place)
        for place, counts, requirements in [*counted, ("summary.counts", results.summary.counts, everything)]
        for outcome in Outcome
        if (claimed := getattr(counts, outcome.value))
        != (actual := sum(one.outcome is outcome for one in requirements))
    ]
    if problems:
        raise InvalidInput(problems)


def _problem(path: Path, message: str, *, place: str = "", line: int | None = None) -> Problem:
    return Problem(file=str(path), line=line, place=place, message=message, cure=CURE)
