"""Which reads of Microsoft Entra ID depend on which: each begins as soon as its question can be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.collect.entra.questions import GraphQuestions
from auditor.collect.https.answers import object_id
from auditor.model.graph_group import is_assignable_to_role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

    from auditor.collect.https.recorder import Recorded, Recorder
    from auditor.model.connection import ExchangeOnlineConnection
    from auditor.model.evidence import Json, Record

DEPENDENT_DATASETS = (
    "transitive_member_of",
    "role_assignments",
    "role_assignment_instances",
    "role_eligibility_instances",
    "group_assignment_instances",
    "group_eligibility_instances",
    "consent_grants",
    "owned_objects",
    "sign_in_activity",
)
# Members of a tenant's hierarchy that are no groups and so cannot pass a role on.
_NO_GROUPS = frozenset({"#microsoft.graph.directoryRole", "#microsoft.graph.administrativeUnit"})


@dataclass(slots=True, kw_only=True)
class EntraCollector:
    """Writes what Microsoft Graph tells about the account of one connection.

    The methods are called in the order in which they stand here; each waits for what it depends on.
    """

    recorder: Recorder
    connection: ExchangeOnlineConnection
    _organization: Future[Recorded] = field(init=False)
    _user: Future[Recorded] = field(init=False)
    _vendor: Future[Recorded] | None = field(init=False, default=None)
    _member_of: Future[Recorded] | None = field(init=False, default=None)
    _eligible_for: Future[Recorded] | None = field(init=False, default=None)
    _owned: Future[Recorded] | None = field(init=False, default=None)
    _owned_applications: list[Future[Recorded]] = field(init=False, default_factory=list)
    _roles_of: dict[str, Future[Recorded]] = field(init=False, default_factory=dict)
    _owners: dict[str, Future[Recorded]] = field(init=False, default_factory=dict)
    _members: dict[str, Future[Recorded]] = field(init=False, default_factory=dict)
    _grants: list[Future[Recorded]] = field(init=False, default_factory=list)

    @property
    def _questions(self) -> GraphQuestions:
        return GraphQuestions(base=self.recorder.service.base)

    def begin(self) -> None:
        """Ask about the tenant, the account, and the vendor's application."""
        ask, questions = self.recorder.ask, self._questions
        self._organization = ask(questions.organization())
        self._user = ask(questions.user(self.connection.service_account))
        if self.connection.vendor_app_id is not None:
            self._vendor = ask(questions.vendor_service_principal(self.connection.vendor_app_id))
        ask(questions.role_definitions())
        ask(questions.conditional_access_policies())
        ask(questions.security_defaults())

    @property
    def tenant_id(self) -> str | None:
        """The id of the tenant, once it is read."""
        return _id_of(self._organization.result())

    @property
    def account_id(self) -> str | None:
        """The id of the account, once it is read; the connection may name it itself."""
        return _id_of(self._user.result()) or object_id(self.connection.service_account)

    def ask_about_account(self) -> None:
        """Ask what the account is in, holds, owns and has consented to."""
        account_id, user = self.account_id, self._user.result()
        if account_id is not None:
            self._ask_about_account(account_id)
        elif user.gap is not None:
            self.recorder.leave_out(user.gap, *DEPENDENT_DATASETS)

    def _ask_about_account(self, account_id: str) -> None:
        ask, questions = self.recorder.ask, self._questions
        self._member_of = ask(questions.transitive_member_of(account_id))
        self._eligible_for = ask(questions.group_eligibility_instances(account_id))
        self._roles_of[account_id] = ask(questions.role_assignments(account_id))
        self._owned = ask(questions.owned_objects(account_id))
        self._grants.append(ask(questions.consent_grants(account_id)))
        ask(questions.role_assignment_instances(account_id))
        ask(questions.role_eligibility_instances(account_id))
        ask(questions.group_assignment_instances(account_id))
        ask(questions.sign_in_activity(account_id))

    def _about_account(self, *pending: Future[Recorded] | None) -> list[Future[Recorded]]:
        """Return reads about the account that others depend on: that of the account itself, if they were not begun."""
        found = [each for each in pending if each is not None]
        return found or [self._user]

    def ask_about_vendor(self) -> None:
        """Ask what the vendor's application was granted; one that is proven absent was granted nothing."""
        if self._vendor is None:
            return
        vendor = self._vendor.result()
        principal_id = _id_of(vendor)
        if principal_id is not None:
            self._grants.append(self.recorder.ask(self._questions.vendor_consent_grants(principal_id)))
            self._grants.append(self.recorder.ask(self._questions.vendor_app_role_assignments(principal_id)))
        elif vendor.gap is not None:
            self.recorder.leave_out(vendor.gap, "vendor_consent_grants", "vendor_app_role_assignments")

    @property
    def group_ids(self) -> tuple[str, ...]:
        """The ids of every group the account is in, once they are read."""
        member_of = self._member_of.result().records if self._member_of else ()
        return tuple(_ids((record for record in member_of if _is_group(record)), "id"))

    def ask_about_groups(self) -> None:
        """Ask for the roles of every group that may pass one on, also once the account activates its membership."""
        member_of = self._member_of.result().records if self._member_of else ()
        eligible_for = self._eligible_for.result().records if self._eligible_for else ()
        groups = (record for record in member_of if may_pass_roles_on(record))
        for group_id in dict.fromkeys([*_ids(groups, "id"), *_ids(eligible_for, "groupId")]):
            self._roles_of[group_id] = self.recorder.ask(self._questions.role_assignments(group_id))
            self.recorder.ask(self._questions.role_eligibility_instances(group_id))

    def ask_about_owned_objects(self) -> None:
        """Ask what the groups and applications do that the account owns."""
        owned = self._owned.result().records if self._owned else ()
        for group_id in _ids((each for each in owned if each.get("isAssignableToRole") is True), "id"):
            self._ask_for_roles_of_owned(group_id)
        for app_id in _ids((each for each in owned if _type(each) == "application"), "appId"):
            question = self._questions.service_principal_of_application(app_id)
            self._owned_applications.append(self.recorder.ask(question))
        of_applications = (record for found in self._owned_applications for record in found.result().records)
        owned_principals = (each for each in owned if _type(each) == "servicePrincipal")
        for principal_id in dict.fromkeys([*_ids(owned_principals, "id"), *_ids(of_applications, "id")]):
            self._grants.append(self.recorder.ask(self._questions.owned_app_role_assignments(principal_id)))
            self._ask_for_roles_of_owned(principal_id)
        owned_objects = self._about_account(self._owned)
        self.recorder.leave_out_for(owned_objects, "owned_application_principal")
        self.recorder.leave_out_for([*owned_objects, *self._owned_applications], "owned_app_role_assignments")

    def _ask_for_roles_of_owned(self, owned_id: str) -> None:
        if owned_id not in self._roles_of:
            self.recorder.ask(self._questions.role_assignments(owned_id))

    def ask_about_applications(self) -> None:
        """Ask who the applications in grants are, and what the permissions of the resources mean."""
        records = [record for grant in self._grants for record in grant.result().records]
        for principal_id in sorted({*_ids(records, "clientId"), *_ids(records, "resourceId")}):
            self.recorder.ask(self._questions.service_principal(principal_id))
        vendor = [] if self._vendor is None else [self._vendor]
        self.recorder.leave_out_for([*self._about_account(*self._grants), *vendor], "service_principal")

    def ask_about_role_holders(self, unit_ids: Iterable[str]) -> None:
        """Ask who controls the groups that hold roles, until when they hold them, and where.

        `unit_ids` are administrative units that limit the account elsewhere.
        """
        units = set(unit_ids)
        for principal_id, pending in self._roles_of.items():
            records = pending.result().records
            units.update(_administrative_units(record.get("directoryScopeId") for record in records))
            if records and principal_id != self.account_id:
                self._ask_for_owners(principal_id)
                self.recorder.ask(self._questions.role_assignment_instances(principal_id))
        for unit_id in sorted(units):
            self.recorder.ask(self._questions.administrative_unit(unit_id))
        roles = self._about_account(self._member_of, self._eligible_for, *self._roles_of.values())
        self.recorder.leave_out_for(roles, "group_owners", "administrative_unit")

    def ask_about_members(self, group_ids: Iterable[str]) -> None:
        """Ask who is in groups that Exchange lets hold its roles, and who may add to them."""
        self.recorder.leave_out_for(self._about_account(self._member_of), "group_members")
        for group_id in group_ids:
            self._ask_for_members(group_id)
            self._ask_for_owners(group_id)

    def ask_what_owned_groups_are_in(self, group_ids: Iterable[str]) -> None:
        """Ask who is in groups that Exchange lets hold its roles, if a group of the account's may be among them."""
        owned = self._owned.result().records if self._owned else ()
        for group_id in group_ids if any(_type(each) == "group" for each in owned) else ():
            self._ask_for_members(group_id)

    def _ask_for_members(self, group_id: str) -> None:
        if group_id not in self._members:
            self._members[group_id] = self.recorder.ask(self._questions.group_members(group_id))

    def _ask_for_owners(self, group_id: str) -> None:
        if group_id not in self._owners:
            self._owners[group_id] = self.recorder.ask(self._questions.group_owners(group_id))


def _type(record: Record) -> str:
    return str(record.get("@odata.type")).rpartition(".")[2]


def _is_group(member_of: Record) -> bool:
    return str(member_of.get("@odata.type")) not in _NO_GROUPS


def may_pass_roles_on(member_of: Record) -> bool:
    """Tell whether an account may hold roles through something it is in.

    Without the right to read groups, Graph shows only type and id: such a group may hold roles as well.
    """
    return _is_group(member_of) and is_assignable_to_role(member_of) is not False


def _ids(records: Iterable[Record], key: str) -> Iterator[str]:
    found = (object_id(record.get(key)) for record in records)
    return (each for each in found if each is not None)


def _administrative_units(scopes: Iterable[Json]) -> Iterator[str]:
    prefix = "/administrativeUnits/"
    units = (object_id(scope.removeprefix(prefix)) for scope in scopes if isinstance(scope, str))
    return (unit for unit in units if unit is not None)


def _id_of(read: Recorded) -> str | None:
    """Return the id of the one object a read found; several would be a choice nobody made."""
    ids = {object_id(record.get("id")) for record in read.records}
    return ids.pop() if len(ids) == 1 else None
