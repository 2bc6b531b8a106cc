"""More than two in a call: merging calls, and calling others in."""

from collections.abc import Sequence

import msgspec

from ringonce.sandbox.conversation import Conversation, Participant
from ringonce.sandbox.desk import parties
from ringonce.sandbox.desk.legs import conversation, live_leg_of, no_participant, not_active, reachable
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit, found
from ringonce.sandbox.shapes import nested
from ringonce.sandbox.shapes.flat import LARGEST_CONFERENCE
from ringonce.sandbox.shapes.problems import Problem, bad_request, not_a_user

CONFERENCE = ("conversation:conference:add",)
ON_BEHALF = ("conversation:agentlessCall:add",)


class Added(msgspec.Struct):
    """What the official SDK's model Conversation says of parties to be called in."""

    participants: list[parties.Party] | None = None


class Merged(msgspec.Struct, rename="camel"):
    """The official SDK's model UpdateConferenceRequest."""

    conversation_ids: list[str] | None = None


def size(_visit: Visit) -> Answer:
    """How many parties a conference may have."""
    return 200, {"maxParticipants": LARGEST_CONFERENCE}


def create(visit: Visit, user_id: str, conversation_ids: Sequence[str]) -> Conversation:
    """Make a conference of a user's calls."""
    return visit.world.conferences.create(user_id, mergeable(visit, user_id, conversation_ids))


def merge(visit: Visit, conversation_id: str) -> Answer:
    """Merge other calls into this one."""
    whole = reachable(visit, conversation_id)
    merge_into(visit, whole, visit.read(Merged).conversation_ids or [])
    return 202, None


def merge_into(visit: Visit, whole: Conversation, conversation_ids: Sequence[str]) -> None:
    """Merge other calls of the token's user, or of the agent whom this call was placed for, into this one."""
    user_id = visit.token.user_id or whole.agent_id
    others = [each for each in conversation_ids if each != whole.id]
    calls = mergeable(visit, user_id, [whole.id, *others])
    if not others:
        raise _nothing_to_merge()
    visit.world.conferences.merge(user_id, whole, calls[1:])


def mergeable(visit: Visit, user_id: str, conversation_ids: Sequence[str]) -> list[Conversation]:
    """The calls with these ids, if a conference can be made of them."""
    calls = [conversation(visit, each) for each in dict.fromkeys(conversation_ids)]
    if not calls:
        raise _nothing_to_merge()
    for call in calls:
        if live_leg_of(call, user_id) is None:
            raise not_active()
        if any(leg.state != "connected" for leg in call.live()):
            words = "A call that is still alerting cannot be merged into a conference."
            raise bad_request(words, code="conversation.error.cannot.merge.alerting.conference")
    _within_size(sum(1 for call in calls for _ in call.live()))
    return calls


def add(visit: Visit, conversation_id: str) -> Answer:
    """Call others in, for the token's user."""
    if not visit.token.user_id:
        raise not_a_user()
    return _add(visit, reachable(visit, conversation_id), visit.token.user_id)


def add_for(visit: Visit, conversation_id: str, user_id: str) -> Answer:
    """Call others in on behalf of a user in the call."""
    found(visit.world.org.users, user_id, "a user")
    return _add(visit, conversation(visit, conversation_id), user_id)


def _add(visit: Visit, whole: Conversation, user_id: str) -> Answer:
    asked = visit.read(Added).participants
    if not asked:
        raise bad_request("participants is required.", field="participants", code="required.field.missing")
    caller = live_leg_of(whole, user_id)
    if caller is None:
        raise no_participant()
    _may_call_others(caller)
    destinations = parties.destinations(visit, asked, "participants")
    parties.each_once(destinations, [leg.user_id for leg in whole.live()])
    _within_size(sum(1 for _ in whole.live()) + len(destinations))
    visit.world.conferences.invite(whole, caller, destinations)
    return 200, nested.conversation(whole)


def _may_call_others(caller: Participant) -> None:
    if caller.state != "connected":
        words = "Others can be called in once the call is connected."
        raise bad_request(words, code="conversation.error.cannot.create.conference")


def _within_size(parties_: int) -> None:
    if parties_ > LARGEST_CONFERENCE:
        words = f"A conference has at most {LARGEST_CONFERENCE} parties; this one would have {parties_}."
        raise bad_request(words, code="conversation.error.cannot.create.conference")


def _nothing_to_merge() -> Problem:
    words = "conversationIds must name at least one other conversation."
    return bad_request(words, field="conversationIds", code="conversation.error.empty.conversation.list")


_CALL = "/conversations/calls/{conversationId}"
ROUTES = [
    Route("GET", "/conversations/calls/maximumconferenceparties", size),
    Route("PATCH", f"{_CALL}/conference", merge, any_of=CONFERENCE),
    Route("POST", f"{_CALL}/participants", add),
    Route("POST", f"{_CALL}/participants/user/{{userId}}", add_for, any_of=ON_BEHALF),
]
