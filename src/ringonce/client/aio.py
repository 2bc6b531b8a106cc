"""`AsyncClient`: what one can do, as coroutines."""

import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from ringonce import config
from ringonce.client.auth import AccessToken, Auth, ClientCredentials
from ringonce.client.flows import checking, directory, following, gauging, identity, placing, steering
from ringonce.client.flows.order import Plan, order
from ringonce.client.flows.session import Session
from ringonce.client.quota import Quota
from ringonce.config import Timeouts
from ringonce.errors import ConfigError, InvalidInput
from ringonce.ledger import Ledger
from ringonce.ledger.memory import MemoryLedger
from ringonce.models import Call, Finding, Identity, Placed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ringonce.client.safe import Safe
    from ringonce.client.shell import Shell
    from ringonce.client.wishes import Flow

SETTLE = 30.0
"""Seconds for which a call whose answer was lost is looked for."""

Which = Placed | Call | str
"""A call, by what placed or told it, or by its conversation id."""


class AsyncClient:
    """Place calls for agents and follow them; on one platform, for one identity or with a pool of agents' own.

    *region* is a Genesys Cloud region by id (`eu_central_1`), domain or API host; *base_url* is any other address, of
    a gateway or a sandbox. *auth* says who we are; *agents* gives agents identities of their own, by e-mail, id or
    full name: their calls go out with their own tokens, and everything else with *auth*. What is not given is read
    from `GENESYSCLOUD_REGION`, `GENESYSCLOUD_OAUTHCLIENT_ID`, `GENESYSCLOUD_OAUTHCLIENT_SECRET`,
    `GENESYSCLOUD_ACCESS_TOKEN` and `RINGONCE_BASE_URL`. *country* is where numbers without a country code live.
    *ledger* is where intents are kept (memory, if none is given); clients that share one share its promise.
    *channel_store* is a folder in which notification channels are kept for the next run, *safe* where refresh tokens
    are kept (by default the system's keyring, or a file that only its owner can read).

    Use it with `async with`, or call `aclose` in the end. It belongs to the event loop that first used it.
    """

    def __init__(
        self,
        *,
        region: str = "",
        base_url: str = "",
        auth: Auth | None = None,
        agents: Mapping[str, Auth] | None = None,
        country: str = "",
        timeouts: Timeouts | None = None,
        ledger: Ledger | None = None,
        settle: float = SETTLE,
        channel_store: Path | None = None,
        safe: "Safe | None" = None,
        login_url: str = "",
        allow_http: bool = False,
    ) -> None:
        flags = {
            "region": region,
            "base_url": base_url,
            "login_url": login_url,
            "country": country,
            "allow_http": "1" if allow_http else "",
        }
        if not _is_duration(settle):
            raise ConfigError(
                f"settle can't be {settle!r}", why="it is seconds, 0 or more", fix="leave it out for 30 s"
            )
        settings = config.load(flags={name: flag for name, flag in flags.items() if flag}, environ=os.environ)
        self._session = Session(
            endpoints=settings.endpoints,
            auth=auth or _auth_of(settings),
            country=settings.country,
            incarnation=_key(),
            settle=settle,
            pool=_pool(agents or {}),
        )
        self._safe, self._secrets = safe, settings.secrets
        self._ledger: Ledger = ledger or MemoryLedger()
        self._timeouts = config.timeouts_of(timeouts)
        self._channel_store = channel_store
        self._opened: Shell | None = None
        self._opened_in = 0
        """The process that opened it: a forked child has its sockets, but not their other ends."""
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection. Calls go on; what still waits raises `NoAnswer`."""
        self._closed = True
        if self._forked:
            return  # its connections are the other process's
        shell, self._opened = self._opened, None
        if shell is not None:
            await shell.close()

    def use_agents(self, agents: Mapping[str, Auth], safe: "Safe | None" = None) -> None:
        """Give agents identities of their own from now on, as *agents* of the constructor does, which it replaces.

        An agent whose grant is the same object as before keeps the token in use. *safe* is the constructor's, for a
        client that has stored nothing so far.
        """
        self._safe = safe or self._safe
        new = _pool(agents)
        kept = {id(auth) for auth in new.values()}
        self._session.pool = new
        for agent_id in [one for one, auth in self._session.own.items() if id(auth) not in kept]:
            for known in (self._session.own, self._session.grants, self._session.users, self._session.named):
                known.pop(agent_id, None)

    async def place_call(
        self,
        *,
        agent: str,
        to: str,
        caller_id: str = "",
        queue: str = "",
        caller_name: str = "",
        attributes: Mapping[str, str] | None = None,
        external_contact: str = "",
        uui: str = "",
        intent: str | None = None,
        wire: Literal["platform", "tutorial"] = "platform",
        allow_premium: bool = False,
        timeout: float = 30.0,  # noqa: ASYNC109  a deadline that is part of the order, not a cancellation
    ) -> Placed:
        """Place one call for *agent* (id, e-mail or full name) to the number *to*; at most once for *intent*.

        The agent's own phone is reached first. *caller_id* is the number to show, or *queue* (id or name) the queue to
        call for. *attributes* are kept on the far end's participant. *intent* names this decision to call: the same
        key again gives the first result, and without one a key is made. Past *timeout* seconds nothing is sent.

        Raise `Refused` (or one of its kinds) if nothing rang, `Unreachable` if nothing was sent, and
        `OutcomeUnknown` if it may have rung and was not found.
        """
        wanted = order(
            agent=agent,
            to=to,
            caller_id=caller_id,
            queue=queue,
            caller_name=caller_name,
            attributes=attributes or {},
            external_contact=external_contact,
            uui=uui,
            intent=_key() if intent is None else intent,
            wire=wire,
            allow_premium=allow_premium,
            timeout=timeout,
        )
        return await self._shell.run(placing.place_call(self._session, wanted))

    async def plan_call(
        self,
        *,
        agent: str,
        to: str,
        caller_id: str = "",
        queue: str = "",
        caller_name: str = "",
        attributes: Mapping[str, str] | None = None,
        external_contact: str = "",
        uui: str = "",
        intent: str | None = None,
        wire: Literal["platform", "tutorial"] = "platform",
        allow_premium: bool = False,
        timeout: float = 30.0,  # noqa: ASYNC109  as in place_call
    ) -> Plan:
        """Give the request that `place_call` would send. Names are looked up; nothing that rings is sent."""
        wanted = order(
            agent=agent,
            to=to,
            caller_id=caller_id,
            queue=queue,
            caller_name=caller_name,
            attributes=attributes or {},
            external_contact=external_contact,
            uui=uui,
            intent=_key() if intent is None else intent,
            wire=wire,
            allow_premium=allow_premium,
            timeout=timeout,
        )
        return await self._shell.run(placing.plan_call(self._session, wanted))

    async def check(
        self,
        *,
        agent: str,
        to: str,
        caller_id: str = "",
        queue: str = "",
        wire: Literal["platform", "tutorial"] = "platform",
        allow_premium: bool = False,
    ) -> tuple[Finding, ...]:
        """Look at everything that such a call needs, and say what is wrong and what to do about it. Nothing rings.

        It sends at most 8 requests, only reads, each once. What can't be known is a warning; so is what could not be
        looked at because something before it failed.
        """
        wanted = order(
            intent="check",
            agent=agent,
            to=to,
            caller_id=caller_id,
            queue=queue,
            wire=wire,
            allow_premium=allow_premium,
        )
        return await self._shell.run(checking.check(self._session, wanted))

    async def follow(self, call: Which, *, timeout: float | None = None) -> "AsyncGenerator[Call]":  # noqa: ASYNC109
        """Give every change of a call until it has ended.

        Raise `StillGoing` after *timeout* seconds, or if the call goes on and may not be read any more (a login that
        ended); `NotFound` if the platform knows no such call.
        """
        steps = self._shell.tell(self._following(call, timeout, lambda one: one.ended))
        try:
            async for one in steps:
                yield one
        finally:
            await steps.aclose()

    async def wait(
        self,
        call: Which,
        until: Literal["connected", "ended"] = "ended",
        timeout: float | None = 60.0,  # noqa: ASYNC109  its end is `StillGoing`, not a cancellation
    ) -> Call:
        """Wait until the far end has answered (or the call ended without that), or until it has ended.

        Raise `StillGoing` after *timeout* seconds, or as `follow` does: the wait has ended then, the call goes on.
        """
        if until not in ("connected", "ended"):
            raise InvalidInput(f"One can't wait until {until!r}", why="it is no state", fix="use connected or ended")
        enough: Callable[[Call], bool] = (
            (lambda one: one.answered or one.ended) if until == "connected" else (lambda one: one.ended)
        )
        return await self._shell.run(self._following(call, timeout, enough))

    def sending(self, intent: str) -> bool:
        """Say whether the intent's request is on its way right now, or its answer is not known yet."""
        return intent in self._session.on_wire

    async def get_call(self, call: Which) -> Call:
        """Read a call now. Raise `NotFound` if the platform knows no such call."""
        return await self._shell.run(following.get_call(self._session, _named(call)))

    async def active_calls(self, *, agent: str) -> tuple[Call, ...]:
        """Give an agent's calls that have not ended.

        An application's token can list them only through the platform's analytics, which lag behind.
        """
        agent_id = await self.find_agent(agent)
        return await self._shell.run(following.active_calls(self._session, agent_id))

    async def find_agent(self, agent: str) -> str:
        """Give an agent's id by id, e-mail or full name. Raise `NotFound`, or `Ambiguous` if two have that name."""
        return await self._shell.run(directory.agent_id(self._session, agent))

    async def hang_up(self, call: Which) -> Call:
        """End a call for everybody in it. One that has ended already is no error."""
        return await self._shell.run(steering.hang_up(self._session, _named(call)))

    async def hold(self, call: Which) -> Call:
        """Put the far end on hold and give the call once that shows."""
        return await self._shell.run(steering.set_flag(self._session, _named(call), "held", on=True))

    async def resume(self, call: Which) -> Call:
        """Take the far end off hold."""
        return await self._shell.run(steering.set_flag(self._session, _named(call), "held", on=False))

    async def mute(self, call: Which) -> Call:
        """Mute the agent."""
        return await self._shell.run(steering.set_flag(self._session, _named(call), "muted", on=True))

    async def unmute(self, call: Which) -> Call:
        """Let the agent be heard again."""
        return await self._shell.run(steering.set_flag(self._session, _named(call), "muted", on=False))

    async def send_digits(self, call: Which, digits: str) -> None:
        """Play DTMF digits to the far end; sent once, so `NoAnswer` means that they may have been played."""
        await self._shell.run(steering.send_digits(self._session, _named(call), digits))

    async def transfer(self, call: Which, *, to: str = "", queue: str = "") -> Call:
        """Hand the far end over to an agent or number (*to*) or a *queue*, unannounced; the agent's leg ends."""
        return await self._shell.run(steering.transfer(self._session, _named(call), to, queue))

    async def wrap_up(self, call: Which, *, code: str, notes: str = "") -> Call:
        """Store the agent's wrap-up *code* (id or name) and *notes*."""
        return await self._shell.run(steering.wrap_up(self._session, _named(call), code, notes))

    async def whoami(self) -> Identity:
        """Say what the client's token stands for, what it may do, and how long."""
        return await self._shell.run(identity.whoami(self._session))

    async def quota(self, *, agent: str = "") -> Quota:
        """Say what is left of the requests of the client's token, or of *agent*'s own where the pool has one.

        `Quota.seconds_for(n)` says how long placing *n* more calls takes at least. A request is sent only where no
        answer has told of the quota yet.
        """
        return await self._shell.run(gauging.quota(self._session, agent))

    async def revoke_token(self) -> None:
        """Have the platform forget every token in use; the next request gets another, where the grant can.

        That is the client's own and, with `agents=`, those of the agents for whom something was sent.

        What `AuthorizationCode` and `RefreshToken` have stored is withdrawn too: they need a new consent.
        """
        await self._shell.run(identity.revoke(self._session))

    @property
    def _shell(self) -> "Shell":
        if self._closed:
            raise RuntimeError("this client is closed")
        if self._forked:
            raise RuntimeError("this AsyncClient belongs to the process that was forked: make one after the fork")
        if self._opened is None:
            from ringonce.client.shell import Shell  # brings the HTTP library: 0.4 s of import

            self._opened_in = os.getpid()
            self._opened = Shell(self._session, self._ledger, self._timeouts, self._channel_store, self._open_safe)
        return self._opened

    @property
    def _forked(self) -> bool:
        return self._opened is not None and self._opened_in != os.getpid()

    def _open_safe(self) -> "Safe":
        from ringonce.client.safe import safe_in

        return self._safe or safe_in(config.state_dir(os.environ), self._secrets)

    def _following(self, call: Which, timeout: float | None, enough: Callable[[Call], bool]) -> "Flow[Call]":
        agent_id = getattr(call, "agent_id", "")
        return following.follow(self._session, _named(call), agent_id=agent_id, timeout=timeout, enough=enough)


def _key() -> str:
    """Give a name that nothing else has."""
    return os.urandom(16).hex()


def _auth_of(settings: config.Settings) -> Auth:
    settings = settings.with_credentials()
    if settings.access_token:
        return AccessToken(settings.access_token)
    return ClientCredentials(settings.client_id, settings.client_secret)


def _pool(agents: Mapping[str, Auth]) -> dict[str, Auth]:
    pool = {name.strip().casefold(): auth for name, auth in agents.items()}
    if len(pool) != len(agents) or "" in pool:
        raise InvalidInput(
            "The agents' identities can't be told apart",
            why="an agent is named twice, or has no name",
            fix="name each agent once in `agents`, by e-mail, id or full name",
        )
    return pool


def _named(call: Which) -> str:
    if isinstance(call, (Placed, Call)):
        return call.conversation_id
    if not isinstance(call, str):
        raise InvalidInput(
            f"{type(call).__name__} is no call",
            why="a call is named by what placed or told it, or by its conversation id",
            fix="give a Placed, a Call or a conversation id",
        )
    if not directory.UUID.fullmatch(call.strip()):
        raise InvalidInput(
            f"{call[:40]!r} is no conversation id",
            why="it is no UUID",
            fix="give the conversation id that placing the call gave",
        )
    return call.strip().lower()


def _is_duration(seconds: object) -> bool:
    return isinstance(seconds, (int, float)) and 0 <= seconds < math.inf
