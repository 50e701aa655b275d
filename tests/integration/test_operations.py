"""Operations tried by the accounts of the known answers themselves, beside what the auditor's decision expects.

What each takes is in MS-ADTS 3.1.1.5.2.1 (add), 3.1.1.5.3.1 (modify), 3.1.1.5.4.1 (rename and move), 3.1.1.5.5.1
(delete) and 3.1.1.3.1.5 (passwords).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING

import ldap3
import pytest

from auditor.acl import (
    AccessMask,
    GuidKind,
    SecurityDescriptor,
    decide,
    object_types_of_property,
    parse_descriptor,
    well_known_guid,
)
from tests.integration.conftest import running
from tests.integration.effective_rights import token_of
from tests.lab.cases import TARGETS, Dacl, probe_dn
from tests.lab.estate import LAB_PASSWORD, AccessChange, organizational_unit
from tests.lab.estates import KNOWN_ANSWERS
from tests.lab.queries import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from auditor.acl import Token
    from tests.lab.cases import Place
    from tests.lab.domain_controller import DomainController
    from tests.lab.estate import Estate

pytestmark = pytest.mark.directory

SUCCESS, NO_SUCH_OBJECT, INSUFFICIENT_RIGHTS = 0, 32, 50  # RFC 4511 4.1.9; 32 where not even existence is told
AUTHENTICATED_USERS = "S-1-5-11"
CROSSING = f"OU=Crossing,{TARGETS}"  # everybody may bring users here and take them away
USER = well_known_guid("user", GuidKind.CLASS)
RESET = well_known_guid("User-Force-Change-Password", GuidKind.EXTENDED_RIGHT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place with the user in it, as the operations of one account find them."""

    place: str
    user: str
    token: Token
    place_descriptor: SecurityDescriptor
    user_descriptor: SecurityDescriptor

    def on_place(self, right: AccessMask) -> bool:
        return decide(self.place_descriptor, self.token, right, (USER,)).granted

    def on_user(self, right: AccessMask, *object_types: str) -> bool:
        return decide(self.user_descriptor, self.token, right, object_types).granted

    def may_write(self, *attributes: str) -> bool:
        guids = (well_known_guid(name, GuidKind.ATTRIBUTE) for name in attributes)
        return all(self.on_user(AccessMask.WRITE_PROPERTY, *object_types_of_property(guid, USER)) for guid in guids)

    def may_delete(self) -> bool:
        return self.on_user(AccessMask.DELETE, USER) or self.on_place(AccessMask.DELETE_CHILD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """The connections of the account that tries and of the administrator who puts everything back."""

    account: ldap3.Connection
    administrator: ldap3.Connection
    crossing: str
    numbers: Iterator[int]

    def new_name(self) -> str:
        return f"try-{next(self.numbers)}"


def create(hands: Hands, spot: Spot) -> bool:
    name = hands.new_name()
    dn = f"CN={name},{spot.place}"
    if was_done(hands.account.add(dn, "user", {"sAMAccountName": name}), hands.account):
        return undone(hands.administrator.delete(dn), hands)
    return False


def reset_password(hands: Hands, spot: Spot) -> bool:
    return was_done(hands.account.extend.microsoft.modify_password(spot.user, LAB_PASSWORD), hands.account)


def write_description(hands: Hands, spot: Spot) -> bool:
    change = {"description": [(ldap3.MODIFY_REPLACE, [hands.new_name()])]}
    return was_done(hands.account.modify(spot.user, change), hands.account)


def rename(hands: Hands, spot: Spot) -> bool:
    new = f"CN={hands.new_name()}"
    if was_done(hands.account.modify_dn(spot.user, new), hands.account):
        return undone(hands.administrator.modify_dn(f"{new},{spot.place}", spot.user.partition(",")[0]), hands)
    return False


def move_away(hands: Hands, spot: Spot) -> bool:
    rdn = spot.user.partition(",")[0]
    if was_done(hands.account.modify_dn(spot.user, rdn, new_superior=hands.crossing), hands.account):
        back = hands.administrator.modify_dn(f"{rdn},{hands.crossing}", rdn, new_superior=spot.place)
        return undone(back, hands)
    return False


def bring_in(hands: Hands, spot: Spot) -> bool:
    name = hands.new_name()
    rdn = f"CN={name}"
    assert hands.administrator.add(f"{rdn},{hands.crossing}", "user", {"sAMAccountName": name})
    if was_done(hands.account.modify_dn(f"{rdn},{hands.crossing}", rdn, new_superior=spot.place), hands.account):
        return undone(hands.administrator.delete(f"{rdn},{spot.place}"), hands)
    return False


def delete(hands: Hands, spot: Spot) -> bool:
    return was_done(hands.account.delete(spot.user), hands.account)


def was_done(answer: object, connection: ldap3.Connection) -> bool:
    """Tell whether an operation was carried out; fail when it was refused for another reason than access."""
    assert connection.result["result"] in {SUCCESS, NO_SUCH_OBJECT, INSUFFICIENT_RIGHTS}, connection.result
    assert bool(answer) == (connection.result["result"] == SUCCESS)
    return bool(answer)


def undone(answer: object, hands: Hands) -> bool:
    assert answer, hands.administrator.result
    return True


# In the order in which they are tried: nothing is left to try on after a deletion
OPERATIONS: dict[Callable[[Hands, Spot], bool], Callable[[Spot], bool]] = {
    create: lambda spot: spot.on_place(AccessMask.CREATE_CHILD),
    reset_password: lambda spot: spot.on_user(AccessMask.CONTROL_ACCESS, RESET),
    write_description: lambda spot: spot.may_write("description"),
    rename: lambda spot: spot.may_write("name", "cn"),
    move_away: lambda spot: spot.may_write("name", "cn") and spot.may_delete(),
    bring_in: lambda spot: spot.on_place(AccessMask.CREATE_CHILD),
    delete: lambda spot: spot.may_delete(),
}

Attempts = dict[str, dict[str, tuple[bool, bool]]]


@pytest.fixture(scope="module")
def attempts() -> Iterator[Attempts]:
    """Try every operation in every place of every case: by operation and place, what was expected and what was done."""
    with running(_estate()) as controller:
        yield _attempts(controller)


@pytest.mark.parametrize("operation", [operation.__name__ for operation in OPERATIONS])
def test_the_domain_controller_carries_out_what_the_decision_expects(attempts: Attempts, operation: str) -> None:
    unlike = {place: both for place, both in attempts[operation].items() if both[0] != both[1]}
    assert unlike == {}
    assert {done for _, done in attempts[operation].values()} == {True, False}


def _estate() -> Estate:
    everybody = (f"(OA;;CCDC;{USER};;{AUTHENTICATED_USERS})", f"(OA;CIIO;GA;;{USER};{AUTHENTICATED_USERS})")
    estate = KNOWN_ANSWERS.estate_without_administrators
    return replace(
        estate,
        objects=(*estate.objects, organizational_unit(CROSSING)),
        access_changes=(*estate.access_changes, AccessChange(dn=CROSSING, aces=everybody)),
    )


def _attempts(controller: DomainController) -> Attempts:
    attempts: Attempts = {operation.__name__: {} for operation in OPERATIONS}
    numbers = count(1)
    with controller.sign_in() as administrator:
        for case in KNOWN_ANSWERS.cases:
            if not case.enabled:
                continue
            with controller.sign_in(case.account) as account:
                token = token_of(account)
                hands = Hands(
                    account=account,
                    administrator=administrator,
                    crossing=controller.dn(CROSSING),
                    numbers=numbers,
                )
                for place in case.places:
                    if place.dacl is Dacl.EMPTY:  # nor could an administrator see what is there
                        continue
                    spot = _spot(administrator, controller, place, token)
                    for operation, expects in OPERATIONS.items():
                        attempts[operation.__name__][place.dn] = (expects(spot), operation(hands, spot))
    return attempts


def _spot(administrator: ldap3.Connection, controller: DomainController, place: Place, token: Token) -> Spot:
    place_dn, user_dn = controller.dn(place.dn), controller.dn(probe_dn(place))
    return Spot(
        place=place_dn,
        user=user_dn,
        token=token,
        place_descriptor=_descriptor(administrator, place_dn),
        user_descriptor=_descriptor(administrator, user_dn),
    )


def _descriptor(administrator: ldap3.Connection, dn: str) -> SecurityDescriptor:
    (entry,) = read(administrator, dn, "nTSecurityDescriptor").values()
    return parse_descriptor(entry["nTSecurityDescriptor"][0])
