"""What a flow may wish for; a shell grants it.

A flow is a generator: it yields wishes, is sent what they give, and returns its result. It holds no socket, clock
or lock, so the same flow runs under asyncio and under a simulation that owns time and the network.

The wishes of which a call takes dozens are msgspec's structs, which are made in a tenth of a frozen dataclass's time.
"""

import dataclasses
import enum
from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar

import msgspec

from ringonce.errors import NoAnswer, TooLate
from ringonce.ledger import Row
from ringonce.models import Call

T = TypeVar("T")
UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)
"""What decoding somebody else's bytes can raise: besides its own errors, msgspec lets through those of texts that are
no UTF-8 and of nesting without end."""
Flow = Generator["Wish", Any, T]


class Request(msgspec.Struct, frozen=True, gc=False):
    """One HTTP request. *repeatable* says that doing it twice is doing it once."""

    method: str
    url: str
    body: Any = None
    """Sent as JSON; `None` sends no body."""
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    repeatable: bool = False

    def __repr__(self) -> str:
        # Headers and forms carry secrets.
        return f"Request({self.method!r}, {self.url!r}, body={self.body!r}, repeatable={self.repeatable})"


class Response(msgspec.Struct, frozen=True, gc=False):
    """One HTTP answer, read whole. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Response({self.status}, {self.headers!r})"

    @property
    def ok(self) -> bool:
        """Whether the request was accepted. A redirect is not: none is followed."""
        return 200 <= self.status < 300  # noqa: PLR2004  the meaning of 2xx

    def json(self) -> Any:
        """Give the decoded body; raise `msgspec.DecodeError` if it is not JSON."""
        return msgspec.json.decode(self.body)


class Lost(Exception):
    """No usable answer came back. *sent* is False only if it is certain that no byte of the request left."""

    def __init__(self, why: str, *, sent: bool) -> None:
        self.why, self.sent = why, sent
        super().__init__(why)


class Cancelled(Exception):
    """Whoever waited for the flow has gone. What it wishes now is granted only if it is about the ledger."""


CLOSED = "The client was closed meanwhile"


def closed() -> NoAnswer:
    """Give the error for what goes on while its client is closed."""
    return NoAnswer(
        CLOSED,
        why="somebody called close",
        fix="ask again with another client; the same intent then tells what became of a call",
    )


class Lane(enum.IntEnum):
    """Who goes first where the quota is scarce."""

    URGENT = 0
    """A person waits for it, or it saves requests: steering a call, having events sent, looking for a lost call."""
    DIAL = 1
    """Creates."""
    READ = 2
    """Everything else."""


class Pace(msgspec.Struct, frozen=True, gc=False):
    """Wait until the quota of *token* has room for one more request. It counts as spent from then on.

    Throws `RateLimited` as soon as it is certain that the room comes after *deadline* (epoch seconds).
    """

    lane: Lane
    token: str
    deadline: float

    def __repr__(self) -> str:
        return f"Pace({self.lane!r}, deadline={self.deadline!r})"


@dataclasses.dataclass(frozen=True, slots=True)
class Gauge:
    """Give the `Quota` of *token*, or None if no answer has told of it; nothing is sent."""

    token: str = dataclasses.field(repr=False)


class Send(msgspec.Struct, frozen=True, gc=False):
    """Send the request; gives a `Response`, throws `Lost`. Past *not_after* it is not sent, and `TooLate` is thrown.

    The clock is read by whoever sends, as the last thing before: a process may be stopped between any two wishes.
    """

    request: Request
    not_after: float | None = None
    token: str = ""
    """Whose quota it spends: what the answer tells of the quota is heeded. Empty: nobody's."""
    leaving: Callable[[], None] | None = None
    """Called once there is a connection, as the last thing before bytes of it leave: from then on it may arrive."""

    def __repr__(self) -> str:
        return f"Send({self.request!r}, not_after={self.not_after!r})"

    def check(self, now: float) -> None:
        """Raise `TooLate` if it is *now* past the last moment to send."""
        if self.not_after is not None and now > self.not_after:
            raise TooLate(
                "The call was not sent: its deadline had passed",
                why="getting ready took too long, or this process was stopped meanwhile",
                fix="place it again",
            )

    def let_go(self, now: float) -> None:
        """Know that it leaves *now*; raise `TooLate` as `check` does, and then it must not leave."""
        self.check(now)
        if self.leaving is not None:
            self.leaving()


class Token(msgspec.Struct, frozen=True, gc=False):
    """Give a valid access token; *stale* is one that was just refused.

    It is the client's own, or that of *agent*, who has an identity of his own in the client's pool.
    """

    stale: str = ""
    agent: str = ""

    def __repr__(self) -> str:
        return f"Token(agent={self.agent!r})"


@dataclasses.dataclass(frozen=True, slots=True)
class Draw:
    """Give *count* characters that nobody can guess, all of them letters, digits, `-` or `_`."""

    count: int


@dataclasses.dataclass(frozen=True, slots=True)
class Make:
    """Give what *make* returns, or throw the `RingonceError` that it raises. It may take its time."""

    make: Callable[[], str]


@dataclasses.dataclass(frozen=True, slots=True)
class Consent:
    """Have a person open *url* in a browser and give where that ended, after *timeout* seconds at most: a `Landing`.

    The redirect URI is a parameter of its own and is added to *url* by whoever opens its port. Any page in that
    browser can send it there, so an answer without our *state* is passed over.
    """

    url: str
    redirect_uri: str
    """On this machine; without a port, a free one is taken."""
    state: str = dataclasses.field(repr=False)
    timeout: float


@dataclasses.dataclass(frozen=True, slots=True)
class Landing:
    """What a redirect brought along; nothing if none came in time."""

    redirect_uri: str
    """With the port that was really used."""
    query: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    foreign: int = 0
    """Answers that were passed over, for they were not to our question."""


@dataclasses.dataclass(frozen=True, slots=True)
class Recall:
    """Give the secret that is kept under *name*, or None."""

    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Keep:
    """Keep *secret* under *name*, and be done only when it is safe there; None forgets what was kept."""

    name: str
    secret: str | None = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Alone:
    """Run *flow* while nobody else who shares our secrets runs one of the same *name*; gives its result."""

    name: str
    flow: "Flow[Any]"
    patience: float = 60.0
    """Seconds to wait for one's turn."""


@dataclasses.dataclass(frozen=True, slots=True)
class Through:
    """Run *flow* to its end even if whoever waits for it goes away meanwhile; gives its result."""

    flow: "Flow[Any]"


@dataclasses.dataclass(frozen=True, slots=True)
class Share:
    """Give the result of *flow*, or throw its error; whoever asks under the same *key* meanwhile gets the same."""

    key: str
    flow: "Flow[Any]"


class Within(msgspec.Struct, frozen=True, gc=False):
    """Grant *wish*; past *until* (epoch seconds) it is waited for no more, and `NoAnswer` is thrown."""

    wish: Any
    until: float

    def overdue(self) -> NoAnswer:
        """Give the error for a wait that has ended."""
        return NoAnswer("There was no answer in time", why="the time that was given for it is over")


class Now(msgspec.Struct, frozen=True, gc=False):
    """Give the time, in seconds since the epoch."""


class Sleep(msgspec.Struct, frozen=True, gc=False):
    """Let *seconds* pass."""

    seconds: float


class Mark(msgspec.Struct, frozen=True, gc=False):
    """Give what stands for a number in the ledger's rows."""

    number: str


class Look(msgspec.Struct, frozen=True, gc=False):
    """Give the ledger's row for an intent, or None."""

    platform: str
    intent: str


class Rivals(msgspec.Struct, frozen=True, gc=False):
    """Give the ledger's other rows of the same agent that were armed after *since*."""

    row: Row
    since: float


class Arm(msgspec.Struct, frozen=True, gc=False):
    """Write the row if its intent has none. Gives None if this wish wrote it, else the row that was there."""

    row: Row


class Settle(msgspec.Struct, frozen=True, gc=False):
    """Replace the attempt's row if that is still open; gives the row that then stands."""

    row: Row


class Release(msgspec.Struct, frozen=True, gc=False):
    """Take back a row that this flow armed: it is certain that nothing was placed."""

    row: Row


class Listen(msgspec.Struct, frozen=True, gc=False):
    """Have the events of an agent's calls put on the board. Gives True if they flow, False if only reads are left."""

    agent_id: str
    anew: bool = False
    """The stream in use stayed silent about something that happened: open another."""


class Hear(msgspec.Struct, frozen=True, gc=False):
    """Wait until the board's count for *key* (a conversation or an agent) is past *seen*, *timeout* seconds at most."""

    key: str
    seen: int
    timeout: float


class Tell(msgspec.Struct, frozen=True, gc=False):
    """Hand a new truth about the call to whoever follows it."""

    call: Call


Wish = (
    Send
    | Pace
    | Gauge
    | Token
    | Now
    | Sleep
    | Mark
    | Look
    | Rivals
    | Arm
    | Settle
    | Release
    | Listen
    | Hear
    | Tell
    | Draw
    | Make
    | Consent
    | Recall
    | Keep
    | Alone
    | Through
    | Share
    | Within
)
