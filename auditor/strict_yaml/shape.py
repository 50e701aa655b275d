"""Validates a document against a pydantic shape and says in plain words what does not fit, and where."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from auditor.strict_yaml.document import Document, Place, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic_core import ErrorDetails

    from auditor.errors import Problem

T = TypeVar("T")
JsonSchema: TypeAlias = "dict[str, Any]"

_REFUSAL = "refusal"
_A_LIST = ("a list", "write the values in [brackets] or on lines that start with `- `")
_A_MAPPING = ("a mapping of keys", "write `key: value` lines")
_WRONG_KIND = {
    "string_type": ("text", "put the value in quotes"),
    "int_type": ("a whole number", "write a whole number without quotes"),
    "float_type": ("a number", "write a number without quotes"),
    "bool_type": ("true or false", "write true or false without quotes"),
    "list_type": _A_LIST,
    "tuple_type": _A_LIST,
    "set_type": _A_LIST,
    "frozen_set_type": _A_LIST,
    "dict_type": _A_MAPPING,
    "model_type": _A_MAPPING,
    "dataclass_type": _A_MAPPING,
    "model_attributes_type": _A_MAPPING,
}
_UNKNOWN_KEY = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
_NOT_ONE_OF = frozenset({"enum", "literal_error"})
_UNKNOWN_TAG = frozenset({"union_tag_invalid", "union_tag_not_found"})


def refusal(message: str, cure: str) -> PydanticCustomError:
    """Build what a validator of a shape raises to say in its own words what is wrong and how to mend it."""
    return PydanticCustomError(_REFUSAL, "{message}", {"message": message, "cure": cure})


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Return `did you mean 'hosts'? ` for a near miss, else nothing."""
    spelled = {each.lower(): each for each in sorted(known)}
    close = difflib.get_close_matches(str(word).lower(), list(spelled), n=1, cutoff=0.6)
    return f"did you mean {spelled[close[0]]!r}? " if close else ""


def validate(
    document: Document, shape: type[T], *, place: Place = (), context: object = None
) -> tuple[T | None, list[Problem]]:
    """Turn what stands at `place` into a `shape`: a pydantic model or a dataclass with a pydantic config.

    Returns the object, None if it does not fit, and the problems, those of the document included.
    Nothing is converted: `"636"` is no number. `context` reaches the shape's validators. No message
    repeats a value of the file unless a validator of the shape writes it.
    """
    adapter = TypeAdapter(shape)
    # JSON in strict mode is exactly what a file may say: lists for tuples and text for enums, nothing looser
    text = json.dumps(document.at(place))
    try:
        return adapter.validate_json(text, strict=True, context=context), list(document.problems)
    except ValidationError as error:
        schema = adapter.json_schema()
        found = [_problem(document, place, details, schema) for details in error.errors(include_url=False)]
        return None, [*document.problems, *dict.fromkeys(found)]


def _problem(document: Document, base: Place, details: ErrorDetails, schema: JsonSchema) -> Problem:
    kind = details["type"]
    if kind in _UNKNOWN_KEY:
        return _unknown_key(document, base, details, schema)
    below, node = _locate(details["loc"], schema)
    place = (*base, *below)
    if kind in _UNKNOWN_TAG:
        mapping = node["discriminator"]
        place = (*place, mapping["propertyName"])
        return document.problem(place, *_choice(details["ctx"].get("tag"), list(mapping["mapping"])))
    if kind in _NOT_ONE_OF:
        values = node.get("enum", [node.get("const")])
        allowed = [value if isinstance(value, str) else json.dumps(value) for value in values]  # true, not True
        return document.problem(place, *_choice(details["input"], allowed))
    return document.problem(place, *_in_plain_words(details))


def _unknown_key(document: Document, base: Place, details: ErrorDetails, schema: JsonSchema) -> Problem:
    *parent, key = details["loc"]
    below, node = _locate(tuple(parent), schema)
    known = sorted(node.get("properties", {}))
    cure = f"{did_you_mean(key, known)}known keys are {', '.join(known)}"
    return document.problem((*base, *below, key), "is not a key known here", cure)


def _choice(given: object, allowed: list[str]) -> tuple[str, str]:
    options = ", ".join(allowed)
    if given is None:
        return "is missing or empty", f"write one of {options}"
    return f"must be one of {options}", f"{did_you_mean(given, allowed)}write one of {options}"


def _in_plain_words(details: ErrorDetails) -> tuple[str, str]:
    kind, context = details["type"], details.get("ctx", {})
    if kind == _REFUSAL:
        return context["message"], context["cure"]
    if kind in _WRONG_KIND:
        expected, cure = _WRONG_KIND[kind]
        return f"must be {expected}, but is {kind_of(details['input'])}", cure
    match kind:
        case "missing":
            return "is missing", "add it"
        case "greater_than_equal":
            return f"must be at least {context['ge']}", "write a number in that range"
        case "less_than_equal":
            return f"must be at most {context['le']}", "write a number in that range"
        case "too_short" | "string_too_short":
            return f"is too short: at least {context['min_length']} needed", "add what is missing"
        case "value_error":
            return str(context["error"]), "correct the value"
        case _:
            return details["msg"].replace("Input should", "must"), "correct the value"


def _locate(location: tuple[int | str, ...], schema: JsonSchema) -> tuple[Place, JsonSchema]:
    """Return where pydantic's `location` stands in the file, and the JSON Schema of that place."""
    place: list[str | int] = []
    node = _resolved(schema, schema)
    for step in location:
        choices = _choices(node)
        if choices:  # this step names the member of a union that was tried; it stands in no file
            node = _resolved(_member(node, choices, step), schema)
        else:
            place.append(step)
            node = _resolved(_below(node, step), schema)
    return tuple(place), node


def _resolved(node: JsonSchema, schema: JsonSchema) -> JsonSchema:
    """Follow references, and unions whose only other member is null: pydantic does not name those."""
    while True:
        choices = _choices(node)
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        elif len(choices) == 1:
            node = choices[0]
        else:
            return node


def _choices(node: JsonSchema) -> list[JsonSchema]:
    members: list[JsonSchema] = node.get("oneOf") or node.get("anyOf") or []
    return [member for member in members if member.get("type") != "null"]


def _member(node: JsonSchema, choices: list[JsonSchema], step: str | int) -> JsonSchema:
    reference = node.get("discriminator", {}).get("mapping", {}).get(step, f"#/$defs/{step}")
    return next((choice for choice in choices if choice.get("$ref") == reference), {})


def _below(node: JsonSchema, step: str | int) -> JsonSchema:
    if isinstance(step, str):
        return node.get("properties", {}).get(step) or node.get("additionalProperties") or {}
    prefix = node.get("prefixItems", [])
    return prefix[step] if step < len(prefix) else node.get("items") or {}
