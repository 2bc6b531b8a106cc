"""Place Genesys Cloud calls for agents: one decision to call rings at most once."""

import importlib
import typing

if typing.TYPE_CHECKING:
    from ringonce.client import AccessToken, AsyncClient, Auth, Client, ClientCredentials, Plan
    from ringonce.config import Timeouts
    from ringonce.errors import (
        Ambiguous,
        ApiRefusal,
        ConfigError,
        IntentConflict,
        InvalidInput,
        LedgerError,
        NoAnswer,
        NotAuthenticated,
        NotFound,
        NotPermitted,
        NumberRefused,
        OutcomeUnknown,
        RateLimited,
        Refused,
        RingonceError,
        StillGoing,
        TooLate,
        Unreachable,
    )
    from ringonce.models import Call, Evidence, Outcome, Participant, Placed, State

__all__ = [
    "AccessToken",
    "Ambiguous",
    "ApiRefusal",
    "AsyncClient",
    "Auth",
    "Call",
    "Client",
    "ClientCredentials",
    "ConfigError",
    "Evidence",
    "IntentConflict",
    "InvalidInput",
    "LedgerError",
    "NoAnswer",
    "NotAuthenticated",
    "NotFound",
    "NotPermitted",
    "NumberRefused",
    "Outcome",
    "OutcomeUnknown",
    "Participant",
    "Placed",
    "Plan",
    "RateLimited",
    "Refused",
    "RingonceError",
    "State",
    "StillGoing",
    "Timeouts",
    "TooLate",
    "Unreachable",
]

_ROOMS = ("client", "config", "errors", "models")


def __getattr__(name: str) -> typing.Any:
    """Import a public name when it is first used, so that `ringonce --help` costs no client (PEP 562)."""
    if name in __all__:
        for room in _ROOMS:
            value = getattr(importlib.import_module(f"ringonce.{room}"), name, None)
            if value is not None:
                globals()[name] = value
                return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
