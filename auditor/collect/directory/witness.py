"""Signs in as the audited account itself and reads what the domain controller says it may do."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.collect.directory.hosts import sign_in_again
from auditor.collect.directory.reader import require_found
from auditor.collect.directory.session import SearchRequest
from auditor.collect.directory.sign_in import SimpleBind
from auditor.errors import SourceError
from auditor.model.message import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.collect.directory.hosts import SignedInHost
    from auditor.collect.directory.limits import Deadline, Limits
    from auditor.collect.directory.reader import DirectoryReader
    from auditor.model.evidence import Gap
    from auditor.model.sign_in import Secret

# Computed for whoever is signed in: MS-ADTS 3.1.1.4.5.4, .22 and .24
_ATTRIBUTES = ("objectClass", "sDRightsEffective", "allowedChildClassesEffective", "allowedAttributesEffective")


def read_effective_rights(  # noqa: PLR0913 - the parts of one more sign-in
    reader: DirectoryReader,
    host: SignedInHost,
    units: Sequence[str],
    *,
    username: str,
    password: Secret,
    limits: Limits,
    deadline: Deadline,
) -> None:
    """Store the domain controller's own verdict on each unit, for the account that signs in with its password.

    One sign-in is tried, on the host the audit reads from; when it is refused every unit has a gap.
    """
    wanted = tuple(dict.fromkeys(units))
    try:
        identity = SimpleBind(username=username, password=password)
        session = sign_in_again(host, identity, limits=limits, deadline=deadline)
    except SourceError as error:
        for dn in wanted:
            query = SearchRequest(base=dn, attributes=_ATTRIBUTES).as_query()
            with reader.read("effective_rights", query, subject=dn) as read:
                read.leave_gap(_as_witness(error.gap))
        return
    with closing(session):
        for dn in wanted:
            request = SearchRequest(base=dn, attributes=_ATTRIBUTES)
            with reader.read("effective_rights", request.as_query(), subject=dn) as read:
                read.pages += 1
                reader.store(read, require_found(session.object_at(request)))


def _as_witness(gap: Gap) -> Gap:
    return replace(
        gap,
        message=say(
            "signing in as the audited account, to hear the domain controller's own verdict: {message}",
            message=gap.message,
        ),
        missing_permission=say("correct the connection's own password in the inventory, or remove it"),
    )
