"""Reads the audited account, the auditing identity and the SIDs of their tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.collect.directory.account_search import AccountSearch
from auditor.collect.directory.reader import require_found
from auditor.collect.directory.session import DESCRIPTOR, FoundObject, SearchRequest
from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.collect.directory.reader import DirectoryReader
    from auditor.collect.evidence_writer import OpenRead
    from auditor.model.evidence import Json

_ACCOUNT_ATTRIBUTES = (
    "objectClass", "objectSid", "objectGUID", "sAMAccountName", "userPrincipalName", "displayName",
    "description", "info", "comment", "mail", "employeeID", "manager", "managedBy", "memberOf",
    "primaryGroupID", "userAccountControl", "msDS-User-Account-Control-Computed", "accountExpires",
    "lockoutTime", "pwdLastSet", "lastLogonTimestamp", "whenCreated", "whenChanged", "adminCount",
    "servicePrincipalName", "msDS-AllowedToDelegateTo", "msDS-AllowedToActOnBehalfOfOtherIdentity",
    "msDS-SupportedEncryptionTypes", "msDS-KeyCredentialLink", "sIDHistory", DESCRIPTOR,
)
_IDENTITY_ATTRIBUTES = ("objectSid",)
_TOKEN_ATTRIBUTES = ("objectSid", "tokenGroups", DESCRIPTOR)


def read_account(
    reader: DirectoryReader, username: str, base_dns: Sequence[str], *, partial_replica: bool
) -> FoundObject | Gap:
    """Store every account that matches `username`; return the one, or why there is not exactly one.

    `partial_replica` says that the host answers as a global catalog, which lacks most attributes.
    """
    query: dict[str, Json] = {}
    accounts: list[FoundObject] = []
    with reader.read("account", query) as read:
        search = AccountSearch(reader=reader, read=read, query=query, attributes=_ACCOUNT_ATTRIBUTES)
        accounts.extend(reader.store(read, found) for found in search.find(username, base_dns))
        if partial_replica:
            read.leave_gap(Gap(
                kind=GapKind.INCOMPLETE,
                message=say("{host} is a global catalog: part of the attributes only", host=reader.session.endpoint),
                missing_permission=say("audit over the LDAPS port of a domain controller (636)"),
            ))
    return _only_one(username, accounts, read.gap)


def read_auditing_identity(reader: DirectoryReader, username: str, base_dns: Sequence[str]) -> None:
    """Store the account the tool signed in as with its `tokenGroups`.

    When those are withheld, the session's token as the rootDSE shows it (MS-ADTS 3.1.1.3.2) is stored too.
    """
    query: dict[str, Json] = {}
    with reader.read("auditing_identity", query) as read:
        search = AccountSearch(reader=reader, read=read, query=query, attributes=_IDENTITY_ATTRIBUTES)
        identity = _only_one(username, search.find(username, base_dns), read.gap)
        if isinstance(identity, Gap):
            raise SourceError(identity)
        request = SearchRequest(base=identity.dn, attributes=_TOKEN_ATTRIBUTES)
        query.update(request.as_query())
        found = reader.store(read, require_found(reader.object_at(read, request)))
        if "tokengroups" not in found.attributes:
            reader.store(read, _session_token(reader, read))


def read_token_groups(reader: DirectoryReader, account: FoundObject) -> tuple[bytes, ...]:
    """Store the account's `tokenGroups` (MS-ADTS 3.1.1.4.5.19) and return the binary SIDs."""
    request = SearchRequest(base=account.dn, attributes=("tokenGroups", DESCRIPTOR))
    sids: tuple[bytes, ...] = ()
    with reader.read("token_groups", request.as_query()) as read:
        found = reader.store(read, require_found(reader.object_at(read, request)))
        sids = found.attributes.get("tokengroups", ())
        if not sids:  # every account has a primary group, so no value means no right to read it
            read.leave_gap(_token_withheld(account.dn))
    return sids


def _session_token(reader: DirectoryReader, read: OpenRead) -> FoundObject:
    token = require_found(reader.object_at(read, SearchRequest(base="", attributes=("tokenGroups",))))
    if "tokengroups" not in token.attributes:
        raise SourceError(_token_withheld(say("the auditing identity")))
    return token


def _token_withheld(whose: str) -> Gap:
    return Gap(
        kind=GapKind.NOT_PERMITTED,
        message=say("tokenGroups of {whose} was not returned", whose=whose),
        missing_permission=say(
            "add the auditing identity to Windows Authorization Access Group, which may read tokenGroups"
        ),
    )


def _only_one(username: str, accounts: Sequence[FoundObject], gap: Gap | None) -> FoundObject | Gap:
    if len(accounts) == 1:
        return accounts[0]
    if accounts:
        message = say("{count} accounts match {username}", count=len(accounts), username=username)
        return Gap(kind=GapKind.INCOMPLETE, message=message)
    message = say("no account that matches {username} is visible", username=username)
    return gap or Gap(kind=GapKind.NOT_FOUND, message=message)
