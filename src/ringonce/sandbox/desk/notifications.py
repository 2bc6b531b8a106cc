"""Notification channels over REST: make one, say what to listen to, see what there is."""

from typing import Any

import msgspec

from ringonce.sandbox.channels import Channel, TooManyTopicsError, spread
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit
from ringonce.sandbox.shapes.problems import Problem, bad_request, missing_permission, not_found

LONGEST_TOPIC = 200
WATCH_OTHERS = "conversation:communication:view"
TOPICS = {
    "v2.users.{id}.conversations": "Every conversation of a user, nested",
    "v2.users.{id}.conversations.calls": "Every call of a user, flat",
    "v2.users.{id}.conversations.callbacks": "Every callback of a user",
    "v2.users.{id}.conversationsummary": "How many conversations a user has",
    "v2.users.{id}.presence": "The presence of a user",
    "v2.users.{id}.routingStatus": "The routing status of a user",
    "v2.users.{id}.station": "The station of a user",
    "v2.users.{id}.activity": "Presence, routing status and conversations of a user in one",
    "v2.users.{id}.persistentconnection": "The persistent connection of a user's station",
    "v2.users.{id}.tokens": "Changes of a user's tokens",
    "v2.users.{id}.callforwarding": "The call forwarding of a user",
    "v2.routing.queues.{id}.conversations": "Every conversation of a queue, nested",
    "v2.routing.queues.{id}.conversations.calls": "Every call of a queue, flat",
    "v2.routing.queues.{id}.conversations.callbacks": "Every callback of a queue",
    "v2.routing.queues.{id}.users": "The members of a queue",
}
_TAILS = {
    stem: {topic.removeprefix(f"{stem}.{{id}}.") for topic in TOPICS if topic.startswith(f"{stem}.")}
    for stem in ("v2.users", "v2.routing.queues")
}


class Wanted(msgspec.Struct):
    """One subscription in a request."""

    id: str


def connect_uri(visit: Visit, channel_id: str) -> str:
    """Where to open the channel's connection: the host that the request was sent to, below the same prefix."""
    headers = visit.request.headers
    scheme = "wss" if headers.get("x-forwarded-proto", "").startswith("https") else "ws"
    return f"{scheme}://{headers.get('host') or '127.0.0.1'}{visit.prefix}/channels/{channel_id}"


def create(visit: Visit) -> Answer:
    """Make a channel."""
    return 200, _channel(visit, visit.world.channels.create(visit.token.owner))


def mine(visit: Visit) -> Answer:
    """List the channels of this token's user and client."""
    return 200, {"entities": [_channel(visit, each) for each in visit.world.channels.of(visit.token.owner)]}


def probe(visit: Visit, channel_id: str) -> Answer:
    """Say that a channel exists."""
    _own(visit, channel_id)
    return 200, None


def subscriptions(visit: Visit, channel_id: str) -> Answer:
    """List what a channel listens to."""
    return 200, {"entities": [_permitted(topic) for topic in _own(visit, channel_id).topics]}


def subscribe(visit: Visit, channel_id: str) -> Answer:
    """Listen to more topics."""
    return _subscribe(visit, _own(visit, channel_id), replace=False)


def resubscribe(visit: Visit, channel_id: str) -> Answer:
    """Listen to these topics only."""
    return _subscribe(visit, _own(visit, channel_id), replace=True)


def unsubscribe(visit: Visit, channel_id: str) -> Answer:
    """Listen to nothing."""
    visit.world.channels.unsubscribe(_own(visit, channel_id))
    return 200, None


def available(_visit: Visit) -> Answer:
    """The catalogue of topics."""
    return 200, {"entities": [_topic(topic, words) for topic, words in TOPICS.items()]}


def _subscribe(visit: Visit, channel: Channel, *, replace: bool) -> Answer:
    raw = visit.request.body.strip()
    wanted = [] if raw in {b"", b"null", b"{}"} else visit.read(list[Wanted])
    lenient = visit.request.query.get("ignoreErrors", "").lower() == "true"
    permitted: list[str] = []
    answers: list[dict[str, Any]] = []
    for each in wanted:
        problem = _refusal(visit, each.id)
        if problem is None:
            permitted.append(each.id)
            answers.append(_permitted(each.id))
        elif lenient:
            answers.append(_rejected(each.id, problem))
        else:
            raise problem
    try:
        visit.world.channels.subscribe(channel, permitted, replace=replace)
    except TooManyTopicsError:
        raise bad_request("Too many subscriptions", code="notification.subscription.too.many.subscriptions") from None
    return 200, {"entities": answers}


def _refusal(visit: Visit, topic: str) -> Problem | None:
    if len(topic) > LONGEST_TOPIC:
        return _invalid(f"{topic[:40]}… is longer than {LONGEST_TOPIC} characters")
    for each in spread(topic) or ("",):
        refused = _refusal_of_one(visit, each)
        if refused is not None:
            return refused
    return None


def _refusal_of_one(visit: Visit, topic: str) -> Problem | None:
    org = visit.world.org
    for stem, known in (("v2.users", org.users), ("v2.routing.queues", org.queues)):
        if not topic.startswith(f"{stem}."):
            continue
        thing_id, _, tail = topic.removeprefix(f"{stem}.").partition(".")
        if tail not in _TAILS[stem]:
            return _invalid(f"{topic} is not in the catalogue, GET /api/v2/notifications/availabletopics")
        if thing_id not in known:
            return _invalid(f"{topic} names an id that does not exist")
        if thing_id != visit.token.user_id and not visit.token.allows((WATCH_OTHERS,)):
            return missing_permission(WATCH_OTHERS)
        return None
    return _invalid(f"{topic} is not in the catalogue, GET /api/v2/notifications/availabletopics")


def _invalid(why: str) -> Problem:
    return bad_request(f"The subscription topic is not valid. ({why})", code="notification.invalid.topic")


def _own(visit: Visit, channel_id: str) -> Channel:
    channel = visit.world.channels.get(channel_id, visit.token.owner)
    if channel is None:
        raise not_found("The requested resource was not found.", code="not.found")
    return channel


def _channel(visit: Visit, channel: Channel) -> dict[str, Any]:
    return {"connectUri": connect_uri(visit, channel.id), "id": channel.id, "expires": channel.expires}


def _permitted(topic: str) -> dict[str, Any]:
    return {"id": topic, "state": "Permitted", "selfUri": f"/api/v2/notifications/topics/{topic}"}


def _rejected(topic: str, problem: Problem) -> dict[str, Any]:
    missing = [WATCH_OTHERS] if problem.code == "missing.permissions" else []
    return {"id": topic, "state": "Rejected", "rejectionReason": problem.message, "missingPermissions": missing}


def _topic(topic: str, words: str) -> dict[str, Any]:
    return {
        "id": topic,
        "description": words,
        "enforced": True,
        "visibility": "Public",
        "requiresPermissions": [WATCH_OTHERS],
        "requiresCurrentUser": False,
        "requiresCurrentUserOrPermission": True,
        "requiresDivisionPermissions": False,
        "transports": ["All"],
        "topicParameters": ["id"],
    }


ROUTES = [
    Route("POST", "/notifications/channels", create),
    Route("GET", "/notifications/channels", mine),
    Route("HEAD", "/notifications/channels/{channelId}", probe),
    Route("GET", "/notifications/channels/{channelId}/subscriptions", subscriptions),
    Route("POST", "/notifications/channels/{channelId}/subscriptions", subscribe),
    Route("PUT", "/notifications/channels/{channelId}/subscriptions", resubscribe),
    Route("DELETE", "/notifications/channels/{channelId}/subscriptions", unsubscribe),
    Route("GET", "/notifications/availabletopics", available),
]
