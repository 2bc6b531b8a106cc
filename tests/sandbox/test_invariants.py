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
TEXT = SENSIBLE | WORDS
TRUTH = st.booleans()
USER, QUEUE, CALL, CODE = (
    st.integers(0, 4).map(f"@{kind} {{}}".format) for kind in ("user", "queue", "conversation", "code")
)
PARTY = st.fixed_dictionaries({}, optional={"address": TEXT, "userId": USER, "queueId": QUEUE, "name": TEXT})
# What a well-meaning program would write into a field.
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "acdAutoAnswer": TRUTH,
    "addresses": st.just([{"address": "+15550001111", "mediaType": "PHONE", "type": "WORK"}]),
    "attributes": st.dictionaries(TEXT, TEXT, max_size=2),
    "callFromQueueId": QUEUE,
    "callQueueId": QUEUE,
    "callUserId": USER,
    "callNumber": st.just("+15559870000"),
    "callbackNumbers": st.just(["+15559870000"]),
    "callbackUserName": TEXT,
    "callbackScheduledTime": st.sampled_from(["2026-01-01T12:01:00Z", "2026-02-01T12:01:00Z"]),
    "calls": st.just([{"targets": [{"type": "PHONENUMBER", "value": "+15550001111"}]}]),
    "code": CODE,
    "confined": TRUTH,
    "conversationIds": st.lists(CALL, max_size=2),
    "destination": PARTY,
    "digits": st.sampled_from(["12#", "x"]),
    "durationSeconds": st.integers(0, 9),
    "email": TEXT,
    "enabled": TRUTH,
    "externalTag": TEXT,
    "fields": st.just(["email"]),
    "held": TRUTH,
    "id": THING,
    "interval": st.just("2025-01-01T00:00:00Z/2027-01-01T00:00:00Z"),
    "joined": TRUTH,
    "message": TEXT,
    "muted": TRUTH,
    "name": TEXT,
    "notes": TEXT,
    "pageSize": NUMBERS,
    "participants": st.lists(PARTY, max_size=2),
    "phoneNumber": st.sampled_from(["+15559870000", "+15559876543", "+15559870004"]),
    "presenceDefinition": st.fixed_dictionaries({"id": st.sampled_from([ON_QUEUE, AVAILABLE])}),
    "query": st.just([{"type": "MATCH_ALL"}]),
    "queueId": QUEUE,
    "recording": TRUTH,
    "recordingState": st.sampled_from(["ACTIVE", "PAUSED", "NONE"]),
    "speakTo": st.sampled_from(["BOTH", "DESTINATION", "OBJECT", "CONFERENCE"]),
    "state": st.sampled_from(["connected", "disconnected", "active", "inactive"]),
    "status": st.sampled_from(["IDLE", "OFF_QUEUE"]),
    "tags": st.just(["a"]),
    "transferType": st.sampled_from(["Attended", "Unattended"]),
    "userId": USER,
    "uuiData": TEXT,
    "version": st.integers(1, 3),
    "voicemail": st.sampled_from(["NONE", True]),
    "wrapup": st.fixed_dictionaries({"code": CODE}),
    "wrapupSkipped": TRUTH,
}
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS | SENSIBLE | THING,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted(FIELDS)), inner, max_size=4)
        | st.dictionaries(WORDS, inner, max_size=2)
    ),
    max_leaves=10,
)
TOPICS = st.lists(st.fixed_dictionaries({"id": SENSIBLE | st.just(f"v2.users.{ADA}.presence")}), max_size=3)
BODIES = st.binary(max_size=30) | TOPICS | st.dictionaries(st.sampled_from(sorted(FIELDS)), VALUES, max_size=5) | VALUES
# Which fields a path's end asks for; the first that fits.
HINTS = {
    "/conversations/calls": "phoneNumber callFromQueueId attributes participants conversationIds",
    "/calls/user/{userId}": "phoneNumber callFromQueueId callUserId uuiData",
    "/conversations/callbacks": "queueId callbackNumbers callbackScheduledTime callbackUserName",
    "/calls/{conversationId}": "state recordingState conversationIds callNumber",
    "consult": "speakTo destination",
    "/agent": "userId",
    "/queue": "queueId",
    "/external": "destination name",
    "/replace": "userId queueId transferType voicemail",
    "/participants": "participants",
    "/participants/{participantId}": "state held muted confined recording wrapup wrapupSkipped",
    "/user/{userId}": "state held phoneNumber participants",
    "/wrapup": "code notes tags durationSeconds",
    "/attributes": "attributes",
    "/digits": "digits",
    "/tags": "externalTag",
    "recordingstate": "recordingState",
    "/communications/{communicationId}": "state",
    "uuidata": "uuiData",
    "/presences/{sourceId}": "presenceDefinition message",
    "/purecloud": "presenceDefinition message",
    "routingstatus": "status",
    "/users/{userId}": "version name email state addresses acdAutoAnswer",
    "forwarding": "enabled calls voicemail phoneNumber",
    "/queues/{queueId}": "joined",
    "/members/{memberId}": "joined",
    "/search": "query",
    "/query": "interval",
}


def helpful(route: Route) -> st.SearchStrategy[Any]:
    """A body that a well-meaning program would send."""
    words = next((fields for end, fields in HINTS.items() if route.template.endswith(end)), "id name state")
    if route.template.endswith("/subscriptions"):
        return TOPICS
    wanted = {field: FIELDS[field] for field in words.split()}
    first = next(iter(wanted))
    return (
        st.fixed_dictionaries({first: FIELDS[first]})
        | st.fixed_dictionaries({}, optional=wanted)
        | st.fixed_dictionaries(wanted)
    )


PARAMETERS = "pageSize pageNumber interval id type expand name joined sortOrder q64 state includechannels ignoreErrors"
QUERIES = st.dictionaries(st.sampled_from(PARAMETERS.split()), WORDS | SENSIBLE | THING, min_size=1, max_size=3)
# `|` gives every branch of its branches the same weight; these keep most of a request sensible.
IDS = st.integers(0, 9).flatmap(lambda number: st.just(number) if number < 8 else WORDS)


def step(route: Route) -> st.SearchStrategy[dict[str, Any]]:
    """One request, and how long nothing is asked after it."""
    return st.fixed_dictionaries(
        {
            "route": st.just(route),
            "values": st.lists(IDS, min_size=5, max_size=5),
            "query": st.integers(0, 3).flatmap(lambda number: st.just({}) if number else QUERIES),
            "body": st.integers(0, 3).flatmap(lambda number: helpful(route) if number else BODIES),
            "service": st.booleans(),
            "wait": st.sampled_from([0.0, 0.0, 0.3, 2.0, 31.0]),
        }
    )


STEPS = st.one_of([step(route) for route in ROUTES])


class Stranger:
    """Asks a world anything. It knows what there is, so that much of what it asks makes half of sense."""

    def __init__(self) -> None:
        self.world = World(now=1_767_268_800.0, seed=7)
        self.world.rate_limit = None
        self.within = ""
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
        route: Route = step["route"]
        path = "".join(self._path(route.template, step["values"]))
        query = {key: str(self._real(value)) for key, value in step["query"].items()}
        body = step["body"] if isinstance(step["body"], bytes) else self._real(step["body"])
        status = self.ask(route.method, path, query, body, service=step["service"])
        self.world.advance(self.world.now + step["wait"])
        return f"{route.method} {path} {query} {body!r}", status

    def _path(self, template: str, values: list[Any]) -> Iterator[str]:
        kinds = {"subject": "user", "member": "user"}
        self.within = ""
        for index, segment in enumerate(template.strip("/").split("/")):
            value = values[index % len(values)]
            if segment.startswith("{") and isinstance(value, int):
                kind = segment.strip("{}").removesuffix("Id")
                thing = self._real(f"@{kinds.get(kind, kind)} {value}")
                self.within = thing if kind == "conversation" else self.within
                yield f"/{thing}"
            else:
                yield f"/{value if segment.startswith('{') else segment}"
        self.within = ""

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
        if self.within in world.exchange.conversations and kind != "conversation":
            newest = [world.exchange.conversations[self.within]]
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
            case "definition" | "presence":
                return [ON_QUEUE, AVAILABLE]
            case "role":
                return [role.id for user in world.org.users.values() for role in user.roles]
            case _:
                org = world.org
                tables = {"queue": list(org.queues), "station": list(org.stations), "code": list(org.wrapup_codes)}
                return tables.get(kind, [])


@pytest.mark.timeout(300)  # a failure is made small before it is shown
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


@pytest.mark.parametrize("odd", ["{}", "{id}", "/", "%7B%7D", "\x00", " ", "."])
def test_an_id_that_is_no_id(odd: str) -> None:
    stranger = Stranger()

    for route in ROUTES:
        path = "".join(stranger._path(route.template, [odd] * 5))

        assert 200 <= stranger.ask(route.method, path, {}, {}) < 500, (route.method, path)


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
