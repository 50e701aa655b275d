"""The documented shape with another account: other attributes, another descriptor, other groups."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from tests.unit.evaluate.composed_directory import DELEGATES, DOMAIN_USERS, GROUPS, USERS, Directory, service_account

OUTSIDE_TOKEN = (DOMAIN_USERS, USERS, DELEGATES)


def domain_admin(*, raw: bytes = b"", **attributes: object) -> Directory:
    """Return a Domain Admin with the delegation, as documented, but for `attributes` and the descriptor `raw`."""
    account = service_account("Domain Admins", "H2R Delegates", raw=raw, **attributes)
    return Directory(accounts=(account,), descriptors=(raw,) if raw else ())


def delegate(*, raw: bytes = b"", **attributes: object) -> Directory:
    """Return an account outside Domain Admins with the delegation."""
    account = service_account("H2R Delegates", raw=raw, **attributes)
    return Directory(accounts=(account,), token=OUTSIDE_TOKEN, descriptors=(raw,) if raw else ())


def with_group_descriptor(directory: Directory, sid: str, raw: bytes) -> Directory:
    """Return the same with another descriptor on one of the groups."""
    (group,) = (each for each in GROUPS if each.sid == sid)
    changed = replace(group, descriptor=hashlib.sha256(raw).hexdigest())
    groups = tuple(changed if each.sid == sid else each for each in directory.groups)
    return replace(directory, groups=groups, descriptors=(*directory.descriptors, raw))
