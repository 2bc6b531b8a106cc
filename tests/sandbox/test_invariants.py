"""Whatever is asked at whatever path, the desk has an answer that is no 500, and the world stays in order."""

import json
import logging
import string
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.desk import TABLE, Desk
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.dice import named
from ringonce.sandbox.http import Request
from ringonce.sandbox.presences import AVAILABLE, ON_QUEUE
from ringonce.sandbox.world import World
from sandbox.invariants import broken

ROUTES = [route for template in sorted(TABLE.templates) for route in TABLE.match(template)[0].values()]
WORDS = st.text(string.printable, max_size=12) | st.text(max_size=8)
# What stands for a thing that the world has at that moment: the number picks one of them.
THING = st.tuples(
    st.sampled_from(["user", "queue", "station", "conversation", "participant", "communication", "channel", "code"]),
    st.integers(0, 6),
).map(lambda pair: f"@{pair[0]} {pair[1]}")
SENSIBLE = st.sampled_from(
    [
        "connected",
        "disconnected",
        "ACTIVE",
        "PAUSED",
        "+15559870000",
        "+15559870007",
        "Attended",
        "BOTH",
        "DESTINATION",
        "IDLE",
        "OFF_QUEUE",
        "EXACT",
        "email",
        ON_QUEUE,
        AVAILABLE,
        f"v2.users.{ADA}?conversations.calls&presence",
        "2026-01-01T00:00:00.000Z",
        "2025-01-01T00:00:00Z/2027-01-01T00:00:00Z",
        "",
        "\x00",
        "💥" * 9,
    ]
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([-1, 0, 1, 2**63, 1e308])
FIELDS = """
    acdAutoAnswer addresses attributes callFromQueueId callQueueId callUserId callNumber callbackNumbers
    callbackScheduledTime calls code confined conversationIds data destination digits durationSeconds email enabled
    externalTag from held id interval joined message muted name notes pageNumber pageSize participants phoneNumber
    presenceDefinition query queueId recording recordingState resumeTime routingData segmentFilters speakTo state
    status tags to transferType type userId value version voicemail wrapup wrapupSkipped fields uuiData
""".split()
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS | SENSIBLE | THING,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4)
        | st.dictionaries(WORDS, inner, max_size=2)
    ),
    max_leaves=10,
)
PLACING = st.fixed_dictionaries({"phoneNumber": st.sampled_from(["+15559870000", "+15559876543", "+15559870004"])})
BODIES = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=5) | VALUES | PLACING
PARAMETERS = "pageSize pageNumber interval id type expand name joined sortOrder q64 state includechannels ignoreErrors"
STEPS = st.fixed_dictionaries(
    {
        "route": st.integers(0, len(ROUTES) - 1),
        "values": st.lists(st.integers(0, 6) | WORDS, min_size=5, max_size=5),
        "query": st.dictionaries(st.sampled_from(PARAMETERS.split()), WORDS | SENSIBLE | THING, max_size=2),
        "body": BODIES | st.binary(max_size=30),
        "service": st.booleans(),
        "wait": st.sampled_from([0.0, 0.0, 0.3, 2.0, 31.0]),
    }
)


class Stranger:
    """Asks a world anything. It knows what there is, so that much of what it asks makes half of sense."""

    def __init__(self) -> None:
        self.world = World(now=1_767_268_800.0, seed=7)
        self.world.rate_limit = None
        self.desk = Desk(self.world)
        self.agent = self.world.issue_user_token(ADA)
        client = self.world.clients["your_client_id"]
        self.service = self.world.tokens.issue(client).value
        for agent, digits in ((ADA, "0000"), (named("user/grace"), "0009")):
            self.ask("POST", f"/conversations/calls/user/{agent}", {}, {"phoneNumber": f"+1555987{digits}"})
        self.ask("POST", "/notifications/channels", {}, None)
        self.world.advance(self.world.now + 4)

    def ask(self, method: str, path: str, query: dict[str, str], body: Any, *, service: bool = True) -> int:
        """Send one request; the status of its answer."""
        for which in ("agent", "service"):
            if self.world.tokens.find(getattr(self, which)) is None:  # it may have been revoked by its own request
                user = self.world.org.users[ADA] if which == "agent" else None
                made = self.world.tokens.issue(self.world.clients["your_client_id"], user)
                setattr(self, which, made.value)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.service if service else self.agent}", "host": "127.0.0.1"}
        reply = self.desk.handle(Request(method, f"/api/v2{path}", query, headers, raw))
        assert reply.body == b"" or msgspec.json.decode(reply.body) is not ...
        return reply.status

    def take(self, step: dict[str, Any]) -> tuple[str, int]:
        """Do one step, and let time pass."""
        route: Route = ROUTES[step["route"]]
        path = "".join(self._path(route.template, step["values"]))
        query = {key: str(self._real(value)) for key, value in step["query"].items()}
        body = step["body"] if isinstance(step["body"], bytes) else self._real(step["body"])
        status = self.ask(route.method, path, query, body, service=step["service"])
        self.world.advance(self.world.now + step["wait"])
        return f"{route.method} {path} {query} {body!r}", status

    def _path(self, template: str, values: list[Any]) -> Iterator[str]:
        kinds = {"subject": "user", "member": "user", "call": "conversation"}
        for index, segment in enumerate(template.strip("/").split("/")):
            value = values[index % len(values)]
            if segment.startswith("{") and isinstance(value, int):
                kind = segment.strip("{}").removesuffix("Id")
                yield f"/{self._real(f'@{kinds.get(kind, kind)} {value}')}"
            else:
                yield f"/{value if segment.startswith('{') else segment}"

    def _real(self, value: Any) -> Any:
        if isinstance(value, str) and value.startswith("@"):
            kind, _, number = value[1:].partition(" ")
            things = self._things(kind)
            return things[int(number) % len(things)] if things else value
        if isinstance(value, list):
            return [self._real(each) for each in value]
        if isinstance(value, dict):
            return {key: self._real(each) for key, each in value.items()}
        return value

    def _things(self, kind: str) -> list[str]:
        world = self.world
        newest = list(world.exchange.conversations.values())[-3:]
        match kind:
            case "user":
                return [ADA, named("user/grace"), *world.org.users]
            case "conversation":
                return [each.id for each in newest]
            case "participant":
                return [leg.id for each in newest for leg in each.participants]
            case "communication":
                return [leg.call_id for each in newest for leg in each.participants]
            case "channel":
                return [each.id for each in world.channels.everyone()]
            case "source":
                return ["PURECLOUD"]
            case _:
                tables = {"queue": world.org.queues, "station": world.org.stations, "code": world.org.wrapup_codes}
                return list(tables.get(kind, {}))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(steps=st.lists(STEPS, min_size=1, max_size=12))
def test_whatever_is_asked_the_world_stays_in_order(steps: list[dict[str, Any]]) -> None:
    stranger = Stranger()

    for step in steps:
        asked, status = stranger.take(step)

        assert 200 <= status < 500, asked
        assert broken(stranger.world) == [], asked


def test_the_judge_sees_disorder() -> None:
    stranger = Stranger()
    world = stranger.world
    assert broken(world) == []

    conversation, other = world.exchange.conversations.values()
    conversation.ended = world.agenda.stamp
    other.participants[0].id = conversation.participants[0].id
    world.directory.seat(ADA).station_id = named("station/grace")
    world.directory.seat(ADA).status = "IDLE"

    found = " ".join(broken(world))
    for words in ("ended with somebody in it", "two have the participant id", "somebody else sits", "is IDLE with"):
        assert words in found


@pytest.mark.parametrize("template", sorted(TABLE.templates))
def test_a_body_of_any_kind_at_every_path(template: str, caplog: pytest.LogCaptureFixture) -> None:
    stranger = Stranger()
    deep = b"[" * 100_000
    bodies: list[bytes] = [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"0",
        b"{",
        b"\xff\xfe",
        deep,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        json.dumps({field: field for field in FIELDS}).encode(),
        json.dumps(dict.fromkeys(FIELDS)).encode(),
        json.dumps({field: [[]] for field in FIELDS}).encode(),
        json.dumps({field: {"id": {}} for field in FIELDS}).encode(),
        json.dumps(dict.fromkeys(FIELDS, 1e308)).encode(),
        b'{"name":"' + b"x" * 500_000 + b'"}',
    ]

    with caplog.at_level(logging.CRITICAL):
        for route in TABLE.match(template)[0].values():
            for body in bodies:
                for number in (0, 1):
                    path = "".join(stranger._path(template, [number] * 5))
                    status = stranger.ask(route.method, path, {}, body)
                    assert 200 <= status < 500, (route.method, path, body[:80])
        assert broken(stranger.world) == []
