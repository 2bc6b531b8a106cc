"""What may be sent again, and how long to wait: pure functions."""

import enum
from collections.abc import Mapping

from ringonce.client.wishes import Lost, Request, Response
from ringonce.models import State

SAFE_METHODS = frozenset({"GET", "HEAD"})
MOST_TRIES = 4
"""Sends of one request, the first included."""
SKEW = 30.0
"""Seconds by which our clock and the platform's may differ: lost calls are looked for that much earlier."""
QUICKEST, SLOWEST = 0.25, 4.0
TOKEN_LEEWAY, TOKEN_EARLY = 60.0, 300.0
"""Seconds before a token's end from which it is no longer used, and from which it is renewed if that is free."""


def may_repeat(request: Request, outcome: Response | Lost) -> bool:
    """Say whether sending *request* again can do no harm.

    A lost create may be ringing, so only a refusal or an unmade connection lets one be sent again.
    """
    harmless = request.repeatable or request.method in SAFE_METHODS
    if isinstance(outcome, Lost):
        return harmless or not outcome.sent
    return outcome.status == 429 or (harmless and outcome.status in {408, 500, 502, 503, 504})  # noqa: PLR2004


def proves_nothing_was_placed(response: Response) -> bool:
    """Say whether the answer to a create proves that no call exists.

    408 and 409 don't: the platform may have acted before it gave up or saw a conflict.
    """
    return 400 <= response.status < 500 and response.status not in {408, 409}  # noqa: PLR2004


def pause(tries: int, outcome: Response | Lost) -> float:
    """Give the seconds to wait after the *tries*-th send: what the platform asks for, or a doubling wait."""
    asked = retry_after(outcome.headers) if isinstance(outcome, Response) else None
    return min(SLOWEST, QUICKEST * 2 ** (tries - 1)) if asked is None else max(asked, QUICKEST)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After, in seconds. None if it is absent or not a number of seconds."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < float("inf") else None


class Need(enum.Enum):
    """How urgent a new token is."""

    NOTHING = "use the token you have"
    IF_FREE = "renew if nobody else is renewing; else use the one you have"
    MUST = "wait for a new one"


def need(issued_at: float, expires_at: float | None, now: float) -> Need:
    """Say how urgent a new token is. One without a known end is used until it is refused.

    The margins shrink with the token's life, so that a short one is not renewed at every use.
    """
    if expires_at is None:
        return Need.NOTHING
    life = expires_at - issued_at
    if now < expires_at - min(TOKEN_EARLY, life / 4):
        return Need.NOTHING
    return Need.IF_FREE if now < expires_at - min(TOKEN_LEEWAY, life / 10) else Need.MUST


FIRST_WORD, SETTING_UP, TALKING = 20.0, 60.0, 300.0
"""Seconds of silence about one call, on an event stream that works, before the first read: while nothing at all was
said of it, while it is being set up (a station gives up after about 60), and once it is connected."""


def listening_pause(state: State | None, quiet: int) -> float:
    """Give the seconds of silence about a call in *state* after which its follower reads, for the *quiet*-th time.

    None is a call of which nothing was said yet. This only finds single events that were lost: whether the stream
    as a whole still works is for whoever keeps it to find out, at a cost that does not grow with the calls.
    """
    first = FIRST_WORD if state is None else TALKING if state is State.CONNECTED else SETTING_UP
    return min(1800.0, first * 1.6**quiet)


def doubting_pause(quiet: int) -> float:
    """Give the seconds without an event on a whole channel after which one call is read, for the *quiet*-th time."""
    return min(60.0, 15.0 * 1.6**quiet)


def apart(calls: int) -> float:
    """Give the seconds between the reads of one call and the next where those of *calls* agents were interrupted.

    The quota is 300 requests a minute (the platform's documentation): asked for faster than that they only queue,
    and a call that says something meanwhile need not be read.
    """
    return min(0.2, 60.0 / max(calls, 1))


def polling_pause(reads: int) -> float:
    """Give the seconds between two reads where there is no event stream: quick while a call sets up, slower then."""
    return min(5.0, 0.5 * 1.3**reads)


def reconnect_pause(failures: int) -> float:
    """Give the seconds to wait before the event stream is opened again."""
    return min(30.0, 0.2 * 2**failures) if failures else 0.0
