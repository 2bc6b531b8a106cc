"""The wire that a tutorial taught: one POST with `from`, `to` and `type`, answered 201 with a `status`."""

import re
from typing import Any

import msgspec

from ringonce.sandbox.desk.visit import Answer, Visit
from ringonce.sandbox.lines import Destination, Order
from ringonce.sandbox.org import Org, User
from ringonce.sandbox.shapes import nested
from ringonce.sandbox.shapes.problems import Problem, bad_request, no_station

_E164 = re.compile(r"\+[1-9]\d{6,14}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class From(msgspec.Struct, rename="camel"):
    """The agent, and the number to show."""

    id: str
    phone_number: str
    name: str | None = None


class To(msgspec.Struct, rename="camel"):
    """The number to call, by either name."""

    phone_number: str | None = None
    id: str | None = None


class TutorialCall(msgspec.Struct):
    """The whole body."""

    from_: From = msgspec.field(name="from")
    to: To
    type: str


def speaks(body: dict[str, Any]) -> bool:
    """Whether a body is of this wire: the platform's own has none of these words."""
    return not body.keys().isdisjoint({"from", "to", "type"})


def place(visit: Visit) -> Answer:
    """Place a call for the agent whom the body names."""
    asked = visit.read(TutorialCall)
    org = visit.world.org
    if asked.type != "pstn":
        raise bad_request(f"type is {asked.type!r}; it must be 'pstn'.", field="type", code="invalid.value")
    agent = _agent(visit, asked.from_.id)
    dialled = asked.to.phone_number or asked.to.id or ""
    _number("to.phoneNumber", dialled)
    _number("from.phoneNumber", asked.from_.phone_number)
    _may_show(org, agent, asked.from_.phone_number)
    if agent.state != "active":
        words = f"from.id {agent.id} is a user who is {agent.state}, not active."
        raise bad_request(words, field="from.id", code="invalid.value")
    station = visit.world.directory.station_of(agent.id)
    if station is None:
        raise no_station()
    order = Order(
        agent=agent,
        station=station,
        destinations=(Destination(dialled=dialled),),
        caller_id=asked.from_.phone_number,
        caller_name=asked.from_.name or "",
        tutorial=True,
    )
    return 201, nested.conversation(visit.world.exchange.place(order))


def _agent(visit: Visit, user_id: str) -> User:
    if _UUID.fullmatch(user_id) is None:
        raise bad_request(f"from.id {user_id!r} is not the UUID of a user.", field="from.id", code="invalid.value")
    agent = visit.world.org.users.get(user_id.lower())
    if agent is None:
        words = f"from.id {user_id} is no user of this organization."
        raise bad_request(words, field="from.id", code="invalid.value")
    if visit.token.user_id and visit.token.user_id != agent.id:
        words = "from.id is not the user whom this token was made for."
        raise Problem(403, "not.authorized", words, field="from.id")
    return agent


def _number(field: str, number: str) -> None:
    if _E164.fullmatch(number) is None:
        words = f"{field} {number!r} is not a phone number in E.164 format, for example +15551234567."
        raise bad_request(words, field=field, code="invalid.value")


def _may_show(org: Org, agent: User, number: str) -> None:
    did = org.did_of(number)
    if did is None:
        why = "is not a number of this organization"
    elif did.state != "active":
        why = "is a number of this organization, but not active"
    elif did.owner_id not in {None, agent.id} and not any(number in role.caller_ids for role in agent.roles):
        why = "is assigned to somebody else, and no role of the agent allows it"
    else:
        return
    fix = "Use one that is active, and the agent's own, nobody's, or allowed by a role of the agent."
    words = f"The caller id {number} {why}. {fix}"
    raise Problem(403, "not.authorized", words, field="from.phoneNumber")
