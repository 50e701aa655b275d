from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auditor.acl.sid import parse_sid
from auditor.model.directory_entry import record_to_entry
from auditor.model.evidence import GapKind
from tests.unit.collect.directory.collecting import gap_of
from tests.unit.collect.directory.scripted_server import (
    CONFIGURATION,
    HEAD,
    Answer,
    Attributes,
    Request,
    ScriptedServer,
    directory,
)

if TYPE_CHECKING:
    from auditor.model.evidence import Evidence
    from tests.unit.collect.directory.authority import Issued
    from tests.unit.collect.directory.collecting import Collect

DOMAIN = "S-1-5-21-1-2-3"
SERVICE = f"CN=svc,{HEAD}"
EVERYONE = f"CN=S-1-1-0,CN=ForeignSecurityPrincipals,{HEAD}"


def sid(rid: int) -> bytes:
    return parse_sid(f"{DOMAIN}-{rid}")


def group(rid: int, *member_of: str) -> Attributes:
    return {"objectSid": [sid(rid)], "memberOf": list(member_of), "nTSecurityDescriptor": [b"sd"]}


def dn(name: str) -> str:
    return f"CN={name},OU=Groups,{HEAD}"


CONTROLLER = f"CN=dc1,OU=Domain Controllers,{HEAD}"


def audit(
    collect: Collect, issued: Issued, objects: dict[str, Attributes], answer: Answer | None = None
) -> Evidence:
    matches = {
        value: [name]
        for name, values in objects.items()
        for value in values["objectSid"]
        if isinstance(value, bytes)
    }
    matches[b"svc@corp.example.com"] = [SERVICE]
    matches[b"primaryGroupID"] = [name for name in objects if name == CONTROLLER]
    with ScriptedServer(pem_file=issued.pem_file, answer=answer or directory(objects, matches)) as server:
        return collect(server.port)


def account(*member_of: str, token: tuple[bytes, ...] = (sid(513),)) -> Attributes:
    return {
        "objectSid": [sid(1104)],
        "primaryGroupID": ["513"],
        "memberOf": list(member_of),
        "tokenGroups": list(token),
    }


def names(evidence: Evidence) -> list[str]:
    return sorted(record_to_entry(record).dn.partition(",")[0] for record in evidence.read("groups"))


USERS = {dn("Users"): group(513)}


def test_groups_come_from_token_primary_group_and_memberships_each_once(
    collect: Collect, trusted: Issued
) -> None:
    objects = {
        **USERS,
        SERVICE: account(dn("inner"), dn("mailing list"), token=(sid(1), sid(2))),
        dn("inner"): group(1, dn("outer")),
        dn("outer"): group(2, dn("local")),
        dn("local"): group(3, dn("inner")),  # a loop
        dn("mailing list"): group(4),
    }
    evidence = audit(collect, trusted, objects)
    assert names(evidence) == ["CN=Users", "CN=inner", "CN=local", "CN=mailing list", "CN=outer"]
    assert evidence.read("groups").absence_is_proven
    assert all(record["descriptor"] for record in evidence.read("groups"))


def test_groups_above_the_primary_group_are_reached(collect: Collect, trusted: Issued) -> None:
    objects = {SERVICE: account(), dn("Users"): group(513, dn("above")), dn("above"): group(7)}
    assert names(audit(collect, trusted, objects)) == ["CN=Users", "CN=above"]


def test_a_token_larger_than_one_filter_is_read_in_full(collect: Collect, trusted: Issued) -> None:
    rids = range(2000, 2123)
    groups = {dn(f"g{rid}"): group(rid) for rid in rids}
    objects = {**USERS, **groups, SERVICE: account(token=tuple(map(sid, rids)))}
    evidence = audit(collect, trusted, objects)
    assert len(evidence.read("groups").records) == 124
    assert evidence.read("groups").absence_is_proven
    assert [source.pages for source in evidence.sources if source.dataset == "groups"] == [3]


def test_groups_that_cannot_be_read_are_named(collect: Collect, trusted: Issued) -> None:
    elsewhere = "CN=Universal,DC=eu,DC=example,DC=com"
    foreign = parse_sid("S-1-5-21-9-9-9-512")
    memberships = account(elsewhere, dn("hidden"), dn("seen"), token=(foreign,))
    objects = {**USERS, SERVICE: memberships, dn("seen"): group(5)}
    evidence = audit(collect, trusted, objects)
    assert names(evidence) == ["CN=Users", "CN=seen"]
    gap = evidence.read("groups").gap
    assert gap is not None
    assert gap.kind is GapKind.INCOMPLETE
    for name in (elsewhere, dn("hidden"), "S-1-5-21-9-9-9-512"):
        assert name in gap.message


def test_a_referral_for_one_group_does_not_end_the_walk(collect: Collect, trusted: Issued) -> None:
    elsewhere = "CN=Universal,DC=eu,DC=example,DC=com"
    objects = {**USERS, SERVICE: account(elsewhere, dn("seen")), dn("seen"): group(5)}
    known = directory(objects, {b"svc@corp.example.com": [SERVICE], sid(513): [dn("Users")]})

    def answer(request: Request) -> bytes:
        return request.done(10, referrals=["ldap://eu"]) if request.base == elsewhere else known(request)

    evidence = audit(collect, trusted, objects, answer)
    assert names(evidence) == ["CN=Users", "CN=seen"]
    assert elsewhere in gap_of(evidence, "groups").message


def test_hundreds_of_unreadable_groups_do_not_flood_the_message(collect: Collect, trusted: Issued) -> None:
    objects = {**USERS, SERVICE: account(*(dn(f"hidden {number}") for number in range(300)))}
    message = gap_of(audit(collect, trusted, objects), "groups").message
    assert "300 groups" in message
    assert "280 more" in message
    assert len(message) < 3000


def test_groups_of_everyone_are_recorded_and_reached(collect: Collect, trusted: Issued) -> None:
    objects: dict[str, Attributes] = {
        **USERS,
        SERVICE: account(),
        EVERYONE: {"objectSid": [parse_sid("S-1-1-0")], "memberOf": [dn("compatible")]},
        dn("compatible"): group(8),
    }
    evidence = audit(collect, trusted, objects)
    (record,) = evidence.read("well_known_memberships")
    assert record_to_entry(record).sid == "S-1-1-0"
    assert record_to_entry(record).texts("memberOf") == (dn("compatible"),)
    assert names(evidence) == ["CN=Users", "CN=compatible"]


@pytest.mark.parametrize("rid", ["", "x", "-1", "99999999999", "\u0665"])
def test_a_primary_group_that_is_no_number_is_left_alone(collect: Collect, trusted: Issued, rid: str) -> None:
    objects = {SERVICE: {**account(dn("seen")), "primaryGroupID": [rid]}, dn("seen"): group(5)}
    assert names(audit(collect, trusted, objects)) == ["CN=seen"]


def test_sids_that_are_none_are_named_in_hexadecimal(collect: Collect, trusted: Issued) -> None:
    objects = {**USERS, SERVICE: account(token=(b"\xff\xfe",))}
    gap = audit(collect, trusted, objects).read("groups").gap
    assert gap is not None
    assert "fffe" in gap.message


@pytest.mark.parametrize("well_known", [(), ("S-1-1-0",), ("S-1-1-0", "S-1-5-11")])
def test_without_authenticated_users_it_is_not_known_what_everybody_is_in(
    collect: Collect, trusted: Issued, well_known: tuple[str, ...]
) -> None:
    principals: dict[str, Attributes] = {
        f"CN={each},CN=ForeignSecurityPrincipals,{HEAD}": {"objectSid": [parse_sid(each)]} for each in well_known
    }
    read = audit(collect, trusted, {**USERS, SERVICE: account(), **principals}).read("well_known_memberships")
    assert read.absence_is_proven == ("S-1-5-11" in well_known)
    assert len(read.records) == len(well_known)


@pytest.mark.parametrize("hidden", [None, "own-500", "own-512", "S-1-5-32-544", CONTROLLER])
def test_what_every_domain_has_and_hides_is_a_gap(collect: Collect, trusted: Issued, hidden: str | None) -> None:
    own = {f"own-{rid}": sid(rid) for rid in (500, 502, 512, 516, 517, 520)}
    built_in = {name: parse_sid(name) for rid in range(544, 553) if (name := f"S-1-5-32-{rid}")}
    privileged: dict[str, Attributes] = {
        f"CN={name}": {"objectSid": [raw]} for name, raw in (own | built_in).items() if name != hidden
    }
    head: dict[str, Attributes] = {HEAD: {"objectSid": [parse_sid(DOMAIN)], "nTSecurityDescriptor": [b"sd"]}}
    places: dict[str, Attributes] = {
        place: {"objectSid": [], "nTSecurityDescriptor": [b"sd"]}
        for place in (
            f"CN=AdminSDHolder,CN=System,{HEAD}", f"OU=Domain Controllers,{HEAD}", f"CN=Policies,CN=System,{HEAD}",
            CONFIGURATION,
        )
    }
    controllers = {CONTROLLER: {"objectSid": [sid(1000)]}} if hidden != CONTROLLER else {}
    evidence = audit(collect, trusted, {**USERS, SERVICE: account(), **head, **places, **privileged, **controllers})
    gap = evidence.read("tier_zero").gap
    assert (gap is None) == (hidden is None)
    if gap is not None and hidden is not None:
        assert gap.kind is GapKind.NOT_PERMITTED
        assert ("domain controllers" if hidden == CONTROLLER else hidden.removeprefix("own")) in gap.message
