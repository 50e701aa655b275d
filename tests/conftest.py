"""What all tests share: how they spread over processes, and how they are interrupted."""

from __future__ import annotations

import signal

import pytest


def pytest_configure() -> None:
    # Started from a background job, tests would ignore SIGINT, and so would every program they start
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file in one process, and in one and the same all that share the domain controllers."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        shares_the_lab = any(name.startswith("domain_controller") for name in fixtures)
        item.add_marker(pytest.mark.xdist_group("domain controllers" if shares_the_lab else item.path.name))
