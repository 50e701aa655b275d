"""Texts of the record that remember what they were made of, so that a report can say them in another language.

A finished sentence cannot be translated: what was inserted is not told apart from what was said. `say` keeps both,
as gettext keeps a template and its arguments. A `Message` is its English text wherever text is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003 - pydantic reads the annotation of MessageRecord at run time
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)\}")


class Message(str):
    """An English text with its `template` and the `values` of the template's `{placeholders}`.

    A value that is a Message is a text itself; any other value is data, which no language changes.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, str]

    def __new__(cls, text: str, template: str = "", values: Mapping[str, str] | None = None) -> Self:
        """Return a text; one without placeholders is its own template."""
        message = super().__new__(cls, text)
        message.template = template or text
        message.values = values or {}
        return message

    def __reduce__(self) -> tuple[type[Self], tuple[str, str, Mapping[str, str]]]:
        """Return what it is made of, for a copy in another process."""
        return type(self), (str(self), self.template, self.values)


def say(template: str, **values: str | int) -> Message:
    """Return the text that `template` makes with `values`. Raises KeyError for a placeholder without a value."""
    told = {name: value if isinstance(value, str) else str(value) for name, value in values.items()}
    return Message(fill(template, told), template, told)


NOTHING = Message("")  # where there is nothing to say


def data(text: str) -> Message:
    """Return what a source or a person wrote: shown as it is in every language."""
    return Message(text, "{data}", {"data": text})


def written(text: str) -> Message:
    """Return a text that is already made: with what it remembers, or as one without placeholders."""
    return text if isinstance(text, Message) else Message(text)


def joined(separator: str, texts: Iterable[str]) -> Message:
    """Return `texts` one after another; those that are Messages stay texts of their own, as does the separator."""
    told = [text for text in texts if text or separator]
    if len(told) == 1:
        return told[0] if isinstance(told[0], Message) else data(told[0])
    values = {str(place): text for place, text in enumerate(told)}
    between = separator
    if isinstance(separator, Message) and len(values) > 1:
        values["between"], between = separator, "{between}"
    template = between.join(f"{{{place}}}" for place in values if place != "between")
    return Message(fill(template, values), template, values)


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return `template` with every placeholder replaced. Raises KeyError for one without a value."""
    return PLACEHOLDER.sub(lambda found: values[found[1]], template)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRecord:
    """What a text of the record was made of. `texts` names the values that are texts themselves, not data.

    The text itself is not repeated: it is what `template` makes with `values`.
    """

    template: str
    values: Mapping[str, str]
    texts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError for a placeholder without a value."""
        if not set(PLACEHOLDER.findall(self.template)) <= self.values.keys():
            msg = f"{self.template!r} has a placeholder without a value"
            raise ValueError(msg)


def message_records(*parts: Any) -> tuple[MessageRecord, ...]:  # noqa: ANN401 - any part of a record
    """Return how the texts in `parts` were made, each once, in the order in which they come.

    A text without values is not listed: it is its own template.
    """
    found: dict[str, Message] = {}
    _gather(parts, found)
    return tuple(
        MessageRecord(
            template=message.template,
            values=message.values,
            texts=tuple(name for name, value in message.values.items() if isinstance(value, Message)),
        )
        for message in found.values()
    )


def remembering(records: Iterable[MessageRecord]) -> Callable[[str], Message]:
    """Return what gives a stored text back as the Message it was; one that no record makes is its own template."""
    made = {fill(record.template, record.values): record for record in records}

    def remembered(text: str, within: frozenset[str] = frozenset()) -> Message:
        record = None if text in within else made.get(text)  # a circle in an altered file ends
        if record is None:
            return Message(text)
        around = within | {text}
        # Those alone that are in the text: it bounds how many there are, whatever an altered file lists
        shown = {name: record.values[name] for name in PLACEHOLDER.findall(record.template)}
        values = {name: remembered(value, around) if name in record.texts else value for name, value in shown.items()}
        return Message(text, record.template, values)

    return remembered


def _gather(part: Any, found: dict[str, Message]) -> None:  # noqa: ANN401
    """Add the texts in a part of the record that have values, those in the values included."""
    if isinstance(part, str):
        if isinstance(part, Message) and part.values and part not in found:
            found[part] = part
            for value in part.values.values():
                _gather(value, found)
    elif isinstance(part, tuple):
        for each in part:
            _gather(each, found)
    else:
        for name in _field_names(type(part)):  # type: ignore[arg-type]  # every type is hashable
            _gather(getattr(part, name), found)


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    """Return the names of a dataclass's fields; none of anything else."""
    return tuple(each.name for each in fields(kind)) if is_dataclass(kind) else ()
