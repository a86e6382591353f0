"""`pytest --holdfast-sandbox`: a tenant of its own for every test that asks for `holdfast_sandbox`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from holdfast.sandbox.testing import Sandbox


def pytest_addoption(parser: pytest.Parser) -> None:
    """Two options, so that neither swallows the path that follows."""
    group = parser.getgroup("holdfast", "holdfast's sandbox tenant")
    group.addoption(
        "--holdfast-sandbox", action="store_true", help="Start a sandbox tenant for tests that use it."
    )
    group.addoption(
        "--holdfast-scenario",
        default="story",
        metavar="NAME",
        help="The world in it: story (default) or contoso.",
    )


@pytest.fixture(scope="session")
def holdfast_sandbox_server(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """One server for the whole run; gives its ready mapping."""
    if not request.config.getoption("--holdfast-sandbox"):
        pytest.skip("needs a sandbox tenant: run pytest --holdfast-sandbox")
    from holdfast.sandbox import embedded

    with embedded(request.config.getoption("--holdfast-scenario"), frozen=True) as ready:
        yield ready


@pytest.fixture
def holdfast_sandbox(holdfast_sandbox_server: dict[str, Any]) -> Sandbox:
    """A fresh tenant: `ready` holds its addresses and identities, the methods steer it.

    Its clock stands still until the test advances it, and nothing is throttled or slow unless the test asks for it.
    """
    from holdfast.sandbox.testing import Sandbox

    return Sandbox.fresh(holdfast_sandbox_server["control"])
