"""The sandbox invents no endpoint: each of its own is one that the SDK can ask for."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from ringonce.sandbox.desk import TABLE
from ringonce.sandbox.desk.routes import Route

pytestmark = pytest.mark.official_sdk

ROUTES = [route for template in TABLE.templates for route in TABLE.match(template)[0].values()]
APIS = (
    "Authorization",
    "Analytics",
    "Conversations",
    "Notifications",
    "Organization",
    "Presence",
    "Routing",
    "Stations",
    "TelephonyProvidersEdge",
    "Tokens",
    "Users",
)
_OPERATION = re.compile(r"resource_path = '/api/v2(/[^']*)'.*?call_api\(resource_path, '([A-Z]+)'", re.DOTALL)


@pytest.fixture(scope="module")
def operations(sdk: Any) -> set[tuple[str, str]]:
    """Method and path of all that the SDK can ask for, place-holders without their names."""
    sources = [Path(inspect.getfile(getattr(sdk, f"{api}Api"))).read_text(encoding="utf-8") for api in APIS]
    return {(method, _nameless(path)) for source in sources for path, method in _OPERATION.findall(source)}


def _nameless(template: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", template)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.template}")
def test_an_endpoint_is_one_of_the_sdks(operations: set[tuple[str, str]], route: Route) -> None:
    assert (route.method, _nameless(route.template)) in operations


def test_the_sdk_can_ask_for_more(operations: set[tuple[str, str]]) -> None:
    assert len(operations) > 500
    assert ("PUT", "/conversations/calls/{}") not in operations
