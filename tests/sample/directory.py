"""The directory of Contoso Ltd: one service account per location, each with rights of its own kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.lab.estate import (
    AccessChange,
    AttributeChange,
    DirectoryObject,
    Estate,
    Membership,
    account,
    group,
    organizational_unit,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

SERVICE_ACCOUNTS, GROUPS, LEAVERS = "OU=Service accounts", "OU=Groups", "OU=Leavers"
AUDITOR = "svc-audit"
DOMAIN_ADMINS = "Domain Admins"
REFUSED_HOST = "127.0.1.1"  # no lab listens there: they keep to 127.0.0.2-254


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A hybrid connection. DNs are relative to the domain head.

    The inventory names the account by its UPN, or by its DN when `is_named_by_dn`.
    """

    id: str
    name: str
    account: str
    common_name: str
    target_ous: tuple[str, ...]
    group_ous: tuple[str, ...] = ()
    further_hosts: tuple[str, ...] = ()
    is_named_by_dn: bool = False

    @property
    def account_dn(self) -> str:
        """The DN of the audited account."""
        return f"CN={self.common_name},{SERVICE_ACCOUNTS}"


HEADQUARTERS = Location(
    id="hybrid-headquarters",
    name="Connection-Directory Service",
    account="svc-h2r",
    common_name="Hire2Retire",
    target_ous=("OU=Employees,OU=Headquarters", LEAVERS),
    group_ous=(GROUPS,),
)
LODZ = Location(
    id="hybrid-lodz",
    name="Directory Łódź",
    account="svc-h2r-lodz",
    common_name="Hire2Retire Łódź",
    target_ous=("OU=Pracownicy,OU=Łódź",),
)
ATHENS = Location(
    id="hybrid-athens",
    name="Directory Αθήνα",
    account="eleni.p",
    common_name="Ελένη Παπαδοπούλου",
    target_ous=("OU=Προσωπικό,OU=Αθήνα",),
    is_named_by_dn=True,
)
MUNICH = Location(
    id="hybrid-munich",
    name="Directory München",
    account="svc-h2r-muc",
    common_name="Hire2Retire München",
    target_ous=("OU=Mitarbeiter,OU=München", "OU=Außendienst,OU=München"),
    group_ous=(GROUPS,),
)
VARNA = Location(
    id="hybrid-varna",
    name="Directory Варна",
    account="svc-h2r-varna",
    common_name="Hire2Retire Варна",
    target_ous=("OU=Служители,OU=Варна",),
)
DUBLIN = Location(
    id="hybrid-dublin",
    name="Directory Dublin",
    account="svc-h2r-dub",
    common_name="Hire2Retire Dublin",
    target_ous=("OU=Staff,OU=Dublin", r"OU=Legal\, Risk & Audit,OU=Dublin"),
    further_hosts=(REFUSED_HOST,),
)
FABRIKAM = Location(
    id="hybrid-fabrikam",
    name="Directory Fabrikam (acquired)",
    account="svc-h2r-fabrikam",
    common_name="Hire2Retire Fabrikam",
    target_ous=("OU=Staff,OU=Fabrikam", "OU=Seasonal,OU=Fabrikam"),
)
LOCATIONS = (HEADQUARTERS, LODZ, ATHENS, MUNICH, VARNA, DUBLIN, FABRIKAM)

ATHENS_DELEGATES = "H2R Εξουσιοδότηση"
VARNA_NIGHT_SHIFT = "Ночная смена Юлии"
OPERATIONS = "Ops & Co"  # its common name is `<b>Ops</b> & Co`
TIER_0, INFRASTRUCTURE = "Tier 0 Operators", "Zespół Łukasza Żółcia"
NO_PASSWORD_RESET = "Payroll-protected accounts"

_SEASONAL = "OU=Seasonal,OU=Fabrikam"  # configured, and gone
_OUS = (
    SERVICE_ACCOUNTS,
    GROUPS,
    LEAVERS,
    *("OU=Headquarters", "OU=Łódź", "OU=Αθήνα", "OU=München", "OU=Варна", "OU=Dublin", "OU=Fabrikam"),
    *(ou for location in LOCATIONS for ou in location.target_ous if ou not in {LEAVERS, _SEASONAL}),
    "OU=Apprentices,OU=Employees,OU=Headquarters",
    "OU=Geschäftsführung,OU=Mitarbeiter,OU=München",
)


def contoso_directory() -> Estate:
    """Return the whole directory."""
    return Estate(
        objects=(
            *map(organizational_unit, _OUS),
            account(f"CN=Permission auditor,{SERVICE_ACCOUNTS}", AUDITOR),
            *(account(each.account_dn, each.account) for each in LOCATIONS),
            *map(_group, (ATHENS_DELEGATES, VARNA_NIGHT_SHIFT, TIER_0, INFRASTRUCTURE, NO_PASSWORD_RESET)),
            group(rf"CN=\<b\>Ops\</b\> & Co,{GROUPS}", OPERATIONS),
        ),
        memberships=(
            *_members(DOMAIN_ADMINS, HEADQUARTERS.account, LODZ.account, MUNICH.account, DUBLIN.account),
            *_members(DOMAIN_ADMINS, FABRIKAM.account, TIER_0),
            *_members(TIER_0, INFRASTRUCTURE),
            *_members(INFRASTRUCTURE, VARNA.account),
            *_members("Backup Operators", OPERATIONS),
            *_members(OPERATIONS, VARNA_NIGHT_SHIFT),
            *_members(VARNA_NIGHT_SHIFT, VARNA.account),
            *_members(ATHENS_DELEGATES, ATHENS.account),
            *_members(NO_PASSWORD_RESET, MUNICH.account),
        ),
        attribute_changes=(
            AttributeChange(
                name=FABRIKAM.account,
                attribute="userAccountControl",
                values=(str(_NORMAL_ACCOUNT | _DONT_EXPIRE_PASSWORD | _DONT_REQUIRE_PREAUTH),),
            ),
        ),
        access_changes=tuple(_access_changes()),
        guarded_accounts=(HEADQUARTERS.account, LODZ.account, MUNICH.account, VARNA.account, DUBLIN.account),
    )


_NORMAL_ACCOUNT, _DONT_EXPIRE_PASSWORD, _DONT_REQUIRE_PREAUTH = 0x200, 0x10000, 0x400000  # MS-ADTS 2.2.16


def _access_changes() -> Iterable[AccessChange]:
    for ou in HEADQUARTERS.target_ous:
        yield AccessChange(dn=ou, aces=_user_task(HEADQUARTERS.account))
    yield AccessChange(
        dn=GROUPS, aces=(f"(OA;CIIO;RPWP;{{member}};{{group}};{{sid:{HEADQUARTERS.account}}})",)
    )
    yield AccessChange(dn=ATHENS.target_ous[0], aces=_user_task(ATHENS_DELEGATES))
    staff, field_service = MUNICH.target_ous
    yield AccessChange(dn=staff, aces=_user_task(MUNICH.account))
    yield AccessChange(dn="OU=Geschäftsführung,OU=Mitarbeiter,OU=München", protected=True)
    yield AccessChange(
        dn=field_service,
        aces=(
            f"(OD;CIIO;CR;{{User-Force-Change-Password}};{{user}};{{sid:{NO_PASSWORD_RESET}}})",
            *_user_task(MUNICH.account),
        ),
    )
    yield AccessChange(dn=VARNA.target_ous[0], aces=_user_task(VARNA.account))
    staff, legal = DUBLIN.target_ous
    yield AccessChange(dn=staff, aces=_user_task(DUBLIN.account))
    yield AccessChange(dn=legal, aces=(f"(D;;RC;;;{{sid:{AUDITOR}}})", *_user_task(DUBLIN.account)))
    yield AccessChange(dn=FABRIKAM.target_ous[0], aces=_user_task(FABRIKAM.account))


def _user_task(trustee: str) -> tuple[str, str]:
    """Return the ACEs of the wizard task "Create, delete and manage user accounts"."""
    return (f"(OA;CI;CCDC;{{user}};;{{sid:{trustee}}})", f"(OA;CIIO;GA;;{{user}};{{sid:{trustee}}})")


def _group(name: str) -> DirectoryObject:
    return group(f"CN={name},{GROUPS}", name)


def _members(into: str, *names: str) -> Iterable[Membership]:
    return (Membership(group=into, member=name) for name in names)
