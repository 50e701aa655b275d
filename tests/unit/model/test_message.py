from __future__ import annotations

import copy
import json
import pickle
from dataclasses import dataclass

import pytest

from auditor.model.message import Message, data, joined, message_records, say, written


def test_a_message_is_its_english_text() -> None:
    message = say("{count} of {name} end", count=2, name="svc {count} }{")
    assert message == "2 of svc {count} }{ end"
    assert json.dumps({"text": message}) == '{"text": "2 of svc {count} }{ end"}'
    assert hash(message) == hash("2 of svc {count} }{ end")


def test_what_is_inserted_is_never_read_as_a_template() -> None:
    inner = say("group {name}", name="{other}")
    assert say("{inner} and {other}", inner=inner, other="x") == "group {other} and x"


def test_a_placeholder_without_a_value_is_refused() -> None:
    with pytest.raises(KeyError):
        say("{name} is missing")


@pytest.mark.parametrize("again", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_it_remembers_through_a_copy_and_through_another_process(again) -> None:
    message = again(say("{inner}: {name}", inner=say("group {name}", name="a"), name="b"))
    assert (message.template, message.values) == ("{inner}: {name}", {"inner": "group a", "name": "b"})
    assert isinstance(message.values["inner"], Message)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a and b and c")],
)
def test_joined_texts_keep_what_each_was_made_of(texts: list[str], expected: str) -> None:
    assert joined(say(" and "), texts) == expected
    assert joined(say(" and "), map(say, texts)) == expected


def test_what_is_written_already_keeps_what_it_remembers() -> None:
    message = say("group {name}", name="a")
    assert written(message) is message
    assert (written("plain {x}").template, written("plain {x}").values) == ("plain {x}", {})


@dataclass(frozen=True)
class _Part:
    title: str
    paths: tuple[tuple[str, ...], ...] = ()


def test_the_record_lists_each_message_once_and_tells_texts_from_data() -> None:
    step = say("group {name}", name="say")
    part = _Part(title=say("held {way}, by {whom}", way=step, whom="the account"), paths=(("svc", step),))
    listed = message_records((part, part), data("the account"), say("no values"), "plain")
    assert [(each.template, dict(each.values), each.texts) for each in listed] == [
        ("held {way}, by {whom}", {"way": "group say", "whom": "the account"}, ("way",)),
        ("group {name}", {"name": "say"}, ()),
        ("{data}", {"data": "the account"}, ()),
    ]
