"""Handing a call on: to somebody at once, or after a word with them."""

from collections.abc import Callable

import msgspec

from ringonce.sandbox.consults import SPEAK_TO
from ringonce.sandbox.conversation import Conversation, Participant
from ringonce.sandbox.desk import parties
from ringonce.sandbox.desk.legs import live_leg_of, participant, reachable
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit
from ringonce.sandbox.lines import Destination
from ringonce.sandbox.shapes.problems import bad_request, invalid_value, not_a_user, not_found

TRANSFER = ("conversation:communication:blindTransfer",)
CONSULT = ("conversation:communication:consultTransfer",)
TRANSFER_TYPES = ("Attended", "Unattended")


class Transfer(msgspec.Struct, rename="camel"):
    """The official SDK's models TransferRequest and TransferTo(Agent|Queue|External|Address)Request in one."""

    transfer_type: str | None = None
    user_id: str | None = None
    address: str | None = None
    user_name: str | None = None
    user_display_name: str | None = None
    queue_id: str | None = None
    queue_name: str | None = None
    voicemail: bool | None = None


class Consult(msgspec.Struct, rename="camel"):
    """The official SDK's models ConsultTransfer, ConsultTransferTo(Agent|Queue|External) and …Update in one."""

    speak_to: str | None = None
    consulting_user_id: str | None = None
    destination: parties.Party | None = None
    user_id: str | None = None
    user_display_name: str | None = None
    queue_id: str | None = None
    queue_name: str | None = None
    address: str | None = None


def replace(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """Replace a participant by whomever the body names."""
    return _replace(visit, conversation_id, participant_id, ("user_id", "user_name", "address", "queue_id"))


def replace_by_agent(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """Replace a participant by an agent."""
    return _replace(visit, conversation_id, participant_id, ("user_id", "user_name", "user_display_name"))


def replace_by_queue(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """Replace a participant by a queue."""
    return _replace(visit, conversation_id, participant_id, ("queue_id", "queue_name"))


def replace_by_address(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """Replace a participant by an address."""
    return _replace(visit, conversation_id, participant_id, ("address",))


def _replace(visit: Visit, conversation_id: str, participant_id: str, words: tuple[str, ...]) -> Answer:
    whole = reachable(visit, conversation_id)
    leg = participant(whole, participant_id)
    asked = visit.read(Transfer)
    if asked.transfer_type not in {None, *TRANSFER_TYPES}:
        raise invalid_value("transferType", asked.transfer_type, TRANSFER_TYPES)
    destination = _target(visit, asked, words)
    if leg.state != "connected":
        words_ = "Only a connected participant can be transferred."
        raise bad_request(words_, code="conversations.error.transfer.not.connected")
    if destination.user_id and destination.user_id in {each.user_id for each in whole.live()}:
        words_ = "A call cannot be transferred to somebody who is in it."
        raise bad_request(words_, code="conversations.error.transfer.same.party")
    attended = asked.transfer_type == "Attended"
    if attended and destination.queue_id:
        words_ = "A call can only be transferred unattended to a queue."
        raise bad_request(words_, code="conversations.error.transfer.acd.call.unattended", field="transferType")
    visit.world.control.replace(whole, leg, destination, attended=attended)
    return 202, None


def _target(visit: Visit, asked: Transfer, words: tuple[str, ...]) -> Destination:
    given = [word for word in words if getattr(asked, word)]
    if len(given) != 1:
        listed = ", ".join(map(_camel, words))
        raise bad_request(f"Give one of {listed}, and no second one.", field=_camel(words[0]))
    word, value, voicemail = given[0], getattr(asked, given[0]), bool(asked.voicemail)
    if word in {"queue_id", "queue_name"}:
        for queue in visit.world.org.queues.values():
            if value == (queue.id if word == "queue_id" else queue.name):
                return Destination(queue_id=queue.id, name=queue.name)
        raise bad_request(f"There is no queue {value}.", field=_camel(word), code="conversations.error.queue.not.found")
    if word == "address":
        return Destination(dialled=value)
    if word == "user_id":
        return parties.of_user(visit, value, voicemail=voicemail)
    return parties.of_user_named(visit, value, voicemail=voicemail)


def _camel(words: str) -> str:
    first, *rest = words.split("_")
    return first + "".join(each[:1].upper() + each[1:] for each in rest)


def consult(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """Call somebody about a participant, who waits meanwhile."""
    return _consult(visit, conversation_id, participant_id, "destination", lambda asked: asked.destination)


def consult_agent(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """The same with an agent."""
    return _consult(
        visit, conversation_id, participant_id, "userId", lambda asked: parties.Party(user_id=asked.user_id)
    )


def consult_queue(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """The same with a queue."""
    return _consult(
        visit, conversation_id, participant_id, "queueId", lambda asked: parties.Party(queue_id=asked.queue_id)
    )


def consult_address(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """The same with an address."""
    return _consult(
        visit, conversation_id, participant_id, "address", lambda asked: parties.Party(address=asked.address)
    )


def _consult(
    visit: Visit,
    conversation_id: str,
    participant_id: str,
    field: str,
    named: Callable[[Consult], parties.Party | None],
) -> Answer:
    whole = reachable(visit, conversation_id)
    subject = participant(whole, participant_id)
    asked = visit.read(Consult)
    speak_to = _speak_to(asked) or "DESTINATION"
    agent = _consulting(visit, whole, asked)
    if subject is agent:
        words = "The participant in the path must be the one to be transferred, not the one who transfers."
        raise bad_request(words, code="object.participant.id.required")
    if agent.state != "connected" or subject.state != "connected":
        words = "Only a connected participant can be transferred."
        raise bad_request(words, code="conversations.error.transfer.not.connected")
    if whole.consulted is not None:
        raise bad_request("A consult transfer of this conversation is under way already.")
    party = named(asked)
    if party is None:
        raise bad_request("destination is required.", field="destination", code="required.field.missing")
    [destination] = parties.destinations(visit, [party], field)
    if destination.user_id and destination.user_id == agent.user_id:
        raise bad_request("A call cannot be transferred to oneself.", code="conversation.error.cannot.transfer.to.self")
    if destination.user_id and destination.user_id in {each.user_id for each in whole.live()}:
        words = "A call cannot be transferred to somebody who is in it."
        raise bad_request(words, code="conversations.error.transfer.same.party")
    consulted = visit.world.consults.begin(whole, agent, subject, destination, speak_to)
    return 200, {"destinationParticipantId": consulted.id}


def speak(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """Change who hears whom in a consult."""
    whole, consulted = _under_way(visit, conversation_id, participant_id)
    speak_to = _speak_to(visit.read(Consult))
    if speak_to is None:
        raise bad_request("speakTo is required.", field="speakTo", code="required.field.missing")
    visit.world.consults.speak(whole, consulted, speak_to)
    return 200, {"destinationParticipantId": consulted.id}


def cancel(visit: Visit, conversation_id: str, participant_id: str) -> Answer:
    """Send away whoever was consulted."""
    whole, consulted = _under_way(visit, conversation_id, participant_id)
    visit.world.consults.cancel(whole, consulted)
    return 200, None


def _under_way(visit: Visit, conversation_id: str, participant_id: str) -> tuple[Conversation, Participant]:
    whole = reachable(visit, conversation_id)
    participant(whole, participant_id)
    consulted = whole.consulted
    if consulted is None or consulted.consult_object != participant_id:
        raise not_found("No consult transfer of this participant is under way.")
    return whole, consulted


def _speak_to(asked: Consult) -> str | None:
    if asked.speak_to is not None and asked.speak_to not in SPEAK_TO:
        raise invalid_value("speakTo", asked.speak_to, SPEAK_TO)
    return asked.speak_to


def _consulting(visit: Visit, whole: Conversation, asked: Consult) -> Participant:
    """Who consults: the token's user, or whom a service names."""
    user_id = visit.token.user_id or asked.consulting_user_id
    if not user_id:
        raise not_a_user()
    leg = live_leg_of(whole, user_id)
    if leg is None:
        raise bad_request("The user who consults is not in the conversation.", code="not.a.participant")
    return leg


_LEG = "/conversations/calls/{conversationId}/participants/{participantId}"
_PARTY = "/conversations/{conversationId}/participants/{participantId}"
ROUTES = [
    Route("POST", f"{_LEG}/replace", replace, any_of=TRANSFER),
    Route("POST", f"{_PARTY}/replace", replace, any_of=TRANSFER),
    Route("POST", f"{_PARTY}/replace/agent", replace_by_agent, any_of=TRANSFER),
    Route("POST", f"{_PARTY}/replace/queue", replace_by_queue, any_of=TRANSFER),
    Route("POST", f"{_PARTY}/replace/external", replace_by_address, any_of=TRANSFER),
    Route("POST", f"{_LEG}/consult", consult, any_of=CONSULT),
    Route("POST", f"{_LEG}/consult/agent", consult_agent, any_of=CONSULT),
    Route("POST", f"{_LEG}/consult/queue", consult_queue, any_of=CONSULT),
    Route("POST", f"{_LEG}/consult/external", consult_address, any_of=CONSULT),
    Route("PATCH", f"{_LEG}/consult", speak, any_of=CONSULT),
    Route("DELETE", f"{_LEG}/consult", cancel, any_of=CONSULT),
]
