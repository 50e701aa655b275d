"""Whatever happens to the evidence: counts add up, nothing unread passes, no grant adds a fault."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from auditor.acl import FULL_CONTROL, READ_RIGHTS, AccessMask
from auditor.evaluate.directory.user_task import USER_CLASS
from auditor.model.evidence import Evidence, Gap, GapKind
from auditor.model.outcome import FindingOutcome, Outcome, Severity, Verdict
from tests.unit.evaluate.composed import NOW, RUN, judge, matrix
from tests.unit.evaluate.composed_directory import (
    ACCOUNT,
    CHILDREN,
    CONTAINER_INHERIT,
    DELEGATES,
    DOMAIN,
    DOMAIN_ADMINS,
    INHERIT_ONLY,
    NO_PROPAGATE,
    READABLE,
    STAFF,
    Container,
    Directory,
    ace,
    descriptor,
    user_task,
)
from tests.unit.evaluate.composed_tenant import (
    DOCUMENTED_ROLES,
    GLOBAL_ADMINISTRATOR,
    ROLE_GROUP,
    USER_ADMINISTRATOR,
    Tenant,
    assignment,
    consent,
    entra_role,
    member,
    role,
    role_group,
)

if TYPE_CHECKING:
    from auditor.acl import Ace
    from auditor.model.results import Results

BELOW = f"OU=Interns,{STAFF}"
GROUP_CLASS = "bf967a9c-0de6-11d0-a285-00aa003049e2"
DEVIATIONS = (FindingOutcome.MISSING, FindingOutcome.PARTIAL, FindingOutcome.EXCESS)
# Gaps that are no open question: the service said that there is nothing, or that nothing can be there.
ANSWERS = (GapKind.NOT_FOUND, GapKind.NOT_LICENSED)

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

masks = st.sampled_from(
    [FULL_CONTROL, CHILDREN, READ_RIGHTS, AccessMask.CREATE_CHILD, AccessMask.WRITE_DAC, AccessMask.DELETE]
)
trustees = st.sampled_from([ACCOUNT, DELEGATES, DOMAIN_ADMINS, "S-1-5-11", f"{DOMAIN}-4711"])
flags = st.sampled_from([0, CONTAINER_INHERIT, CONTAINER_INHERIT | INHERIT_ONLY, CONTAINER_INHERIT | NO_PROPAGATE])
classes = st.sampled_from([None, USER_CLASS, GROUP_CLASS])


def aces(ace_types: tuple[int, ...] = (0, 1, 9)) -> st.SearchStrategy[Ace]:
    return st.builds(
        ace, masks, trustees, ace_type=st.sampled_from(ace_types), object_type=classes, inherited=classes, flags=flags
    )


dacls = st.lists(st.one_of(aces(), st.sampled_from([READABLE, *user_task(DELEGATES)])), max_size=6).map(tuple)
descriptors = st.one_of(st.none(), st.just(b"no descriptor"), dacls.map(lambda found: descriptor(*found)))
containers = st.builds(Container, raw=descriptors, below=st.dictionaries(st.just(BELOW), descriptors, max_size=1))
directories = st.builds(
    lambda ou, token, port: Directory(ous={STAFF: ou}, token=token).connect(port=port),
    containers,
    st.lists(st.sampled_from([*Directory().token, f"{DOMAIN}-1500", f"{DOMAIN}-519"]), unique=True).map(tuple),
    st.sampled_from([636, 389]),
)
tenants = st.builds(
    Tenant,
    entra_roles=st.lists(
        st.builds(
            entra_role,
            st.sampled_from([USER_ADMINISTRATOR, GLOBAL_ADMINISTRATOR, "00000000-0000-0000-0000-000000000009"]),
            scope=st.sampled_from(["/", "/administrativeUnits/1", ""]),
        ),
        max_size=2,
    ).map(tuple),
    role_groups=st.just((role_group(), role_group("Organization Management"))),
    members=st.dictionaries(
        st.sampled_from([ROLE_GROUP, "Organization Management"]),
        st.lists(st.sampled_from([member(), member("9" * 36), member("", name="x")]), max_size=2).map(tuple),
    ),
    assignments=st.lists(
        st.builds(
            assignment,
            st.sampled_from([*DOCUMENTED_ROLES, "Role Management"]),
            st.sampled_from([ROLE_GROUP, "Organization Management"]),
            Enabled=st.sampled_from([True, False, None]),
            RecipientWriteScope=st.sampled_from(["Organization", "Self", "CustomRecipientScope", None]),
            RoleAssignmentDelegationType=st.sampled_from(["Regular", "DelegatingOrgWide", None]),
        ),
        max_size=4,
        unique_by=lambda each: each["ExchangeObjectId"],
    ).map(tuple),
    roles=st.just((*Tenant().roles, role("Role Management"))),
    consents=st.lists(st.sampled_from(["openid", "Mail.Read"]).map(consent), max_size=1).map(tuple),
)
profiles = st.builds(
    lambda legs, single, scopes: matrix(
        domain_admins_and_delegation=legs, single_role_group=single, expected_scopes=scopes
    ),
    st.sampled_from(["all_of", "any_of"]),
    st.booleans(),
    st.sampled_from([None, (), ("openid",)]),
)


@st.composite
def mutations(draw: st.DrawFn, evidence: Evidence) -> Evidence:
    """Lose some records of some reads, with a gap that says so."""
    reads = list(evidence.reads)
    for index in draw(st.lists(st.integers(0, len(reads) - 1), max_size=3, unique=True)):
        source, read = reads[index]
        gap = Gap(kind=draw(st.sampled_from(GapKind)), message="lost")
        kept = read.records[: draw(st.integers(0, len(read.records)))]
        if gap.kind in ANSWERS:
            kept = ()
        broken = replace(source, complete=False, gap=gap)
        reads[index] = (broken, replace(read, source=broken, records=kept, gap=gap))
    return replace(evidence, reads=tuple(reads))


estates = st.one_of(directories, tenants).flatmap(lambda composed: mutations(composed.evidence()))


@quick
@given(evidence=st.lists(estates, min_size=1, max_size=3), against=profiles, fail_on=st.sampled_from(Severity))
def test_counts_add_up_and_the_verdict_follows_from_what_is_listed(
    evidence: list[Evidence], against: object, fail_on: Severity
) -> None:
    named = [
        replace(each, connection=replace(each.connection, id=f"c{number}")) for number, each in enumerate(evidence)
    ]
    results = judge(*named, against=against, fail_on=fail_on)
    _assert_counts(results)
    for connection in results.connections:
        own = [each for each in results.findings if each.connection == connection.id]
        outcomes = {each.outcome for each in connection.requirements}
        deviates = any(each.outcome in DEVIATIONS and each.severity.reaches(fail_on) for each in own)
        is_open = Outcome.UNVERIFIABLE in outcomes or any(each.outcome == "unverifiable" for each in own)
        expected = Verdict.NON_COMPLIANT if deviates else Verdict.INCONCLUSIVE if is_open else Verdict.COMPLIANT
        assert connection.verdict is expected
    codes = {Verdict.NON_COMPLIANT: 1, Verdict.INCONCLUSIVE: 3, Verdict.COMPLIANT: 0}
    assert results.run.exit.code == codes[results.summary.verdict]
    keys = Counter(each.key for each in results.findings)
    assert keys.most_common(1)[0][1] == 1 if keys else True


def _assert_counts(results: Results) -> None:
    totals: Counter[str] = Counter()
    for connection in results.connections:
        counts = asdict(connection.counts)
        assert counts["evaluated"] == len(connection.requirements) == sum(counts[each] for each in Outcome)
        totals.update(counts)
    assert asdict(results.summary.counts) == {name: totals[name] for name in asdict(results.summary.counts)}
    kinds = Counter(each.outcome for each in results.findings)
    assert (totals["excess"], totals["advisory"]) == (kinds["excess"], kinds["advisory"])


@quick
@given(evidence=estates, against=profiles)
def test_nothing_is_compliant_while_something_was_not_read(evidence: Evidence, against: object) -> None:
    gaps = [source.gap for source in evidence.sources if source.gap is not None]
    assume(any(gap.kind not in ANSWERS for gap in gaps))
    results = judge(evidence, against=against)
    assert results.summary.verdict is not Verdict.COMPLIANT
    assert any(each.outcome == "unverifiable" for each in results.findings)


@quick
@given(composed=st.one_of(directories, tenants), data=st.data())
def test_losing_a_read_makes_nothing_missing(composed: Directory | Tenant, data: st.DataObject) -> None:
    whole = composed.evidence()
    index = data.draw(st.integers(0, len(whole.reads) - 1))
    source, read = whole.reads[index]
    gap = Gap(kind=GapKind.NOT_PERMITTED, message="lost")
    broken = replace(source, complete=False, gap=gap)
    kept = read.records[: data.draw(st.integers(0, len(read.records)))]
    reads = (
        *whole.reads[:index],
        (broken, replace(read, source=broken, records=kept, gap=gap)),
        *whole.reads[index + 1 :],
    )
    before, after = judge(whole), judge(replace(whole, reads=reads))
    assert _missing(after) <= _missing(before), source.dataset


def _missing(results: Results) -> set[tuple[str, str]]:
    rows = {(each.id, each.scope) for each in results.connections[0].requirements if each.outcome == "missing"}
    return rows | {(each.check, each.scope) for each in results.findings if each.outcome == "missing"}


@quick
@given(dacl=dacls, allow=aces((0,)), place=st.integers(0, 6))
def test_a_further_allow_on_an_ou_takes_away_no_excess(dacl: tuple[Ace, ...], allow: Ace, place: int) -> None:
    """Only the group it names may become one that the matrix documents: it then carries the delegation."""
    tokens = (*Directory().token, f"{DOMAIN}-519")
    plain = Directory(ous={STAFF: Container(raw=descriptor(*dacl))}, token=tokens)
    more = replace(plain, ous={STAFF: Container(raw=descriptor(*dacl[:place], allow, *dacl[place:]))})
    before, after = (
        {each.entitlement for each in judge(composed.evidence()).findings if each.outcome == "excess"}
        for composed in (plain, more)
    )
    assert before - {allow.trustee} <= after


ORDER = [Outcome.MISSING, Outcome.PARTIAL, Outcome.SATISFIED]


@quick
@given(dacl=st.lists(aces((0, 1)), max_size=5).map(tuple), data=st.data())
def test_a_further_allow_never_lowers_a_delegation(dacl: tuple[Ace, ...], data: st.DataObject) -> None:
    allow = data.draw(aces((0,)))
    place = data.draw(st.integers(0, len(dacl)))
    before = _delegation(READABLE, *dacl)
    after = _delegation(READABLE, *dacl[:place], allow, *dacl[place:])
    assume(before in ORDER and after in ORDER)
    assert ORDER.index(after) >= ORDER.index(before)


@quick
@given(dacl=st.lists(aces((0, 1)), max_size=5).map(tuple), trustee=st.sampled_from([ACCOUNT, DELEGATES]))
def test_denying_everything_first_leaves_nothing(dacl: tuple[Ace, ...], trustee: str) -> None:
    deny = ace(FULL_CONTROL & ~READ_RIGHTS, trustee, ace_type=1, flags=CONTAINER_INHERIT)
    assert _delegation(READABLE, deny, *dacl) is Outcome.MISSING


@quick
@given(dacl=dacls)
def test_rights_of_domain_admins_change_no_delegation(dacl: tuple[Ace, ...]) -> None:
    without = tuple(each for each in dacl if each.trustee != DOMAIN_ADMINS)
    assert _delegation(READABLE, *dacl) is _delegation(READABLE, *without)


def _delegation(*dacl: Ace) -> Outcome:
    results = judge(Directory(ous={STAFF: Container(raw=descriptor(*dacl))}).evidence())
    return next(each.outcome for each in results.connections[0].requirements if each.id == "M8")


@quick
@given(evidence=estates)
def test_an_advisory_never_decides(evidence: Evidence) -> None:
    results = judge(evidence)
    deciding = [each for each in results.findings if each.outcome != "advisory"]
    assert (results.summary.verdict is Verdict.COMPLIANT) == all(
        each.outcome in DEVIATIONS and not each.severity.reaches(RUN.fail_on) for each in deciding
    )


@quick
@given(evidence=estates)
def test_the_same_evidence_gives_the_same_record(evidence: Evidence) -> None:
    assert judge(evidence) == judge(evidence, now=NOW)
