"""Which directory object the audited account is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.evaluate.directory.membership import Membership, read_membership
from auditor.evaluate.directory.well_known import DOMAIN_COMPUTERS_RID, DOMAIN_USERS_RID
from auditor.evaluate.judgement import Held, Unknown, describe_gap
from auditor.model.directory_entry import DirectoryEntry, record_to_entry
from auditor.model.message import say
from auditor.model.results import EvidenceReference, PrincipalRecord

if TYPE_CHECKING:
    from auditor.model.connection import HybridConnection
    from auditor.model.evidence import Evidence

ACCOUNT = EvidenceReference(dataset="account")


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryAccount:
    """The audited account. `entry` and `membership` are None unless exactly one object with a SID was read.

    `found` says that the account was identified, or why not.
    """

    name: str
    found: Held | Unknown
    entry: DirectoryEntry | None
    membership: Membership | None

    @property
    def principal(self) -> PrincipalRecord:
        """The account as the results name it."""
        if self.entry is None:
            return PrincipalRecord(name=self.name)
        return PrincipalRecord(name=self.name, sid=self.entry.sid, object_id=self.entry.guid, dn=self.entry.dn)

    @property
    def usual_primary_group(self) -> int:
        """The RID of the primary group that accounts of its class are made with (MS-SAMR 3.1.1.8.1)."""
        is_computer = self.entry is not None and "computer" in self.entry.texts("objectClass")
        return DOMAIN_COMPUTERS_RID if is_computer else DOMAIN_USERS_RID


def identify_account(evidence: Evidence, connection: HybridConnection) -> DirectoryAccount:
    """Find the one object the configured user name stands for."""
    read = evidence.read("account")
    entries = {entry.sid or entry.dn: entry for entry in map(record_to_entry, read)}
    if len(entries) > 1:
        several = say("{count} accounts match {name}", count=len(entries), name=connection.username)
        found = Unknown(several, (ACCOUNT,))
        return DirectoryAccount(name=connection.username, found=found, entry=None, membership=None)
    entry = next(iter(entries.values()), None)
    if entry is None:
        # A search shows what its reader may see: an empty answer never proves that there is no such account.
        unseen = say(
            "no account {name} is visible to the auditing identity: it does not exist, or is hidden",
            name=connection.username,
        )
        reason = unseen if read.gap is None else describe_gap(read.gap)
        return DirectoryAccount(
            name=connection.username, found=Unknown(reason, (ACCOUNT,)), entry=None, membership=None
        )
    classes = entry.texts("objectClass")
    if classes and "user" not in classes:  # computers and managed service accounts are users, too (MS-ADSC 2.268)
        other = say("{name} names a {kind}, which cannot sign in", name=connection.username, kind=classes[-1])
        return DirectoryAccount(
            name=connection.username, found=Unknown(other, (ACCOUNT,)), entry=None, membership=None
        )
    name = entry.text("sAMAccountName") or connection.username
    if entry.sid is None:
        unreadable = Unknown(
            say("the account's objectSid could not be read (needed: Read property on the account)"), (ACCOUNT,)
        )
        return DirectoryAccount(name=name, found=unreadable, entry=entry, membership=None)
    return DirectoryAccount(name=name, found=Held(((name,),)), entry=entry, membership=read_membership(evidence, entry))
