"""A sandbox without a socket: a world on a handed clock, its desk, and somebody who asks it things."""

import base64
import dataclasses
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ringonce.sandbox.desk import Desk
from ringonce.sandbox.http import Reply, Request
from ringonce.sandbox.world import World

NOON = 1_767_268_800.0
ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"


@dataclasses.dataclass
class Asker:
    """Sends requests with a token and reads the answers."""

    desk: Desk
    token: str
    prefix: str = ""
    last: Reply = dataclasses.field(default_factory=lambda: Reply(0))

    def __call__(self, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
        path, _, inline = path.partition("?")
        query |= dict(pair.split("=", 1) for pair in inline.split("&") if pair)
        headers = {"authorization": f"Bearer {self.token}", "host": "127.0.0.1:8080"}
        raw = body if isinstance(body, bytes) else b"" if body is None else msgspec.json.encode(body)
        self.last = self.desk.handle(Request(method, f"{self.prefix}/api/v2{path}", query, headers, raw))
        return self.last.status, msgspec.json.decode(self.last.body) if self.last.body else None

    def place(self, digits: str = "6543", agent: str = ADA, **fields: Any) -> str:
        """Place a call for an agent to +1555987 and the digits."""
        status, answer = self(
            "POST", f"/conversations/calls/user/{agent}", {"phoneNumber": f"+1555987{digits}", **fields}
        )
        assert status == 202, answer
        conversation_id: str = answer["id"]
        return conversation_id

    def call(self, conversation_id: str) -> Any:
        """The flat view."""
        status, answer = self("GET", f"/conversations/calls/{conversation_id}")
        assert status == 200, answer
        return answer

    def legs(self, conversation_id: str) -> list[tuple[str, str, str | None]]:
        """Purpose, state and disconnect type of each participant."""
        return [
            (leg["purpose"], leg["state"], leg.get("disconnectType"))
            for leg in self.call(conversation_id)["participants"]
        ]

    def header(self, name: str) -> str | None:
        """A header of the last answer."""
        return next((value for key, value in self.last.headers if key.lower() == name.lower()), None)


def sign_in(desk: Desk, credentials: str = "your_client_id:your_client_secret") -> Reply:
    """Ask for a service's token."""
    basic = base64.b64encode(credentials.encode()).decode()
    headers = {"authorization": f"Basic {basic}", "content-type": "application/x-www-form-urlencoded"}
    return desk.handle(Request("POST", "/oauth/token", {}, headers, b"grant_type=client_credentials"))


@pytest.fixture
def world() -> World:
    return World(now=NOON, seed=7)


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


@pytest.fixture
def ask(desk: Desk) -> Asker:
    """A service that may do everything."""
    return Asker(desk, msgspec.json.decode(sign_in(desk).body)["access_token"])


@pytest.fixture
def ask_limited(desk: Desk) -> Asker:
    """A service that may only look."""
    reply = sign_in(desk, "limited_client_id:limited_client_secret")
    return Asker(desk, msgspec.json.decode(reply.body)["access_token"])


@pytest.fixture
def ask_as(desk: Desk, world: World) -> Callable[[str], Asker]:
    """Somebody who has signed in as a user."""
    return lambda user_id: Asker(desk, world.issue_user_token(user_id))


@pytest.fixture
def listen(ask: Asker, world: World) -> Callable[..., list[dict[str, Any]]]:
    """Open a channel on an agent's calls; the list it answers fills with what is heard."""

    def open_channel(*tails: str, agent: str = ADA) -> list[dict[str, Any]]:
        heard: list[dict[str, Any]] = []
        _, channel = ask("POST", "/notifications/channels", b"null")
        assert world.channels.attach(channel["id"], lambda frame: heard.append(msgspec.json.decode(frame)))
        topics = [{"id": f"v2.users.{agent}.{tail}"} for tail in tails or ("conversations.calls",)]
        assert ask("POST", f"/notifications/channels/{channel['id']}/subscriptions", topics)[0] == 200
        return heard

    return open_channel
