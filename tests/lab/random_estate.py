"""An estate of random access: every kind of ACE for every kind of trustee, on nested units and what is in them.

The same seed gives the same estate. Nobody is denied to read, to list or to read permissions, because the
accounts themselves are asked what they may do.
"""

from __future__ import annotations

from itertools import chain
from random import Random
from typing import TYPE_CHECKING

from auditor.acl import OWNER_RIGHTS_SID, PRINCIPAL_SELF_SID, WELL_KNOWN_GUIDS, GuidKind
from tests.lab.estate import (
    AccessChange,
    DirectoryObject,
    Estate,
    Membership,
    account,
    domain_local_group,
    group,
    organizational_unit,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "OU=Random"
ACCOUNTS = tuple(f"rnd-{number}" for number in range(6))

_GLOBAL_GROUPS = ("rnd-inner", "rnd-middle", "rnd-round", "rnd-trip", "rnd-strangers")
_DOMAIN_LOCAL_GROUPS = ("rnd-outer",)
_MEMBERS = {  # a chain into a domain-local group, a circle, and nobody in rnd-strangers
    "rnd-outer": ("rnd-middle", "rnd-2"),
    "rnd-middle": ("rnd-inner", "rnd-1"),
    "rnd-inner": ("rnd-0", "rnd-4"),
    "rnd-round": ("rnd-trip", "rnd-1"),
    "rnd-trip": ("rnd-round", "rnd-3", "rnd-4"),
}
_PRINCIPALS = (*ACCOUNTS, *_GLOBAL_GROUPS, *_DOMAIN_LOCAL_GROUPS)
_EVERYONE, _NETWORK, _AUTHENTICATED_USERS, _USERS = "S-1-1-0", "S-1-5-2", "S-1-5-11", "S-1-5-32-545"
_SHARED_TRUSTEES = (
    _EVERYONE, _NETWORK, _AUTHENTICATED_USERS, _USERS, PRINCIPAL_SELF_SID, OWNER_RIGHTS_SID
)  # fmt: skip

_UNITS_IN_EACH, _LEVELS, _OBJECTS_IN_EACH, _MOST_ACES = 3, 4, 2, 7
_CLASSES_BELOW = ("user", "group", "contact", "inetOrgPerson", "computer")

_UNKNOWN_TYPE = "00000000-dead-beef-0000-000000000001"
_TYPES_BY_KIND = {kind: sorted(guid for guid, each in WELL_KNOWN_GUIDS if each is kind) for kind in GuidKind}
_RIGHTS = ("CC", "DC", "LC", "SW", "RP", "WP", "DT", "LO", "CR", "SD", "RC", "WD", "WO")
_TOLD_BY_THE_CONTROLLER = ("CC", "WP", "WD", "WO")
_NEVER_DENIED = frozenset({"LC", "RP", "LO", "RC"})
_GENERIC = ("GA", "GW", "GX", "GR")
_READABLE = f"(A;;RPLCLORC;;;{_AUTHENTICATED_USERS})"


def random_estate(seed: int) -> Estate:
    """Return the estate of a seed; all of it lies below `ROOT`."""
    random = Random(seed)
    objects = (
        *_units(random, ROOT, _LEVELS),
        *(account(f"CN={name},{ROOT}", name) for name in ACCOUNTS),
        *(group(f"CN={name},{ROOT}", name) for name in _GLOBAL_GROUPS),
        *(domain_local_group(f"CN={name},{ROOT}", name) for name in _DOMAIN_LOCAL_GROUPS),
    )
    return Estate(
        objects=objects,
        memberships=tuple(
            Membership(group=name, member=member) for name, members in _MEMBERS.items() for member in members
        ),
        access_changes=tuple(_access_change(random, each.dn) for each in objects),
    )


def _units(random: Random, dn: str, levels: int) -> Iterator[DirectoryObject]:
    yield organizational_unit(dn)
    for number in range(_OBJECTS_IN_EACH):
        yield _object_in(dn, random.choice(_CLASSES_BELOW), number)
    if levels:
        yield from chain.from_iterable(
            _units(random, f"OU={number},{dn}", levels - 1) for number in range(_UNITS_IN_EACH)
        )


def _object_in(unit: str, object_class: str, number: int) -> DirectoryObject:
    attributes: dict[str, tuple[str, ...]] = {}
    if object_class != "contact":
        path = "".join(part.removeprefix("OU=") for part in unit.removesuffix(ROOT).split(","))
        end = "$" if object_class == "computer" else ""
        attributes["sAMAccountName"] = (f"{object_class[:4]}{number}-{path}{end}",)
    if object_class == "computer":
        attributes["userAccountControl"] = ("4096",)  # WORKSTATION_TRUST_ACCOUNT (MS-ADTS 2.2.16)
    return DirectoryObject(dn=f"CN={object_class} {number},{unit}", object_class=object_class, attributes=attributes)


def _access_change(random: Random, dn: str) -> AccessChange:
    aces = tuple(_ace(random) for _ in range(random.randint(1, _MOST_ACES)))
    is_protected, has_owner = random.random() < 0.15, random.random() < 0.3
    owner = random.choice(_PRINCIPALS) if has_owner else None
    return AccessChange(dn=dn, aces=(*aces, _READABLE), protected=is_protected, owner=owner)


def _ace(random: Random) -> str:
    is_deny, has_types = random.random() < 0.35, random.random() < 0.6
    ace_type = ("OD" if has_types else "D") if is_deny else ("OA" if has_types else "A")
    object_type, inherited_type = _types(random) if has_types else ("", "")
    rights = _denied_rights(random) if is_deny else _allowed_rights(random)
    return f"({ace_type};{_flags(random)};{rights};{object_type};{inherited_type};{_trustee(random)})"


def _types(random: Random) -> tuple[str, str]:
    one_of_each_kind = [random.choice(guids) for guids in _TYPES_BY_KIND.values()]
    object_type = random.choice([*one_of_each_kind, _UNKNOWN_TYPE, ""])
    inherited_type = random.choice(_TYPES_BY_KIND[GuidKind.CLASS]) if random.random() < 0.4 else ""
    return object_type, inherited_type


def _flags(random: Random) -> str:
    inherits = [flag for flag, share in (("OI", 0.1), ("CI", 0.5)) if random.random() < share]
    limits = [flag for flag, share in (("NP", 0.15), ("IO", 0.25)) if random.random() < share]
    return "".join(inherits + limits if inherits else [])


def _allowed_rights(random: Random) -> str:
    return random.choice(_GENERIC) if random.random() < 0.1 else "".join(sorted(_some_rights(random)))


def _denied_rights(random: Random) -> str:
    return "".join(sorted(_some_rights(random) - _NEVER_DENIED))


def _some_rights(random: Random) -> set[str]:
    return {random.choice(_TOLD_BY_THE_CONTROLLER), *random.sample(_RIGHTS, random.randint(0, 5))}


def _trustee(random: Random) -> str:
    is_one_of_ours = random.random() < 0.75
    return f"{{sid:{random.choice(_PRINCIPALS)}}}" if is_one_of_ours else random.choice(_SHARED_TRUSTEES)
