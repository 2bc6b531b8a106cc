"""Wrap-up: what a call came to, filed by its agent."""

import msgspec

from ringonce.sandbox.conversation import Conversation, Participant
from ringonce.sandbox.desk.calls import conversation
from ringonce.sandbox.desk.legs import communication, participant
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit
from ringonce.sandbox.shapes import flat, queues
from ringonce.sandbox.shapes.problems import bad_request, not_found


class Filed(msgspec.Struct, rename="camel"):
    """The official SDK's model WrapupInput."""

    code: str | None = None
    name: str | None = None
    notes: str | None = None
    tags: list[str] | None = None
    duration_seconds: int | None = None
    provisional: bool | None = None


def file(visit: Visit, conversation_id: str, participant_id: str, communication_id: str) -> Answer:
    """File what a call came to."""
    whole = conversation(visit, conversation_id)
    file_for(visit, whole, communication(whole, participant_id, communication_id), visit.read(Filed))
    return 202, None


def file_for(visit: Visit, whole: Conversation, leg: Participant, filed: Filed) -> None:
    """Check what an agent says, and file it a moment later."""
    provisional = bool(filed.provisional)
    if not filed.code and not provisional and leg.wrapup_prompt == "mandatory":
        words = "Wrapup code is a required field and cannot be empty."
        raise bad_request(words, field="code", code="conversation.error.wrapup.code.required")
    if filed.code and filed.code not in visit.world.org.wrapup_codes:
        words = f"No wrap-up code has the id {filed.code}; GET /api/v2/routing/wrapupcodes lists them."
        raise bad_request(words, field="code", code="invalid.value")
    visit.world.control.wrap_up(
        whole,
        leg,
        code=filed.code,
        notes=filed.notes,
        tags=filed.tags,
        seconds=filed.duration_seconds,
        provisional=provisional,
    )


def read(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """What was filed, or 404 while nothing is."""
    leg = participant(conversation(visit, conversation_id), participant_id)
    if leg.wrapup is None:
        raise not_found("Nothing has been filed for this participant yet.")
    return 200, flat.wrapup(leg.wrapup)


def choices(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """The codes that a participant may file: those of the queue, none without one."""
    leg = participant(conversation(visit, conversation_id), participant_id)
    org = visit.world.org
    queue = org.queues.get(leg.queue_id)
    return 200, [queues.wrapup_code(org.wrapup_codes[each]) for each in queue.wrapup_code_ids] if queue else []


_LEG = "/conversations/calls/{conversationId}/participants/{participantId}"
_PARTY = "/conversations/{conversationId}/participants/{participantId}"
ROUTES = [
    Route(
        "POST",
        f"{_LEG}/communications/{{communicationId}}/wrapup",
        file,
        any_of=("conversation:participant:wrapup",),
    ),
    Route("GET", f"{_LEG}/wrapup", read),
    Route("GET", f"{_PARTY}/wrapup", read),
    Route("GET", f"{_LEG}/wrapupcodes", choices),
    Route("GET", f"{_PARTY}/wrapupcodes", choices),
]
