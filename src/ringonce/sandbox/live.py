"""What the page shows, as it happens: a WebSocket that tells whoever looks which parts of the world have changed."""

import asyncio
import contextlib
import itertools
from collections.abc import Iterator
from typing import Any, Final, Protocol

import msgspec

from ringonce.sandbox.agenda import iso
from ringonce.sandbox.clock import Clock
from ringonce.sandbox.conversation import Conversation, Participant
from ringonce.sandbox.faults import Faults
from ringonce.sandbox.hostile import USUAL
from ringonce.sandbox.journal import Journal
from ringonce.sandbox.org import Org, User
from ringonce.sandbox.sockets import Receive, Send
from ringonce.sandbox.world import World, ground_truth

EVERY: Final = 0.15  # seconds between two looks
CALLS, REQUESTS, AGENTS = 100, 150, 60
_REFUSALS: Final = {486: "busy", 600: "busy", 603: "declined"}
_ENCODE = msgspec.json.Encoder().encode


class Shown(Protocol):
    """What there is to look at."""

    world: World
    clock: Clock
    faults: Faults
    journal: Journal
    doses: dict[str, float] | None


async def serve_live(house: Shown, receive: Receive, send: Send) -> None:
    """Tell one viewer of every change until they leave."""
    await receive()
    await send({"type": "websocket.accept"})

    async def leave() -> None:
        while (await receive())["type"] != "websocket.disconnect":
            pass

    async def tell() -> None:
        told: dict[str, bytes] = {}
        while True:
            house.clock.catch_up()
            now = dict(parts_of(house))
            news = {name: raw for name, raw in now.items() if told.get(name) != raw}
            gone = [name for name in told if name not in now]
            if news or gone:
                frame = _ENCODE({**{name: msgspec.Raw(raw) for name, raw in news.items()}, "gone": gone})
                await send({"type": "websocket.send", "text": frame.decode()})
            told = now
            await asyncio.sleep(EVERY)

    jobs = [asyncio.ensure_future(job) for job in (leave(), tell())]
    try:
        await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for job in jobs:
            job.cancel()
        # The viewer may be gone in the middle of a frame.
        await asyncio.gather(*jobs, return_exceptions=True)
        with contextlib.suppress(Exception):
            await send({"type": "websocket.close", "code": 1001})


def parts_of(house: Shown) -> Iterator[tuple[str, bytes]]:
    """Give each part of what is shown, by its name, encoded; a call is a part of its own."""
    world, clock = house.world, house.clock
    yield "clock", _ENCODE({"now": iso(world.now), "mode": clock.mode, "speed": clock.speed})
    yield "faults", _ENCODE({"set": house.faults.all(), "doses": house.doses, "usual": dict(USUAL)})
    yield "requests", _ENCODE({"total": house.journal.total, "last": house.journal.all(-REQUESTS)})
    calls, total = _last(world)
    for whole in calls:
        yield f"call.{whole.id}", _ENCODE(_call(whole, world.org))
    yield "order", _ENCODE({"total": total, "last": [each.id for each in calls]})
    yield "agents", _ENCODE(_agents(world, calls))


def _last(world: World) -> tuple[list[Conversation], int]:
    """The newest calls, newest first, and how many there were; what goes on is not crowded out by what is over."""
    newest: list[Conversation] = []
    number = -1
    # A callback is no call until somebody has called.
    called = (each for each in reversed(world.exchange.conversations.values()) if each.agent_id)
    for number, whole in enumerate(called):
        if number < CALLS or (not whole.ended and number < CALLS * 10):
            newest.append(whole)
    return newest[: CALLS * 2], number + 1


def _call(whole: Conversation, org: Org) -> dict[str, Any]:
    agent = org.users.get(whole.agent_id)
    return {
        **ground_truth(whole),
        "agent": agent.name if agent else whole.agent_id,
        **({"outcome": _outcome(whole)} if whole.ended else {}),
        "legs": [_leg(leg) for leg in whole.participants],
    }


def _outcome(whole: Conversation) -> str:
    """What a call that is over came to, in a word or two."""
    if whole.answered:
        return "ended"
    codes = [leg.reason.code for leg in whole.participants[1:] if leg.reason is not None]
    return _REFUSALS.get(codes[-1], "not reached") if codes else "not reached"


def _leg(leg: Participant) -> dict[str, Any]:
    number = leg.address.removeprefix("tel:") if leg.address.startswith("tel:") else ""
    shape: dict[str, Any] = {
        "purpose": leg.purpose,
        "name": leg.name or number or leg.purpose,
        "number": number,
        "state": leg.state,
        "segments": [[each.type, each.start, each.end] for each in leg.segments],
        "flags": [flag for flag in ("held", "muted", "confined", "recording") if getattr(leg, flag)],
    }
    if leg.disconnect_type:
        shape["ended"] = leg.disconnect_type
    if leg.reason is not None:
        shape["reason"] = f"SIP {leg.reason.code} {leg.reason.phrase}"
    elif leg.fault is not None:
        shape["reason"] = leg.fault.code
    return shape


def _agents(world: World, calls: list[Conversation]) -> dict[str, Any]:
    """The agents, whoever has a call first; there may be a hundred thousand, so only the first few idle ones."""
    busy = dict.fromkeys(leg.user_id for whole in calls for leg in whole.live() if leg.user_id)
    org = world.org
    idle = (each.id for each in org.users.values() if each.station_id and each.id not in busy)
    shown = [org.users[each] for each in itertools.islice(itertools.chain(busy, idle), AGENTS)]
    return {"total": len(org.users), "busy": len(busy), "shown": [_agent(world, each) for each in shown]}


def _agent(world: World, user: User) -> dict[str, Any]:
    station = world.org.stations.get(user.station_id or "")
    legs = [
        {"conversation": whole.id, "to": whole.to, "state": leg.state, "held": leg.held, "muted": leg.muted}
        for whole in world.exchange.active(user.id)
        for leg in whole.live()
        if leg.user_id == user.id
    ]
    return {
        "name": user.name,
        "email": user.email,
        "station": station.name if station else None,
        "answers": station.auto_answer if station else False,
        "legs": legs,
    }
