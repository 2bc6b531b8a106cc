"""Looking at everything that a call needs before it is placed. Few requests are sent, all reads; nothing rings."""

import dataclasses
from typing import TypeVar
from urllib.parse import quote

import msgspec

from ringonce import numbers
from ringonce.client import answers, findings
from ringonce.client.auth import AccessToken
from ringonce.client.flows import directory, identity
from ringonce.client.flows.allowance import Allowance, Spent
from ringonce.client.flows.exchange import exchange, problem, refusal
from ringonce.client.flows.order import Order, needs_caller_id, one_of_both
from ringonce.client.flows.session import Session
from ringonce.client.remedies import RETRY_LATER, WHOSE_CALL
from ringonce.client.wishes import UNREADABLE, Flow, Lane, Now, Request, Response
from ringonce.errors import (
    Ambiguous,
    InvalidInput,
    NoAnswer,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    NumberRefused,
    RateLimited,
    RingonceError,
    Unreachable,
)
from ringonce.models import Finding, Verdict, Wire

T = TypeVar("T")
MOST_REQUESTS = 8
"""Requests that one check may spend, the one for a token included; a grant may repeat that one if it fails."""
ONCE = 0.0
"""A deadline in the past: `exchange` sends once. It may wait for its turn at the quota, and never for another try."""
ANY_CALL = ("conversation:call:add", "conversation:agentlessCall:add")
OWN_CALL, DOCUMENTED = "conversation:call:add", "conversation:conference:add"
PAGE = 100
NOBODY = "there is no such agent"
CORRELATION = "inin-correlation-id"
ORDER = ("host", "clock", "token", "permission", "agent", "station", "queue", "caller id", "number", "quota")


def check(session: Session, wanted: Order) -> Flow[tuple[Finding, ...]]:
    """Give one finding for each thing that the call *wanted* needs.

    Raise `InvalidInput` only where what is wanted makes no sense; whatever is wrong with it is a finding.
    """
    one_of_both(wanted)
    return (yield from _Check(session, wanted).run())


@dataclasses.dataclass
class _Check:
    session: Session
    wanted: Order
    found: dict[str, Finding] = dataclasses.field(default_factory=dict)
    closed: str = ""
    """Why nothing more is asked; empty while things are."""
    me: answers.Person | None = None
    """The user whose token it is; None for an application's."""
    agent_id: str = ""
    no_agent: str = "the agent could not be looked up"
    """Why there is no id, if there is none."""
    acts: str = ""
    """The agent whose own token the call would use; empty if that is the client's."""

    def __post_init__(self) -> None:
        free = isinstance(self.session.auth, AccessToken)
        self.allowance = Allowance(MOST_REQUESTS, token_costs=0 if free else 1)

    def run(self) -> Flow[tuple[Finding, ...]]:
        """Ask everything, in the order in which answers build on one another."""
        caller_id = self._numbers()
        yield from self._open()
        yield from self._step("agent", self._agent())
        yield from self._step("permission", self._permission())
        yield from self._step("station", self._station())
        if self.wanted.queue:
            yield from self._step("queue", self._queue())
        if caller_id:
            yield from self._step("caller id", self._caller_id(caller_id))
        for name in ("clock", "token"):
            self.found.setdefault(name, findings.doubtful(name, f"not checked: {self.closed}"))
        self.found.setdefault("quota", findings.quota(self.allowance.quota))
        return tuple(self.found[name] for name in ORDER if name in self.found)

    def _note(self, finding: Finding) -> None:
        self.found[finding.name] = finding

    def _numbers(self) -> str:
        """Judge both numbers, for which nothing is asked; give the caller id to ask about."""
        country, wanted = self.session.country, self.wanted
        try:
            self._note(
                findings.number(numbers.dialable(wanted.to, country=country, allow_premium=wanted.allow_premium))
            )
        except NumberRefused as error:
            self._note(findings.refused("number", error))
        if not wanted.caller_id:
            if wanted.wire is Wire.TUTORIAL:
                self._note(findings.refused("caller id", needs_caller_id()))
            return ""
        try:
            return numbers.dialable(wanted.caller_id, country=country)
        except NumberRefused as error:
            self._note(findings.refused("caller id", error))
            return ""

    def _open(self) -> Flow[None]:
        """Ask about the token itself: that shows the host, the clock and the quota as well."""
        before: float = yield Now()
        try:
            self.acts = yield from self._whose_call()
            response = yield from self._ask("/tokens/me")
        except (Unreachable, NoAnswer) as error:
            self._close(findings.refused("host", error), "the platform gives no answer")
            return
        except RateLimited as error:
            self._note(findings.passed("host", f"{self.session.endpoints.api} answers"))
            self._close(findings.refused("quota", error), "the quota is spent")
            return
        except RingonceError as error:
            self._close(findings.refused("token", error), "there is no valid token")
            # Without a token the platform still says that it is there, and what time it has.
            before = yield Now()
            try:
                response = yield from self._ask("/tokens/me", signed=False)
            except RingonceError as silent:
                self._note(findings.refused("host", silent))
                return
        after: float = yield Now()
        self._host(response)
        self._note(findings.clock(response.headers.get("date", ""), before, after))
        if not self.closed:
            yield from self._step("token", self._token(response, after))

    def _whose_call(self) -> Flow[str]:
        """Find out whether the agent has an identity of his own in the pool; its token is the one to look at then."""
        if not self.session.pool:
            return ""
        called = self.wanted.agent
        try:
            agent_id = yield from self.allowance.within(directory.agent_id(self.session, called, ONCE))
        except (Ambiguous, InvalidInput, NotFound, NotPermitted):
            return ""
        return (yield from self.allowance.within(identity.acting(self.session, called, agent_id)))

    def _host(self, response: Response) -> None:
        where = self.session.endpoints.api
        if response.status >= 500:  # noqa: PLR2004  the meaning of 5xx
            self._note(findings.failed("host", f"{where} answers, but with HTTP {response.status}", RETRY_LATER))
        elif response.ok or problem(response).code or CORRELATION in response.headers:
            self._note(findings.passed("host", f"{where} answers"))
        else:
            words = f"{where} answers, but not as Genesys Cloud does (HTTP {response.status})"
            self._close(findings.failed("host", words, "check the region or base URL"), "it is not Genesys Cloud")

    def _close(self, finding: Finding, why: str) -> None:
        self._note(finding)
        self.closed = self.closed or why

    def _step(self, name: str, asking: Flow[Finding]) -> Flow[None]:
        """Take one finding. What goes wrong is one too, and ends the others only if they would fail as well."""
        if self.closed:
            asking.close()
            self._note(findings.doubtful(name, f"not checked: {self.closed}"))
            return
        try:
            self._note((yield from asking))
        except Spent:
            self._note(findings.doubtful(name, f"not checked: the {MOST_REQUESTS} requests of a check are used up"))
        except (Unreachable, RateLimited, NotAuthenticated) as error:
            about = {Unreachable: "host", RateLimited: "quota", NotAuthenticated: "token"}[type(error)]
            self._close(findings.refused(about, error), f"the {about} failed meanwhile")
            if name != about:
                self._note(findings.doubtful(name, f"not checked: {self.closed}"))
        except RingonceError as error:
            # A call looks agents and queues up as well; whatever else can't be read is only not known.
            fatal = name in {"agent", "queue"} and not isinstance(error, NotPermitted)
            self._note(findings.refused(name, error, Verdict.FAIL if fatal else Verdict.WARN))

    def _token(self, response: Response, now: float) -> Flow[Finding]:
        info = _decoded(response, "The token can't be looked at", answers.TokenInfo)
        auth = self.session.auth_of(self.acts)
        if not auth.service:
            about = yield from self._ask("/users/me?expand=station")
            if about.status == 403:  # noqa: PLR2004  a call has to know whose the token is, so it is refused as well
                return findings.refused("token", refusal(about, "The token's own user can't be read"))
            if about.status != 400:  # noqa: PLR2004  not.a.user: an application's token
                self.me = _decoded(about, "The token's own user can't be read", answers.Person)
        self.session.users[self.acts] = self.me.id if self.me else ""
        return findings.token(info, auth.name, self.me, now, renewable=not isinstance(auth, AccessToken))

    def _agent(self) -> Flow[Finding]:
        asked = self.wanted.agent.strip()
        if self.me and asked.casefold() in {self.me.id, (self.me.email or "").casefold()}:
            self.agent_id = self.me.id
            return findings.agent(self.me)
        known = asked.lower() if directory.UUID.fullmatch(asked) else self.session.agents.get(asked.casefold(), "")
        if not known:
            try:
                self.agent_id = yield from self.allowance.within(directory.agent_id(self.session, asked, ONCE))
            except NotPermitted as error:
                return findings.refused("agent", error)
            except (Ambiguous, NotFound) as error:
                self.no_agent = "which agent is meant is not clear" if isinstance(error, Ambiguous) else NOBODY
                return findings.refused("agent", error)
            return findings.passed("agent", f"{asked}, id {self.agent_id}")
        self.agent_id = known
        try:
            person = yield from self._read(f"/users/{known}", f"Agent {asked} can't be read", answers.Person)
        except NotFound as error:
            self.agent_id, self.no_agent = "", NOBODY
            return findings.refused("agent", error)
        return findings.agent(person)

    def _permission(self) -> Flow[Finding]:
        own = self.me is not None and self.me.id == self.agent_id
        tutorial = self.wanted.wire is Wire.TUTORIAL
        if tutorial and self.me and not own:
            words = f"on the tutorial's wire the agent has to be the token's own user, who is {self.me}"
            return findings.failed("permission", words, WHOSE_CALL)
        path = "/authorization/subjects/me?includeFullRoles=true"
        subject = yield from self._read(path, "The identity's roles can't be read", answers.Subject)
        if not own or tutorial:
            endpoint = "/conversations/calls" + ("" if tutorial else "/user/{userId}")
            return findings.permission(subject, f"POST {endpoint}", ANY_CALL)
        finding = findings.permission(subject, "POST /conversations/calls", (OWN_CALL,))
        documented = findings.permission(subject, "POST /conversations/calls", (DOCUMENTED,))
        if finding.verdict is Verdict.FAIL and documented.verdict is Verdict.PASS:
            words = f"{documented.evidence}: that is what is documented, but in practice {OWN_CALL} is asked for"
            return findings.doubtful("permission", words, finding.remedy)
        return finding

    def _station(self) -> Flow[Finding]:
        if not self.agent_id:
            return findings.doubtful("station", f"not checked: {self.no_agent}")
        if self.me and self.me.id == self.agent_id and self.me.station:
            return findings.station(self.me.station)
        path = f"/users/{self.agent_id}/station"
        return findings.station((yield from self._read(path, "The agent's phone can't be read", answers.Phones)))

    def _queue(self) -> Flow[Finding]:
        queue = self.wanted.queue.strip()
        if self.agent_id:
            path = f"/users/{self.agent_id}/queues?pageSize={PAGE}"
            mine = yield from self._read(path, "The agent's queues can't be read", answers.MyQueues)
            member = findings.membership(mine, queue)
            if member:
                return member
        if directory.UUID.fullmatch(queue):
            yield from self._read(f"/routing/queues/{queue.lower()}", f"Queue {queue} can't be read", answers.Named)
        else:
            yield from self.allowance.within(directory.queue_id(self.session, queue, ONCE))
        if not self.agent_id:
            return findings.doubtful("queue", f"{queue} is there; not checked further: {self.no_agent}")
        return findings.stranger(mine, queue)

    def _caller_id(self, number: str) -> Flow[Finding]:
        path = f"/telephony/providers/edges/dids?phoneNumber={quote(number, safe='')}"
        dids = yield from self._read(path, "The organization's numbers can't be read", answers.Dids)
        return findings.caller_id(dids, number, self.agent_id, tutorial=self.wanted.wire is Wire.TUTORIAL)

    def _read(self, path: str, what: str, kind: type[T]) -> Flow[T]:
        return _decoded((yield from self._ask(path)), what, kind)

    def _ask(self, path: str, *, signed: bool = True) -> Flow[Response]:
        request = Request("GET", self.session.url(path))
        asking = exchange(request, deadline=ONCE, signed=signed, agent=self.acts, lane=Lane.URGENT)
        return (yield from self.allowance.within(asking))


def _decoded(response: Response, what: str, kind: type[T]) -> T:
    if not response.ok:
        raise refusal(response, what)
    try:
        return msgspec.json.decode(response.body, type=kind)
    except UNREADABLE as wrong:
        raise NoAnswer(what, why=f"the answer is not what the platform documents: {wrong}") from wrong
