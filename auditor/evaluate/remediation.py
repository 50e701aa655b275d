"""What a person may do about a requirement that is not satisfied. Text and commands to copy, never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.matrix.profile import Delegation, DirectoryGroup, EntraRole, ExchangeRole, leaves
from auditor.model.outcome import Outcome
from auditor.model.results import Remediation

if TYPE_CHECKING:
    from auditor.matrix.profile import Requirement
    from auditor.model.results import RequirementResult


def quote(value: str) -> str:
    """Quote a value for a command that a person may copy.

    Whatever could end the quotes or start something else is spelled out as `\\uXXXX`, so that a hostile
    name makes the command fail instead of doing something else.
    """
    safe = "".join(char if char.isprintable() and char not in '"`$%' else f"\\u{ord(char):04x}" for char in value)
    return f'"{safe}"'


def delegation_commands(target_ou: str, account: str) -> tuple[str, ...]:
    """Return the dsacls commands for the wizard task "Create, delete, and manage user accounts"."""
    return (
        f"dsacls {quote(target_ou)} /I:T /G {quote(account)}:CCDC;user",
        f"dsacls {quote(target_ou)} /I:S /G {quote(account)}:GA;;user",
    )


def remediate(requirement: Requirement, result: RequirementResult, account: str) -> Remediation:
    """Say how to meet a requirement, or how to make it readable."""
    if result.outcome is Outcome.UNVERIFIABLE:
        return Remediation(text=f"Make this readable for the auditing identity and run again: {result.reason}")
    if isinstance(requirement.needs, Delegation):
        return _delegate(result, account)
    if isinstance(requirement.needs, DirectoryGroup):
        return Remediation(
            text=f"Add the account to {requirement.needs.name}, or agree the vendor's alternative wording "
            "(delegation alone).",
            commands=(f"Add-ADGroupMember -Identity {quote(requirement.needs.name)} -Members {quote(account)}",),
        )
    texts = {
        "exchange_role_group": "Create a role group with the documented Exchange roles and make the account a member.",
        "entra_account": "Create or enable the service account, and make sure that Exchange Online knows it.",
        "ad_connection": "Set the connection to LDAPS on the documented port.",
    }
    commands = tuple(
        command
        for leaf in leaves(requirement.needs)
        if isinstance(leaf, (ExchangeRole, EntraRole))
        for command in _grant(leaf, account)
    )
    return Remediation(
        text=texts.get(requirement.plane, f"Grant what is documented: {requirement.documented}."),
        commands=commands,
    )


def _delegate(result: RequirementResult, account: str) -> Remediation:
    if result.actual == "no such object":
        return Remediation(text="Correct the target OU in the inventory and in the product, or create the OU.")
    return Remediation(
        text='Delegate the wizard task "Create, delete, and manage user accounts" on this OU to the account or to a '
        "group "
        "made for it; where a container below blocks inheritance, delegate there as well.",
        commands=delegation_commands(result.scope, account),
    )


def _grant(leaf: ExchangeRole | EntraRole, account: str) -> tuple[str, ...]:
    if isinstance(leaf, ExchangeRole):
        return (f'New-ManagementRoleAssignment -Role {quote(leaf.name)} -SecurityGroup "<role group of the account>"',)
    assign = f"New-MgRoleManagementDirectoryRoleAssignment -RoleDefinitionId {leaf.template_id} -DirectoryScopeId '/'"
    return (f"{assign} -PrincipalId (Get-MgUser -UserId {quote(account)}).Id",)
