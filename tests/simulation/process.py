"""A program's run: flows beside one another in one process that may nap, crash between two wishes, or be killed."""

import typing
from collections.abc import Callable
from functools import partial
from typing import Any

from ringonce.client import policy
from ringonce.client.auth import AccessGrant
from ringonce.client.channels import Channel
from ringonce.client.flows import subscribing
from ringonce.client.flows.session import Session
from ringonce.client.hub.hub import BARRED_FOR
from ringonce.client.wishes import Arm, Flow, Hear, Listen, Now, Pace, Send, Sleep, Tell, Token, Within
from ringonce.config import Endpoints
from ringonce.errors import NotFound, RingonceError, TooLate
from ringonce.ledger import Ledger
from simulated import LEDGER_WISHES, ORIGIN, observation

if typing.TYPE_CHECKING:
    from simulation.stage import Stage

ENDPOINTS = Endpoints(api=ORIGIN, login=ORIGIN)
Resume = Callable[[Any], None]


class Process:
    """One run: a session of its own, gone with a crash; the ledger and the platform stay."""

    def __init__(self, stage: "Stage", number: int) -> None:
        self.stage, self.agenda = stage, stage.agenda
        self.alive = True
        self.session = Session(
            endpoints=ENDPOINTS, auth=stage.auth, country="US", incarnation=f"run {number}", settle=stage.settle
        )
        self.asleep_until = 0.0
        self.busy = 0
        """Errands under way: what somebody waits for."""
        self.channel: Channel | None = None
        self.armed: dict[str, float] = {}
        """When this run armed which intent."""
        self._attached, self._barred_until = False, 0.0
        self._permitted: set[str] = set()
        self._await_token: list[Resume] | None = None
        self._await_socket: list[Resume] | None = None
        self._waiting: dict[str, set[Callable[[], None]]] = {}
        self._frames = self._newest_frame = 0

    def start(self, flow: Flow[Any], done: Resume) -> None:
        """Run a flow beside the others; *done* gets its result, or the error that it raised."""
        _Strand(self, flow, done).go_on(None)

    def errand(self, flow: Flow[Any], done: Resume) -> None:
        """Run a flow that somebody waits for."""

        def finish(result: Any) -> None:
            self.occupy(-1)
            done(result)

        self.occupy(1)
        self.start(flow, finish)

    def occupy(self, errands: int) -> None:
        """Count *errands* more, or less."""
        self.busy += errands
        self.stage.busy += errands

    def crash(self) -> None:
        """Stop dead: nothing that this run waited for reaches it any more."""
        self.alive = False
        self.occupy(-self.busy)
        self.detach()

    def run(self, do: Callable[..., None], *given: Any) -> None:
        """Do something unless the process is gone; once it is awake, if it naps."""
        if not self.alive:
            return
        if self.asleep_until > self.agenda.now:
            self.agenda.at(self.asleep_until, partial(self.run, do, *given))
        else:
            do(*given)

    def later(self, seconds: float, do: Callable[..., None], *given: Any) -> None:
        """Do something *seconds* from now, see `run`."""
        self.agenda.after(seconds, partial(self.run, do, *given))

    def detach(self) -> None:
        """Lose the event socket."""
        if self._attached and self.channel is not None:
            self.stage.world.channels.detach(self.channel.id, self._hear_frame)
        self._attached = False

    def reattach(self) -> None:
        """Open the event socket again: what happened in between was not heard."""
        if self.channel is not None and not self._attached:
            self._attached = self.stage.world.channels.attach(self.channel.id, self._hear_frame)
            self.session.board.note_gap(self._permitted)
            self._wake(None)

    # One for each kind of wish: gives what was wished for, or PENDING and resumes later.

    def grant_send(self, wish: Send, resume: Resume) -> Any:
        if self.stage.naps_before_create and (nap := self.stage.nap_before(wish.request)):
            self.asleep_until = self.agenda.now + nap
            self.later(nap, self._send_late, wish, resume)
            return PENDING
        return self._send(wish, resume)

    def _send_late(self, wish: Send, resume: Resume) -> None:
        if (refused := self._send(wish, resume)) is not PENDING:
            resume(refused)

    def _send(self, wish: Send, resume: Resume) -> Any:
        if self.stage.fencing:
            try:
                wish.let_go(self.agenda.now)
            except TooLate as late:
                return late
        self.stage.send(self, wish.request, partial(self.run, resume))
        return PENDING

    def grant_within(self, wish: Within, resume: Resume) -> Any:
        waits = True

        def end(answer: Any) -> None:
            nonlocal waits
            if waits:
                waits = False
                resume(answer)

        answer = _GRANTS[type(wish.wish)](self, wish.wish, end)
        if answer is PENDING:
            self.later(max(wish.until - self.agenda.now, 0.0), end, wish.overdue())
        return answer

    def grant_token(self, wish: Token, resume: Resume) -> Any:
        """As `Tokens.give` does: for the whole process one renewal is in flight."""
        stale, now, grants = wish.stale, self.agenda.now, self.session.grants
        there = grants.get("")
        urgency = policy.Need.MUST
        if there is not None and there.value != stale:
            urgency = policy.need(there.issued_at, there.expires_at, now)
            if urgency is policy.Need.NOTHING:
                return there.value
            self.stage.met["a token's life was over, or nearly"] += 1
        if self._await_token is None:
            self._await_token = []
            self.start(self.session.auth.grant(ENDPOINTS, now, stale), self._keep_token)
        if there is not None and urgency is policy.Need.IF_FREE:
            return there.value
        if self._await_token is None:  # it was there at once
            return grants[""].value
        self._await_token.append(resume)
        return PENDING

    def _keep_token(self, grant: AccessGrant | RingonceError) -> None:
        waiting, self._await_token = self._await_token or [], None
        if isinstance(grant, AccessGrant):
            self.session.grants[""] = grant
        for resume in waiting:
            self.run(resume, grant.value if isinstance(grant, AccessGrant) else grant)

    def grant_arm(self, wish: Arm, resume: Resume) -> Any:
        there = self.stage.ledger.arm(wish.row)
        if there is None:
            self.armed[wish.row.intent] = self.agenda.now
        return there

    def grant_now(self, wish: Now, resume: Resume) -> float:
        return self.agenda.now

    def grant_sleep(self, wish: Sleep, resume: Resume) -> Any:
        self.later(wish.seconds, resume, None)
        return PENDING

    def grant_tell(self, wish: Tell, resume: Resume) -> None:
        return None

    def grant_listen(self, wish: Listen, resume: Resume) -> Any:
        """As `EventStream.listen` does: one socket for the process, opened by one at a time."""
        if not wish.anew and self._attached and wish.agent_id in self._permitted:
            return True
        if not self.stage.sockets or self.agenda.now < self._barred_until:
            return False
        if self._await_socket is None:
            self._await_socket = [resume]
            self.start(self._opening(wish.agent_id, wish.anew), self._opened)
        else:
            self._await_socket.append(resume)
        return PENDING

    def _opened(self, heard: bool) -> None:
        waiting, self._await_socket = self._await_socket or [], None
        for resume in waiting:
            self.run(resume, heard)

    def grant_hear(self, wish: Hear, resume: Resume) -> Any:
        key = wish.key
        if self.session.board.count(key) != wish.seen:
            return None
        mine = self._waiting.setdefault(key, set())

        def wake() -> None:
            if wake in mine:
                mine.discard(wake)
                resume(None)

        mine.add(wake)
        self.later(wish.timeout, wake)
        return PENDING

    def _opening(self, agent_id: str, anew: bool) -> Flow[bool]:
        channel = None if anew else self.channel
        try:
            if channel is not None:
                try:
                    self._permitted = yield from subscribing.subscribe(self.session, channel, [agent_id], replace=True)
                except NotFound:
                    channel = None
            if channel is None:
                self.detach()
                channel = yield from subscribing.make_channel(self.session)
                self._permitted = yield from subscribing.subscribe(self.session, channel, [agent_id], replace=True)
        except RingonceError:
            self._barred_until = self.agenda.now + BARRED_FOR
            return False
        self.channel = channel
        self.reattach()
        return agent_id in self._permitted

    def _hear_frame(self, frame: bytes) -> None:
        if b'"channel.metadata"' in frame[:40]:
            return  # a heartbeat
        self._frames += 1
        for delay in self.stage.frame_delays():
            self.later(delay, self._take, self._frames, frame)

    def _take(self, number: int, frame: bytes) -> None:
        if number < self._newest_frame:
            self.stage.met["events in the wrong order"] += 1
        self._newest_frame = max(number, self._newest_frame)
        if observed := observation(frame):
            self._wake(self.session.board.take(*observed))

    def _wake(self, keys: tuple[str, ...] | None) -> None:
        for key in list(self._waiting) if keys is None else keys:
            for wake in list(self._waiting.get(key, ())):
                self.later(0.0, wake)


PENDING = object()


class _Strand:
    """One flow on its way through a process."""

    __slots__ = ("_done", "_flow", "_process", "_stage")

    def __init__(self, process: Process, flow: Flow[Any], done: Resume) -> None:
        self._process, self._stage, self._flow, self._done = process, process.stage, flow, done

    def go_on(self, answer: Any) -> None:
        """Give the flow its answer, and then whatever it wishes for, up to what takes time."""
        stage, process, send, resume = self._stage, self._process, self._flow.send, self.go_on
        while process.alive:
            stage.steps_to_mishap -= 1
            if not stage.steps_to_mishap:
                return self._suffer(stage.mishap(), answer)
            try:
                wish = self._flow.throw(answer) if isinstance(answer, Exception) else send(answer)
            except StopIteration as result:
                return self._done(result.value)
            except RingonceError as error:
                return self._done(error)
            answer = _GRANTS[type(wish)](process, wish, resume)
            if answer is PENDING:
                return None
        return None

    def _suffer(self, mishap: str, answer: Any) -> None:
        stage, process = self._stage, self._process
        if mishap == "crash":
            return stage.crash(process)
        # A thread that gets no time, or a machine that sleeps: what is outside goes on meanwhile.
        seconds = stage.dice.uniform(5, 90)
        if mishap == "nap of the whole process":
            process.asleep_until = process.agenda.now + seconds
        return process.later(seconds, self.go_on, answer)


def _written(write: Callable[[Ledger, Any], Any]) -> Callable[[Process, Any, Resume], Any]:
    return lambda process, wish, _: write(process.stage.ledger, wish)


_GRANTS: dict[type, Callable[[Process, Any, Resume], Any]] = {
    Send: Process.grant_send,
    Token: Process.grant_token,
    Now: Process.grant_now,
    Sleep: Process.grant_sleep,
    Hear: Process.grant_hear,
    Listen: Process.grant_listen,
    Tell: Process.grant_tell,
    Pace: lambda *_: None,  # turns at the quota are judged where they are handed out
    **{kind: _written(write) for kind, write in LEDGER_WISHES.items()},
    Arm: Process.grant_arm,
    Within: Process.grant_within,
}
