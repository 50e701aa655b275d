"""What a person may do about a requirement that is not satisfied. Text and commands to copy, never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.acl import domain_of_sid
from auditor.model.message import joined, say, written
from auditor.model.outcome import Outcome
from auditor.model.results import Remediation

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.acl import Ace
    from auditor.matrix.profile import Requirement
    from auditor.model.evidence import Evidence
    from auditor.model.results import RequirementResult

_COMMANDS = 20
# PowerShell ends a string at typographic double quotes as well, expands $ and `; cmd.exe expands %.
_ENDS_OR_EXPANDS = frozenset('"`$%\u201c\u201d\u201e')


def quote(value: str) -> str:
    """Quote a value for a command that a person may copy into PowerShell or cmd.exe.

    Whatever could end the quotes or start something else is spelled out as `\\uXXXX`, so that a hostile
    name makes the command fail instead of doing something else. So is a backslash at the end, with which a Windows
    program would take the closing quote for a part of the value.
    """
    safe = "".join(char if char.isprintable() and char not in _ENDS_OR_EXPANDS else _spelled(char) for char in value)
    return f'"{safe[:-1]}{_spelled(safe[-1])}"' if safe.endswith("\\") else f'"{safe}"'


def _spelled(char: str) -> str:
    return f"\\u{ord(char):04x}"


def grant_command(dn: str, scope: str, account: str, permission: str) -> str:
    """Return the dsacls command that grants `permission` in the `scope` of its /I option; "" is the object alone.

    The statement is one quoted argument: a bare semicolon ends a command in PowerShell, and what stands before it
    would grant more than what was meant.
    """
    inheritance = f" /I:{scope}" if scope else ""
    return f"dsacls {quote(dn)}{inheritance} /G {quote(f'{account}:{permission}')}"


def delegation_commands(target_ou: str, account: str) -> tuple[str, ...]:
    """Return the dsacls commands for the wizard task "Create, delete, and manage user accounts"."""
    return (
        grant_command(target_ou, "T", account, "CCDC;user"),
        grant_command(target_ou, "S", account, "GA;;user"),
    )


def delegate(target_ous: Iterable[str], account: str) -> Remediation:
    """Advise to delegate the user task where it is not held."""
    return Remediation(
        text=say(
            'Delegate the wizard task "Create, delete, and manage user accounts" to the account, or to a group made '
            "for it.",
        ),
        commands=tuple(command for ou in target_ous for command in delegation_commands(ou, account)),
    )


def revoke(places: Sequence[tuple[str, Sequence[Ace]]]) -> Remediation:
    """Advise to take entries away and to delegate the user task instead. `places` are DNs with entries found there."""
    explicit = dict.fromkeys((dn, ace.trustee) for dn, aces in places for ace in aces if not ace.is_inherited)
    text = [
        say(
            "Remove these entries where they are set explicitly: what is inherited goes with the entry above. /R "
            "removes every entry of the trustee on that object, so delegate the user task again afterwards if it needs "
            "it."
        )
    ]
    shared = sorted({trustee for _, trustee in explicit if domain_of_sid(trustee) is None})
    if shared:
        text.append(
            say(
                "Entries for {sids} are everybody's: take the single entry away by hand, because /R would take reading "
                "away as well.",
                sids=", ".join(shared),
            )
        )
    commands = [f"dsacls {quote(dn)} /R {quote(trustee)}" for dn, trustee in explicit if trustee not in shared]
    if len(commands) > _COMMANDS:
        text.append(
            say(
                "Of {count} commands the first {listed} are listed: run again after them.",
                count=len(commands),
                listed=_COMMANDS,
            )
        )
    return Remediation(text=joined(" ", text), commands=tuple(commands[:_COMMANDS]))


def forget_sid_command(account: str, sid: str) -> str:
    """Return the command that takes a former SID from an account's SID history; `account` is its DN or SID."""
    return f"Set-ADUser -Identity {quote(account)} -Remove @{{sIDHistory={quote(sid)}}}"


def add_to_role_group(roles: Sequence[str], role_group: str) -> Remediation:
    """Advise to add roles to a role group that exists."""
    return Remediation(
        text=say("Add {roles} to the role group {role_group}.", roles=", ".join(roles), role_group=role_group),
        commands=tuple(
            f"New-ManagementRoleAssignment -Role {quote(role)} -SecurityGroup {quote(role_group)}" for role in roles
        ),
    )


def create_role_group(roles: Sequence[str], member: str) -> Remediation:
    """Advise to make a role group of the documented roles with the account as its member."""
    listed = ", ".join(quote(role) for role in roles)
    return Remediation(
        text=say("Create a role group with the documented Exchange roles and make the account its member."),
        commands=(f'New-RoleGroup -Name "H2R Provisioning" -Roles {listed} -Members {quote(member)}',),
    )


def assign_entra_role(role: str, template_id: str, account: str, *, is_eligible: bool) -> Remediation:
    """Advise to make a directory role active for the account."""
    assign = f"New-MgRoleManagementDirectoryRoleAssignment -RoleDefinitionId {template_id} -DirectoryScopeId '/'"
    return Remediation(
        text=say(
            "Make {role} an active assignment of the account; it is only eligible."
            if is_eligible
            else "Make {role} an active assignment of the account.",
            role=role,
        ),
        commands=(f"{assign} -PrincipalId (Get-MgUser -UserId {quote(account)}).Id",),
    )


def remediate(requirement: Requirement, result: RequirementResult, evidence: Evidence) -> Remediation:
    """Say how to meet a requirement, or how to make it readable."""
    if result.outcome is Outcome.UNVERIFIABLE:
        return make_readable(result, evidence)
    if result.remediation is not None:
        return result.remediation
    documented = written(requirement.documented)
    texts = {
        "ad_group": say(
            "Ask the vendor whether delegation alone is enough, as their other wording says. If not: {documented}.",
            documented=documented,
        ),
        "entra_account": say("Create or enable the service account, and make sure that Exchange Online knows it."),
        "ad_connection": say("Set the connection to LDAPS on the documented port."),
    }
    general = say("Grant what is documented: {documented}.", documented=documented)
    return Remediation(text=texts.get(requirement.plane, general))


def make_readable(result: RequirementResult, evidence: Evidence) -> Remediation:
    """Name the rights that the auditing identity lacks, once each; without any, repeat what went wrong."""
    gaps = (evidence.read(item.dataset, item.record).gap for item in result.evidence)
    rights = dict.fromkeys(gap.missing_permission for gap in gaps if gap is not None and gap.missing_permission)
    if rights:
        return Remediation(
            text=say("Grant the auditing identity {rights}. Then run again.", rights=joined("; ", map(written, rights)))
        )
    return Remediation(text=say("Mend this, then run again: {reason}.", reason=written(result.reason)))
