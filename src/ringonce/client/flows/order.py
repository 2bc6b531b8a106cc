"""An order to call, checked before anything is sent, and the request it becomes on each wire."""

import logging
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from ringonce import numbers
from ringonce.client.flows import directory, identity
from ringonce.client.flows.bounding import within
from ringonce.client.flows.session import Session, token_user
from ringonce.client.fold import STAMP
from ringonce.client.wishes import Flow, Request
from ringonce.errors import InvalidInput
from ringonce.models import Wire

LONGEST_INTENT = 128
LONGEST_KEY, LONGEST_VALUE, MOST_ATTRIBUTES = 128, 4096, 100
LONGEST_NAME, LONGEST_UUI = 256, 1024

log = logging.getLogger("ringonce.client")


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One decision to call, as it was given."""

    intent: str
    agent: str
    to: str
    caller_id: str = ""
    caller_name: str = ""
    queue: str = ""
    attributes: Mapping[str, str] = {}
    external_contact: str = ""
    uui: str = ""
    wire: Wire = Wire.PLATFORM
    allow_premium: bool = False
    timeout: Annotated[float, msgspec.Meta(gt=0)] = 30.0


def order(**fields: Any) -> Order:
    """Make an order of what a caller gave. Raise `InvalidInput` where a value is of the wrong kind."""
    try:
        return msgspec.convert(fields, Order)
    except msgspec.ValidationError as wrong:
        raise InvalidInput(
            "The call can't be placed as asked",
            why=str(wrong),
            fix="texts are str, attributes a dict of str to str, wire is platform or tutorial, timeout above 0",
        ) from wrong


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The one request that an order becomes."""

    method: str
    url: str
    body: dict[str, Any]
    agent_id: str
    to: str
    """The number in E.164."""
    identity: str
    """Which grant sends it, and for whom."""
    acts: str = ""
    """The agent whose own token sends it, by id; empty if that is the client's."""

    def request(self) -> Request:
        """Give the request to send. It is never repeatable."""
        return Request(self.method, self.url, body=self.body)


def checked(session: Session, given: Order) -> Order:
    """Give the order with its numbers in E.164, as `sound` does for the client's own country."""
    return sound(given, session.country)


def sound(given: Order, country: str) -> Order:
    """Give the order with its numbers in E.164. Raise `InvalidInput` with what, why and fix; sends nothing.

    *country* is where numbers without a country code live (ISO 3166, two letters).
    """
    one_of_both(given)
    if not given.caller_id and given.wire is Wire.TUTORIAL:
        raise needs_caller_id()
    if given.wire is Wire.TUTORIAL and (given.attributes or given.queue or given.external_contact or given.uui):
        raise InvalidInput(
            "The tutorial wire has no attributes, queue, external contact or UUI",
            why="its request has only `from`, `to` and `type`",
            fix="leave them out, or use the platform's own wire",
        )
    _fits("intent", given.intent, LONGEST_INTENT, "give a short key, such as crm-4711")
    if given.intent != given.intent.strip():
        raise InvalidInput(
            f"The intent {given.intent!r} begins or ends with white space",
            why="to the eye it is the same key as without, and yet another intent",
            fix=f"give {given.intent.strip()!r}",
        )
    for name, value, longest in (
        ("caller_name", given.caller_name, LONGEST_NAME),
        ("external_contact", given.external_contact, LONGEST_NAME),
        ("uui", given.uui, LONGEST_UUI),
    ):
        if value:
            _fits(name, value, longest, "shorten it")
    _check_attributes(given.attributes)
    caller_id = numbers.dialable(given.caller_id, country=country) if given.caller_id else ""
    to = numbers.dialable(given.to, country=country, allow_premium=given.allow_premium)
    return msgspec.structs.replace(given, to=to, caller_id=caller_id)


def one_of_both(given: Order) -> None:
    """Refuse a caller id beside a queue."""
    if given.caller_id and given.queue:
        raise InvalidInput(
            "A caller id and a queue were both given",
            why="a queue brings its own caller id",
            fix="give one of them",
        )


def needs_caller_id() -> InvalidInput:
    """Say that the tutorial wire can't do without a caller id."""
    return InvalidInput(
        "The tutorial wire needs a caller id",
        why="its request has the number in `from.phoneNumber`",
        fix="give caller_id, one of the agent's own numbers",
    )


def plan(session: Session, wanted: Order, deadline: float) -> Flow[Plan]:
    """Turn a checked order into its request, by *deadline*: who is asked for, by whom, with what body."""
    return (yield from within(_plan(session, wanted, deadline), deadline))


def _plan(session: Session, wanted: Order, deadline: float) -> Flow[Plan]:
    agent = directory.known_id(session, wanted.agent)
    agent = agent or (yield from directory.agent_id(session, wanted.agent, deadline))
    acts = yield from identity.acting(session, wanted.agent, agent, deadline)
    if wanted.wire is Wire.TUTORIAL:
        body, own = _tutorial_body(wanted, agent), True
        said = identity.words(session, acts, agent, own_endpoint=bool(acts))
    else:
        queue = (yield from directory.queue_id(session, wanted.queue, deadline)) if wanted.queue else ""
        own = bool(acts) or (yield from token_user(session, deadline=deadline)) == agent
        body, said = _platform_body(wanted, queue), identity.words(session, acts, agent, own_endpoint=own)
    url = session.url("/conversations/calls" if own else f"/conversations/calls/user/{agent}")
    log.debug("the call of agent %s goes out to POST %s with %s", agent, url, said)
    return Plan(method="POST", url=url, body=body, agent_id=agent, to=wanted.to, identity=said, acts=acts)


def _platform_body(wanted: Order, queue: str) -> dict[str, Any]:
    """Official SDK model CreateCallRequest."""
    fields = {
        "phoneNumber": wanted.to,
        "callerId": wanted.caller_id,
        "callerIdName": wanted.caller_name,
        "callFromQueueId": queue,
        "externalContactId": wanted.external_contact,
        "uuiData": wanted.uui,
        "attributes": {**wanted.attributes, STAMP: wanted.intent},
    }
    return {name: value for name, value in fields.items() if value}


def _tutorial_body(wanted: Order, agent: str) -> dict[str, Any]:
    caller = {"id": agent, "name": wanted.caller_name, "phoneNumber": wanted.caller_id}
    return {
        "from": {name: value for name, value in caller.items() if value},
        "to": {"phoneNumber": wanted.to},
        "type": "pstn",
    }


def _check_attributes(attributes: Mapping[str, str]) -> None:
    if len(attributes) > MOST_ATTRIBUTES:
        raise InvalidInput(
            f"{len(attributes)} attributes are too many", why=f"the most is {MOST_ATTRIBUTES}", fix="send fewer"
        )
    for key, value in attributes.items():
        _fits("attribute name", key, LONGEST_KEY, "shorten it")
        if key.startswith("ringonce."):
            raise InvalidInput(
                f"Attribute {key!r} is reserved", why="ringonce.* marks calls", fix="choose another name"
            )
        if len(value) > LONGEST_VALUE:
            raise InvalidInput(
                f"Attribute {key!r} is too long",
                why=f"it has {len(value)} characters, {LONGEST_VALUE} are the most",
                fix="store a key to the data, not the data",
            )


def _fits(name: str, value: str, longest: int, fix: str) -> None:
    if not value.strip():
        raise InvalidInput(f"The {name} is empty", why="it needs at least one visible character", fix=fix)
    if len(value) > longest:
        raise InvalidInput(
            f"The {name} is too long", why=f"it has {len(value)} characters, {longest} are the most", fix=fix
        )
    if not value.isprintable():
        raise InvalidInput(f"The {name} has control characters", why=repr(value[:40]), fix="remove them")
