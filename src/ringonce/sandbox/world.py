"""The sandbox's world: an organisation, its calls and channels, on a clock that is handed in. No socket, no thread."""

import dataclasses
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Literal

from ringonce.sandbox.agenda import Agenda
from ringonce.sandbox.call_control import CallControl
from ringonce.sandbox.callbacks import Callbacks
from ringonce.sandbox.channels import Channel, Channels
from ringonce.sandbox.conferences import Conferences
from ringonce.sandbox.consents import Consents
from ringonce.sandbox.consults import Consults
from ringonce.sandbox.conversation import RINGING_STATES, Conversation, Participant
from ringonce.sandbox.default_org import default_org
from ringonce.sandbox.dice import Dice
from ringonce.sandbox.directory import Directory
from ringonce.sandbox.floor import Floor
from ringonce.sandbox.life import Exchange
from ringonce.sandbox.lines import Lines
from ringonce.sandbox.one_at_a_time import OneAtATime
from ringonce.sandbox.org import AUTHORIZATION_CODE, OAuthClient, Org
from ringonce.sandbox.scopes import read
from ringonce.sandbox.stories import SipReason, address_of
from ringonce.sandbox.telling import Teller
from ringonce.sandbox.tokens import Tokens
from ringonce.sandbox.topics import refusal

DECLINED = SipReason(603, "Decline")
NO_ANSWER = SipReason(480, "Temporarily Unavailable")
IGNORED_FOR = 30.0


class World:
    """Everything that exists. *now* is epoch seconds; one *seed* and one history give one world, to the last id.

    *analytics_lag* is how many seconds pass before analytics knows of a conversation.
    """

    org: Org
    dice: Dice
    agenda: Agenda
    clients: dict[str, OAuthClient]
    tokens: Tokens
    consents: Consents
    channels: Channels
    directory: Directory
    exchange: Exchange
    control: CallControl
    consults: Consults
    conferences: Conferences
    floor: Floor
    callbacks: Callbacks
    rate_limit: int | None
    analytics_lag: float
    _seed: int
    _given: Org
    _one_at_a_time: OneAtATime
    _teller: Teller

    def __init__(self, *, now: float, seed: int = 0, agents: int = 0, org: Org | None = None) -> None:
        self._seed = seed
        self._given = org or default_org(agents)
        self._begin(now)

    @property
    def now(self) -> float:
        """World time, epoch seconds."""
        return self.agenda.now

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Do something when world time is *when*."""
        self.agenda.at(when, do)

    def next_at(self) -> float | None:
        """When the next thing happens by itself; None when nothing does."""
        return self.agenda.next_at()

    def advance(self, to: float) -> None:
        """Let world time pass up to *to*, and everything that is due happen at its own time."""
        self.agenda.advance(to)

    def reset(self) -> None:
        """Begin again: no call, token or channel, the dice as new; the time stays. Open connections are closed."""
        older = self.channels
        self._begin(self.now)
        older.close()

    def issue_user_token(
        self, user_id: str, client_id: str = "your_client_id", *, scopes: Iterable[str] | None = None
    ) -> str:
        """A token that acts for a user, as if they had signed in to a client; *scopes* None are all of the client's.

        KeyError for a user or client that does not exist, ValueError for such a scope.
        """
        if user_id not in self.org.users:
            raise KeyError(f"No user has the id {user_id!r} in this world.")
        if client_id not in self.clients:
            raise KeyError(f"No OAuth client has the id {client_id!r} in this world.")
        client = self.clients[client_id]
        reach = client.scopes if scopes is None else read(scopes)
        return self.tokens.issue(client, self.org.users[user_id], scopes=reach, grant=AUTHORIZATION_CODE).value

    def change_client(self, client_id: str, **changes: Any) -> OAuthClient:
        """Register something else for a client until the next reset. What is not active loses all its tokens."""
        client = dataclasses.replace(self.clients[client_id], **changes)
        self.clients[client_id] = client
        if client.state != "active":
            self.consents.withdraw_all(client_id)
            self.tokens.revoke_all(client_id)
        return client

    def phone(
        self, number: str, action: Literal["answer", "decline", "ignore", "hangup"], conversation_id: str = ""
    ) -> bool:
        """Do to a telephone what its owner could: take a ringing call, decline it, let it ring, or hang up.

        That is done to the newest call there, or to the one of a *conversation_id*.
        Who ignores a call is given up on after 30 s; a story that answers by itself still does.

        KeyError when no call is at that number, ValueError when it is in no state for that.
        """
        found = self.exchange.ringing(number) if not conversation_id else self._leg_at(number, conversation_id)
        if found is None:
            raise KeyError(f"No call is at {number}: nothing rings or talks there now.")
        conversation, leg = found
        if action == "hangup":
            self.exchange.hang_up(conversation, leg, "endpoint")
        elif leg.state == "connected":
            raise ValueError(f"The call at {number} has been answered already; it can only be hung up.")
        elif action == "answer":
            self.exchange.answer(conversation, leg)
        elif action == "decline":
            self.exchange.refuse(conversation, leg, DECLINED)
        elif action == "ignore":
            self.agenda.after(IGNORED_FOR, partial(self._give_up, conversation, leg))
        else:
            raise ValueError(f"{action!r} is nothing a phone can do: answer, decline, ignore or hangup.")
        return True

    def calls(self) -> list[dict[str, Any]]:
        """Every conversation that a POST ever created, oldest first: the ground truth that tests count.

        A callback is among them once somebody has called.
        """
        return [ground_truth(each) for each in self.exchange.conversations.values() if each.agent_id]

    def _leg_at(self, number: str, conversation_id: str) -> tuple[Conversation, Participant] | None:
        whole = self.exchange.conversations.get(conversation_id)
        legs = (
            [leg for leg in whole.participants[1:] if leg.live and leg.address == address_of(number)] if whole else []
        )
        return (whole, legs[-1]) if whole and legs else None

    def _give_up(self, conversation: Conversation, leg: Participant) -> None:
        if leg.live and leg.state != "connected":
            self.exchange.refuse(conversation, leg, NO_ANSWER)

    def _begin(self, now: float) -> None:
        self.org = self._given.own()
        self.agenda = Agenda(now)
        self.dice = Dice(self._seed)
        self.clients = dict(self.org.clients)
        self.tokens = Tokens(self.agenda, self.dice)
        self.consents = Consents(self.agenda, self.dice, self.tokens)
        # What channels roll depends on when things happen; it must not change which ids come next.
        said, trouble = Dice(f"events:{self._seed}"), Dice(f"trouble:{self._seed}")
        self.channels = Channels(self.agenda, said, trouble, self._may_hear)
        self.directory = Directory(self.agenda, self.org, self._news, self._member)
        self._one_at_a_time = OneAtATime(self.agenda, self._tell)
        self._teller = Teller(self.agenda, self.channels, self.org, self.directory)
        lines = Lines(self.agenda, self.dice, self.org, self.directory.station_of)
        self.exchange = Exchange(self.agenda, lines, self._tell, self._teller.conversation, self._queue)
        self.control = CallControl(self.agenda, self.exchange, self._tell)
        self.consults = Consults(self.agenda, self.exchange, self._tell)
        self.conferences = Conferences(self.agenda, lines, self.exchange, self._tell)
        self.floor = Floor(
            self.agenda,
            lines,
            self.exchange,
            self._tell,
            free=self.directory.is_free,
            silent=self.directory.did_not_respond,
        )
        self.callbacks = Callbacks(self.agenda, lines, self.exchange, self.floor, self._tell)
        self.rate_limit = self.org.rate_limit
        self.analytics_lag = 0.0

    def _may_hear(self, channel: Channel, topic: str) -> bool:
        return refusal(topic, self.org, channel.owner[1], channel.permissions) is None

    def _queue(self, conversation: Conversation, leg: Participant) -> None:
        self.floor.wait(conversation, leg)

    def _tell(self, conversation: Conversation) -> None:
        self._one_at_a_time.note(conversation)
        self._teller.conversation(conversation)
        self.directory.note(conversation)

    def _news(self, user_id: str, tail: str) -> None:
        self._teller.user(user_id, tail)
        if tail == "routingStatus":
            self._look_later()

    def _member(self, queue_id: str, user_id: str) -> None:
        self._teller.member(queue_id, user_id)
        self._look_later()

    def _look_later(self) -> None:
        # Not at once: the floor may be in the middle of what made somebody free.
        if self.floor.busy:
            self.agenda.after(0.0, self.floor.look)


def ground_truth(conversation: Conversation) -> dict[str, Any]:
    """One conversation as `/_sandbox/calls` shows it."""
    shape: dict[str, Any] = {
        "conversationId": conversation.id,
        "agentId": conversation.agent_id,
        "to": conversation.to,
        "callerId": conversation.caller_id.removeprefix("tel:"),
        "attributes": dict(conversation.attributes),
        "createdAt": conversation.started,
        "rang": conversation.rang,
        "state": _state(conversation),
        "wire": conversation.wire,
    }
    if digits := "".join(leg.digits for leg in conversation.participants):
        shape["digits"] = digits
    if conversation.answered:
        shape["answeredAt"] = conversation.answered
    if conversation.ended:
        shape["endedAt"] = conversation.ended
    return shape


def _state(conversation: Conversation) -> str:
    if conversation.ended:
        return "ended"
    if conversation.answered:
        return "connected"
    if not conversation.rang:
        return "requested"
    return "ringing" if any(leg.state in RINGING_STATES for leg in conversation.live()) else "dialing"
