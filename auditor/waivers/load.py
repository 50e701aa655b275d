"""Reads a waiver file, or reports every problem at once."""


from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

from auditor.catalogue import CATALOGUE
from auditor.errors import InvalidInput
from auditor.model.waiver import LONGEST_WAIVER, Waiver, WaiverFile
from auditor.strict_yaml import did_you_mean, load_document, refusal, validate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.errors import Problem
    from auditor.strict_yaml import Document, Place

_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_FINGERPRINT = r"sha256:[0-9a-f]{64}"


def _require_text(value: str) -> str:
    if not value.strip():
        raise refusal("is empty", "write a value")
    return value


def _require_id(value: str) -> str:
    if not re.fullmatch(_ID, value):
        raise refusal("is no usable id", "use 1 to 64 letters, digits, dots, hyphens and underscores")
    return value


def _require_check(value: str) -> str:
    if value not in CATALOGUE:
        raise refusal("is no known check", f"{did_you_mean(value, CATALOGUE)}copy the check of the finding")
    return value


def _require_fingerprint(value: str) -> str:
    if not re.fullmatch(_FINGERPRINT, value):
        raise refusal("is no fingerprint", "let `auditor waivers add` write the entry")
    return value


def _require_date(value: object) -> date:
    day = _as_date(value)
    if day is None:
        raise refusal("is no date", "write it like 2027-01-31")
    return day


def _as_date(value: object) -> date | None:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


_Text = Annotated[str, AfterValidator(_require_text)]
_Day = Annotated[
    date,
    BeforeValidator(_require_date),
    PlainSerializer(date.isoformat),
    WithJsonSchema({"type": "string", "format": "date"}),
]


class WaiverFields(BaseModel):
    """One waiver: a dated acceptance of one finding by a named person, who is not its owner."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    id: Annotated[str, AfterValidator(_require_id)]
    check: Annotated[str, AfterValidator(_require_check)]
    connection: Annotated[str, AfterValidator(_require_id)]
    principal: str
    entitlement: _Text
    scope: str = ""
    accepted_fingerprint: Annotated[str, AfterValidator(_require_fingerprint)]
    reason: _Text
    owner: _Text
    approved_by: _Text
    ticket: str = ""
    created: _Day
    expires: _Day


class _WaiverFileFields(BaseModel):
    """The waivers of a review."""

    model_config = ConfigDict(extra="forbid", frozen=True, title="Waivers")
    version: Literal[1]
    waivers: list[WaiverFields]


class _TopFields(BaseModel):
    """The file without the content of its entries, so that one wrong entry hides nothing of another."""

    model_config = ConfigDict(extra="forbid")
    version: Literal[1]
    waivers: list[Annotated[Any, Field()]]


def load_waivers(path: Path, today: date) -> WaiverFile:
    """Read a waiver file. `today` is the day of the run, from which a waiver may reach 366 days ahead.

    Raises InvalidInput with every problem of the file, in the order of its lines.
    """
    document = load_document(path)
    _, problems = validate(document, _TopFields)
    waivers = []
    for place, _ in _entries(document):
        entry, found = validate(document, WaiverFields, place=place)
        problems += found
        if entry is not None:
            waivers.append(Waiver(**{each.name: getattr(entry, each.name) for each in fields(Waiver)}))
    problems += [*_repeated_ids(document), *_wrong_spans(document, today)]
    if problems:
        raise InvalidInput(sorted(dict.fromkeys(problems), key=lambda problem: problem.line or 0))
    content = path.read_bytes()
    return WaiverFile(waivers=tuple(waivers), content=content, sha256=hashlib.sha256(content).hexdigest())


def waivers_schema() -> dict[str, Any]:
    """Return the JSON Schema of a waiver file."""
    return _WaiverFileFields.model_json_schema()


def _entries(document: Document) -> Iterator[tuple[Place, Any]]:
    listed = document.content.get("waivers")
    for index, entry in enumerate(listed if isinstance(listed, list) else ()):
        yield ("waivers", index), entry


def _repeated_ids(document: Document) -> Iterator[Problem]:
    named = [(place, entry["id"]) for place, entry in _entries(document) if isinstance(_get(entry, "id"), str)]
    often = Counter(name for _, name in named)
    seen: set[str] = set()
    for place, name in named:
        if name in seen:
            message = f"is used by {often[name]} waivers"
            yield document.problem((*place, "id"), message, "give each waiver its own id")
        seen.add(name)


def _wrong_spans(document: Document, today: date) -> Iterator[Problem]:
    for place, entry in _entries(document):
        created, expires = _as_date(_get(entry, "created")), _as_date(_get(entry, "expires"))
        if expires is None:
            continue
        if created is not None and expires < created:
            yield document.problem((*place, "expires"), "lies before created", "correct one of the two dates")
        latest = min(created or today, today)
        if expires - latest > LONGEST_WAIVER:
            cure = f"accept it for at most {LONGEST_WAIVER.days} days, then decide again"
            message = f"lies more than {LONGEST_WAIVER.days} days ahead of {latest}"
            yield document.problem((*place, "expires"), message, cure)


def _get(entry: object, name: str) -> object:
    return entry.get(name) if isinstance(entry, dict) else None
