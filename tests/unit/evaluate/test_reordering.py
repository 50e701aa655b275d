"""Two domain controllers answer in different orders: what is told of the same directory is the same."""

from __future__ import annotations

import pytest

from auditor.acl import FULL_CONTROL, AccessMask
from auditor.evaluate.findings import state_fingerprint
from tests.unit.evaluate.composed import judge
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    CHILDREN,
    DELEGATED,
    DELEGATES,
    DOMAIN,
    DOMAIN_USERS,
    GROUPS,
    HEAD,
    PROTECTED,
    READABLE,
    STAFF,
    USERS,
    Container,
    Directory,
    ace,
    descriptor,
    dn_of,
    group,
    service_account,
)
from tests.unit.evaluate.composed_rights import placed, with_raw, with_read
from tests.unit.evaluate.test_finding_keys import reordered

MANY = range(12)  # more than any list of names shows
USER = ["user"]  # one class, which is the same read backwards
ODD, EVEN = f"{DOMAIN}-1301", f"{DOMAIN}-1302"


def estate(*on_target: str) -> Directory:
    """Compose containers and people of each kind that a finding counts and names the first of."""
    target = descriptor(READABLE) if "nothing delegated" in on_target else descriptor(*DELEGATED)
    below = {
        f"OU={kind} {number},{STAFF}": raw
        for number in MANY
        for kind, raw in {
            "blocked": descriptor(READABLE, control=PROTECTED),
            "excess": descriptor(*DELEGATED, ace(FULL_CONTROL, ACCOUNT), ace(AccessMask.WRITE_DAC, DELEGATES)),
            "denied": descriptor(ace(CHILDREN, DELEGATES, ace_type=1), *DELEGATED),
            "withheld": None,
            "orphans": descriptor(*DELEGATED, ace(CHILDREN, f"{DOMAIN}-{9000 + number}")),
        }.items()
    }
    people = [
        each
        for number in MANY
        for each in (
            placed(f"CN=admin {number},{STAFF}", control=PROTECTED, objectClass=USER, adminCount=1),
            placed(f"CN=blocked {number},{STAFF}", control=PROTECTED, objectClass=USER),
            placed(f"CN=group {number},{STAFF}", control=PROTECTED, objectClass=["group"]),
            with_raw(f"CN=withheld {number},{STAFF}", None, objectClass=USER),
        )
    ]
    beside = [with_raw(f"OU=withheld {number},{HEAD}", None) for number in MANY]
    names = [f"class/host{number}" for number in MANY]
    account = service_account(
        "even", "odd", servicePrincipalName=names, sIDHistory=[f"S-1-5-21-9-9-9-{number}" for number in (1101, 1102)],
        **{"msDS-AllowedToDelegateTo": names}, objectClass=USER,
    )  # fmt: skip
    directory = Directory(
        accounts=(account,),
        groups=(*GROUPS, group("even", EVEN, dn_of("H2R Delegates")), group("odd", ODD, dn_of("H2R Delegates"))),
        token=(DOMAIN_USERS, USERS, DELEGATES, EVEN, ODD),
        ous={STAFF: Container(raw=target, below=below)},
        group_ous={STAFF: target},
    ).connect(group_ous=(STAFF,))
    return with_read(with_read(directory, "inhabitants", *people, subject=STAFF), "other_containers", *beside)


@pytest.mark.parametrize("on_target", ["task delegated", "nothing delegated"])
def test_the_order_of_answers_changes_no_finding(on_target: str) -> None:
    evidence = estate(on_target).evidence()
    plain, turned = (
        {each.key: each for each in judge(given).findings} for given in (evidence, reordered(evidence))
    )
    assert len({each.check for each in plain.values()}) > 20
    assert plain.keys() == turned.keys()
    differing = {key for key in plain if state_fingerprint(plain[key]) != state_fingerprint(turned[key])}
    assert not {plain[key].check for key in differing}
