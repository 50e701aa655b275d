"""What every tenant comes with: directory roles, Graph permissions, Exchange roles and role groups."""

from __future__ import annotations

EXCHANGE_RESOURCE_APP_ID = "00000002-0000-0ff1-ce00-000000000000"
GRAPH_RESOURCE_APP_ID = "00000003-0000-0000-c000-000000000000"
EXCHANGE_MANAGE_AS_APP = "Exchange.ManageAsApp"
EXCHANGE_MANAGE = "Exchange.Manage"

# Display name -> template id. In a real tenant the definition id of a built-in role equals its template id.
ENTRA_ROLES = {
    "Application Administrator": "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "Cloud Application Administrator": "158c047a-c907-4556-b7ef-446551a6b5f7",
    "Exchange Administrator": "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "Exchange Recipient Administrator": "31392ffb-586c-42d1-9346-e59415a2cc4e",
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Global Reader": "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
    "Hybrid Identity Administrator": "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2",
    "Privileged Authentication Administrator": "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
    "Privileged Role Administrator": "e8611ab8-c189-46e8-94e1-60213ab1f814",
    "Security Reader": "5d6b6bb7-de71-4623-b4af-96380a352509",
    "User Administrator": "fe930be7-5e62-47db-91af-98c3a49a38b1",
}
NOT_PRIVILEGED_ENTRA_ROLES = frozenset({"Exchange Administrator", "Exchange Recipient Administrator"})

# Permission -> app role id, the read-only set an administrator is asked to consent to.
GRAPH_READ_PERMISSIONS = {
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "AuditLog.Read.All": "b0afded3-3588-46d8-8b3d-9842eff778da",
    "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "GroupMember.Read.All": "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    "Organization.Read.All": "498476ce-e0fe-48b0-b801-37ba7e2685c6",
    "Policy.Read.All": "246dd0d5-5bd0-4def-940b-0421030a5b68",
    "PrivilegedAssignmentSchedule.Read.AzureADGroup": "cd4161cb-f098-48f8-a884-1eda9a42434c",
    "PrivilegedEligibilitySchedule.Read.AzureADGroup": "edb419d6-7edc-42a3-9345-509bfdf5d87c",
    "RoleAssignmentSchedule.Read.Directory": "d5fe8ce8-684c-4c83-a52c-46e882ce4be1",
    "RoleEligibilitySchedule.Read.Directory": "ff278e11-4a33-4d0c-83d2-d01dc58929a5",
    "RoleManagement.Read.Directory": "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
}

# Delegated permission of Graph -> what an administrator is told about it; composed.
GRAPH_SCOPES = {
    "Directory.AccessAsUser.All": "Access the directory as the signed-in user",
    "Directory.Read.All": "Read directory data",
    "Mail.ReadWrite": "Read and write mail",
    "User.Read": "Sign in and read the profile",
    "User.Read.All": "Read all users' full profiles",
    "offline_access": "Maintain access to data",
    "openid": "Sign users in",
    "profile": "View users' basic profile",
}

DISTRIBUTION_GROUPS = "Distribution Groups"
MAIL_RECIPIENTS = "Mail Recipients"
SECURITY_GROUPS = "Security Group Creation and Membership"
REQUIRED_EXCHANGE_ROLES = (DISTRIBUTION_GROUPS, MAIL_RECIPIENTS, SECURITY_GROUPS)
VIEW_ONLY_CONFIGURATION = "View-Only Configuration"
VIEW_ONLY_RECIPIENTS = "View-Only Recipients"

_ORGANIZATION_MANAGEMENT_ROLES = (
    "Audit Logs", "Compliance Admin", "Data Loss Prevention", DISTRIBUTION_GROUPS,
    "E-Mail Address Policies", "Federated Sharing", "Information Rights Management", "Journaling",
    "Legal Hold", "Mail Enabled Public Folders", "Mail Recipient Creation", MAIL_RECIPIENTS, "Mail Tips",
    "Message Tracking", "Migration", "Move Mailboxes", "Org Custom Apps", "Org Marketplace Apps",
    "Organization Client Access", "Organization Configuration", "Organization Transport Settings",
    "Public Folders", "Recipient Policies", "Remote and Accepted Domains", "Reset Password",
    "Retention Management", "Role Management", "Security Admin", SECURITY_GROUPS, "Security Reader",
    "Transport Hygiene", "Transport Rules", "User Options", "View-Only Audit Logs", VIEW_ONLY_CONFIGURATION,
    VIEW_ONLY_RECIPIENTS,
)
ORGANIZATION_MANAGEMENT = "Organization Management"
VIEW_ONLY_ORGANIZATION_MANAGEMENT = "View-Only Organization Management"

ROLE_GROUPS: dict[str, tuple[str, ...]] = {
    "Compliance Management": (
        "Audit Logs", "Compliance Admin", "Data Loss Prevention", "Information Rights Management",
        "Journaling", "Message Tracking", "Retention Management", "Transport Rules", "View-Only Audit Logs",
        VIEW_ONLY_CONFIGURATION, VIEW_ONLY_RECIPIENTS,
    ),
    "Discovery Management": ("Legal Hold", "Mailbox Search"),
    "Help Desk": ("Reset Password", "User Options", VIEW_ONLY_RECIPIENTS),
    "Hygiene Management": ("Transport Hygiene", VIEW_ONLY_CONFIGURATION, VIEW_ONLY_RECIPIENTS),
    ORGANIZATION_MANAGEMENT: _ORGANIZATION_MANAGEMENT_ROLES,
    "Recipient Management": (
        DISTRIBUTION_GROUPS, "Mail Recipient Creation", MAIL_RECIPIENTS, "Message Tracking", "Migration",
        "Move Mailboxes", "Recipient Policies", "Reset Password",
    ),
    "Records Management": (
        "Audit Logs", "Journaling", "Message Tracking", "Retention Management", "Transport Rules",
    ),
    "Security Administrator": ("Security Admin",),
    "Security Reader": ("Security Reader",),
    VIEW_ONLY_ORGANIZATION_MANAGEMENT: (VIEW_ONLY_CONFIGURATION, VIEW_ONLY_RECIPIENTS),
}

# Entra role -> (stem of the role group Exchange keeps for its holders, role group that one is a member of).
ENTRA_BACKED_ROLE_GROUPS = {
    "Exchange Administrator": ("ExchangeServiceAdmins_-", ORGANIZATION_MANAGEMENT),
    "Exchange Recipient Administrator": ("ExchangeRecipientAdmins_", "Recipient Management"),
    "Global Administrator": ("TenantAdmins_-", ORGANIZATION_MANAGEMENT),
    "Global Reader": ("GlobalReaders_", VIEW_ONLY_ORGANIZATION_MANAGEMENT),
    "Security Reader": ("SecurityReaders_", "Security Reader"),
}

# Roles no role group holds until an administrator assigns them, and the roles of end users.
UNASSIGNED_ROLES = ("ApplicationImpersonation", "Mailbox Import Export")
END_USER_ROLES = (
    "MyBaseOptions", "MyContactInformation", "MyDistributionGroupMembership", "MyMailboxDelegation",
    "MyProfileInformation", "MyRetentionPolicies", "MyTextMessaging", "MyVoiceMail",
)
DEFAULT_ROLE_ASSIGNMENT_POLICY = "Default Role Assignment Policy"

_UNLIKE_THEIR_NAME = {
    "Data Loss Prevention": "DataLossPrevention",
    "E-Mail Address Policies": "EmailAddressPolicies",
    "Mailbox Import Export": "MailboxImportExport",
}


def role_type(role: str) -> str:
    """Return the RoleType of a built-in role: `Mail Recipients` -> `MailRecipients`."""
    if role in _UNLIKE_THEIR_NAME:
        return _UNLIKE_THEIR_NAME[role]
    words = role.replace("-", " ").split()
    return "".join(word[0].upper() + word[1:] for word in words)


# Cmdlet -> parameters, for the roles whose entries are compared; composed, shorter than the real lists.
ROLE_ENTRIES: dict[str, dict[str, tuple[str, ...]]] = {
    DISTRIBUTION_GROUPS: {
        "Add-DistributionGroupMember": ("Identity", "Member", "BypassSecurityGroupManagerCheck"),
        "Get-DistributionGroup": ("Identity", "Filter", "ResultSize"),
        "Get-DistributionGroupMember": ("Identity", "ResultSize"),
        "Get-Group": ("Identity", "Filter", "ResultSize"),
        "Get-Recipient": ("Identity", "Filter", "ResultSize"),
        "New-DistributionGroup": ("Name", "Alias", "Members", "PrimarySmtpAddress", "ManagedBy"),
        "Remove-DistributionGroup": ("Identity", "BypassSecurityGroupManagerCheck"),
        "Remove-DistributionGroupMember": ("Identity", "Member", "BypassSecurityGroupManagerCheck"),
        "Set-DistributionGroup": ("Identity", "DisplayName", "EmailAddresses", "ManagedBy"),
        "Update-DistributionGroupMember": ("Identity", "Members", "BypassSecurityGroupManagerCheck"),
    },
    MAIL_RECIPIENTS: {
        "Add-MailboxPermission": ("Identity", "User", "AccessRights"),
        "Add-RecipientPermission": ("Identity", "Trustee", "AccessRights"),
        "Get-Mailbox": ("Identity", "Filter", "ResultSize"),
        "Get-MailboxPermission": ("Identity", "User"),
        "Get-Recipient": ("Identity", "Filter", "ResultSize"),
        "Get-User": ("Identity", "Filter", "ResultSize"),
        "Remove-MailboxPermission": ("Identity", "User", "AccessRights"),
        "Set-CASMailbox": ("Identity", "ActiveSyncEnabled", "OWAEnabled"),
        "Set-MailUser": ("Identity", "EmailAddresses", "ExternalEmailAddress"),
        "Set-Mailbox": ("Identity", "EmailAddresses", "ForwardingAddress", "HiddenFromAddressListsEnabled"),
        "Set-User": ("Identity", "Department", "Manager", "Title"),
    },
    SECURITY_GROUPS: {
        "Add-DistributionGroupMember": ("Identity", "Member", "BypassSecurityGroupManagerCheck"),
        "Get-DistributionGroup": ("Identity", "Filter", "ResultSize"),
        "Get-DistributionGroupMember": ("Identity", "ResultSize"),
        "New-DistributionGroup": ("Name", "Alias", "Members", "Type", "ManagedBy"),
        "Remove-DistributionGroup": ("Identity", "BypassSecurityGroupManagerCheck"),
        "Remove-DistributionGroupMember": ("Identity", "Member", "BypassSecurityGroupManagerCheck"),
        "Update-DistributionGroupMember": ("Identity", "Members", "BypassSecurityGroupManagerCheck"),
    },
}
ENTRIES_OF_OTHER_ROLES: dict[str, tuple[str, ...]] = {"Get-Recipient": ("Identity", "ResultSize")}


def built_in_management_roles() -> tuple[str, ...]:
    """Every built-in role by name, sorted."""
    held = {role for roles in ROLE_GROUPS.values() for role in roles}
    return tuple(sorted(held | set(UNASSIGNED_ROLES) | set(END_USER_ROLES)))
