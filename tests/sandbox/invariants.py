"""What is true of a world after every request and at every moment, whatever was asked of it."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator

from ringonce.sandbox.call_control import REACTION_TAKES
from ringonce.sandbox.channels import CHANNELS_PER_OWNER, TOPICS_PER_CHANNEL, spread
from ringonce.sandbox.conversation import Conversation, Participant
from ringonce.sandbox.directory import ROUTING_STATUSES
from ringonce.sandbox.one_at_a_time import is_on
from ringonce.sandbox.presences import ON_QUEUE
from ringonce.sandbox.world import World

STATES = {"alerting", "contacting", "dialing", "offering", "connected", "scheduled", "disconnected", "terminated"}


def broken(world: World) -> list[str]:
    """Say what is not as it must be."""
    return [*_calls(world), *_people(world), *_channels(world)]


def _calls(world: World) -> Iterator[str]:
    conversations = world.exchange.conversations
    legs = [leg for each in conversations.values() for leg in each.participants]
    for kind, ids in (("participant", (leg.id for leg in legs)), ("communication", (leg.call_id for leg in legs))):
        yield from (f"two have the {kind} id {id_}" for id_, count in Counter(ids).items() if count > 1)
    for conversation_id, each in conversations.items():
        if conversation_id != each.id:
            yield f"{conversation_id} is filed under another id"
        if each.ended and any(each.live()):
            yield f"{each.id} has ended with somebody in it"
        # A conference is there at once, and its parties join a moment later.
        awaited = not each.participants and world.now <= each.started_at + REACTION_TAKES
        if not each.ended and not any(each.live()) and not awaited:
            yield f"{each.id} goes on with nobody in it"
        for leg in each.participants:
            yield from (f"{each.id} {leg.purpose}: {why}" for why in _leg(world, each, leg))
    for user_id in world.org.users:
        yield from _agent(world, user_id)


def _agent(world: World, user_id: str) -> Iterator[str]:
    legs = [leg for each in world.exchange.active(user_id) for leg in each.participants if leg.user_id == user_id]
    if (talking := sum(map(is_on, legs))) > 1:
        yield f"{user_id} talks {talking} times at once"
    for each in world.exchange.active(user_id):
        if each.ended:
            yield f"{user_id} is active in {each.id}, which has ended"


def _leg(world: World, whole: Conversation, leg: Participant) -> Iterator[str]:
    if leg.state not in STATES:
        yield f"no state is called {leg.state}"
    if leg.live == bool(leg.ended):
        yield f"{leg.state}, and ended {leg.ended or 'never'}"
    if not leg.live and not leg.disconnect_type:
        yield "gone for no reason"
    if leg.user_id and leg.user_id not in world.org.users:
        yield f"user {leg.user_id} does not exist"
    if leg.queue_id and leg.queue_id not in world.org.queues:
        yield f"queue {leg.queue_id} does not exist"
    if leg.held and leg.state != "connected":
        yield f"held while {leg.state}"
    yield from _times(world, whole, leg)


def _times(world: World, whole: Conversation, leg: Participant) -> Iterator[str]:
    now = world.agenda.stamp
    moments = [each for each in (whole.started, leg.started, leg.connected, leg.ended, leg.acw_ended) if each]
    if moments != sorted(moments) or moments[-1] > now:
        yield f"its times are not in order: {moments}, and now is {now}"
    if leg.acw_ended and leg.acw_ended < leg.acw_started:
        yield "its after-call work ended before it began"
    for before, after in zip(leg.segments, leg.segments[1:], strict=False):
        if before.end != after.start:
            yield f"{before.type} ended at {before.end}, {after.type} began at {after.start}"
    for moment in moments:
        dt.datetime.fromisoformat(moment)


def _people(world: World) -> Iterator[str]:
    seats: Counter[str] = Counter()
    defaults: Counter[str] = Counter()
    for user_id in world.org.users:
        seat = world.directory.seat(user_id)
        seats[seat.station_id] += bool(seat.station_id)
        defaults[seat.default_station_id] += bool(seat.default_station_id)
        holder = world.directory.holder_of(seat.station_id)
        if seat.station_id and (holder is None or holder.id != user_id):
            yield f"{user_id} sits at {seat.station_id}, where somebody else sits"
        if seat.status not in ROUTING_STATUSES or (seat.status == "OFF_QUEUE") != (seat.presence_id != ON_QUEUE):
            yield f"{user_id} is {seat.status} with the presence {seat.presence_id}"
        for conversation_id, _ in seat.work:
            if conversation_id not in world.exchange.conversations:
                yield f"{user_id} works on {conversation_id}, which does not exist"
    for station_id, count in (seats | defaults).items():
        if count > 1:
            yield f"{count} users have the station {station_id}"
    for station_id in world.org.stations:
        holder = world.directory.holder_of(station_id)
        if holder is not None and world.directory.seat(holder.id).station_id != station_id:
            yield f"{station_id} says that {holder.id} sits there"


def _channels(world: World) -> Iterator[str]:
    owners: Counter[tuple[str, str]] = Counter()
    for channel in world.channels.everyone():
        owners[channel.owner] += 1
        if sum(len(spread(topic)) for topic in channel.topics) > TOPICS_PER_CHANNEL:
            yield f"{channel.id} has more than {TOPICS_PER_CHANNEL} topics"
        for topic in channel.topics:
            yield from (f"nothing is heard on {each}" for each in spread(topic) if not world.channels.heard(each))
    for owner, count in owners.items():
        if count > CHANNELS_PER_OWNER:
            yield f"{owner} has {count} channels"
