"""The collection of a tenant against the local service: complete when all is well, honest when it is not."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from auditor.collect.entra.collector import DEPENDENT_DATASETS
from auditor.collect.evidence_writer import EvidenceWriter
from auditor.collect.https.transport import Pace, TransportLimits
from auditor.collect.replay import read_evidence
from auditor.collect.tenant import TenantSessions, collect_tenant
from auditor.model.connection import Cloud, ExchangeOnlineConnection
from auditor.model.evidence import GapKind
from auditor.model.outcome import FindingOutcome, Outcome
from auditor.model.sign_in import (
    CertificateCredential,
    ClientSecretCredential,
    CloudCredential,
    CloudSignIn,
    DeviceCodeCredential,
    ManagedIdentityCredential,
    Secret,
    SecretReference,
)
from tests.microsoft365.certificates import issue_application_certificate
from tests.microsoft365.faults import Fault, FaultKind, Match
from tests.microsoft365.objects import DirectoryRoleAssignment
from tests.microsoft365.service import LocalMicrosoft365, LoggedRequest
from tests.microsoft365.tenant import Tenant, TenantBuilder
from tests.microsoft365.wire import Request, Response, System, json_response
from tests.unit.evaluate.composed import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from auditor.model.evidence import Evidence, Gap

ACCOUNT = "svc-h2r@contoso.example"
CLIENT_SECRET = SecretReference("env", "CLIENT_SECRET")
CERTIFICATE = SecretReference("file", "/certificate.pem")
APPLICATION = issue_application_certificate()
READ_CMDLETS = {
    "Get-User",
    "Get-RoleGroup",
    "Get-RoleGroupMember",
    "Get-ManagementRoleAssignment",
    "Get-ManagementRole",
    "Get-ManagementRoleEntry",
    "Get-ManagementScope",
}
LIMITS = TransportLimits(attempts=2, largest_answer_bytes=1 << 20, pace=Pace(sleep=lambda _: None))
IMPATIENT = replace(LIMITS, read_timeout_s=0.3)


def _tenant(ordinary_groups: int = 0) -> Tenant:
    builder = TenantBuilder()
    account = builder.user(ACCOUNT)
    builder.role_group(
        "H2R Provisioning", roles=["Distribution Groups", "Mail Recipients"], members=[account]
    )
    builder.custom_role("Fewer Mail Recipients", parent="Mail Recipients", without=["Set-Mailbox"])
    builder.management_scope("Staff", "Department -eq 'Staff'")
    owner = builder.user("owner@contoso.example")
    holders = builder.group("Role holders", members=[account], role_assignable=True, owners=[owner])
    identities = builder.group("Identities", mail_enabled=True, members=[account], owners=[owner])
    builder.add_members("H2R Provisioning", identities)
    unit = builder.administrative_unit("Sales")
    builder.entra_role(account, "User Administrator")
    builder.entra_role(holders, "Security Reader", scope=unit)
    owned, _ = builder.application("Owned")
    builder.own(account, owned)
    builder.eligible_member(account, builder.group("On demand", role_assignable=True))
    vendor = builder.service_principal("Vendor")
    builder.consent(vendor, "User.Read.All")
    builder.consent(vendor, "Directory.Read.All", principal=account)
    builder.application_permission(vendor, "User.Read.All")
    for number in range(ordinary_groups):
        builder.group(f"Staff {number}", members=[account])
    tenant = builder.build()
    return replace(tenant, auditor=replace(tenant.auditor, certificates=(APPLICATION.certificate,)))


TENANT = _tenant()
VENDOR = next(item for item in TENANT.service_principals if item.display_name == "Vendor")
ACCOUNT_ID = next(user.id for user in TENANT.users if user.user_principal_name == ACCOUNT)
GROUP_IDS = {group.id for group in TENANT.groups}
HOLDERS, IDENTITIES = (group.id for group in TENANT.groups if group.display_name in {"Role holders", "Identities"})
UNIT_ID = TENANT.administrative_units[0].id
GRAPH_RESOURCE = next(item for item in TENANT.service_principals if item.display_name == "Microsoft Graph")
OWNED = next(item for item in TENANT.service_principals if item.display_name == "Owned")
ROLE_GROUP_ID = next(group.id for group in TENANT.role_groups if group.name == "H2R Provisioning")


@pytest.fixture(scope="module")
def running() -> Iterator[LocalMicrosoft365]:
    with LocalMicrosoft365(TENANT) as service:
        yield service


@pytest.fixture
def service(running: LocalMicrosoft365) -> LocalMicrosoft365:
    running.faults.clear()
    running.requests.clear()
    running.tenant = TENANT
    return running


@dataclass(frozen=True)
class Collection:
    """One finished collection."""

    evidence: Evidence
    signed_in_as: str
    folder: Path

    def gaps(self) -> dict[str, Gap]:
        """The first gap of every dataset that has one."""
        found: dict[str, Gap] = {}
        for source in self.evidence.sources:
            if source.gap is not None:
                found.setdefault(source.dataset, source.gap)
        return found

    def text(self) -> str:
        return "\n".join(path.read_text("utf-8") for path in sorted(self.folder.iterdir()))


def collect(
    service: LocalMicrosoft365,
    folder: Path,
    *,
    account: str = ACCOUNT,
    credential: CloudCredential | None = None,
    limits: TransportLimits = LIMITS,
    announce: Callable[[str], None] = lambda _: None,
    prompt: Callable[[str], None] | None = None,
) -> Collection:
    tenant = service.tenant
    connection = ExchangeOnlineConnection(
        id="contoso",
        name="Exchange Online",
        profile="hybrid-exchange-online",
        tenant=tenant.initial_domain,
        service_account=account,
        cloud=Cloud.CUSTOM,
        endpoints=service.endpoints,
        vendor_app_id=VENDOR.app_id,
        ca_file=str(service.ca_file),
    )
    sign_in = CloudSignIn(
        tenant_id=tenant.id,
        client_id=tenant.auditor.client_id,
        credential=credential or ClientSecretCredential(client_secret=CLIENT_SECRET),
    )
    secrets = {
        CLIENT_SECRET: Secret(TENANT.auditor.secrets[0].value.encode()),
        CERTIFICATE: Secret((APPLICATION.private_key + APPLICATION.certificate).encode()),
    }
    writer = EvidenceWriter(folder / "evidence", connection, lambda: datetime.now(UTC))
    with TenantSessions(limits, prompt) as sessions:
        signed_in_as = collect_tenant(connection, sign_in, secrets, writer, announce, sessions=sessions)
    writer.close({"signed_in_as": signed_in_as})
    return Collection(read_evidence(folder / "evidence"), signed_in_as, folder / "evidence")


def asserts_only_reads(requests: list[LoggedRequest]) -> None:
    for request in requests:
        assert request.system is not System.FOREIGN
        if request.system is System.GRAPH:
            assert request.method == "GET"
        elif request.system is System.EXCHANGE:
            assert request.method == "POST"
            assert request.cmdlet in READ_CMDLETS
            assert all(value for value in (request.parameters or {}).values())
        else:
            assert not request.carried_authorization


# One row per call: what it fills, how to recognise it, and what cannot be asked without it.
@dataclass(frozen=True, kw_only=True)
class Row:
    dataset: str
    match: Match
    dependents: tuple[str, ...] = ()
    is_object: bool = False


def graph(dataset: str, path: str, *dependents: str, is_object: bool = False, query: str = "") -> Row:
    match = Match(system=System.GRAPH, path=f"/v1.0{path}", query=query)
    return Row(dataset=dataset, match=match, dependents=dependents, is_object=is_object)


def exchange(dataset: str, cmdlet: str, *dependents: str, identity: str | None = None) -> Row:
    match = Match(system=System.EXCHANGE, cmdlet=cmdlet, identity=identity)
    return Row(dataset=dataset, match=match, dependents=dependents)


USER_PATH = f"/users/{ACCOUNT_ID}"
ROLES = "/roleManagement/directory"
GROUP_SCHEDULES = "/identityGovernance/privilegedAccess/group"
OF_OWNED = ("owned_application_principal", "owned_app_role_assignments")
OF_ROLES = ("group_owners", "administrative_unit")
MATRIX = (
    graph("organization", "/organization"),
    graph(
        "user",
        f"/users/{ACCOUNT}",
        *DEPENDENT_DATASETS,
        *OF_OWNED,
        *OF_ROLES,
        "group_members",
        is_object=True,
    ),
    graph("sign_in_activity", USER_PATH, is_object=True, query="signInActivity"),
    graph("transitive_member_of", f"{USER_PATH}/transitiveMemberOf", *OF_ROLES, "group_members"),
    graph("role_assignments", f"{ROLES}/roleAssignments", *OF_ROLES),
    graph("role_assignment_instances", f"{ROLES}/roleAssignmentScheduleInstances"),
    graph("role_eligibility_instances", f"{ROLES}/roleEligibilityScheduleInstances"),
    graph("group_assignment_instances", f"{GROUP_SCHEDULES}/assignmentScheduleInstances"),
    graph("group_eligibility_instances", f"{GROUP_SCHEDULES}/eligibilityScheduleInstances", *OF_ROLES),
    graph("role_definitions", f"{ROLES}/roleDefinitions"),
    graph("group_owners", f"/groups/{HOLDERS}/owners"),
    graph("group_members", f"/groups/{IDENTITIES}/transitiveMembers"),
    graph("administrative_unit", f"/directory/administrativeUnits/{UNIT_ID}", is_object=True),
    graph("conditional_access_policies", "/identity/conditionalAccess/policies"),
    graph("security_defaults", "/policies/identitySecurityDefaultsEnforcementPolicy", is_object=True),
    graph("consent_grants", f"{USER_PATH}/oauth2PermissionGrants", "service_principal"),
    graph("owned_objects", f"{USER_PATH}/ownedObjects", *OF_OWNED),
    graph(
        "owned_application_principal",
        "/servicePrincipals",
        "owned_app_role_assignments",
        query=f"appId eq '{OWNED.app_id}'",
    ),
    graph("owned_app_role_assignments", f"/servicePrincipals/{OWNED.id}/appRole", "service_principal"),
    graph(
        "vendor_service_principal",
        "/servicePrincipals",
        "vendor_consent_grants",
        "vendor_app_role_assignments",
        "service_principal",
        query=f"appId eq '{VENDOR.app_id}'",
    ),
    graph("vendor_consent_grants", "/oauth2PermissionGrants", "service_principal"),
    graph("vendor_app_role_assignments", f"/servicePrincipals/{VENDOR.id}/appRole", "service_principal"),
    graph("service_principal", f"/servicePrincipals/{GRAPH_RESOURCE.id}", is_object=True),
    exchange("exchange_user", "Get-User"),
    exchange("role_groups", "Get-RoleGroup", "role_group_members", "group_members", "group_owners"),
    exchange(
        "role_group_members", "Get-RoleGroupMember", "group_members", "group_owners", identity=ROLE_GROUP_ID
    ),
    # the service cannot tell the two reads of this command apart
    exchange(
        "management_role_assignments",
        "Get-ManagementRoleAssignment",
        "management_role_assignments_of_account",
        "administrative_unit",
    ),
    exchange(
        "management_roles", "Get-ManagementRole", "management_role_entries", "group_members", "group_owners"
    ),
    exchange("management_role_entries", "Get-ManagementRoleEntry", identity="Mail Recipients\\*"),
    exchange("management_scopes", "Get-ManagementScope"),
)
FROM_OTHER_READS = {"management_role_assignments_of_account", "auditing_identity", "service_clock"}
EVERY_DATASET = {row.dataset for row in MATRIX} | FROM_OTHER_READS
STAND_FOR_ALL = {row.match.cmdlet for row in MATRIX if row.match.identity is not None}
ANY_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
BY_DATASET = [pytest.param(row, id=row.dataset) for row in MATRIX]

LASTING = {
    FaultKind.UNAUTHORIZED: None,  # differs: see below
    FaultKind.FORBIDDEN: GapKind.NOT_PERMITTED,
    FaultKind.NOT_FOUND: GapKind.NOT_FOUND,
    FaultKind.THROTTLED: GapKind.THROTTLED,
    FaultKind.SERVER_ERROR: GapKind.UNREACHABLE,
    FaultKind.CONNECTION_RESET: GapKind.UNREACHABLE,
    FaultKind.TRUNCATED_JSON: GapKind.MALFORMED,
    FaultKind.DROPPED_MID_BODY: GapKind.MALFORMED,
    FaultKind.EMBEDDED_ERROR: GapKind.MALFORMED,
    FaultKind.HTML: GapKind.MALFORMED,
    FaultKind.EMPTY_BODY: GapKind.MALFORMED,
    FaultKind.REDIRECT_TO_FOREIGN_HOST: GapKind.MALFORMED,
    FaultKind.REDIRECT_TO_PLAIN_HTTP: GapKind.MALFORMED,
    FaultKind.OVERSIZED_BODY: GapKind.MALFORMED,
    FaultKind.HANG: GapKind.TIMED_OUT,
}


def test_a_healthy_tenant_is_read_completely_and_nothing_twice(
    service: LocalMicrosoft365, tmp_path: Path
) -> None:
    collection = collect(service, tmp_path)
    evidence = collection.evidence

    assert {source.dataset for source in evidence.sources} == EVERY_DATASET
    assert collection.gaps() == {}
    asserts_only_reads(service.requests)
    calls = Counter(
        (
            request.system,
            request.path,
            str(sorted(request.query.items())),
            request.cmdlet,
            str(request.parameters),
        )
        for request in service.requests
        if request.system is not System.LOGIN
    )
    assert max(calls.values()) == 1
    assert len(service.requests) <= 60
    assert collection.signed_in_as == f"application {TENANT.auditor.client_id} of tenant {TENANT.id}"


def test_ordinary_groups_cost_no_requests_of_their_own(service: LocalMicrosoft365, tmp_path: Path) -> None:
    service.tenant = _tenant(ordinary_groups=40)

    evidence = collect(service, tmp_path).evidence

    assert len(evidence.read("transitive_member_of").records) > 40
    assert len(service.requests) <= 60


def test_the_evidence_holds_what_the_tenant_holds(service: LocalMicrosoft365, tmp_path: Path) -> None:
    evidence = collect(service, tmp_path).evidence

    (user,) = evidence.read("user").records
    assert user["id"] == ACCOUNT_ID
    asked = {subject for subject, _ in evidence.reads_of("role_assignments")}
    assert asked == {ACCOUNT_ID, *GROUP_IDS, OWNED.id} - {IDENTITIES}
    (assignment,) = evidence.read("role_assignments", ACCOUNT_ID).records
    assert isinstance(assignment["roleDefinition"], dict)
    members = {
        member["ExternalDirectoryObjectId"] for member in evidence.read("role_group_members", ROLE_GROUP_ID)
    }
    assert members == {ACCOUNT_ID, IDENTITIES}
    entries = {subject for subject, _ in evidence.reads_of("management_role_entries")}
    assert entries == {"Mail Recipients", "Fewer Mail Recipients"}
    assert len(evidence.read("management_role_assignments_of_account").records) == 2
    assert len(evidence.read("vendor_consent_grants").records) == 2
    assert len(evidence.read("consent_grants").records) == 1


def test_every_logged_call_has_a_row_in_the_fault_matrix(service: LocalMicrosoft365, tmp_path: Path) -> None:
    collect(service, tmp_path)

    for request in service.requests:
        # sign-in has tests of its own; of calls that differ by identity alone one stands for all
        if request.system is System.LOGIN or request.cmdlet in STAND_FOR_ALL:
            continue
        body = json.dumps(
            {"CmdletInput": {"CmdletName": request.cmdlet, "Parameters": request.parameters}}
        ).encode()
        seen = Request(
            system=request.system,
            method=request.method,
            path=ANY_ID.sub("{id}", request.path),
            query={name: ANY_ID.sub("{id}", value) for name, value in request.query.items()},
            headers={},
            body=body,
        )
        assert any(_whatever_the_id(row.match).covers(seen) for row in MATRIX), request


def _whatever_the_id(match: Match) -> Match:
    return replace(match, path=ANY_ID.sub("{id}", match.path), query=ANY_ID.sub("{id}", match.query))


@pytest.mark.parametrize("kind", LASTING)
@pytest.mark.parametrize("row", BY_DATASET)
def test_a_lasting_fault_leaves_a_gap_exactly_where_it_struck(
    service: LocalMicrosoft365, tmp_path: Path, row: Row, kind: FaultKind
) -> None:
    service.faults.add(Fault(match=row.match, kind=kind, seconds=1, megabytes=2))

    collection = collect(service, tmp_path, limits=IMPATIENT if kind is FaultKind.HANG else LIMITS)

    gaps = collection.gaps()
    assert gaps.keys() == {row.dataset, *row.dependents}
    assert {source.dataset for source in collection.evidence.sources} == EVERY_DATASET
    refused = GapKind.SIGN_IN_REFUSED if row.match.system is System.GRAPH else GapKind.NOT_PERMITTED
    gap = gaps[row.dataset]
    assert gap.kind is (LASTING[kind] or refused)
    assert (gap.missing_permission is not None) == (gap.kind is GapKind.NOT_PERMITTED)
    assert all(gaps[name].kind in {GapKind.NOT_ATTEMPTED, gap.kind} for name in row.dependents)
    asserts_only_reads(service.requests)


@pytest.mark.parametrize("row", BY_DATASET)
def test_what_could_not_be_read_is_open_and_neither_missing_nor_held(
    service: LocalMicrosoft365, tmp_path: Path, row: Row
) -> None:
    whole = judge(collect(service, tmp_path / "whole").evidence)
    service.faults.add(Fault(match=row.match, kind=FaultKind.FORBIDDEN))
    partly = judge(collect(service, tmp_path / "partly").evidence)

    known, told = ({each.id: each.outcome for each in run.connections[0].requirements} for run in (whole, partly))
    assert all(told[each] in {known[each], Outcome.UNVERIFIABLE} for each in known)
    new = {(each.key, each.outcome) for each in partly.findings} - {(each.key, each.outcome) for each in whole.findings}
    assert new or told != known
    assert {outcome for _, outcome in new} <= {FindingOutcome.UNVERIFIABLE}


@pytest.mark.parametrize(
    "kind",
    [
        FaultKind.UNAUTHORIZED,
        FaultKind.THROTTLED,
        FaultKind.SERVER_ERROR,
        FaultKind.UNAVAILABLE,
        FaultKind.GATEWAY_TIMEOUT,
        FaultKind.CONNECTION_RESET,
        FaultKind.TRUNCATED_JSON,
        FaultKind.DROPPED_MID_BODY,
        FaultKind.EMPTY_BODY,
    ],
)
@pytest.mark.parametrize("row", BY_DATASET)
def test_a_passing_fault_leaves_no_trace(
    service: LocalMicrosoft365, tmp_path: Path, row: Row, kind: FaultKind
) -> None:
    service.faults.add(Fault(match=row.match, kind=kind, times=1, retry_after="7"))

    assert collect(service, tmp_path).gaps() == {}


@pytest.mark.parametrize("row", BY_DATASET)
def test_a_paging_link_to_a_foreign_host_is_not_followed(
    service: LocalMicrosoft365, tmp_path: Path, row: Row
) -> None:
    service.faults.add(Fault(match=row.match, kind=FaultKind.FOREIGN_NEXT_LINK))

    collection = collect(service, tmp_path)

    gaps = collection.gaps()
    asserts_only_reads(service.requests)
    if row.is_object:  # an object has no further pages, whatever it says
        assert gaps == {}
        return
    assert gaps[row.dataset].kind is GapKind.INCOMPLETE
    assert "foreign host" in gaps[row.dataset].message
    assert gaps.keys() <= {row.dataset, *row.dependents}
    service.faults.clear()
    clean = collect(service, tmp_path / "clean").evidence
    for source in collection.evidence.sources:
        if source.gap is not None and source.gap.kind is GapKind.INCOMPLETE:  # what came is kept
            assert source.records == len(clean.read(source.dataset, source.subject).records)


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.dataset) for row in MATRIX if row.match.system is System.EXCHANGE]
)
def test_a_warning_of_more_results_makes_the_read_incomplete(
    service: LocalMicrosoft365, tmp_path: Path, row: Row
) -> None:
    service.faults.add(Fault(match=row.match, kind=FaultKind.MORE_RESULTS_WARNING))

    gaps = collect(service, tmp_path).gaps()

    assert gaps[row.dataset].kind is GapKind.INCOMPLETE
    assert gaps.keys() <= {row.dataset, *row.dependents}


PAGED = (
    "transitive_member_of",
    "role_definitions",
    "role_groups",
    "management_role_assignments",
    "management_roles",
    "management_role_entries",
)


@pytest.fixture(scope="module")
def running_in_small_pages() -> Iterator[LocalMicrosoft365]:
    with LocalMicrosoft365(TENANT, graph_page_size=1, exchange_page_size=5) as service:
        yield service


@pytest.fixture
def in_small_pages(running_in_small_pages: LocalMicrosoft365) -> LocalMicrosoft365:
    running_in_small_pages.faults.clear()
    running_in_small_pages.requests.clear()
    return running_in_small_pages


def test_pages_are_followed_to_the_end(
    service: LocalMicrosoft365, in_small_pages: LocalMicrosoft365, tmp_path: Path
) -> None:
    whole = collect(service, tmp_path / "whole").evidence
    paged = collect(in_small_pages, tmp_path / "paged").evidence

    assert all(source.complete for source in paged.sources)
    assert [(s.dataset, s.records) for s in paged.sources] == [(s.dataset, s.records) for s in whole.sources]
    assert (
        paged.read("management_role_assignments").records == whole.read("management_role_assignments").records
    )
    assert {s.dataset for s in paged.sources if s.pages > 1} >= set(PAGED)


@pytest.mark.parametrize("dataset", PAGED)
@pytest.mark.parametrize("kind", [FaultKind.EXPIRED_PAGE, FaultKind.FORBIDDEN, FaultKind.SERVER_ERROR])
def test_a_fault_between_pages_keeps_what_was_read_and_says_so(
    in_small_pages: LocalMicrosoft365, tmp_path: Path, dataset: str, kind: FaultKind
) -> None:
    row = next(row for row in MATRIX if row.dataset == dataset)
    in_small_pages.faults.add(Fault(match=replace(row.match, query="$skiptoken"), kind=kind))

    collection = collect(in_small_pages, tmp_path)

    gaps = collection.gaps()
    assert gaps[dataset].kind is GapKind.INCOMPLETE
    assert gaps.keys() <= {dataset, *row.dependents}
    struck = next(
        source for source in collection.evidence.sources if source.dataset == dataset and source.gap
    )
    assert struck.records > 0
    assert struck.pages == 1


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (FaultKind.FORBIDDEN, GapKind.SIGN_IN_REFUSED),
        (FaultKind.NOT_FOUND, GapKind.MALFORMED),
        (FaultKind.THROTTLED, GapKind.THROTTLED),
        (FaultKind.SERVER_ERROR, GapKind.UNREACHABLE),
        (FaultKind.HTML, GapKind.MALFORMED),
        (FaultKind.TRUNCATED_JSON, GapKind.MALFORMED),
        (FaultKind.CONNECTION_RESET, GapKind.UNREACHABLE),
        (FaultKind.REDIRECT_TO_FOREIGN_HOST, GapKind.MALFORMED),
    ],
)
@pytest.mark.parametrize("path", [f"/{TENANT.id}/v2.0", f"/{TENANT.id}/oauth2"], ids=["discovery", "token"])
def test_a_failed_sign_in_makes_every_dataset_a_gap(
    service: LocalMicrosoft365, tmp_path: Path, path: str, kind: FaultKind, expected: GapKind
) -> None:
    service.faults.add(Fault(match=Match(system=System.LOGIN, path=path), kind=kind))

    collection = collect(service, tmp_path)

    assert collection.gaps().keys() == {source.dataset for source in collection.evidence.sources}
    assert all(source.gap and source.records == 0 for source in collection.evidence.sources)
    first = collection.evidence.sources[0].gap
    assert first is not None
    assert first.kind is expected
    assert collection.signed_in_as.startswith("nobody")
    asserts_only_reads(service.requests)
    assert {request.system for request in service.requests} == {System.LOGIN}


def test_a_wrong_client_secret_is_named_and_not_shown(service: LocalMicrosoft365, tmp_path: Path) -> None:
    service.tenant = replace(TENANT, auditor=replace(TENANT.auditor, secrets=()))

    collection = collect(service, tmp_path)

    first = collection.evidence.sources[0].gap
    assert first is not None
    assert first.kind is GapKind.SIGN_IN_REFUSED
    assert "AADSTS7000215" in first.message
    assert TENANT.auditor.secrets[0].value not in collection.text()
    assert len(service.requests) <= 4  # discovery, and one attempt for each of the two services


def test_exchange_is_still_read_when_only_graph_refuses_a_token(
    service: LocalMicrosoft365, tmp_path: Path
) -> None:
    token = Match(system=System.LOGIN, path=f"/{TENANT.id}/oauth2")
    service.faults.add(Fault(match=token, kind=FaultKind.FORBIDDEN, times=1))

    collection = collect(service, tmp_path)

    complete = {source.dataset for source in collection.evidence.sources if source.complete}
    assert complete >= {"exchange_user", "role_groups", "management_role_assignments_of_account"}
    assert collection.gaps()["auditing_identity"].kind is GapKind.SIGN_IN_REFUSED
    assert collection.gaps()["organization"].kind is GapKind.NOT_ATTEMPTED


def test_the_account_may_be_given_by_object_id(service: LocalMicrosoft365, tmp_path: Path) -> None:
    service.faults.add(
        Fault(
            match=Match(system=System.GRAPH, path=f"/v1.0/users/{ACCOUNT_ID}"),
            kind=FaultKind.SERVER_ERROR,
        )
    )

    collection = collect(service, tmp_path, account=ACCOUNT_ID)

    struck = {"user", "sign_in_activity", "transitive_member_of", "consent_grants", "owned_objects"}
    assert collection.gaps().keys() == {*struck, *OF_ROLES, *OF_OWNED, "group_members", "service_principal"}


def test_an_unknown_account_is_reported_as_such_by_both_services(
    service: LocalMicrosoft365, tmp_path: Path
) -> None:
    collection = collect(service, tmp_path, account="nobody@contoso.example")

    gaps = collection.gaps()
    assert gaps["user"].kind is GapKind.NOT_FOUND
    assert gaps["exchange_user"].kind is GapKind.NOT_FOUND
    assert gaps["management_role_assignments_of_account"].kind is GapKind.NOT_ATTEMPTED
    assert not any(
        request.parameters and "RoleAssignee" in request.parameters for request in service.requests
    )


@pytest.mark.parametrize(
    ("kind", "dataset"),
    [
        (FaultKind.NO_PREMIUM_2_LICENCE, "role_eligibility_instances"),
        (FaultKind.NO_PREMIUM_TENANT, "role_assignment_instances"),
    ],
)
def test_a_missing_licence_is_no_missing_permission(
    service: LocalMicrosoft365, tmp_path: Path, kind: FaultKind, dataset: str
) -> None:
    row = next(row for row in MATRIX if row.dataset == dataset)
    service.faults.add(Fault(match=row.match, kind=kind))

    gap = collect(service, tmp_path).gaps()[dataset]

    assert gap.kind is GapKind.NOT_LICENSED
    assert gap.missing_permission is None


def test_groups_that_only_show_their_id_are_asked_for_roles_too(
    service: LocalMicrosoft365, tmp_path: Path
) -> None:
    permissions = TENANT.auditor.without_permissions("GroupMember.Read.All", "Directory.Read.All")
    service.tenant = replace(TENANT, auditor=replace(TENANT.auditor, graph_permissions=permissions))

    evidence = collect(service, tmp_path).evidence

    asked = {subject for subject, _ in evidence.reads_of("role_assignments")}
    assert asked == {ACCOUNT_ID, *GROUP_IDS}


@pytest.mark.parametrize(
    "credential",
    [
        ClientSecretCredential(client_secret=CLIENT_SECRET),
        CertificateCredential(certificate=CERTIFICATE),
    ],
    ids=["client secret", "certificate"],
)
def test_no_secret_token_or_assertion_reaches_a_file_or_a_log(
    service: LocalMicrosoft365,
    tmp_path: Path,
    credential: ClientSecretCredential | CertificateCredential,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    confidential = [TENANT.auditor.secrets[0].value, APPLICATION.private_key.splitlines()[1]]
    real_answer = service.real_answer

    def answer_with_an_echo(request: Request) -> Response:
        """Answer like a proxy that repeats the request it refused."""
        if request.system is not System.LOGIN:
            confidential.append(request.headers["authorization"].removeprefix("Bearer "))
            return Response(
                status=403,
                body=json.dumps(
                    {"error": {"code": "Denied", "message": request.headers["authorization"]}}
                ).encode(),
            )
        confidential.extend(parse_qs(request.body.decode()).get("client_assertion", ()))
        return real_answer(request)

    monkeypatch.setattr(service, "real_answer", answer_with_an_echo)
    caplog.set_level("DEBUG")

    collection = collect(service, tmp_path, credential=credential)

    assert len(confidential) > 10
    assert "[removed]" in collection.text()
    for text in confidential:
        assert text not in collection.text()
        assert text not in caplog.text


def altered(
    service: LocalMicrosoft365, monkeypatch: pytest.MonkeyPatch, match: Match, change: Callable[[Any], Any]
) -> None:
    """Let the service answer matching calls with a changed document."""
    real_answer = service.real_answer

    def answer(request: Request) -> Response:
        response = real_answer(request)
        if not match.covers(request):
            return response
        return json_response(response.status, change(json.loads(response.body)))

    monkeypatch.setattr(service, "real_answer", answer)


def renamed(key: str, value: str) -> Callable[[Any], Any]:
    def change(document: Any) -> Any:
        for record in document.get("value", [document]):
            record[key] = value
        return document

    return change


STRANGER = "00000000-0000-0000-0000-0000000000ff"


@pytest.mark.parametrize(
    ("dataset", "key"),
    [
        ("user", "userPrincipalName"),
        ("user", "id"),
        ("role_assignments", "principalId"),
        ("consent_grants", "principalId"),
        ("vendor_service_principal", "appId"),
        ("vendor_consent_grants", "clientId"),
        ("vendor_app_role_assignments", "principalId"),
        ("exchange_user", "ExternalDirectoryObjectId"),
        ("management_role_entries", "Role"),
    ],
)
def test_records_about_something_else_are_left_out_and_leave_a_gap(
    service: LocalMicrosoft365, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dataset: str, key: str
) -> None:
    row = next(row for row in MATRIX if row.dataset == dataset)
    altered(service, monkeypatch, row.match, renamed(key, "no id" if key == "id" else STRANGER))

    collection = collect(service, tmp_path)

    assert collection.gaps()[dataset].kind is GapKind.MALFORMED
    assert collection.gaps().keys() == {dataset, *row.dependents}
    assert STRANGER not in collection.text()


def test_an_empty_answer_does_not_prove_that_exchange_lacks_the_account(
    service: LocalMicrosoft365, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    altered(service, monkeypatch, Match(system=System.EXCHANGE, cmdlet="Get-User"), lambda _: {"value": []})

    collection = collect(service, tmp_path)

    assert collection.gaps()["exchange_user"].kind is GapKind.MALFORMED


@pytest.mark.parametrize(
    "name",
    [
        "$svc@contoso.example",
        "o'brien@contoso.example",
        "svc+h2r@contoso.example",
        "svc_contoso.com#EXT#@contoso.example",
        "svc%41@contoso.example",
        "svç@contoso.example",
    ],
)
def test_names_that_need_escaping_find_their_account(
    service: LocalMicrosoft365, tmp_path: Path, name: str
) -> None:
    builder = TenantBuilder()
    account = builder.user(name)
    builder.service_principal("Vendor")
    service.tenant = builder.build()

    collection = collect(service, tmp_path, account=name)

    assert collection.gaps() == {}
    assert [record["id"] for record in collection.evidence.read("user")] == [account.id]


def test_a_custom_cloud_has_no_regional_hosts(
    service: LocalMicrosoft365, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    regional = service.endpoints.exchange.replace("https://", "https://region.")
    link = f"{regional}/adminapi/beta/{TENANT.id}/InvokeCommand?$skiptoken=1"
    match = Match(system=System.EXCHANGE, cmdlet="Get-ManagementScope")
    altered(service, monkeypatch, match, lambda document: document | {"@odata.nextLink": link})

    gap = collect(service, tmp_path).gaps()["management_scopes"]

    assert gap.kind is GapKind.INCOMPLETE
    assert "foreign host" in gap.message


def test_an_absent_vendor_application_is_complete_evidence(
    service: LocalMicrosoft365, tmp_path: Path
) -> None:
    builder = TenantBuilder()
    builder.user(ACCOUNT)
    service.tenant = builder.build()

    evidence = collect(service, tmp_path).evidence

    assert evidence.read("vendor_service_principal").absence_is_proven
    assert evidence.reads_of("vendor_consent_grants") == ()


def test_each_read_is_announced_by_its_dataset(service: LocalMicrosoft365, tmp_path: Path) -> None:
    announced: list[str] = []

    collection = collect(service, tmp_path, announce=announced.append)

    assert announced == [source.dataset for source in collection.evidence.sources]


def test_a_server_with_an_unknown_certificate_is_not_spoken_to(
    service: LocalMicrosoft365, tmp_path: Path
) -> None:
    with LocalMicrosoft365(TENANT) as impostor:
        impostor.ca_file = service.ca_file

        collection = collect(impostor, tmp_path)

        assert impostor.requests == []
    first = collection.evidence.sources[0].gap
    assert first is not None
    assert first.kind is GapKind.UNTRUSTED


def test_what_all_connections_of_a_tenant_need_is_read_once(
    service: LocalMicrosoft365, tmp_path: Path
) -> None:
    """A second connection repeats what the first was told, and asks for what concerns its own account."""
    connection = ExchangeOnlineConnection(
        id="contoso",
        name="Exchange Online",
        profile="hybrid-exchange-online",
        tenant=TENANT.initial_domain,
        service_account=ACCOUNT,
        cloud=Cloud.CUSTOM,
        endpoints=service.endpoints,
        ca_file=str(service.ca_file),
    )
    sign_in = CloudSignIn(
        tenant_id=TENANT.id,
        client_id=TENANT.auditor.client_id,
        credential=ClientSecretCredential(client_secret=CLIENT_SECRET),
    )
    secrets = {CLIENT_SECRET: Secret(TENANT.auditor.secrets[0].value.encode())}
    evidence = []
    with TenantSessions(LIMITS) as sessions:
        for name, account in (("first", ACCOUNT), ("second", "owner@contoso.example")):
            other = replace(connection, service_account=account)
            writer = EvidenceWriter(tmp_path / name, other, lambda: datetime.now(UTC))
            collect_tenant(other, sign_in, secrets, writer, lambda _: None, sessions=sessions)
            writer.close({})
            evidence.append(read_evidence(tmp_path / name))

    calls = Counter(
        (request.path, str(request.query), request.cmdlet, str(request.parameters))
        for request in service.requests
        if request.system is not System.LOGIN
    )
    assert max(calls.values()) == 1
    for dataset in ("role_definitions", "role_groups", "management_role_assignments", "management_scopes"):
        first, second = (each.read(dataset) for each in evidence)
        assert (first.source, tuple(first)) == (second.source, tuple(second))
    assert next(iter(evidence[1].read("user")))["userPrincipalName"] == "owner@contoso.example"


@pytest.mark.parametrize("way", ["managed identity", "device code"])
def test_an_identity_without_a_secret_reads_the_same(
    service: LocalMicrosoft365, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A managed identity, and a person who holds the same rights, are told what the application is told."""
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", service.machine)
    expected = collect(service, tmp_path / "expected")
    person = service.tenant.users[0].user_principal_name
    service.tenant = replace(
        service.tenant, auditor=replace(service.tenant.auditor, has_machine_identity=True, person=person)
    )
    service.requests.clear()
    if way == "device code":
        service.tenant = with_global_reader(service.tenant, service.tenant.users[0].id)
        expected = collect(service, tmp_path / "expected with the person's role")
        service.requests.clear()

    told: list[str] = []
    credential = ManagedIdentityCredential() if way == "managed identity" else DeviceCodeCredential()
    collection = collect(service, tmp_path, credential=credential, prompt=told.append)

    assert len(told) == (way == "device code")
    assert collection.gaps() == expected.gaps()
    for source in expected.evidence.sources:
        if source.dataset not in {"auditing_identity", "service_clock"}:
            same = collection.evidence.read(source.dataset, source.subject)
            assert tuple(same) == tuple(expected.evidence.read(source.dataset, source.subject)), source.dataset
    assert collection.signed_in_as.startswith(person if told else "managed identity")
    asserts_only_reads([each for each in service.requests if each.system is not System.MACHINE])


def with_global_reader(tenant: Tenant, principal_id: str) -> Tenant:
    role = next(role for role in tenant.directory_roles if role.display_name == "Global Reader")
    held = DirectoryRoleAssignment(id="reader", principal_id=principal_id, role_id=role.id)
    return replace(tenant, directory_role_assignments=(*tenant.directory_role_assignments, held))
