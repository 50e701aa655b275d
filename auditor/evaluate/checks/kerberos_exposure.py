"""AD-KRB-001 to 005, 007: settings of the account through which somebody else can act as it, or as others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.acl import MalformedDescriptor, domain_of_sid, parse_descriptor
from auditor.evaluate.checks.account_finding import account_finding, withheld
from auditor.evaluate.directory.well_known import PROTECTED_USERS_RID
from auditor.evaluate.fields import texts
from auditor.evaluate.listing import and_more
from auditor.evaluate.remediation import quote
from auditor.model.message import Message, joined, say
from auditor.model.outcome import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.model.results import Finding

# userAccountControl bits, MS-ADTS 2.2.16
_TRUSTED_FOR_DELEGATION = 0x80000
_NOT_DELEGATED = 0x100000
_TRUSTED_TO_AUTHENTICATE_FOR_DELEGATION = 0x1000000
_VALUES_SHOWN = 20


def check_service_principal_names(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-KRB-001: anybody can ask for a ticket of an account with a service principal name, and guess offline."""
    entry = facts.account.entry
    if entry is None:
        return
    yield from withheld(facts, entry, "AD-KRB-001", "servicePrincipalName")
    names = sorted(entry.texts("servicePrincipalName"))
    if names:
        yield account_finding(
            facts,
            check="AD-KRB-001",
            severity=Severity.CRITICAL if _is_domain_admin(facts) else Severity.HIGH,
            title=say("The account has service principal names"),
            actual=say("servicePrincipalName: {names}", names=_shown(names)),
            cure=say(
                "Remove them: the product signs in as a client and offers no service. Then set a new long password.",
            ),
            commands=[
                f"setspn -D {quote(name)} {quote(entry.text('sAMAccountName') or entry.dn)}"
                for name in names[:_VALUES_SHOWN]
            ],
        )


def check_unconstrained_delegation(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-KRB-002: the account collects the tickets of everybody who signs in to it."""
    entry = facts.account.entry
    if entry is None:
        return
    yield from withheld(facts, entry, "AD-KRB-002", "userAccountControl")
    if (entry.integer("userAccountControl") or 0) & _TRUSTED_FOR_DELEGATION:
        yield account_finding(
            facts,
            check="AD-KRB-002",
            severity=Severity.CRITICAL,
            title=say("The account is trusted for unconstrained delegation"),
            actual=say("'trust this user for delegation to any service' is set"),
            cure=say("Clear the option: the product needs no delegation."),
            commands=(f"Set-ADAccountControl -Identity {quote(entry.dn)} -TrustedForDelegation $false",),
        )


def check_constrained_delegation(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-KRB-003: the account acts as others on named services; on a domain controller that is the domain."""
    entry = facts.account.entry
    if entry is None:
        return
    yield from withheld(facts, entry, "AD-KRB-003", "userAccountControl", "msDS-AllowedToDelegateTo")
    targets = sorted(entry.texts("msDS-AllowedToDelegateTo"))
    transition = bool((entry.integer("userAccountControl") or 0) & _TRUSTED_TO_AUTHENTICATE_FOR_DELEGATION)
    if not targets and not transition:
        return
    on_controllers = [name for name in targets if _is_on_controller(facts, name)]
    actual = [say("msDS-AllowedToDelegateTo: {targets}", targets=_shown(targets))] if targets else []
    actual += [say("with any authentication protocol (protocol transition)")] if transition else []
    actual += [say("of a domain controller: {names}", names=_shown(on_controllers))] if on_controllers else []
    yield account_finding(
        facts,
        check="AD-KRB-003",
        severity=Severity.CRITICAL if on_controllers else Severity.HIGH,
        title=say("The account is trusted for constrained delegation"),
        actual=joined("; ", actual),
        cure=say("Clear both settings: the product needs no delegation."),
        commands=(
            f"Set-ADUser -Identity {quote(entry.dn)} -Clear msDS-AllowedToDelegateTo",
            f"Set-ADAccountControl -Identity {quote(entry.dn)} -TrustedToAuthForDelegation $false",
        ),
    )


def _is_on_controller(facts: DirectoryFacts, service_principal_name: str) -> bool:
    """Tell whether a name, `class/host[:port][/name]`, is krbtgt's or of a domain controller of the connection."""
    service, _, rest = service_principal_name.casefold().partition("/")
    host = rest.partition("/")[0].partition(":")[0]
    controllers = {name.casefold() for each in facts.connection.hosts for name in (each, *_dns_names(facts, each))}
    short = {name.partition(".")[0] for name in controllers if not name.replace(".", "").isdecimal()}
    return service == "krbtgt" or host in controllers | short


def _dns_names(facts: DirectoryFacts, host: str) -> Iterator[str]:
    for record in facts.evidence.read("host", host):
        root_dse = record.get("root_dse")
        yield from texts(root_dse, "dnsHostName") if isinstance(root_dse, dict) else ()


def check_delegation_onto_account(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-KRB-004: whom the account lets sign in to its services as anybody."""
    entry = facts.account.entry
    if entry is None:
        return
    yield from withheld(facts, entry, "AD-KRB-004", "msDS-AllowedToActOnBehalfOfOtherIdentity")
    values = entry.octets("msDS-AllowedToActOnBehalfOfOtherIdentity")
    if values:
        yield account_finding(
            facts,
            check="AD-KRB-004",
            severity=Severity.HIGH,
            title=say("Others may act on behalf of anybody on the account"),
            actual=say(
                "msDS-AllowedToActOnBehalfOfOtherIdentity names {values}",
                values=_shown(_trustees(values)) or say("nobody readable"),
            ),
            cure=say("Clear the attribute: nobody signs in to services of this account."),
            commands=(f"Set-ADUser -Identity {quote(entry.dn)} -Clear msDS-AllowedToActOnBehalfOfOtherIdentity",),
        )


def _trustees(values: tuple[bytes, ...]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for value in values:
        try:
            dacl = parse_descriptor(value).dacl
        except MalformedDescriptor:
            continue
        found |= dict.fromkeys(("everybody",) if dacl is None else (ace.trustee for ace in dacl))
    return tuple(found)


def check_sensitive_account(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-KRB-005: a member of Domain Admins whose sign-in a delegating service may pass on."""
    entry, membership = facts.account.entry, facts.account.membership
    if entry is None or membership is None or not membership.is_domain_admin:
        return
    if f"{domain_of_sid(membership.account_sid)}-{PROTECTED_USERS_RID}" in membership.token:
        return
    hidden = tuple(withheld(facts, entry, "AD-KRB-005", "userAccountControl"))
    yield from hidden
    if not hidden and not (entry.integer("userAccountControl") or 0) & _NOT_DELEGATED:
        yield account_finding(
            facts,
            check="AD-KRB-005",
            severity=Severity.MEDIUM,
            title=say("A Domain Admin's sign-in may be delegated"),
            actual=say(
                "'account is sensitive and cannot be delegated' is not set; it is not in Protected Users either",
            ),
            cure=say("Set the option. Do not use Protected Users instead: services cannot sign in as its members."),
            commands=(f"Set-ADAccountControl -Identity {quote(entry.dn)} -AccountNotDelegated $true",),
        )


def check_key_credentials(facts: DirectoryFacts) -> Iterator[Finding]:
    """AD-KRB-007: keys that sign in without the password."""
    entry = facts.account.entry
    if entry is None:
        return
    yield from withheld(facts, entry, "AD-KRB-007", "msDS-KeyCredentialLink")
    keys = entry.octets("msDS-KeyCredentialLink")
    if keys:
        yield account_finding(
            facts,
            check="AD-KRB-007",
            severity=Severity.HIGH,
            title=say("The account has key credentials"),
            actual=say(
                "msDS-KeyCredentialLink has 1 value" if len(keys) == 1 else "msDS-KeyCredentialLink has {count} values",
                count=len(keys),
            ),
            cure=say("Find out who wrote them and when, then clear the attribute and set a new password."),
            commands=(f"Set-ADUser -Identity {quote(entry.dn)} -Clear msDS-KeyCredentialLink",),
        )


def _is_domain_admin(facts: DirectoryFacts) -> bool:
    return facts.account.membership is not None and facts.account.membership.is_domain_admin


def _shown(values: tuple[str, ...] | list[str]) -> Message:
    more = and_more(values, _VALUES_SHOWN)
    return joined("", (", ".join(values[:_VALUES_SHOWN]), more))
