"""Finding the leg that a path names."""

from ringonce.sandbox.conversation import Conversation, Participant
from ringonce.sandbox.shapes.problems import Problem, not_found


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


def no_participant() -> Problem:
    """404: not in this conversation."""
    words = "User is not a participant in the conversation."
    return not_found(words, code="conversation.error.not.conversation.participant")
