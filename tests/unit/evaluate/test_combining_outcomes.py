"""Truth tables: how the outcomes of parts combine."""

from __future__ import annotations

from itertools import permutations, product

import pytest

from auditor.model.outcome import Outcome, combine_all_of, combine_any_of

S, P, M, U, N = (
    Outcome.SATISFIED,
    Outcome.PARTIAL,
    Outcome.MISSING,
    Outcome.UNVERIFIABLE,
    Outcome.NOT_APPLICABLE,
)
ALL_OF = {
    (S, S): S, (S, P): P, (S, M): M, (S, U): U, (S, N): S,
    (P, P): P, (P, M): M, (P, U): U, (P, N): P,
    (M, M): M, (M, U): M, (M, N): M,
    (U, U): U, (U, N): U,
    (N, N): N,
}  # fmt: skip
ANY_OF = {
    (S, S): S, (S, P): S, (S, M): S, (S, U): S, (S, N): S,
    (P, P): P, (P, M): P, (P, U): U, (P, N): P,
    (M, M): M, (M, U): U, (M, N): M,
    (U, U): U, (U, N): U,
    (N, N): N,
}  # fmt: skip


@pytest.mark.parametrize(("parts", "expected"), ALL_OF.items())
def test_all_of_two(parts: tuple[Outcome, Outcome], expected: Outcome) -> None:
    assert {combine_all_of(each) for each in permutations(parts)} == {expected}


@pytest.mark.parametrize(("parts", "expected"), ANY_OF.items())
def test_any_of_two(parts: tuple[Outcome, Outcome], expected: Outcome) -> None:
    assert {combine_any_of(each) for each in permutations(parts)} == {expected}


def test_more_parts_combine_as_pairs_do_in_any_order() -> None:
    for combine in (combine_all_of, combine_any_of):
        for parts in product(Outcome, repeat=3):
            pairwise = combine([combine(parts[:2]), parts[2]])
            assert {combine(each) for each in permutations(parts)} == {pairwise}


def test_nothing_combines_to_not_applicable_and_never_to_a_pass() -> None:
    assert combine_all_of([]) is N
    assert combine_any_of([]) is N
