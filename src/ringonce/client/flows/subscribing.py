"""Notification channels: getting one, and having agents' calls announced on it."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from ringonce.client.channels import Channel
from ringonce.client.flows.exchange import decoded, read
from ringonce.client.flows.session import Session
from ringonce.client.wishes import Flow, Lane, Now, Request

MOST_TOPICS = 1000
"""Topics that a channel may have (the platform's notification guide)."""
LIFE = 24 * 3600.0
"""Seconds that a channel lives where its `expires` can't be read."""
_PREFIX, _SUFFIX = "v2.users.", ".conversations"
# The nested topic, because only its legs have disconnectReasons: the flat one can't tell busy from no answer
# (official SDK, ConversationEventTopicCall beside ConversationCallEventTopicCallMediaParticipant).


class _Made(msgspec.Struct, rename={"connect_uri": "connectUri"}):
    id: str
    connect_uri: str
    expires: datetime | None = None


class _Topic(msgspec.Struct):
    id: str
    state: str = "Permitted"


class _Topics(msgspec.Struct):
    entities: list[_Topic] = []


def topic(agent_id: str) -> str:
    """Name the topic of an agent's calls."""
    return f"{_PREFIX}{agent_id}{_SUFFIX}"


def agent_of(topic_name: str) -> str | None:
    """Give the agent of a topic of `topic`; None for any other topic."""
    if topic_name.startswith(_PREFIX) and topic_name.endswith(_SUFFIX):
        return topic_name[len(_PREFIX) : -len(_SUFFIX)]
    return None


def make_channel(session: Session) -> Flow[Channel]:
    """Make a new channel."""
    # Making a second one because the first one's answer was lost costs a channel, not a call.
    request = Request("POST", session.url("/notifications/channels"), repeatable=True)
    what = "No notification channel can be made"
    made = decoded((yield from read(request, what, lane=Lane.URGENT)), _Made, what)
    now: float = yield Now()
    ends = made.expires.timestamp() if made.expires else now + LIFE
    return Channel(id=made.id, connect_uri=made.connect_uri, expires_at=ends)


def subscribe(session: Session, channel: Channel, agents: Iterable[str], *, replace: bool) -> Flow[set[str]]:
    """Have the agents' calls announced, in addition or instead (*replace*); give the agents that are permitted.

    Raise `NotFound` if the channel is gone.
    """
    request = Request(
        "PUT" if replace else "POST",
        session.url(f"/notifications/channels/{channel.id}/subscriptions?ignoreErrors=true"),
        body=[{"id": topic(agent)} for agent in agents],
        repeatable=True,
    )
    what = "The agents' calls can't be subscribed to"
    entities = decoded((yield from read(request, what, lane=Lane.URGENT)), _Topics, what).entities
    return {agent for one in entities if one.state != "Rejected" and (agent := agent_of(one.id))}
