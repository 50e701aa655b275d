"""A hybrid connection as evidence: the documented shape, and everything about it that a test may change."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from auditor.acl import (
    FULL_CONTROL,
    READ_RIGHTS,
    AccessMask,
    Ace,
    SecurityDescriptor,
    parse_sid,
    serialise_descriptor,
)
from auditor.evaluate.directory.user_task import USER_CLASS
from auditor.model.connection import HybridConnection
from auditor.model.directory_entry import DirectoryEntry, entry_to_record
from tests.unit.evaluate.composed import NOW, compose

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.model.evidence import Evidence, Gap, Record
    from tests.unit.evaluate.composed import Question

HEAD = "DC=corp,DC=example,DC=com"
DOMAIN = "S-1-5-21-1004336348-1177238915-682003330"
ACCOUNT = f"{DOMAIN}-1104"
AUDITOR = f"{DOMAIN}-1105"
DOMAIN_ADMINS, DOMAIN_USERS = f"{DOMAIN}-512", f"{DOMAIN}-513"
DELEGATES = f"{DOMAIN}-1200"
ADMINISTRATORS, USERS = "S-1-5-32-544", "S-1-5-32-545"
AUTHENTICATED_USERS = "S-1-5-11"
STAFF = f"OU=Staff,{HEAD}"
HOST = "10.1.0.10"
CONTAINER_INHERIT, NO_PROPAGATE, INHERIT_ONLY, INHERITED = 0x02, 0x04, 0x08, 0x10
CHILDREN = AccessMask.CREATE_CHILD | AccessMask.DELETE_CHILD
SECURITY_GROUP = -2147483646
PROTECTED = 0x1000

CONNECTION = HybridConnection(
    id="corp",
    name="Connection-Directory Service",
    profile="hybrid-exchange-online",
    hosts=(HOST,),
    port=636,
    base_dns=(HEAD,),
    username="svc-h2r@corp.example.com",
    target_ous=(STAFF,),
    group_ous=(),
)


def ace(
    mask: int,
    trustee: str,
    *,
    ace_type: int = 0,
    object_type: str | None = None,
    inherited: str | None = None,
    flags: int = 0,
) -> Ace:
    """Build an ACE; `ace_type` is that of the form without object types (0 allow, 1 deny, 9 and 10 conditional)."""
    typed = {0: 0x05, 1: 0x06, 9: 0x0B, 10: 0x0C}[ace_type] if object_type or inherited else ace_type
    return Ace(
        type=typed,
        flags=flags,
        mask=int(mask),
        trustee=trustee,
        object_type=object_type,
        inherited_object_type=inherited,
        application_data=b"artx\x00\x00\x00\x00" if ace_type in (9, 10) else b"",
    )


READABLE = ace(READ_RIGHTS, AUTHENTICATED_USERS)


def user_task(trustee: str, *, flags: int = 0) -> tuple[Ace, ...]:
    """Return the ACEs that the delegation wizard writes for its user task."""
    return (
        ace(CHILDREN, trustee, object_type=USER_CLASS, flags=CONTAINER_INHERIT | flags),
        ace(FULL_CONTROL, trustee, inherited=USER_CLASS, flags=CONTAINER_INHERIT | INHERIT_ONLY | flags),
    )


DELEGATED = (READABLE, *user_task(DELEGATES))


def descriptor(*aces: Ace, control: int = 0) -> bytes:
    """Return the bytes of a descriptor that Domain Admins own."""
    return serialise_descriptor(
        SecurityDescriptor(owner=DOMAIN_ADMINS, group=DOMAIN_ADMINS, control=0x8004 | control, dacl=aces)
    )


ADMINISTERED = descriptor(READABLE, ace(FULL_CONTROL, DOMAIN_ADMINS))
"""Everybody reads it, Domain Admins control and own it: accounts and groups that nobody else controls."""
GUARDED = descriptor(READABLE, ace(FULL_CONTROL, DOMAIN_ADMINS), control=PROTECTED)
"""The same as AdminSDHolder has it, and leaves it on members of protected groups."""
HEAD_OF_DOMAIN = descriptor(READABLE)
ADMIN_SD_HOLDER = f"CN=AdminSDHolder,CN=System,{HEAD}"
NULL_DACL = serialise_descriptor(
    SecurityDescriptor(owner=DOMAIN_ADMINS, group=DOMAIN_ADMINS, control=0x8004, dacl=None)
)


def entry(dn: str, raw: bytes | None = None, **attributes: object) -> DirectoryEntry:
    """Build an entry; SID attributes take SIDs as text, others take text or integers, alone or in a list."""
    return DirectoryEntry(
        dn=dn,
        attributes={name.lower(): _values(name.lower(), value) for name, value in attributes.items()},
        descriptor=None if raw is None else hashlib.sha256(raw).hexdigest(),
    )


def _values(name: str, value: object) -> tuple[bytes, ...]:
    values = value if isinstance(value, (list, tuple)) else [value]
    is_sid = name in {"objectsid", "tokengroups", "sidhistory"}
    return tuple(
        each if isinstance(each, bytes) else parse_sid(each) if is_sid else str(each).encode() for each in values
    )


def group(name: str, sid: str, *member_of: str, dn: str = "", group_type: int = SECURITY_GROUP) -> DirectoryEntry:
    """Build a group; `member_of` are DNs."""
    return entry(
        dn or dn_of(name),
        ADMINISTERED,
        objectSid=sid,
        sAMAccountName=name,
        groupType=group_type,
        memberOf=member_of,
    )


def dn_of(name: str) -> str:
    """Return the DN of a group."""
    return f"CN={name},CN=Users,{HEAD}"


def filetime(instant: datetime) -> int:
    """Return an instant as Windows counts it."""
    return round((instant - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10**7


def service_account(
    *member_of: str, dn: str = f"CN=Hire2Retire,CN=Users,{HEAD}", raw: bytes | None = b"", **attributes: object
) -> DirectoryEntry:
    """Build the audited account as it should be, a member of these groups; `raw` is another descriptor."""
    is_guarded = bool({"Domain Admins", "Domänen-Admins"} & set(member_of))
    return entry(
        dn,
        (GUARDED if is_guarded else ADMINISTERED) if raw == b"" else raw,
        **{
            "objectClass": ["top", "person", "organizationalPerson", "user"],
            "objectSid": ACCOUNT,
            "sAMAccountName": "svc-h2r",
            "userAccountControl": 0x100200,
            "msDS-User-Account-Control-Computed": 0,
            "accountExpires": 0,
            "pwdLastSet": filetime(NOW - timedelta(days=30)),
            "lastLogonTimestamp": filetime(NOW - timedelta(days=3)),
            "primaryGroupID": 513,
            "memberOf": [dn_of(name) for name in member_of],
            **({"adminCount": 1} if is_guarded else {}),
            **attributes,
        },
    )


TRUSTED_HOST: Record = {
    "host": HOST,
    "port": 636,
    "reachable": True,
    "tls": {"version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384"},
    "certificate": {
        "sha256": "00",
        "names": ["dc1.corp.example.com"],
        "not_after": "2027-11-23T08:00:00.000Z",
        "verified": True,
        "error": None,
        "name_matches": True,
    },
    "signed_in": True,
    "root_dse": {"defaultNamingContext": [HEAD]},
}
GROUPS = (
    group("Domain Users", DOMAIN_USERS, dn_of("Users")),
    group("Users", USERS),
    group("Domain Admins", DOMAIN_ADMINS, dn_of("Administrators")),
    group("Administrators", ADMINISTRATORS),
    group("H2R Delegates", DELEGATES),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """An OU as the directory shows it: its descriptor, and what lies below it."""

    raw: bytes | None
    below: Mapping[str, bytes | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """By default an account in Domain Admins whose group is delegated the user task on the target OU."""

    connection: HybridConnection = CONNECTION
    hosts: Mapping[str, Record] = field(default_factory=lambda: {HOST: TRUSTED_HOST})
    accounts: tuple[DirectoryEntry, ...] = (service_account("Domain Admins", "H2R Delegates"),)
    groups: tuple[DirectoryEntry, ...] = GROUPS
    token: tuple[str, ...] = (DOMAIN_USERS, USERS, DOMAIN_ADMINS, ADMINISTRATORS, DELEGATES)
    well_known: tuple[DirectoryEntry, ...] = ()
    auditor: DirectoryEntry = field(
        default_factory=lambda: entry(f"CN=Auditor,{HEAD}", objectSid=AUDITOR, tokenGroups=[DOMAIN_USERS, USERS])
    )
    ous: Mapping[str, Container] = field(default_factory=lambda: {STAFF: Container(raw=descriptor(*DELEGATED))})
    group_ous: Mapping[str, bytes] = field(default_factory=dict)
    above: Mapping[str, bytes] = field(default_factory=dict)
    ancestors: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    trustees: tuple[DirectoryEntry, ...] = ()
    tier_zero: tuple[DirectoryEntry, ...] = (entry(ADMIN_SD_HOLDER, GUARDED),)
    descriptors: tuple[bytes, ...] = ()
    head: bytes | None = HEAD_OF_DOMAIN
    reads: Mapping[Question, tuple[DirectoryEntry, ...]] = field(default_factory=dict)
    gaps: Mapping[Question, Gap] = field(default_factory=dict)

    def connect(self, **changes: object) -> Directory:
        """Return the same with the connection changed."""
        return replace(self, connection=replace(self.connection, **changes))  # type: ignore[arg-type]

    def evidence(self) -> Evidence:
        """Return what a collection of all this leaves."""
        answers: dict[Question, list[DirectoryEntry]] = {
            ("domain", ""): [entry(HEAD, self.head)],
            ("tier_zero", ""): list(self.tier_zero),
            ("trustees", ""): list(self.trustees),
            ("auditing_identity", ""): [self.auditor],
            ("account", ""): list(self.accounts),
            ("well_known_memberships", ""): list(self.well_known),
            ("token_groups", ""): [entry(self.accounts[0].dn, tokenGroups=self.token)] if self.accounts else [],
            ("groups", ""): list(self.groups),
        }
        for dn, ou in self.ous.items():
            answers["target_ou", dn] = [entry(dn, ou.raw)]
            answers["containers", dn] = [entry(below, raw) for below, raw in ou.below.items()]
        answers |= {("group_ou", dn): [entry(dn, raw)] for dn, raw in self.group_ous.items()}
        answers["ancestors", ""] = [entry(dn, raw) for dn, raw in self.above.items()]
        answers |= {("nearest_ancestor", dn): [entry(above, raw)] for dn, (above, raw) in self.ancestors.items()}
        answers |= {question: list(entries) for question, entries in self.reads.items()}
        records: dict[Question, list[Record]] = {("host", host): [record] for host, record in self.hosts.items()}
        records |= {question: [entry_to_record(each) for each in entries] for question, entries in answers.items()}
        return compose(self.connection, records, self.gaps, self._descriptors())

    def _descriptors(self) -> dict[str, bytes]:
        found: list[bytes | None] = [ADMINISTERED, GUARDED, self.head, *self.descriptors]
        found += [raw for ou in self.ous.values() for raw in (ou.raw, *ou.below.values())]
        found += [*self.group_ous.values(), *self.above.values(), *(raw for _, raw in self.ancestors.values())]
        return {hashlib.sha256(raw).hexdigest(): raw for raw in found if raw is not None}
