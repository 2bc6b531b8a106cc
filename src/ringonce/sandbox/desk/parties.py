"""Whom a request names: a user, a queue or an address."""

from collections.abc import Iterable
from typing import Final

import msgspec

from ringonce.sandbox.desk.visit import Visit, found
from ringonce.sandbox.lines import Destination
from ringonce.sandbox.shapes.problems import Problem, bad_request, invalid_value, not_found

LONGEST_ADDRESS: Final = 255
_CREATE_NEEDS: Final = (
    "A destination is required: phoneNumber, callUserId, callQueueId, participants or conversationIds."
)


class Party(msgspec.Struct, rename="camel"):
    """One of several destinations: the official SDK's model Destination, and what its model Participant has of it."""

    address: str | None = None
    name: str | None = None
    user_id: str | None = None
    queue_id: str | None = None


def destinations(visit: Visit, parties: Iterable[Party], field: str) -> tuple[Destination, ...]:
    """Whom each of *parties* names; 400 for none and for more than one at once, 404 for somebody unknown.

    *field* is where the request names them.
    """
    return tuple(_destination(visit, each, field) for each in parties)


def each_once(parties: Iterable[Destination], present: Iterable[str]) -> None:
    """Refuse with 400 a user who would be in a conversation twice; *present* are the users who are in it."""
    there = set(present)
    for user_id in [each.user_id for each in parties if each.user_id]:
        if user_id in there:
            words = (
                "Nobody can be in a conversation twice: a user who is in it, or named before, cannot be called into it."
            )
            raise bad_request(words, code="conversation.error.cannot.create.conference")
        there.add(user_id)


def _destination(visit: Visit, party: Party, field: str) -> Destination:
    if sum(map(bool, (party.address, party.user_id, party.queue_id))) > 1:
        raise too_many_destinations()
    if party.user_id:
        return of_user(visit, party.user_id)
    if party.queue_id:
        return of_queue(visit, party.queue_id)
    if party.address:
        return Destination(dialled=dialled(field, party.address), name=party.name or "")
    words = _CREATE_NEEDS if field == "phoneNumber" else f"{field} is required, and has to say whom to call."
    raise bad_request(words, field=field, code="required.field.missing")


def dialled(field: str, text: str) -> str:
    """What is to be dialled; 400 for what no telephone could. A number that leads nowhere fails once it is called."""
    if len(text) > LONGEST_ADDRESS or not text.isprintable():
        raise invalid_value(field, ascii(text[:40])[1:-1], ["a telephone number or a SIP address"])
    return text


def of_user(visit: Visit, user_id: str, *, voicemail: bool = False) -> Destination:
    """A user, or their voicemail; 404 for nobody."""
    user = found(visit.world.org.users, user_id, "a user")
    return Destination(user_id=user.id, name=user.name, voicemail=voicemail)


def of_user_named(visit: Visit, name: str, *, voicemail: bool = False) -> Destination:
    """The user with this e-mail address or name; 404 for nobody."""
    user = next((each for each in visit.world.org.users.values() if name in {each.email, each.name}), None)
    if user is None:
        raise not_found(f"Unable to find a user with the name {name}.")
    return Destination(user_id=user.id, name=user.name, voicemail=voicemail)


def of_queue(visit: Visit, queue_id: str) -> Destination:
    """A queue; 404 for none."""
    queue = found(visit.world.org.queues, queue_id, "a queue")
    return Destination(queue_id=queue.id, name=queue.name)


def too_many_destinations() -> Problem:
    """400: more than one destination where one is wanted."""
    words = "Only a single destination can be supplied in a create conversation request."
    return bad_request(words, code="too.many.create.conversation.parameters")
