"""The domain controllers that the integration tests share."""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NoReturn

import pytest

from tests.integration.audits import audit, audited, audited_folder
from tests.lab.domain_controller import DomainController
from tests.lab.estates import KNOWN_ANSWERS
from tests.lab.machine import LabUnavailable, require_samba
from tests.lab.random_estate import random_estate

__all__ = ["audit", "audited", "audited_folder"]  # fixtures from elsewhere

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.estate import Estate


@pytest.fixture(scope="session")
def domain_controller() -> Iterator[DomainController]:
    """Run a domain controller with the estate of known answers."""
    with running(KNOWN_ANSWERS.estate) as controller:
        yield controller


@pytest.fixture(scope="session")
def domain_controller_without_administrators() -> Iterator[DomainController]:
    """Run the same estate after everybody left the groups that delegation is judged without."""
    with running(KNOWN_ANSWERS.estate_without_administrators) as controller:
        yield controller


@pytest.fixture(scope="session")
def domain_controller_with_random_access() -> Iterator[DomainController]:
    """Run a domain controller whose objects have random security descriptors."""
    with running(random_estate(seed=20261127)) as controller:
        yield controller


@contextmanager
def running(estate: Estate) -> Iterator[DomainController]:
    """Run a domain controller with an estate; skip where Samba is not installed, unless that is a failure."""
    with ExitStack() as stack:
        try:
            controller = stack.enter_context(DomainController(estate=estate))
        except LabUnavailable as reason:
            _skip(reason)
        yield controller


def skip_without_samba() -> None:
    """Skip where Samba is not installed, unless that is a failure."""
    try:
        require_samba()
    except LabUnavailable as reason:
        _skip(reason)


def _skip(reason: LabUnavailable) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(str(reason))
    pytest.skip(str(reason))
