"""EXO-007: whether Exchange Online knows the account and lets it run commands at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.evaluate.checks.tenant_finding import USERS, tenant_finding
from auditor.evaluate.fields import flag
from auditor.evaluate.remediation import quote
from auditor.model.evidence import GapKind
from auditor.model.message import Message, say
from auditor.model.outcome import FindingOutcome, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.tenant.judge import TenantFacts
    from auditor.model.results import Finding

_SWITCHES = ("EXOModuleEnabled", "RemotePowerShellEnabled")


def check_known_to_exchange(facts: TenantFacts) -> Iterator[Finding]:
    """Advise when Exchange has no object for the account, or keeps it from running commands whatever its roles."""
    account = facts.account
    gap = facts.evidence.read("exchange_user").gap
    if account.user is not None and gap is not None and gap.kind is GapKind.NOT_FOUND:
        yield _advise(
            facts,
            "unknown",
            say("Exchange Online does not know the service account"),
            say("Get-User finds no object with the account's object id"),
            say("Wait for Exchange Online to receive the account, or license it for Exchange Online."),
            f"Get-User -Identity {quote(account.object_id or account.name)}",
        )
    off = [name for name in _SWITCHES if account.exchange_user and flag(account.exchange_user, name) is False]
    if off:
        yield _advise(
            facts,
            "commands switched off",
            say("The account may run no Exchange commands"),
            say("{off} is false: no role can be used through PowerShell or its REST interface", off=", ".join(off)),
            say("Switch it on if the product acts through Exchange PowerShell."),
            f"Set-User -Identity {quote(account.object_id or account.name)} -EXOModuleEnabled $true",
        )


def _advise(
    facts: TenantFacts, entitlement: str, title: Message, actual: Message, cure: Message, command: str
) -> Finding:
    return tenant_finding(
        facts,
        check="EXO-007",
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.MEDIUM,
        entitlement=entitlement,
        scope="account",
        title=title,
        documented=say("the Exchange connection uses an existing service account"),
        actual=actual,
        cure=cure,
        portal=say("{users} > the account", users=USERS),
        commands=(command,),
        evidence=("exchange_user",),
    )
