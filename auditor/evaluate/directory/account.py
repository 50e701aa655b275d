"""Which directory object the audited account is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.evaluate.directory.membership import Membership, read_membership
from auditor.evaluate.judgement import Held, Unknown, describe_gap
from auditor.model.directory_entry import DirectoryEntry, record_to_entry
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


def identify_account(evidence: Evidence, connection: HybridConnection) -> DirectoryAccount:
    """Find the one object the configured user name stands for."""
    read = evidence.read("account")
    entries = {entry.sid or entry.dn: entry for entry in map(record_to_entry, read)}
    if len(entries) > 1:
        found = Unknown(f"{len(entries)} accounts match {connection.username}", (ACCOUNT,))
        return DirectoryAccount(name=connection.username, found=found, entry=None, membership=None)
    entry = next(iter(entries.values()), None)
    if entry is None:
        # A search shows what its reader may see: an empty answer never proves that there is no such account.
        unseen = (
            f"no account {connection.username} is visible to the auditing identity: it does not exist, or is hidden"
        )
        reason = unseen if read.gap is None else describe_gap(read.gap)
        return DirectoryAccount(
            name=connection.username, found=Unknown(reason, (ACCOUNT,)), entry=None, membership=None
        )
    name = entry.text("sAMAccountName") or connection.username
    if entry.sid is None:
        unreadable = Unknown(
            "the account's objectSid could not be read (needed: Read property on the account)", (ACCOUNT,)
        )
        return DirectoryAccount(name=name, found=unreadable, entry=entry, membership=None)
    return DirectoryAccount(name=name, found=Held(((name,),)), entry=entry, membership=read_membership(evidence, entry))
