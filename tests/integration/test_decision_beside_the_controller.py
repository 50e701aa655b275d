"""The auditor's access decision beside the domain controller's own, on random security descriptors.

The domain controller computes for whoever is signed in what it would grant (MS-ADTS 3.1.1.4.5.4, .22, .24).
Where Samba 4.17 differs from MS-ADTS, `Peculiarity` names it; such questions are compared with the decision on
the descriptor as Samba reads it, and do not count among those where the decision itself has to agree.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

import ldap3
import pytest

from auditor.acl import (
    FULL_CONTROL,
    OWNER_RIGHTS_SID,
    PRINCIPAL_SELF_SID,
    AccessMask,
    AceFlag,
    AceKind,
    GuidKind,
    Named,
    Token,
    aces_reaching_child,
    decide,
    object_types_of_property,
    well_known_guid,
)
from tests.integration.effective_rights import Question, ask, decided
from tests.lab.estate import LAB_PASSWORD
from tests.lab.random_estate import ACCOUNTS, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from auditor.acl import Ace, SecurityDescriptor
    from tests.lab.domain_controller import DomainController

pytestmark = pytest.mark.directory

FEWEST_COMPARISONS = 100_000
EVERYONE, NETWORK, AUTHENTICATED_USERS = "S-1-1-0", "S-1-5-2", "S-1-5-11"
NT_SECURITY_DESCRIPTOR = "bf9679e3-0de6-11d0-a285-00aa003049e2"  # the attribute's schemaIDGUID
OBJECT_ALLOW = 0x05
GROUP, MEMBER = well_known_guid("group", GuidKind.CLASS), well_known_guid("member", GuidKind.ATTRIBUTE)
SELF_MEMBERSHIP = well_known_guid("Self-Membership", GuidKind.VALIDATED_WRITE)
RESET_PASSWORD = well_known_guid("User-Force-Change-Password", GuidKind.EXTENDED_RIGHT)
USER = well_known_guid("user", GuidKind.CLASS)
SUCCESS, INSUFFICIENT_RIGHTS = 0, 50  # RFC 4511 4.1.9


class Peculiarity(StrEnum):
    """Where Samba 4.17.12 does otherwise than MS-ADTS and MS-DTYP say, with the place in its source."""

    # sec_access_check_ds, libcli/security/access_check.c: the owner always gets READ_CONTROL and WRITE_DAC, and
    # S-1-3-4 is in no token. MS-DTYP 2.5.3.2 and MS-ADTS 6.1.3.4 let OWNER RIGHTS decide instead.
    OWNER_RIGHTS = "OWNER RIGHTS are not known"
    # check_object_specific_access, same file: an object allow ACE that carries CONTROL_ACCESS and whose type is in
    # the tree grants whatever is asked. MS-ADTS 5.1.3.3.4 says so of questions for control access rights alone.
    CONTROL_ACCESS = "control access grants everything"
    # acl_sDRightsEffective, source4/dsdb/samdb/ldb_modules/acl.c: WRITE_DAC and WRITE_OWNER are asked for as if
    # they were rights on the property nTSecurityDescriptor. MS-ADTS 5.1.3.3.2 knows no object type for them.
    DESCRIPTOR_AS_PROPERTY = "the descriptor is a property"


@pytest.fixture(scope="module")
def questions(domain_controller_with_random_access: DomainController) -> tuple[Question, ...]:
    controller = domain_controller_with_random_access
    return ask(controller, controller.dn(ROOT), ACCOUNTS)


@pytest.fixture(scope="module")
def comparable(questions: tuple[Question, ...]) -> tuple[Question, ...]:
    """The questions that none of Samba's peculiarities touches."""
    return tuple(question for question in questions if not peculiarities(question))


def test_the_decision_is_the_domain_controllers(comparable: tuple[Question, ...]) -> None:
    mismatches = [
        (question.account.dn, question.subject.dn, sorted(decided(question) ^ question.answer))
        for question in comparable
        if decided(question) != question.answer
    ]
    assert mismatches == []
    assert sum(question.subject.rights for question in comparable) >= FEWEST_COMPARISONS


@pytest.mark.parametrize("peculiarity", Peculiarity)
def test_where_samba_is_peculiar_its_answer_follows_from_that(
    questions: tuple[Question, ...], peculiarity: Peculiarity
) -> None:
    peculiar = [question for question in questions if peculiarity in peculiarities(question)]
    assert any(decided(question) != question.answer for question in peculiar)
    assert [q for q in peculiar if decided(as_samba_reads(q)) != q.answer] == []


def test_children_inherit_what_is_computed_from_their_parent(questions: tuple[Question, ...]) -> None:
    subjects = {question.subject.dn: question.subject for question in questions}
    compared = 0
    for child in subjects.values():
        parent = subjects.get(child.dn.partition(",")[2])
        if parent is None or child.descriptor.is_dacl_protected:
            continue
        inherited = [ace for ace in child.descriptor.dacl or () if ace.is_inherited and not ace.is_inherit_only]
        computed = [each.ace for each in aces_reaching_child(parent.descriptor.dacl, child.class_guid)]
        assert list(map(meaning, inherited)) == list(map(meaning, computed)), child.dn
        compared += len(computed)
    assert compared > len(subjects)


def test_accounts_join_the_groups_that_the_decision_lets_them_join(
    domain_controller_with_random_access: DomainController, comparable: tuple[Question, ...]
) -> None:
    """No attribute tells about validated writes: adding oneself takes one, or else the right to write `member`."""

    def join(connection: ldap3.Connection, administrator: ldap3.Connection, question: Question) -> bool:
        group, account = question.subject.dn, question.account.dn
        done = bool(connection.modify(group, {"member": [(ldap3.MODIFY_ADD, [account])]}))
        if done:
            assert administrator.modify(group, {"member": [(ldap3.MODIFY_DELETE, [account])]}), administrator.result
        return done

    asked = [
        question
        for question in comparable
        if question.subject.class_guid == GROUP and question.subject.sid not in question.token.sids
    ]
    expected = [may_write_member(question) or may_add_itself(question) for question in asked]
    assert tried(domain_controller_with_random_access, asked, join) == expected
    assert {True, False} == set(expected)
    assert any(may_add_itself(question) and not may_write_member(question) for question in asked)


def test_accounts_reset_the_passwords_that_the_decision_lets_them_reset(
    domain_controller_with_random_access: DomainController, comparable: tuple[Question, ...]
) -> None:
    """No attribute tells about extended rights either."""

    def reset(connection: ldap3.Connection, _: ldap3.Connection, question: Question) -> bool:
        return bool(connection.extend.microsoft.modify_password(question.subject.dn, LAB_PASSWORD))

    asked = [question for question in comparable if question.subject.class_guid == USER]
    expected = [is_granted(question, AccessMask.CONTROL_ACCESS, RESET_PASSWORD) for question in asked]
    assert tried(domain_controller_with_random_access, asked, reset) == expected
    assert {True, False} == set(expected)


def tried(
    controller: DomainController,
    asked: Sequence[Question],
    attempt: Callable[[ldap3.Connection, ldap3.Connection, Question], bool],
) -> list[bool]:
    """Attempt something as the account of each question; tell of each whether it was done."""
    with ExitStack() as stack:
        administrator = stack.enter_context(controller.sign_in())
        connections = {
            controller.dn(f"CN={name},{ROOT}"): stack.enter_context(controller.sign_in(name)) for name in ACCOUNTS
        }
        done = []
        for question in asked:
            connection = connections[question.account.dn]
            done.append(attempt(connection, administrator, question))
            assert connection.result["result"] in {SUCCESS, INSUFFICIENT_RIGHTS}, connection.result
        return done


def may_add_itself(question: Question) -> bool:
    return is_granted(question, AccessMask.VALIDATED_WRITE, SELF_MEMBERSHIP)


def may_write_member(question: Question) -> bool:
    return is_granted(question, AccessMask.WRITE_PROPERTY, *object_types_of_property(MEMBER, GROUP))


def is_granted(question: Question, right: AccessMask, *object_types: str) -> bool:
    subject = question.subject
    return decide(subject.descriptor, question.token, right, object_types, subject.sid).granted


def meaning(ace: Ace) -> tuple[object, ...]:
    """Return what an ACE does on the object itself."""
    return ace.kind, ace.trustee, ace.rights, ace.object_type


# Evaluators with a fault each, made by taking from the question what they fail to look at
def ignoring_object_types(question: Question) -> Question:
    return with_aces(question, (replace(ace, object_type=None) for ace in aces(question)))


def ignoring_denies(question: Question) -> Question:
    return with_aces(question, (ace for ace in aces(question) if ace.kind is not AceKind.DENY))


def putting_denies_first(question: Question) -> Question:
    return with_aces(question, sorted(aces(question), key=lambda ace: ace.kind is not AceKind.DENY))


def putting_allows_first(question: Question) -> Question:
    return with_aces(question, sorted(aces(question), key=lambda ace: ace.kind is AceKind.DENY))


def ignoring_inherit_only(question: Question) -> Question:
    effective = (replace(ace, flags=ace.flags & ~AceFlag.INHERIT_ONLY) for ace in aces(question))
    return with_aces(question, effective)


def binding_the_object_by_inherited_types(question: Question) -> Question:
    kept = (None, question.subject.class_guid)
    return with_aces(question, (ace for ace in aces(question) if ace.inherited_object_type in kept))


def ignoring_self(question: Question) -> Question:
    return replace(question, subject=replace(question.subject, sid=None))


def taking_everyone_for_self(question: Question) -> Question:
    return replace(question, subject=replace(question.subject, sid=EVERYONE))


def ignoring_the_owner(question: Question) -> Question:
    return with_descriptor(question, replace(question.subject.descriptor, owner=None))


def ignoring_groups(question: Question) -> Question:
    kept = {question.account.sid, EVERYONE, NETWORK, AUTHENTICATED_USERS}
    return replace(question, token=Token(question.token.sids & kept))


def ignoring_property_sets(question: Question) -> Question:
    return with_object_types(question, lambda types: (types[0], types[-1]))


def ignoring_the_class(question: Question) -> Question:
    return with_object_types(question, lambda types: types[:-1])


@pytest.mark.parametrize(
    "fault",
    [
        ignoring_object_types,
        ignoring_denies,
        putting_denies_first,
        putting_allows_first,
        ignoring_inherit_only,
        binding_the_object_by_inherited_types,
        ignoring_self,
        taking_everyone_for_self,
        ignoring_the_owner,
        ignoring_groups,
        ignoring_property_sets,
        ignoring_the_class,
    ],
)
def test_a_faulty_evaluator_is_caught(comparable: tuple[Question, ...], fault: Callable[[Question], Question]) -> None:
    assert any(decided(fault(question)) != question.answer for question in comparable)


def peculiarities(question: Question) -> frozenset[Peculiarity]:
    """Return the peculiarities that an ACE which applies to the account brings up."""
    return frozenset(_peculiarities(question))


def _peculiarities(question: Question) -> Iterator[Peculiarity]:
    subject, sids = question.subject, question.token.sids
    is_owner = subject.descriptor.owner in sids
    for ace in aces(question):
        if ace.is_inherit_only:
            continue
        if ace.trustee == OWNER_RIGHTS_SID and is_owner:
            yield Peculiarity.OWNER_RIGHTS
        elif ace.trustee in sids or (ace.trustee == PRINCIPAL_SELF_SID and subject.sid in sids):
            if grants_all_to_samba(ace) and is_in_a_tree(ace, question):
                yield Peculiarity.CONTROL_ACCESS
            if ace.object_type == NT_SECURITY_DESCRIPTOR and ace.rights & (
                AccessMask.WRITE_DAC | AccessMask.WRITE_OWNER
            ):
                yield Peculiarity.DESCRIPTOR_AS_PROPERTY


def as_samba_reads(question: Question) -> Question:
    """Return the question with the meaning that Samba gives the descriptor written out."""
    return with_aces(question, _written_out(question))


def _written_out(question: Question) -> Iterator[Ace]:
    whole_object = AccessMask.WRITE_DAC | AccessMask.WRITE_OWNER
    for ace in aces(question):
        if ace.trustee == OWNER_RIGHTS_SID:
            continue
        read = replace(ace, mask=int(FULL_CONTROL)) if grants_all_to_samba(ace) else ace
        yield read
        if read.object_type == NT_SECURITY_DESCRIPTOR:
            yield replace(read, object_type=question.subject.class_guid, mask=read.rights & whole_object)


def grants_all_to_samba(ace: Ace) -> bool:
    return ace.type == OBJECT_ALLOW and bool(ace.rights & AccessMask.CONTROL_ACCESS)


def is_in_a_tree(ace: Ace, question: Question) -> bool:
    vocabulary = question.subject.vocabulary
    named = (types for each in (*vocabulary.attributes, *vocabulary.child_classes) for types in each.object_types)
    return ace.object_type in {None, NT_SECURITY_DESCRIPTOR, *named}


def aces(question: Question) -> tuple[Ace, ...]:
    dacl = question.subject.descriptor.dacl
    assert dacl is not None
    return dacl


def with_aces(question: Question, dacl: Iterable[Ace]) -> Question:
    return with_descriptor(question, replace(question.subject.descriptor, dacl=tuple(dacl)))


def with_descriptor(question: Question, descriptor: SecurityDescriptor) -> Question:
    return replace(question, subject=replace(question.subject, descriptor=descriptor))


def with_object_types(question: Question, change: Callable[[tuple[str, ...]], tuple[str, ...]]) -> Question:
    vocabulary = question.subject.vocabulary
    attributes = tuple(Named(name=each.name, object_types=change(each.object_types)) for each in vocabulary.attributes)
    changed = replace(vocabulary, attributes=attributes)
    return replace(question, subject=replace(question.subject, vocabulary=changed))
