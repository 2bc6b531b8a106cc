"""Notification channels over REST: make one, say what to listen to, see what there is."""

from typing import Any

import msgspec

from ringonce.sandbox.channels import Channel, TooManyTopicsError, spread
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit
from ringonce.sandbox.shapes.problems import Problem, bad_request, invalid_value, missing_permission, not_found
from ringonce.sandbox.topics import CATALOGUE, LONGEST, Topic, refusal

EXPANDABLE = frozenset(
    {
        "description",
        "enforced",
        "visibility",
        "permissionDetails",
        "requiresPermissions",
        "requiresDivisionPermissions",
        "requiresAnyValidator",
        "requiresCurrentUser",
        "requiresCurrentUserOrPermission",
        "schema",
        "transports",
        "publicApiTemplateUriPaths",
        "topicParameters",
    }
)
OWN_TOKEN, WHOLE_CLIENT = "token", "oauthclient"


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
    token = visit.token
    made = visit.world.channels.create(token.owner, permissions=token.permissions, made_by=token.value)
    return 200, _channel(visit, made)


def mine(visit: Visit) -> Answer:
    """List the channels that this token made, or those of its user and client.

    Others' ids are not shown: only that there are such channels, and until when.
    """
    which = visit.request.query.get("includechannels", "") or OWN_TOKEN
    if which not in {OWN_TOKEN, WHOLE_CLIENT}:
        raise invalid_value("includechannels", which, (OWN_TOKEN, WHOLE_CLIENT))
    shapes: list[dict[str, Any]] = []
    for each in visit.world.channels.of(visit.token.owner):
        if each.made_by == visit.token.value:
            shapes.append(_channel(visit, each))
        elif which == WHOLE_CLIENT:
            shapes.append({"expires": each.expires})
    return 200, {"entities": shapes}


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


def available(visit: Visit) -> Answer:
    """The catalogue of topics: their names, and what else is asked for."""
    visit.flag("includePreview")
    expand = EXPANDABLE.intersection(visit.words("expand"))
    return 200, {"entities": [_topic(topic, expand) for topic in CATALOGUE.values()]}


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
    if len(topic) > LONGEST:
        return _invalid(f"{topic[:40]}… is longer than {LONGEST} characters")
    token = visit.token
    for each in spread(topic) or ("",):
        refused = refusal(each, visit.world.org, token.user_id, token.permissions)
        if refused is not None:
            return missing_permission(refused.missing) if refused.missing else _invalid(refused.why)
    return None


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
    missing = [problem.params["permissions"].strip("[]")] if problem.code == "missing.permissions" else []
    return {"id": topic, "state": "Rejected", "rejectionReason": problem.message, "missingPermissions": missing}


def _topic(topic: Topic, expand: frozenset[str]) -> dict[str, Any]:
    kind = "user" if topic.template.startswith("v2.users") else "queue" if ".queues." in topic.template else "call"
    needed = [topic.permission] if topic.permission else []
    whole: dict[str, Any] = {
        "description": topic.words,
        "enforced": True,
        "visibility": "Public",
        "permissionDetails": [{"type": "requiresPermissions", "permissions": needed}] if needed else [],
        "requiresPermissions": needed,
        "requiresDivisionPermissions": False,
        "requiresAnyValidator": False,
        "requiresCurrentUser": topic.only_oneself,
        "requiresCurrentUserOrPermission": topic.or_oneself,
        "schema": {"$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "title": topic.model},
        "transports": ["All"],
        "publicApiTemplateUriPaths": list(topic.paths),
        "topicParameters": [{"user": "userId", "queue": "queueId", "call": "conversationId"}[kind]],
    }
    return {"id": topic.template} | {field: value for field, value in whole.items() if field in expand}


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
