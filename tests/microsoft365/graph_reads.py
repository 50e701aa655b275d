"""What each Graph read answers. Collections are lists, single objects are dicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.microsoft365 import graph_objects as objects
from tests.microsoft365 import odata
from tests.microsoft365.graph_calls import Call, GraphError, Row, denied, not_found
from tests.microsoft365.objects import (
    AdministrativeUnit,
    Application,
    DirectoryRole,
    Group,
    ServicePrincipal,
    User,
)

if TYPE_CHECKING:
    from tests.microsoft365.snapshot import Tenant


def organization(call: Call) -> list[Row]:
    return [objects.organization(call.tenant)]


def users(call: Call) -> list[Row]:
    return [_visible_user(call, person) for person in call.tenant.users]


def user(call: Call) -> Row:
    return _visible_user(call, call.user())


def _visible_user(call: Call, person: User) -> Row:
    wanted = call.request.query.get("$select")
    if wanted is None:
        return {name: objects.user(person)[name] for name in objects.DEFAULT_USER_PROPERTIES}
    names = {name.strip() for name in wanted.split(",")}
    if not names <= objects.BASIC_USER_PROPERTIES and not call.allowed("User.Read.All", "Directory.Read.All"):
        raise denied()
    if "signInActivity" not in names:
        return objects.user(person)
    _require_sign_in_activity(call)
    return objects.user(person) | {"signInActivity": objects.sign_in_activity(person)}


def _require_sign_in_activity(call: Call) -> None:
    if not call.allowed("AuditLog.Read.All"):
        raise denied()
    if not call.tenant.licences:
        raise GraphError(
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            "Neither tenant is B2C or tenant doesn't have premium license",
        )
    if call.arguments and "@" in call.arguments[0]:
        raise GraphError(
            400, "BadRequest", "Get By Key only supports UserId and the key has to be a valid Guid"
        )


def _groups_containing(call: Call, member_id: str, *, transitive: bool) -> list[Row]:
    containers = [
        call.tenant.objects[key] for key in call.tenant.containers_of(member_id, transitive=transitive)
    ]
    rows = [objects.typed(item) for item in containers if isinstance(item, Group | AdministrativeUnit)]
    holders = {member_id} | ({row["id"] for row in rows} if transitive else set())
    rows += [
        {"@odata.type": "#microsoft.graph.directoryRole", **objects.directory_role(role)}
        for role in _roles_held_tenant_wide(call.tenant, holders)
    ]
    return [_limited(call, row) for row in rows]


def _roles_held_tenant_wide(tenant: Tenant, holders: set[str]) -> list[DirectoryRole]:
    held = {
        a.role_id for a in tenant.directory_role_assignments if a.scope == "/" and a.principal_id in holders
    }
    return [role for role in tenant.directory_roles if role.id in held]


_READERS_OF_TYPE = {
    "#microsoft.graph.application": ("Application.Read.All", "Directory.Read.All"),
    "#microsoft.graph.servicePrincipal": ("Application.Read.All", "Directory.Read.All"),
    "#microsoft.graph.group": ("GroupMember.Read.All", "Group.Read.All", "Directory.Read.All"),
    "#microsoft.graph.administrativeUnit": ("AdministrativeUnit.Read.All", "Directory.Read.All"),
    "#microsoft.graph.directoryRole": ("RoleManagement.Read.Directory", "Directory.Read.All"),
}


def _limited(call: Call, row: Row) -> Row:
    """An object of a type the application may not read shows its id and type, everything else as null."""
    if call.allowed(*_READERS_OF_TYPE[row["@odata.type"]]):
        return row
    return {name: value if name in {"@odata.type", "id"} else None for name, value in row.items()}


def transitive_member_of(call: Call) -> list[Row]:
    return _groups_containing(call, call.user().id, transitive=True)


def member_of(call: Call) -> list[Row]:
    return _groups_containing(call, call.user().id, transitive=False)


def transitive_groups(call: Call) -> list[Row]:
    if not call.eventual or call.request.query.get("$count") != "true":
        raise GraphError(
            400,
            "Request_UnsupportedQuery",
            "The cast needs the header ConsistencyLevel: eventual and $count=true.",
        )
    return [row for row in transitive_member_of(call) if row["@odata.type"] == "#microsoft.graph.group"]


def _group_named(call: Call) -> Group:
    found = call.tenant.objects.get(call.arguments[0])
    if not isinstance(found, Group):
        raise not_found(call.arguments[0])
    return found


def group(call: Call) -> Row:
    return objects.group(_group_named(call))


def group_transitive_member_of(call: Call) -> list[Row]:
    return _groups_containing(call, _group_named(call).id, transitive=True)


def group_owners(call: Call) -> list[Row]:
    owners = [call.tenant.objects[key] for key in call.tenant.owners.get(_group_named(call).id, ())]
    return [{"@odata.type": "#microsoft.graph.user", **objects.user(owner)} for owner in owners]


def group_transitive_members(call: Call) -> list[Row]:
    inside = call.tenant.members_of(_group_named(call).id)
    people = [person for person in call.tenant.users if person.id in inside]
    nested = [each for each in call.tenant.groups if each.id in inside]
    return [
        *({"@odata.type": "#microsoft.graph.user", **objects.user(person)} for person in people),
        *(objects.typed(each) for each in nested),
    ]


def owned_objects(call: Call) -> list[Row]:
    owner = call.user().id
    owned = [call.tenant.objects[key] for key, owners in call.tenant.owners.items() if owner in owners]
    return [_limited(call, _owned(call.tenant, item)) for item in owned]


def _owned(tenant: Tenant, item: object) -> Row:
    match item:
        case Application():
            return {"@odata.type": "#microsoft.graph.application", **objects.application(item)}
        case ServicePrincipal():
            return {"@odata.type": "#microsoft.graph.servicePrincipal", **objects.service_principal(tenant, item)}
        case _:
            return objects.typed(item)


def administrative_unit(call: Call) -> Row:
    found = call.tenant.objects.get(call.arguments[0])
    if not isinstance(found, AdministrativeUnit):
        raise not_found(call.arguments[0])
    return objects.administrative_unit(found)


def conditional_access_policies(call: Call) -> list[Row]:
    return [objects.conditional_access_policy(policy) for policy in call.tenant.conditional_access_policies]


def security_defaults(call: Call) -> Row:
    return objects.security_defaults(call.tenant)


def _activated_roles(tenant: Tenant) -> list[DirectoryRole]:
    """Roles that somebody holds tenant-wide: the others were never activated."""
    return _roles_held_tenant_wide(tenant, {a.principal_id for a in tenant.directory_role_assignments})


def directory_roles(call: Call) -> list[Row]:
    return [objects.directory_role(role) for role in _activated_roles(call.tenant)]


def directory_role_members(call: Call) -> list[Row]:
    role = next((r for r in _activated_roles(call.tenant) if r.id == call.arguments[0]), None)
    if role is None:
        raise not_found(call.arguments[0])
    holders = [
        a.principal_id
        for a in call.tenant.directory_role_assignments
        if a.role_id == role.id and a.scope == "/"
    ]
    people = [call.tenant.objects[key] for key in holders]
    return [
        {"@odata.type": "#microsoft.graph.user", **objects.user(p)} for p in people if isinstance(p, User)
    ]


def role_assignments(call: Call) -> list[Row]:
    return [objects.role_assignment(call.tenant, a) for a in call.tenant.directory_role_assignments]


def transitive_role_assignments(call: Call) -> list[Row]:
    """Beta only; without the header the call answers as if it did not exist. Group grants name the group."""
    if not call.eventual or call.request.query.get("$count") != "true":
        raise not_found("transitiveRoleAssignments")
    principal = odata.equalities(call.request.query.get("$filter", "")).get("principalId", "")
    holders = {principal, *call.tenant.containers_of(str(principal))}
    return [
        objects.role_assignment(call.tenant, a)
        for a in call.tenant.directory_role_assignments
        if a.principal_id in holders
    ]


def assignment_instances(call: Call) -> list[Row]:
    _require_premium_2(call)
    return [objects.assignment_instance(a) for a in call.tenant.directory_role_assignments]


def eligibility_instances(call: Call) -> list[Row]:
    _require_premium_2(call)
    return [objects.eligibility_instance(a) for a in call.tenant.directory_role_eligibilities]


def group_eligibility_instances(call: Call) -> list[Row]:
    _require_premium_2(call)
    return [objects.group_eligibility_instance(e) for e in call.tenant.group_eligibilities]


def group_assignment_instances(call: Call) -> list[Row]:
    _require_premium_2(call)
    groups = [
        (group, member) for group in call.tenant.groups for member in call.tenant.members.get(group.id, ())
    ]
    ends = call.tenant.membership_ends
    return [objects.group_assignment_instance(group, member, ends.get((group.id, member))) for group, member in groups]


def _require_premium_2(call: Call) -> None:
    if "P2" not in call.tenant.licences:
        raise GraphError(400, "AadPremiumLicenseRequired", "The tenant needs an AAD Premium 2 license.")


def scoped_role_member_of(call: Call) -> list[Row]:
    person = call.user()
    return [
        objects.scoped_role_membership(call.tenant, a)
        for a in call.tenant.directory_role_assignments
        if a.principal_id == person.id and a.scope != "/"
    ]


def role_definitions(call: Call) -> list[Row]:
    return [objects.role_definition(role, beta=call.beta) for role in call.tenant.directory_roles]


def service_principals(call: Call) -> list[Row]:
    return [objects.service_principal(call.tenant, item) for item in call.tenant.service_principals]


def _service_principal_named(call: Call) -> ServicePrincipal:
    key = call.arguments[0].lower()
    found = next((item for item in call.tenant.service_principals if key in {item.id, item.app_id}), None)
    if found is None:
        raise not_found(key)
    return found


def service_principal(call: Call) -> Row:
    return objects.service_principal(call.tenant, _service_principal_named(call))


def consent_grants(call: Call) -> list[Row]:
    return [objects.consent_grant(grant) for grant in call.tenant.consent_grants]


def consent_grants_of_user(call: Call) -> list[Row]:
    person = call.user()
    return [row for row in consent_grants(call) if row["principalId"] == person.id]


def consent_grants_of_client(call: Call) -> list[Row]:
    client = _service_principal_named(call)
    return [row for row in consent_grants(call) if row["clientId"] == client.id]


def app_role_assignments(call: Call) -> list[Row]:
    item = _service_principal_named(call)
    return [
        objects.app_role_assignment(call.tenant, a)
        for a in call.tenant.app_role_assignments
        if a.principal_id == item.id
    ]


def app_role_assigned_to(call: Call) -> list[Row]:
    item = _service_principal_named(call)
    return [
        objects.app_role_assignment(call.tenant, a)
        for a in call.tenant.app_role_assignments
        if a.resource_id == item.id
    ]
