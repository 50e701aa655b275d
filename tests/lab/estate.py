"""What a lab's directory holds: the description that `populate.py` carries out, step by step.

DNs are relative to the domain head and escaped as in RFC 4514. In attribute values `{domain}` stands
for the domain's DNS name. ACEs are SDDL (MS-DTYP 2.5.1.1) with placeholders: `{user}` and the like
stand for the GUIDs of `GUIDS`, `{sid:NAME}` for the SID of the account or group with that
sAMAccountName, `{rid:NUMBER}` for that of the domain with this last part, whether an account has it or not.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LAB_PASSWORD = "Passw0rd-Lab!1"  # of every account, in throwaway domains only

_COMMON_TAIL = "0de6-11d0-a285-00aa003049e2"
GUIDS: Mapping[str, str] = {
    # classes
    "user": f"bf967aba-{_COMMON_TAIL}",
    "inetOrgPerson": "4828cc14-1437-45bc-9b07-ad6f015e5f28",
    "group": f"bf967a9c-{_COMMON_TAIL}",
    "computer": f"bf967a86-{_COMMON_TAIL}",
    "groupPolicyContainer": "f30e3bc2-9ff0-11d1-b603-0000f80367c1",
    # extended rights
    "User-Force-Change-Password": "00299570-246d-11d0-a768-00aa006e0529",
    "User-Change-Password": "ab721a53-1e2f-11d0-9819-00aa0040529b",
    "DS-Replication-Get-Changes": "1131f6aa-9c07-11d1-f79f-00c04fc2dcd2",
    "DS-Replication-Get-Changes-All": "1131f6ad-9c07-11d1-f79f-00c04fc2dcd2",
    # attributes
    "member": f"bf9679c0-{_COMMON_TAIL}",
    "pwdLastSet": f"bf967a0a-{_COMMON_TAIL}",
    "description": f"bf967950-{_COMMON_TAIL}",
    "gPLink": "f30e3bbe-9ff0-11d1-b603-0000f80367c1",
    "servicePrincipalName": "f3a64788-5306-11d1-a9c5-0000f80367c1",
    "msDS-GroupMSAMembership": "888eedd6-ce04-df40-b462-b8a50e41ba38",
    # property sets
    "User-Account-Restrictions": "4c164200-20c0-11d0-a768-00aa006e0529",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryObject:
    """An object to create. With a `password` it can sign in."""

    dn: str
    object_class: str
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    password: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """`group` by sAMAccountName; `member` likewise, or a SID, which joins as foreign security principal."""

    group: str
    member: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeChange:
    """Replaces the values of one attribute of the account or group named `name`."""

    name: str
    attribute: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessChange:
    """Puts `aces` in front of an object's explicit ACEs, in the order given.

    `protected` cuts inheritance off and drops what was inherited. `owner` is a sAMAccountName; without one
    the owner stays.
    """

    dn: str
    aces: tuple[str, ...] = ()
    protected: bool = False
    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Renaming:
    """Gives the account or group named `name` another RDN and another sAMAccountName."""

    name: str
    new_rdn: str
    new_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """Everything to do to an empty domain, in this order.

    `guarded_accounts` are the sAMAccountNames of those whom AdminSDHolder has marked (MS-ADTS 3.1.1.6.1).
    `empty_dacls` and `null_dacls` are the DNs of objects that nobody, and everybody, may do anything to
    (MS-DTYP 2.4.6).
    """

    objects: tuple[DirectoryObject, ...] = ()
    memberships: tuple[Membership, ...] = ()
    attribute_changes: tuple[AttributeChange, ...] = ()
    access_changes: tuple[AccessChange, ...] = ()
    renamings: tuple[Renaming, ...] = ()
    guarded_accounts: tuple[str, ...] = ()
    empty_dacls: tuple[str, ...] = ()
    null_dacls: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the description as `populate.py` reads it."""
        return json.dumps({**asdict(self), "guids": dict(GUIDS)})


def organizational_unit(dn: str) -> DirectoryObject:
    """Describe an organizational unit."""
    return DirectoryObject(dn=dn, object_class="organizationalUnit")


def group(dn: str, name: str) -> DirectoryObject:
    """Describe a global security group."""
    return DirectoryObject(dn=dn, object_class="group", attributes={"sAMAccountName": (name,)})


def distribution_group(dn: str, name: str) -> DirectoryObject:
    """Describe a global group for mail, which is in no token."""
    return DirectoryObject(
        dn=dn, object_class="group", attributes={"sAMAccountName": (name,), "groupType": ("2",)}
    )


def domain_local_group(dn: str, name: str) -> DirectoryObject:
    """Describe a domain-local security group, the only kind that takes foreign security principals."""
    domain_local, security_enabled = 0x4, -0x80000000  # MS-ADTS 2.2.12
    kind = str(domain_local + security_enabled)
    return DirectoryObject(dn=dn, object_class="group", attributes={"sAMAccountName": (name,), "groupType": (kind,)})


def user(dn: str, name: str) -> DirectoryObject:
    """Describe a user that cannot sign in, as Samba makes them by default."""
    return DirectoryObject(dn=dn, object_class="user", attributes={"sAMAccountName": (name,)})


def account(dn: str, name: str, *, enabled: bool = True) -> DirectoryObject:
    """Describe a user with the lab's password and the UPN `name@` the domain's DNS name."""
    normal, disabled = 0x200, 0x2  # MS-ADTS 2.2.16
    control = normal if enabled else normal | disabled
    return DirectoryObject(
        dn=dn,
        object_class="user",
        attributes={
            "sAMAccountName": (name,),
            "userPrincipalName": (f"{name}@{{domain}}",),
            "userAccountControl": (str(control),),
        },
        password=LAB_PASSWORD,
    )
