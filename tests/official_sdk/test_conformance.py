"""Every endpoint of the sandbox, driven with the official SDK's own method, answers in the SDK's words only."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from official_sdk.conformance.driving import Drive, Heard, Scene
from official_sdk.conformance.table import DRIVES
from ringonce.sandbox import Sandbox
from ringonce.sandbox.desk import TABLE

pytestmark = pytest.mark.official_sdk


def _nameless(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _name(drive: Drive) -> str:
    return f"{drive.method} {drive.path}"


@pytest.fixture(scope="module")
def standing() -> Iterator[Sandbox]:
    """One sandbox for all; each test begins it again. Its clock stands still."""
    with Sandbox(clock="manual", rate_limit=0) as running:
        yield running


@pytest.fixture
def scene(sdk: Any, standing: Sandbox) -> Iterator[Scene]:
    standing.reset()
    made: dict[str, Any] = {}

    def client(who: str) -> Any:
        if who not in made:
            made[who] = client = sdk.ApiClient(host=standing.url)
            if who:
                client.access_token = standing.do(lambda world: world.issue_user_token(who))
            else:
                client.get_client_credentials_token("your_client_id", "your_client_secret")
        return made[who]

    yield Scene(sdk, standing, client)
    for each in made.values():
        each.get_http_client().rest_client.pool_manager.clear()


@pytest.mark.parametrize("drive", DRIVES, ids=_name)
def test_an_answer_has_only_what_the_sdks_model_has(scene: Scene, drive: Drive) -> None:
    heard = scene.drive(drive)

    assert (heard.method, _nameless(heard.path)) == (drive.method, _nameless(drive.path))
    assert heard.status in {200, 202, 204}
    assert list(heard.misfits()) == []
    assert not heard.is_empty_listing(), "a listing of nothing shows nothing: let there be something to list"


def test_every_endpoint_of_the_sandbox_is_driven_and_no_other() -> None:
    routes = [route for template in TABLE.templates for route in TABLE.match(template)[0].values()]

    driven = Counter((drive.method, drive.path) for drive in DRIVES)

    assert set(driven) == {(route.method, route.template) for route in routes}
    assert max(driven.values()) == 1


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (b'{"id":"c","participants":[{"state":"humming"}]}', 1),
        (b'{"id":"c","colour":"red","recordingState":"outdated_sdk_version"}', 2),
        (b"", 1),
    ],
)
@pytest.mark.usefixtures("sdk")
def test_the_walk_finds_what_is_wrong(answer: bytes, wrong: int) -> None:
    heard = Heard("GET", "/conversations/calls/{conversationId}", "CallConversation", 200, answer)

    assert len(list(heard.misfits())) == wrong
