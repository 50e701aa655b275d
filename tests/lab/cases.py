"""Cases: an account, the OUs it is judged on, the right answers, and the estate that makes them right."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, Flag, auto
from itertools import chain, count
from typing import TYPE_CHECKING

from auditor.model.outcome import Outcome
from tests.lab.estate import (
    AccessChange,
    AttributeChange,
    DirectoryObject,
    Estate,
    Membership,
    Renaming,
    account,
    group,
    organizational_unit,
    user,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

AUDITOR = "auditor"  # reads, and is in no group but Domain Users
SERVICE_ACCOUNTS, GROUPS, TARGETS = "OU=Service accounts", "OU=Groups", "OU=Targets"
LEFT_OUT_OF_DELEGATION = frozenset({
    "Domain Admins", "Enterprise Admins", "Administrators", "Account Operators"
})


class Dacl(Enum):
    """What a place's DACL is, apart from one with ACEs."""

    EMPTY = auto()
    NULL = auto()


class Power(Flag):
    """What a domain controller lets an account do with users in one place, by its own computation."""

    CREATE = auto()  # `allowedChildClassesEffective` of the place has `user`
    CONTROL = auto()  # `sDRightsEffective` of a user there has owner and DACL


CREATE, CONTROL = Power.CREATE, Power.CONTROL
BOTH, NEITHER = Power.CREATE | Power.CONTROL, Power(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An OU or container of a case, what is set on it, and the power this gives the case's account.

    The power is what remains when the account is in none of the groups that delegation is judged
    without. In ACEs `{account}` stands for the case's account.
    """

    dn: str
    power: Power
    aces: tuple[str, ...] = ()
    protected: bool = False
    dacl: Dacl | None = None
    object_class: str = "organizationalUnit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An OU to judge the delegated user task (M8) on. `places` are created in order, parents first.

    `findings` is all that the checks of rights tell of the OU beside M8, each as check and outcome.
    """

    dn: str
    delegation: Outcome
    why: str
    places: tuple[Place, ...] = ()
    findings: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An audited account with known answers: Domain Admins (M7) once, the delegation (M8) per target.

    `excess_groups` are the groups, by sAMAccountName, that are neither documented nor lead to anything
    documented. `account_findings` is all that is told of the account itself and of who controls it, each as check,
    outcome and severity; `findings_elsewhere` is what the checks of rights tell of other objects for the sake of this
    account, by their DN, which is empty for the domain head. A `guarded` account bears the marks of AdminSDHolder; so
    do the `guarded_people`, by sAMAccountName. `objects`, `memberships`, `attribute_changes` and `access_changes` are
    what the case adds to the estate beside its account and its places.
    """

    name: str
    why: str
    targets: tuple[Target, ...]
    domain_admins: Outcome = Outcome.MISSING
    enabled: bool = True
    excess_groups: frozenset[str] = frozenset()
    account_findings: frozenset[str] = frozenset()
    findings_elsewhere: Mapping[str, frozenset[str]] = field(default_factory=dict)
    objects: tuple[DirectoryObject, ...] = ()
    memberships: tuple[Membership, ...] = ()
    attribute_changes: tuple[AttributeChange, ...] = ()
    access_changes: tuple[AccessChange, ...] = ()
    guarded: bool = False
    guarded_people: tuple[str, ...] = ()

    @property
    def account(self) -> str:
        """The sAMAccountName."""
        return f"svc-{self.name}"

    @property
    def account_dn(self) -> str:
        """The account's DN, relative to the domain head."""
        return service_account_dn(self.account)

    @property
    def places(self) -> Iterator[Place]:
        """Every place of every target."""
        return chain.from_iterable(target.places for target in self.targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAnswers:
    """Cases that live in one directory."""

    cases: tuple[Case, ...]
    renamings: tuple[Renaming, ...] = ()

    @property
    def estate(self) -> Estate:
        """The directory of all cases."""
        return Estate(
            objects=(*_foundations(), *chain.from_iterable(map(_objects, self.cases)), *self._probes()),
            memberships=tuple(chain.from_iterable(case.memberships for case in self.cases)),
            attribute_changes=tuple(chain.from_iterable(case.attribute_changes for case in self.cases)),
            access_changes=tuple(chain.from_iterable(map(_access_changes, self.cases))),
            renamings=self.renamings,
            guarded_accounts=tuple(name for case in self.cases for name in _guarded(case)),
            empty_dacls=self._places_with(Dacl.EMPTY),
            null_dacls=self._places_with(Dacl.NULL),
        )

    @property
    def estate_without_administrators(self) -> Estate:
        """The same directory after everybody has left the groups that delegation is judged without."""
        estate = self.estate
        return replace(
            estate,
            memberships=tuple(m for m in estate.memberships if m.group not in LEFT_OUT_OF_DELEGATION),
            attribute_changes=tuple(c for c in estate.attribute_changes if c.attribute != "primaryGroupID"),
        )

    def case(self, name: str) -> Case:
        """Return the case of that name."""
        return next(case for case in self.cases if case.name == name)

    def _places_with(self, dacl: Dacl) -> tuple[str, ...]:
        return tuple(place.dn for case in self.cases for place in case.places if place.dacl is dacl)

    def _probes(self) -> Iterator[DirectoryObject]:
        number = count(1)
        for case in self.cases:
            for place in case.places:
                yield user(probe_dn(place), f"probe-{next(number)}")


def service_account_dn(name: str) -> str:
    """Return where accounts that sign in are kept."""
    return f"CN={name},{SERVICE_ACCOUNTS}"


def lab_group(name: str) -> DirectoryObject:
    """Describe a group among the lab's groups."""
    return group(f"CN={name},{GROUPS}", name)


def probe_dn(place: Place) -> str:
    """Return the DN of the user that stands in a place to be tried on."""
    return f"CN=probe,{place.dn}"


def _foundations() -> Iterator[DirectoryObject]:
    for dn in (SERVICE_ACCOUNTS, GROUPS, TARGETS):
        yield organizational_unit(dn)
    yield account(service_account_dn(AUDITOR), AUDITOR)


def _objects(case: Case) -> Iterator[DirectoryObject]:
    yield account(case.account_dn, case.account, enabled=case.enabled)
    for place in case.places:
        yield DirectoryObject(dn=place.dn, object_class=place.object_class)
    yield from case.objects


def _guarded(case: Case) -> Iterator[str]:
    if case.guarded:
        yield case.account
    yield from case.guarded_people


def _access_changes(case: Case) -> Iterator[AccessChange]:
    yield from case.access_changes
    for place in case.places:
        if place.aces or place.protected:
            aces = tuple(ace.replace("{account}", f"{{sid:{case.account}}}") for ace in place.aces)
            yield AccessChange(dn=place.dn, aces=aces, protected=place.protected)
