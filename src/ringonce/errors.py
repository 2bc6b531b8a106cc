"""Every error this package raises, in one tree.

RingonceError
├── ConfigError           set up wrongly: unknown region, no credentials; nothing was sent
├── Refused               nothing rang
│   ├── InvalidInput      a number, attribute or option that cannot be used
│   │   └── NumberRefused the number cannot or must not be dialled
│   ├── Ambiguous         a name that fits several agents, queues or wrap-up codes
│   ├── IntentConflict    the intent's key was used for another agent or number
│   ├── TooLate           the deadline had passed before the request left
│   ├── LedgerError       the ledger can't be used, so nothing was sent by this run
│   └── ApiRefusal        Genesys Cloud answered with a refusal
│       ├── NotAuthenticated   401, or the token was not given
│       ├── NotPermitted       403
│       ├── NotFound           404, or a search without a result
│       └── RateLimited        429 for longer than the caller would wait
├── Unreachable           no connection could be made; nothing was sent
├── NoAnswer              something was sent and no usable answer came back
│   └── OutcomeUnknown    …and it was a call: it may have rung, and is not dialled again
└── StillGoing            the following ended before the call did; the call goes on

Each carries *what* happened, *why*, and the *fix*, survives pickling, and never holds a secret.
"""

from typing import Any


class RingonceError(Exception):
    """The root: *what* happened, *why*, and what to do about it (*fix*)."""

    def __init__(self, what: str, *, why: str = "", fix: str = "") -> None:
        self.what, self.why, self.fix = what, why, fix
        super().__init__(what)

    def __str__(self) -> str:
        return ": ".join(part for part in (self.what, self.why) if part) + (f" ({self.fix})" if self.fix else "")

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickle calls cls(*args), which would lose every keyword.
        return _rebuild, (type(self), self.what, self.__dict__.copy())


def _rebuild(kind: type[RingonceError], what: str, fields: dict[str, Any]) -> RingonceError:
    error = kind.__new__(kind, what)
    error.args = (what,)
    error.__dict__.update(fields)
    return error


class ConfigError(RingonceError):
    """The program was set up wrongly; nothing was sent."""


class Refused(RingonceError):
    """Nothing rang, and that is certain. *replayed* says that this is an earlier refusal told again."""

    replayed: bool = False


class InvalidInput(Refused):
    """A value that cannot be used; nothing was sent."""


class NumberRefused(InvalidInput):
    """The number cannot be dialled, or must not be; nothing was sent."""


class Ambiguous(Refused):
    """A name that fits more than one thing; nothing was sent."""


class IntentConflict(Refused):
    """The intent's key already stands for a call of another agent or to another number."""


class TooLate(Refused):
    """The call's deadline had passed before its request left; nothing was sent."""


class LedgerError(Refused):
    """The ledger can't be read or written, so a second ring can't be ruled out; nothing was sent by this run.

    What an earlier run did under the same intent can't be told without the ledger.
    """


class ApiRefusal(Refused):
    """Genesys Cloud refused.

    *status* is the HTTP status, *code* the platform's error code (ErrorBody.code), *correlation_id* what its
    support asks for (ErrorBody.contextId or the ININ-Correlation-Id header).
    """

    def __init__(
        self,
        what: str,
        *,
        why: str = "",
        fix: str = "",
        status: int = 0,
        code: str = "",
        correlation_id: str = "",
    ) -> None:
        super().__init__(what, why=why, fix=fix)
        self.status, self.code, self.correlation_id = status, code, correlation_id


class NotAuthenticated(ApiRefusal):
    """No token was given, or the one used is not valid (any more)."""


class NotPermitted(ApiRefusal):
    """The token's identity may not do this; *why* names the missing permissions where the platform does."""


class NotFound(ApiRefusal):
    """There is no such agent, queue, wrap-up code or conversation."""


class RateLimited(ApiRefusal):
    """The quota is spent for longer than the caller would wait; *retry_after* is in seconds."""

    def __init__(self, what: str, *, retry_after: float = 0.0, **rest: Any) -> None:
        super().__init__(what, **rest)
        self.retry_after = retry_after


class Unreachable(RingonceError):
    """No connection could be made, so nothing was sent."""


class NoAnswer(RingonceError):
    """A request left, and no usable answer came back."""


class OutcomeUnknown(NoAnswer):
    """A call may have rung, and nothing found so far tells. It is never dialled again by itself.

    *intent* is its key, *agent_id* and *to* say which call to look for.
    """

    def __init__(
        self, what: str, *, why: str = "", fix: str = "", intent: str = "", agent_id: str = "", to: str = ""
    ) -> None:
        super().__init__(what, why=why, fix=fix)
        self.intent, self.agent_id, self.to = intent, agent_id, to


class StillGoing(RingonceError):
    """The following ended before the call came to the awaited state. *call* is the last truth known.

    *followable* is False if it was not the time that ran out: reading the call is refused, for a login that ended say.
    """

    def __init__(self, what: str, *, why: str = "", fix: str = "", call: Any = None, followable: bool = True) -> None:
        super().__init__(what, why=why, fix=fix)
        self.call, self.followable = call, followable
