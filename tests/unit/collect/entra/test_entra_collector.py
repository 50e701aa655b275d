"""How accounts and objects are named in requests to Microsoft Graph."""

from __future__ import annotations

import pytest

from auditor.collect.entra.collector import _id_of, may_pass_roles_on
from auditor.collect.entra.questions import GraphQuestions, _equals, _user_key
from auditor.collect.https.recorder import Recorded

ID = "6f1d0000-0000-0000-0000-00000000000a"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("svc@contoso.com", "/svc@contoso.com"),
        ("svc_contoso.com#EXT#@fabrikam.com", "/svc_contoso.com%23EXT%23@fabrikam.com"),
        ("a/b?c@contoso.com", "/a%2Fb%3Fc@contoso.com"),
        ("$svc@contoso.com", "('%24svc@contoso.com')"),
        ("$o'brien@contoso.com", "('%24o%27%27brien@contoso.com')"),
    ],
)
def test_a_user_is_named_by_one_path_segment(name: str, key: str) -> None:
    assert _user_key(name) == key


def test_a_literal_cannot_leave_its_quotes() -> None:
    assert _equals("appId", "x' or 1 eq 1") == "appId%20eq%20'x''%20or%201%20eq%201'"


@pytest.mark.parametrize(
    ("records", "found"),
    [
        (({"id": ID},), ID),
        (({"id": ID}, {"id": ID}), ID),
        (({"id": ID}, {"id": ID.replace("6", "7")}), None),
        (({"id": "../me"},), None),
        (({"id": [ID]},), None),
        (({},), None),
        ((), None),
    ],
)
def test_an_id_is_taken_only_when_it_is_one_and_the_only_one(
    records: tuple[dict[str, object], ...], found: str | None
) -> None:
    assert _id_of(Recorded(records=records, gap=None)) == found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("member_of", "expected"),
    [
        ({"@odata.type": "#microsoft.graph.group", "isAssignableToRole": True}, True),
        ({"@odata.type": "#microsoft.graph.group", "isAssignableToRole": None}, True),
        ({"@odata.type": "#microsoft.graph.group"}, True),
        ({"@odata.type": "#microsoft.graph.group", "displayName": "g", "isAssignableToRole": None}, False),
        ({"@odata.type": "#microsoft.graph.group", "displayName": None, "isAssignableToRole": None}, True),
        ({"@odata.type": "#microsoft.graph.group", "displayName": "g"}, True),
        ({"id": ID}, True),
        ({"@odata.type": "#microsoft.graph.group", "isAssignableToRole": False}, False),
        ({"@odata.type": "#microsoft.graph.directoryRole"}, False),
        ({"@odata.type": "#microsoft.graph.administrativeUnit"}, False),
        ({"@odata.type": ["#microsoft.graph.group"]}, True),
    ],
)
def test_only_a_group_known_to_be_without_roles_is_passed_over(
    member_of: dict[str, object], expected: bool
) -> None:
    assert may_pass_roles_on(member_of) is expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("record", "expected"), [({"isEnabled": False}, True), ({}, False), ({"isEnabled": None}, False)]
)
def test_security_defaults_that_are_neither_on_nor_off_are_no_answer(
    record: dict[str, object], expected: bool
) -> None:
    question = GraphQuestions(base="https://graph.example").security_defaults()
    assert question.belongs(record) is expected  # type: ignore[arg-type]
