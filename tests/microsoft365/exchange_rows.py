"""The rows Exchange cmdlets return, flattened as the REST endpoint flattens them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from tests.microsoft365.graph_objects import activated_role_id
from tests.microsoft365.objects import (
    AssigneeType,
    Group,
    ManagementRole,
    ManagementRoleAssignment,
    ManagementScope,
    RoleAssignmentPolicy,
    RoleGroup,
    ServicePrincipal,
    User,
    exchange_name,
)
from tests.microsoft365.snapshot import stable_id

if TYPE_CHECKING:
    from tests.microsoft365.objects import Member, RoleEntry
    from tests.microsoft365.snapshot import Tenant

Row: TypeAlias = dict[str, Any]

_CREATED = "2026-01-12T08:00:00.0000000"
_CHANGED = "2026-07-15T16:40:06.0000000"
_GUIDS = {"Guid", "ExchangeObjectId", "ExchangeGuid"}
_MOMENTS = {"WhenCreatedUTC", "WhenChangedUTC", "WhenCreated", "WhenChanged"}


def flattened(fields: Row) -> Row:
    """Put the type annotations of the wire beside GUIDs, times and collections."""
    row: Row = {}
    for name, value in fields.items():
        if name in _GUIDS:
            row[f"{name}@data.type"] = "System.Guid"
        elif name in _MOMENTS:
            row[f"{name}@data.type"] = "System.DateTime"
        elif isinstance(value, list):
            row[f"{name}@odata.type"] = "#Collection(String)"
        row[name] = value
    return row


def keys_of(item: Member | RoleAssignmentPolicy) -> frozenset[str]:
    """Everything `-Identity` accepts for an object, in lower case."""
    keys = {item.id, exchange_name(item), distinguished_name(exchange_name(item)), guid_of(item.id)}
    match item:
        case User():
            keys |= {item.user_principal_name, item.display_name}
        case ServicePrincipal():
            keys.add(item.app_id)
        case Group() | RoleGroup() | RoleAssignmentPolicy():
            pass
    return frozenset(key.lower() for key in keys)


def guid_of(object_id: str) -> str:
    """The Guid of an object, which differs from its Entra object id."""
    return stable_id("exchange guid", object_id)


def distinguished_name(name: str) -> str:
    """The DN of an object in Exchange's directory."""
    return f"CN={name},OU=contoso,OU=Microsoft Exchange Hosted Organizations,DC=PROD,DC=COMPOSED"


def _tail(name: str, exchange_object_id: str, object_class: str, *, valid: bool = True) -> Row:
    return {
        "Name": name,
        "Identity": name,
        "Id": name,
        "Guid": guid_of(exchange_object_id),
        "ExchangeObjectId": exchange_object_id,
        "DistinguishedName": distinguished_name(name),
        "ObjectCategory": f"PROD.COMPOSED/Configuration/Schema/{object_class}",
        "ObjectClass": ["top", object_class],
        "WhenCreatedUTC": f"{_CREATED}Z",
        "WhenChangedUTC": f"{_CHANGED}Z",
        "WhenCreated": f"{_CREATED}+00:00",
        "WhenChanged": f"{_CHANGED}+00:00",
        "OrganizationId": "composed",
        "OriginatingServer": "composed.prod.outlook.com",
        "ExchangeVersion": "0.20 (15.0.0.0)",
        "IsValid": valid,
        "ObjectState": "Unchanged",
    }


def role_group(tenant: Tenant, group: RoleGroup) -> Row:
    """A row of Get-RoleGroup. `Members` and `Roles` are names; delegating assignments are listed too."""
    assignments = [a for a in tenant.management_role_assignments if a.assignee_id == group.id]
    members = [tenant.objects[key] for key in tenant.members.get(group.id, ())]
    backing = next((r for r in tenant.directory_roles if r.display_name == group.backed_by), None)
    return flattened(
        {
            "DisplayName": "Company Administrator"
            if group.backed_by == "Global Administrator"
            else group.name,
            "Description": group.description,
            "Roles": list(dict.fromkeys(a.role for a in assignments)),
            "RoleAssignments": [a.name for a in assignments],
            "Members": [exchange_name(m) for m in members],
            "ManagedBy": list(group.managed_by),
            "RoleGroupType": "Standard",
            "LinkedGroup": None,
            "LinkedPartnerGroupId": "",
            "LinkedPartnerOrganizationId": "",
            "Capabilities": ["None"],
            "SamAccountName": group.name,
            "WellKnownObject": None,
            "ExternalDirectoryObjectId": activated_role_id(backing) if backing else "",
            **_tail(group.name, group.id, "group"),
        }
    )


def recipient(item: Member) -> Row:
    """A row of Get-RoleGroupMember, Get-Recipient or Get-DistributionGroupMember."""
    kind, details = _recipient_type(item)
    external = "" if isinstance(item, RoleGroup) else item.id
    address = _address(item)
    exchange_id = item.id if isinstance(item, RoleGroup) else stable_id("exchange object", item.id)
    return flattened(
        {
            "DisplayName": item.name if isinstance(item, RoleGroup) else item.display_name,
            "Alias": address.partition("@")[0],
            "PrimarySmtpAddress": address,
            "EmailAddresses": [f"SMTP:{address}"] if address else [],
            "ExternalDirectoryObjectId": external,
            "RecipientType": kind,
            "RecipientTypeDetails": details,
            "IsDirSynced": False,
            **_tail(exchange_name(item), exchange_id, "group" if "Group" in details else "user"),
        }
    )


def _recipient_type(item: Member) -> tuple[str, str]:
    match item:
        case User():
            return _user_recipient_type(item)
        case Group():
            prefix = "Mail" if item.mail_enabled else ""
            return f"{prefix}UniversalSecurityGroup", f"{prefix}UniversalSecurityGroup"
        case RoleGroup():
            return "Group", "RoleGroup"
        case ServicePrincipal():
            return "User", "ServicePrincipal"


def _user_recipient_type(person: User) -> tuple[str, str]:
    if person.has_mailbox:
        return "UserMailbox", "UserMailbox"
    return "User", "User" if person.account_enabled else "DisabledUser"


def _address(item: Member) -> str:
    match item:
        case User():
            return item.user_principal_name if item.has_mailbox else ""
        case Group():
            return (
                f"{item.display_name.replace(' ', '-').lower()}@contoso.example" if item.mail_enabled else ""
            )
        case RoleGroup() | ServicePrincipal():
            return ""


def user(person: User) -> Row:
    """A row of Get-User."""
    return recipient(person) | flattened(
        {
            "UserPrincipalName": person.user_principal_name,
            "SamAccountName": f"${person.id[:12]}",
            "Sid": "",
            "MicrosoftOnlineServicesID": person.user_principal_name,
            "UserAccountControl": "NormalAccount",
            "RemotePowerShellEnabled": person.remote_powershell_enabled,
            "EXOModuleEnabled": person.remote_powershell_enabled,
            "AccountDisabled": not person.account_enabled,
            "UserType": person.user_type,
            "WhenSoftDeleted": None,
        }
    )


def mailbox(tenant: Tenant, person: User) -> Row:
    """A row of Get-Mailbox."""
    return recipient(person) | {
        "RoleAssignmentPolicy": tenant.role_assignment_policy.name,
        "UserPrincipalName": person.user_principal_name,
    }


def service_principal(item: ServicePrincipal) -> Row:
    """A row of Get-ServicePrincipal."""
    return flattened(
        {
            "AppId": item.app_id,
            "ObjectId": item.id,
            "DisplayName": item.display_name,
            **_tail(item.display_name, stable_id("exchange object", item.id), "user"),
        }
    )


_EFFECTIVE_USERS_OF = {
    AssigneeType.ROLE_GROUP: "All Group Members",
    AssigneeType.SECURITY_GROUP: "All Group Members",
    AssigneeType.ROLE_ASSIGNMENT_POLICY: "All Policy Assignees",
}


def management_role_assignment(
    tenant: Tenant,
    assignment: ManagementRoleAssignment,
    *,
    method: str = "Direct",
    effective_user: User | None = None,
) -> Row:
    """A row of Get-ManagementRoleAssignment; `method` is relative to whom was asked for."""
    assignee = exchange_name(tenant.objects[assignment.assignee_id])
    everybody = _EFFECTIVE_USERS_OF.get(assignment.assignee_type, assignee)
    own_scope = assignment.recipient_write_scope in {"Self", "None"}
    return flattened(
        {
            "User": assignee,
            "Role": assignment.role,
            "RoleAssignee": assignee,
            "RoleAssigneeName": assignee,
            "RoleAssigneeType": assignment.assignee_type.value,
            "AssignmentMethod": method,
            "AssignmentChain": None,
            "EffectiveUserName": effective_user.display_name if effective_user else everybody,
            "RoleAssignmentDelegationType": "DelegatingOrgWide" if assignment.delegating else "Regular",
            "Enabled": assignment.enabled,
            "RecipientReadScope": "Self" if own_scope else "Organization",
            "ConfigReadScope": "None" if own_scope else "OrganizationConfig",
            "RecipientWriteScope": assignment.recipient_write_scope,
            "ConfigWriteScope": assignment.config_write_scope,
            "CustomRecipientWriteScope": assignment.custom_recipient_write_scope,
            "RecipientGroupScope": assignment.recipient_group_scope,
            "RecipientOrganizationalUnitScope": assignment.recipient_organizational_unit_scope,
            "CustomConfigWriteScope": None,
            "CustomResourceScope": None,
            "App": None,
            **_tail(assignment.name, assignment.id, "msExchRoleAssignment", valid=assignment.valid),
        }
    )


def management_role(role: ManagementRole) -> Row:
    """A row of Get-ManagementRole."""
    own = "Self" if role.is_end_user_role else "Organization"
    config = "None" if role.is_end_user_role else "OrganizationConfig"
    return flattened(
        {
            "RoleType": role.role_type,
            "Parent": role.parent,
            "IsRootRole": role.parent is None,
            "IsEndUserRole": role.is_end_user_role,
            "IsDeprecated": False,
            "IsServicePrincipalRole": False,
            "RoleState": "Usable",
            "RoleEntries": [_entry_text(entry) for entry in role.entries],
            "ImplicitRecipientReadScope": own,
            "ImplicitRecipientWriteScope": own,
            "ImplicitConfigReadScope": config,
            "ImplicitConfigWriteScope": config,
            "Description": f"Composed description of {role.name}.",
            "MailboxPlanIndex": "",
            "AllowEmptyRole": False,
            **_tail(role.name, role.id, "msExchRole"),
        }
    )


def _entry_text(entry: RoleEntry) -> str:
    parameters = "".join(f" -{name}" for name in entry.parameters)
    return f"(Microsoft.Exchange.Management.PowerShell.E2010) {entry.cmdlet}{parameters}"


def management_role_entry(role: ManagementRole, entry: RoleEntry) -> Row:
    """A row of Get-ManagementRoleEntry."""
    identity = f"{role.name}\\{entry.cmdlet}"
    return flattened(
        {
            "Role": role.name,
            "Name": entry.cmdlet,
            "Identity": identity,
            "Id": identity,
            "Parameters": list(entry.parameters),
            "Type": "Cmdlet",
            "PSSnapinName": "Microsoft.Exchange.Management.PowerShell.E2010",
            "IsValid": True,
            "ObjectState": "Unchanged",
        }
    )


def management_scope(scope: ManagementScope) -> Row:
    """A row of Get-ManagementScope."""
    return flattened(
        {
            "ScopeRestrictionType": "RecipientScope",
            "RecipientRoot": "contoso.onmicrosoft.example",
            "RecipientFilter": scope.recipient_filter,
            "ServerFilter": "",
            "Exclusive": scope.exclusive,
            **_tail(scope.name, scope.id, "msExchScope"),
        }
    )


def role_assignment_policy(tenant: Tenant) -> Row:
    """A row of Get-RoleAssignmentPolicy."""
    policy = tenant.role_assignment_policy
    assigned = [a for a in tenant.management_role_assignments if a.assignee_id == policy.id]
    return flattened(
        {
            "IsDefault": True,
            "Description": "",
            "RoleAssignments": [a.name for a in assigned],
            "AssignedRoles": [a.role for a in assigned],
            **_tail(policy.name, policy.id, "msExchRBACPolicy"),
        }
    )
