"""Spreads the tests over processes: a file stays together, and so do all that share the domain controllers."""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        shares_the_lab = any(name.startswith("domain_controller") for name in fixtures)
        item.add_marker(pytest.mark.xdist_group("domain controllers" if shares_the_lab else item.path.name))
