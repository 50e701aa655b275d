"""META-009 and AD-GOV-007: one identity that administers both sides (rule A13), or serves several connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.evaluate.directory.judge import DirectoryFacts
from auditor.evaluate.fields import text
from auditor.evaluate.findings import make_finding
from auditor.model.message import say
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference, Remediation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.model.results import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedAccount:
    """What is known of a connection's account for those checks. SIDs are None unless they were read.

    `synchronised_sid` is that of the directory account which a holder of Entra ID roles is synchronised from.
    """

    connection: str
    identity: str
    is_in_directory: bool
    sid: str | None = None
    is_domain_admin: bool = False
    synchronised_sid: str | None = None


def audited_account(facts: DirectoryFacts | TenantFacts) -> AuditedAccount:
    """Return what is known of a connection's account."""
    principal = facts.account.principal
    connection, identity = facts.connection.id, principal.sid or principal.object_id or principal.name
    if isinstance(facts, DirectoryFacts):
        membership = facts.account.membership
        return AuditedAccount(
            connection=connection,
            identity=identity,
            is_in_directory=True,
            sid=membership.account_sid if membership else None,
            is_domain_admin=bool(membership and membership.is_domain_admin),
        )
    holds_roles = facts.account.user is not None and bool(facts.entra_roles.active)
    return AuditedAccount(
        connection=connection,
        identity=identity,
        is_in_directory=False,
        synchronised_sid=text(facts.account.user, "onPremisesSecurityIdentifier")
        if holds_roles and facts.account.user is not None
        else None,
    )


def check_shared_identity(accounts: Sequence[AuditedAccount]) -> Iterator[Finding]:
    """Report a Domain Admin whose synchronised account holds directory roles; matched by SID."""
    domain_admins = {each.sid: each for each in accounts if each.is_domain_admin}
    for each in accounts:
        sid = each.synchronised_sid
        if sid is not None and sid in domain_admins:
            yield make_finding(
                check="META-009",
                connection=each.connection,
                outcome=FindingOutcome.ADVISORY,
                severity=Severity.HIGH,
                principal=sid,
                entitlement="shared identity",
                scope=domain_admins[sid].connection,
                title=say("One identity is Domain Admin and holds directory roles in Entra ID"),
                documented=say("two accounts: one for the directory, one for Exchange Online"),
                actual=say(
                    "the account of {connection} is synchronised and used here as well",
                    connection=domain_admins[sid].connection,
                ),
                evidence=(EvidenceReference(dataset="user"),),
                remediation=Remediation(text=say("Use separate accounts on the two sides.")),
            )


def check_shared_account(accounts: Sequence[AuditedAccount]) -> Iterator[Finding]:
    """Report an account of the directory on each of the connections it serves; matched by SID."""
    served: dict[str, list[AuditedAccount]] = {}
    for each in accounts:
        if each.sid is not None:
            served.setdefault(each.sid, []).append(each)
    for sid, sharing in served.items():
        for each in sharing if len(sharing) > 1 else ():
            others = ", ".join(other.connection for other in sharing if other is not each)
            yield make_finding(
                check="AD-GOV-007",
                connection=each.connection,
                outcome=FindingOutcome.ADVISORY,
                severity=Severity.HIGH,
                principal=sid,
                entitlement="shared account",
                scope="connections",
                title=say("The account also serves {others}", others=others),
                documented=say("a service account for the connection"),
                actual=say("{sid} is the account of this connection and of {others}", sid=sid, others=others),
                evidence=(EvidenceReference(dataset="account"),),
                remediation=Remediation(
                    text=say(
                        "Use one account per connection, above all where one of them is a test environment: a "
                        "password that leaks there opens the other as well.",
                    )
                ),
            )
