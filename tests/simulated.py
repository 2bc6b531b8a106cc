"""A shell without sockets or waiting: flows meet the sandbox's world in one process, on the world's clock."""

import dataclasses
import functools
import string
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

import msgspec

from ringonce import ClientCredentials
from ringonce.client import snapshots
from ringonce.client.auth import Auth
from ringonce.client.channels import Channel
from ringonce.client.flows import subscribing
from ringonce.client.flows.exchange import exchange
from ringonce.client.flows.order import Order, order
from ringonce.client.flows.session import Session
from ringonce.client.wishes import (
    Alone,
    Arm,
    Consent,
    Draw,
    Flow,
    Hear,
    Keep,
    Landing,
    Listen,
    Look,
    Lost,
    Make,
    Mark,
    Now,
    Pace,
    Recall,
    Release,
    Request,
    Response,
    Rivals,
    Send,
    Settle,
    Share,
    Sleep,
    Tell,
    Through,
    Token,
    Wish,
    Within,
)
from ringonce.config import Endpoints
from ringonce.errors import RingonceError
from ringonce.ledger import Ledger, Row
from ringonce.ledger.memory import MemoryLedger
from ringonce.models import Call
from ringonce.sandbox.desk import Desk
from ringonce.sandbox.http import Request as SandboxRequest
from ringonce.sandbox.world import World

T = TypeVar("T")
Browser = Callable[[Consent], Landing]
Answer = Callable[[], Response]
"""What the sandbox would say."""
Trouble = Callable[[Request, Answer], Response]
ADA = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
NUMBER = "+15559876543"
ORIGIN = "http://sandbox.test"


class _Frame(msgspec.Struct):
    topic: str = msgspec.field(name="topicName")
    body: msgspec.Raw = msgspec.field(name="eventBody")


_frames = msgspec.json.Decoder(_Frame)


def is_create(request: Request) -> bool:
    """Say whether the request has a call made."""
    return request.method == "POST" and "/conversations/calls" in request.url


def on_create(do: Callable[[Answer], Response]) -> Trouble:
    """Trouble with creates alone."""
    return lambda request, go: do(go) if is_create(request) else go()


def lost(*, sent: bool) -> Response:
    """Lose the answer, or the request itself."""
    raise Lost("the line broke", sent=sent)


def observation(frame: bytes) -> tuple[snapshots.Snapshot, str] | None:
    """Read what a channel's frame tells of a call, and whose call it is; None if it is of something else."""
    told = _frames.decode(frame)
    agent = subscribing.agent_of(told.topic)
    return (snapshots.read(told.body), agent) if agent else None


LEDGER_WISHES: dict[type, Callable[[Ledger, Any], Any]] = {
    Mark: lambda ledger, wish: ledger.mark(wish.number),
    Look: lambda ledger, wish: ledger.look(wish.platform, wish.intent),
    Rivals: lambda ledger, wish: ledger.rivals(wish.row, wish.since),
    Arm: lambda ledger, wish: ledger.arm(wish.row),
    Settle: lambda ledger, wish: ledger.settle(wish.row),
    Release: lambda ledger, wish: ledger.release(wish.row),
}
"""How each wish that is about the ledger is granted."""


@functools.cache
def _parsed(query: str) -> Mapping[str, str]:
    return dict(parse_qsl(query))


@functools.cache
def _form(fields: tuple[tuple[str, str], ...]) -> bytes:
    return urlencode(fields).encode()


def answered(desk: Desk, request: Request) -> Response:
    """Have the sandbox answer a request of the client's."""
    path, _, query = request.url.removeprefix(ORIGIN).partition("?")
    headers = {"host": "sandbox.test", **request.headers}
    if request.form is not None:
        body, headers["content-type"] = _form(tuple(request.form.items())), "application/x-www-form-urlencoded"
    else:
        body = b"" if request.body is None else msgspec.json.encode(request.body)
    reply = desk.handle(SandboxRequest(request.method, path, _parsed(query), headers, body))
    return Response(reply.status, {name.lower(): value for name, value in reply.headers}, reply.body)


@dataclasses.dataclass
class Simulated:
    """Grants wishes over a world; `trouble` may stand between a request and its answer."""

    auth: Auth = dataclasses.field(default_factory=lambda: ClientCredentials("your_client_id", "your_client_secret"))
    settle: float = 30.0
    sockets: bool = True
    trouble: Trouble = lambda _, go: go()
    pool: Mapping[str, Auth] = dataclasses.field(default_factory=dict)
    browser: Browser = lambda wish: Landing(wish.redirect_uri)
    """What a person's browser does with a page to consent on; by itself nothing: nobody is there."""
    pace: Callable[[Pace], None] = lambda _: None
    """What waiting for a turn at the quota comes to."""
    telling: float = 0.0
    """Seconds that whoever is told of a change takes for it."""
    kept: dict[str, str] = dataclasses.field(default_factory=dict, repr=False)
    """The secrets that outlive the process: hand one's to another, and they share them."""

    def __post_init__(self) -> None:
        self.world = World(now=1_800_000_000.0)
        self.desk = Desk(self.world)
        self.session = Session(
            endpoints=Endpoints(api=ORIGIN, login=ORIGIN),
            auth=self.auth,
            country="US",
            incarnation="this process",
            settle=self.settle,
            pool=self.pool,
        )
        self.ledger = MemoryLedger()
        self.sent: list[Request] = []
        self.told: list[Call] = []
        self.wishes: list[Wish] = []
        self.channel: Channel | None = None
        self.heard: dict[str, None] = {}
        """The agents whose events come."""
        self._dice = Random(4)

    @property
    def creates(self) -> list[Request]:
        """The creates that left."""
        return [one for one in self.sent if is_create(one)]

    def order(self, **fields: Any) -> Order:
        """Ada calls a number, unless *fields* say otherwise."""
        return order(**({"intent": "crm-4711", "agent": ADA, "to": NUMBER} | fields))

    def run(self, flow: Flow[T]) -> T:
        """Run a flow to its result, in no time."""
        answer: Any = None
        try:
            while True:
                refused = isinstance(answer, (Lost, RingonceError))
                wish = flow.throw(answer) if refused else flow.send(answer)
                self.wishes.append(wish.wish if isinstance(wish, Within) else wish)
                try:
                    answer = self._give(wish)
                except (Lost, RingonceError) as error:
                    answer = error
        except StopIteration as done:
            result: T = done.value
            return result

    def _give(self, wish: Wish) -> Any:  # noqa: C901, PLR0912  one case a wish
        match wish:
            case Send(request):
                wish.let_go(self.world.now)
                self.sent.append(request)
                return self.trouble(request, lambda: self._handle(request))
            case Token(stale, agent):
                grant = self.session.grants.get(agent)
                if grant is None or grant.value == stale:
                    auth = self.session.auth_of(agent)
                    grant = self.run(auth.grant(self.session.endpoints, self.world.now, stale))
                    self.session.grants[agent] = grant
                return grant.value
            case Now():
                return self.world.now
            case Sleep(seconds):
                self.world.advance(self.world.now + seconds)
            case Hear(key, seen, timeout):
                self._hear(key, seen, self.world.now + timeout)
            case Listen(agent_id, anew):
                return self.sockets and self._listen(agent_id, anew)
            case Mark() | Look() | Rivals() | Arm() | Settle() | Release():
                return LEDGER_WISHES[type(wish)](self.ledger, wish)
            case Pace():
                self.pace(wish)
            case Tell(call):
                self.told.append(call)
                self.world.advance(self.world.now + self.telling)
            case Draw(count):
                return "".join(self._dice.choices(string.ascii_letters + string.digits, k=count))
            case Make(make):
                return make()
            case Consent():
                return self.browser(wish)
            case Recall(name):
                return self.kept.get(name)
            case Keep(name, secret):
                self.kept.pop(name, None)
                self.kept |= {} if secret is None else {name: secret}
            case Within(wished, until):
                given = self._give(wished)
                if self.world.now > until:
                    raise wish.overdue()
                return given
            case Alone(_, flow, _) | Through(flow) | Share(_, flow):
                return self.run(flow)
        return None

    def _hear(self, key: str, seen: int, until: float) -> None:
        board = self.session.board

        def gaps() -> int:
            return sum(map(board.gaps_of, self.heard))

        before = gaps()
        while board.count(key) == seen and gaps() == before:
            coming = self.world.next_at()
            if coming is None or coming >= until:
                return self.world.advance(until)
            self.world.advance(coming)
        return None

    def _listen(self, agent_id: str, anew: bool) -> bool:
        try:
            if self.channel is None or anew:
                self.channel = self.run(subscribing.make_channel(self.session))
                self.world.channels.attach(self.channel.id, self.hear_frame)
                self.heard |= {agent_id: None}
                self.session.board.note_gap(self.heard)
            permitted = self.run(subscribing.subscribe(self.session, self.channel, [agent_id], replace=False))
        except RingonceError:
            return False
        self.heard |= dict.fromkeys(permitted)
        return agent_id in permitted

    def overhear(self, hear: Callable[[bytes], None], *topics: str) -> None:
        """Give every frame about *topics* to *hear* as well, on a channel beside the client's own."""
        channel = self.run(subscribing.make_channel(self.session))
        url = self.session.url(f"/notifications/channels/{channel.id}/subscriptions")
        answer = self.run(exchange(Request("PUT", url, body=[{"id": topic} for topic in topics])))
        assert answer.ok, answer
        assert self.world.channels.attach(channel.id, hear)

    def disconnect(self) -> None:
        """Lose the event socket, unnoticed."""
        assert self.channel is not None
        self.world.channels.detach(self.channel.id, self.hear_frame)

    def reconnect(self) -> None:
        """Open the event socket again, as the stream does: with a gap on the board."""
        assert self.channel is not None
        self.world.channels.attach(self.channel.id, self.hear_frame)
        self.session.board.note_gap(self.heard)

    def hear_frame(self, frame: bytes) -> None:
        """Take one frame off the channel."""
        if observed := observation(frame):
            self.session.board.take(*observed)

    def _handle(self, request: Request) -> Response:
        return answered(self.desk, request)


def row_of(simulated: Simulated, **more: Any) -> Row:
    """The row of an intent whose program has gone."""
    now = simulated.world.now
    return Row(
        platform=ORIGIN,
        intent="crm-4711",
        agent_id=ADA,
        mark=NUMBER,
        tail=NUMBER[-4:],
        incarnation="gone",
        armed_at=now - 1000,
        deadline=now - 970,
        **more,
    )
