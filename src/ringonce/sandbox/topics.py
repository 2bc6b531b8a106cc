"""The catalogue of notification topics: what each tells, and who may hear it."""

import dataclasses
from typing import Final

from ringonce.sandbox.org import Org
from ringonce.sandbox.permissions import holds_any

LONGEST: Final = 200
WATCH_OTHERS: Final = "conversation:communication:view"
QUEUES: Final = "routing:queue:view"
OTHER_STATIONS: Final = "telephony:otherStationAssociation:view"
DETAILS: Final = "analytics:conversationDetail:view"
CATALOGUE_PATH: Final = "/api/v2/notifications/availabletopics"


@dataclasses.dataclass(frozen=True, slots=True)
class Topic:
    """One topic of the catalogue. *model* is the official SDK's for its body, empty where nothing is ever told.

    *permission* is needed to hear it; not for oneself, if *or_oneself*. *only_oneself* is for nobody else at all.
    """

    template: str
    words: str
    model: str
    permission: str = ""
    or_oneself: bool = False
    only_oneself: bool = False
    paths: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """Why a topic is not to be had; *missing* is the permission that would do."""

    why: str
    missing: str = ""


def _users(tail: str, words: str, model: str, permission: str = "", *paths: str) -> Topic:
    return Topic(f"v2.users.{{id}}.{tail}", words, model, permission, or_oneself=bool(permission), paths=paths)


def _queues(tail: str, words: str, model: str, permission: str = WATCH_OTHERS) -> Topic:
    return Topic(f"v2.routing.queues.{{id}}.{tail}", words, model, permission)


def _details(tail: str, words: str, model: str) -> Topic:
    return Topic(f"v2.detail.events.conversation.{{id}}.{tail}", words, model, DETAILS)


_NESTED, _FLAT = "ConversationEventTopicConversation", "ConversationCallEventTopicCallConversation"
_CALLBACK = "ConversationCallbackEventTopicCallbackConversation"
_ACTIVITY = "AgentActivityChangedTopicAgentActivity"
_SUMMARY = "UserConversationsEventUserConversationSummary"
_CONNECTION = "PersistentConnectionChangeTopicPersistentConnectionChangeEvent"
_USER = "/api/v2/users/{userId}"
_ALL: Final = (
    _users("conversations", "Every conversation of a user, nested", _NESTED, WATCH_OTHERS, "/api/v2/conversations"),
    _users("conversations.calls", "Every call of a user, flat", _FLAT, WATCH_OTHERS, "/api/v2/conversations/calls"),
    _users("conversations.callbacks", "Every callback of a user", _CALLBACK, WATCH_OTHERS),
    _users("conversationsummary", "How many conversations a user has", _SUMMARY, WATCH_OTHERS),
    _users("presence", "The presence of a user", "PresenceEventUserPresence", "", f"{_USER}/presences/{{sourceId}}"),
    _users(
        "routingStatus",
        "The routing status of a user",
        "UserRoutingStatusUserRoutingStatus",
        "",
        f"{_USER}/routingstatus",
    ),
    _users(
        "station", "The station of a user", "UserStationChangeTopicUserStations", OTHER_STATIONS, f"{_USER}/station"
    ),
    _users("activity", "The presence and routing status of a user in one", _ACTIVITY),
    _users("persistentconnection", "The persistent connection of a user's station", _CONNECTION),
    _users(
        "callforwarding",
        "The call forwarding of a user",
        "CallForwardingEventCallForwarding",
        "",
        f"{_USER}/callforwarding",
    ),
    Topic("v2.users.{id}.tokens", "Changes of a user's tokens", "UserTokensTopicTokenNotification", only_oneself=True),
    _queues("conversations", "Every conversation of a queue, nested", _NESTED),
    _queues("conversations.calls", "Every call of a queue, flat", _FLAT),
    _queues("conversations.callbacks", "Every callback of a queue", _CALLBACK),
    _queues("users", "Who joins and leaves a queue", "QueueUserEventTopicQueueMember", QUEUES),
    _details("customer.start", "A far end begins", "CustomerStartDetailEventTopicCustomerStartEvent"),
    _details("customer.end", "A far end ends", "CustomerEndDetailEventTopicCustomerEndEvent"),
    _details("user.start", "An agent's part begins", "UserStartDetailEventTopicUserStartEvent"),
    _details("user.end", "An agent's part ends", "UserEndDetailEventTopicUserEndEvent"),
    _details("acd.start", "A wait in a queue begins", "AcdStartDetailEventTopicAcdStartEvent"),
    _details("acd.end", "A wait in a queue ends", "AcdEndDetailEventTopicAcdEndEvent"),
    _details("voicemail.start", "A voicemail begins", "VoicemailStartDetailEventTopicVoicemailStartEvent"),
    _details("voicemail.end", "A voicemail ends", "VoicemailEndDetailEventTopicVoicemailEndEvent"),
    _details("acw", "After-call work is done", "AcwDetailEventTopicAfterCallWorkEvent"),
    _details("wrapup", "A wrap-up is filed", "WrapupDetailEventTopicWrapupEvent"),
    _details("attributes", "A participant's attributes change", "AttributeDetailEventTopicAttributeUpdateEvent"),
    _details("contact", "A far end is linked to a contact", "ContactDetailEventTopicContactUpdateEvent"),
)
CATALOGUE: Final[dict[str, Topic]] = {each.template: each for each in _ALL}
"""Every topic by its template."""

_STEMS: Final = ("v2.users.", "v2.routing.queues.", "v2.detail.events.conversation.")


def refusal(topic: str, org: Org, user_id: str, permissions: frozenset[str]) -> Refusal | None:
    """Why somebody may not listen to a topic; None when they may. *user_id* is empty for a service."""
    stem, thing_id, tail = _parts(topic)
    entry = CATALOGUE.get(f"{stem}{{id}}.{tail}")
    if not stem or entry is None:
        return Refusal(f"{_brief(topic)} is not in the catalogue, GET {CATALOGUE_PATH}")
    known = thing_id in (org.users if stem == _STEMS[0] else org.queues) or stem == _STEMS[2]
    if not thing_id or not known:
        return Refusal(f"{_brief(topic)} names an id that does not exist")
    if entry.only_oneself and thing_id != user_id:
        return Refusal(f"{_brief(topic)} is for that user alone")
    oneself = entry.or_oneself and thing_id == user_id
    if entry.permission and not oneself and not holds_any(permissions, (entry.permission,)):
        return Refusal(f"{_brief(topic)} needs the permission {entry.permission}", entry.permission)
    return None


def thing_of(topic: str) -> str:
    """The id of the user, queue or conversation that a topic is about."""
    return _parts(topic)[1]


def _parts(topic: str) -> tuple[str, str, str]:
    stem = next((each for each in _STEMS if topic.startswith(each)), "")
    thing_id, _, tail = topic.removeprefix(stem).partition(".")
    return stem, thing_id, tail


def _brief(topic: str) -> str:
    return topic if len(topic) <= LONGEST else f"{topic[:40]}…"
