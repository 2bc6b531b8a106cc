"""Wrap-up: what a call came to, filed by its agent."""

import msgspec

from ringonce.sandbox.conversation import Conversation, Participant
from ringonce.sandbox.desk.legs import communication, conversation, not_active, participant
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit
from ringonce.sandbox.shapes import flat, queues
from ringonce.sandbox.shapes.problems import bad_request, not_found

CODE_REQUIRED = frozenset({"mandatory", "timeout", "forcedTimeout"})


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
    leg = communication(whole, participant_id, communication_id)
    file_by(visit, visit.token.user_id, whole, leg, visit.read(Filed))
    return 202, None


def file_by(visit: Visit, user_id: str, whole: Conversation, leg: Participant, filed: Filed) -> None:
    """Check what a user says, and file it a moment later. It is about their own part; a service is no user."""
    if user_id and leg.user_id != user_id:
        raise not_active()
    if filed.duration_seconds is not None and filed.duration_seconds < 0:
        words = f"durationSeconds is {filed.duration_seconds}; it must not be below 0."
        raise bad_request(words, field="durationSeconds", code="invalid.value")
    provisional = bool(filed.provisional)
    if not filed.code and not provisional and leg.wrapup_prompt in CODE_REQUIRED:
        words = "Wrapup code is required for non-provisional wrapup"
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
    return _filed(visit, participant(conversation(visit, conversation_id), participant_id))


def read_of_communication(visit: Visit, conversation_id: str, participant_id: str, communication_id: str) -> Answer:
    """The same of one communication."""
    return _filed(visit, communication(conversation(visit, conversation_id), participant_id, communication_id))


def _filed(visit: Visit, leg: Participant) -> Answer:
    provisional = visit.request.query.get("provisional", "").lower() == "true"
    filed = leg.provisional if provisional else leg.wrapup
    if filed is None:
        raise not_found("Nothing has been filed for this participant yet.")
    return 200, flat.wrapup(filed)


def choices(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """The codes that a participant may file: those of the queue, none without one."""
    leg = participant(conversation(visit, conversation_id), participant_id)
    org = visit.world.org
    queue = org.queues.get(leg.queue_id)
    return 200, [queues.wrapup_code(org.wrapup_codes[each]) for each in queue.wrapup_code_ids] if queue else []


WRAP_UP = ("conversation:participant:wrapup",)
_PARTY = "/conversations/{conversationId}/participants/{participantId}"


def _routes(media: str) -> list[Route]:
    leg = f"/conversations/{media}/{{conversationId}}/participants/{{participantId}}"
    line = f"{leg}/communications/{{communicationId}}"
    return [
        Route("POST", f"{line}/wrapup", file, any_of=WRAP_UP),
        Route("GET", f"{line}/wrapup", read_of_communication),
        Route("GET", f"{leg}/wrapup", read),
        Route("GET", f"{leg}/wrapupcodes", choices),
    ]


ROUTES = [
    *_routes("calls"),
    *_routes("callbacks"),
    Route("GET", f"{_PARTY}/wrapup", read),
    Route("GET", f"{_PARTY}/wrapupcodes", choices),
]
