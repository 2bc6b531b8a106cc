"""One request of a webhook: signed, sent once, to a checked address, for a bounded time."""

import dataclasses
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import aiohttp
import msgspec
from standardwebhooks import Webhook
from yarl import URL

from ringonce.service.feed import Event
from ringonce.service.hooks import Hook, Secret
from ringonce.service.hooks.addresses import PublicOnly, is_public

TIMEOUT = 15.0
"""Seconds for one delivery, from the lookup of the name to the answer's head."""
GONE = 410


@dataclasses.dataclass(frozen=True)
class Answer:
    """How one delivery went."""

    ok: bool
    status: int = 0
    """The HTTP status; 0 if none came."""
    said: str = ""
    """What was wrong."""
    retry_after: float = 0.0
    seconds: float = 0.0

    @property
    def gone(self) -> bool:
        """Whether the receiver wants nothing any more."""
        return self.status == GONE


class Sender:
    """Sends to webhooks, each request on its own: one that hangs takes nothing from the others."""

    def __init__(
        self, *, allow_private: bool = False, timeout: float = TIMEOUT, resolver: PublicOnly | None = None
    ) -> None:
        self._allow_private = allow_private
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, resolver=resolver or PublicOnly(allow_private=allow_private), use_dns_cache=False
            ),
            timeout=aiohttp.ClientTimeout(total=timeout),
            headers={"user-agent": "ringonce-webhooks", "content-type": "application/json"},
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,  # a proxy would connect for us, to wherever the name leads then
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def send(self, hook: Hook, secrets: Sequence[Secret], message: str, body: bytes, now: float) -> Answer:
        """Send *body* under the id *message*, signed at *now* (epoch seconds)."""
        began = time.monotonic()
        answer = await self._send(hook, _signed(secrets, message, body, now), body)
        return dataclasses.replace(answer, seconds=time.monotonic() - began)

    async def _send(self, hook: Hook, headers: dict[str, str], body: bytes) -> Answer:
        # aiohttp asks no resolver about an address that is written as a number.
        try:
            if not self._allow_private and is_public(URL(hook.url).host or "") is False:
                return Answer(ok=False, said="its address is on this machine or in a private network")
            async with self._session.post(hook.url, data=body, headers=headers, allow_redirects=False) as answer:
                status, wait = answer.status, answer.headers.get("retry-after", "")
        except TimeoutError:
            return Answer(ok=False, said="it gave no answer in time")
        except aiohttp.InvalidURL:
            return Answer(ok=False, said="its address can't be used")
        except (aiohttp.ClientError, OSError, ValueError) as lost:
            return Answer(ok=False, said=_cause(lost))
        if 200 <= status < 300:  # noqa: PLR2004  the meaning of 2xx
            return Answer(ok=True, status=status)
        redirect = 300 <= status < 400  # noqa: PLR2004
        said = f"HTTP {status}" + (": redirects are not followed" if redirect else "")
        return Answer(ok=False, status=status, said=said, retry_after=float(wait) if wait.isdecimal() else 0.0)


def message_of(hook: Hook, event: Event) -> str:
    """Give the id of an event for one webhook: the same however often it is sent."""
    return f"msg_{hook.id.removeprefix('hook_')}_{event.seq}"


def body_of(event: Event) -> bytes:
    """Give what is sent of an event."""
    data: dict[str, Any] = {"seq": event.seq, "subject": event.subject, "agent_id": event.agent_id, **event.body}
    return encoded(event.kind, event.at, data)


def encoded(kind: str, at: float, data: dict[str, Any]) -> bytes:
    """Give a message in the form that Standard Webhooks recommends: type, timestamp, data."""
    when = datetime.fromtimestamp(at, UTC).isoformat()
    return msgspec.json.encode({"type": kind, "timestamp": when, "data": data})


def _cause(error: Exception) -> str:
    inner = getattr(error, "os_error", None) or error
    number = getattr(inner, "errno", None) or 0
    # The event loop's own words name the address alone.
    said = os.strerror(number) if number > 0 else getattr(inner, "strerror", None) or str(inner)
    return str(said)[:200] or type(inner).__name__


def _signed(secrets: Sequence[Secret], message: str, body: bytes, now: float) -> dict[str, str]:
    moment = datetime.fromtimestamp(int(now), UTC)
    signatures = [Webhook(secret.value).sign(message, moment, body.decode()) for secret in secrets]
    return {
        "webhook-id": message,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": " ".join(signatures),
    }
