"""Finding the conversation and the leg that a path names."""

from ringonce.sandbox.conversation import Conversation, Participant
from ringonce.sandbox.desk.visit import Visit
from ringonce.sandbox.shapes.problems import Problem, no_conversation, not_found


def conversation(visit: Visit, conversation_id: str, media: str = "") -> Conversation:
    """The conversation with this id, with a leg of *media* (call or callback) if that matters; or 404."""
    known = visit.world.exchange.conversations.get(conversation_id)
    if known is None or (media and not known.has(media)):
        raise no_conversation(conversation_id)
    return known


def reachable(visit: Visit, conversation_id: str, media: str = "") -> Conversation:
    """The conversation, unless the token acts for a user who has nothing to do with it."""
    whole = conversation(visit, conversation_id, media)
    if visit.token.user_id and visit.token.user_id not in whole.user_ids():
        raise not_active()
    return whole


def participant(whole: Conversation, participant_id: str) -> Participant:
    """The participant of a conversation, or 404."""
    leg = whole.participant(participant_id)
    if leg is None:
        raise no_participant()
    return leg


def communication(whole: Conversation, participant_id: str, communication_id: str) -> Participant:
    """The participant that has this communication, or 404."""
    leg = participant(whole, participant_id)
    if leg.call_id != communication_id:
        raise not_found(f"The participant has no communication with the id {communication_id}.")
    return leg


def live_leg_of(whole: Conversation, user_id: str) -> Participant | None:
    """The leg of a call that a user is on now."""
    return next((leg for leg in whole.live() if leg.user_id == user_id and leg.callback is None), None)


def no_participant() -> Problem:
    """404: not in this conversation."""
    words = "User is not a participant in the conversation."
    return not_found(words, code="conversation.error.not.conversation.participant")


def not_active() -> Problem:
    """403: somebody else's conversation."""
    words = "Only an active participant of the conversation may do this."
    return Problem(403, "conversation.error.forbidden.not.active.participant", words)
