"""Place Genesys Cloud calls for agents: one decision to call rings at most once."""

import importlib
import typing

if typing.TYPE_CHECKING:
    from ringonce.client import (
        AccessToken,
        AsyncClient,
        Auth,
        AuthorizationCode,
        Client,
        ClientCredentials,
        FileSafe,
        JwtBearer,
        KeyringSafe,
        MemorySafe,
        Plan,
        Quota,
        RefreshToken,
        Safe,
        Saml2Bearer,
    )
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
    from ringonce.ledger.memory import MemoryLedger
    from ringonce.ledger.sqlite import SqliteLedger
    from ringonce.models import Call, Evidence, Finding, Identity, Outcome, Participant, Placed, State, Verdict

__all__ = [
    "AccessToken",
    "Ambiguous",
    "ApiRefusal",
    "AsyncClient",
    "Auth",
    "AuthorizationCode",
    "Call",
    "Client",
    "ClientCredentials",
    "ConfigError",
    "Evidence",
    "FileSafe",
    "Finding",
    "Identity",
    "IntentConflict",
    "InvalidInput",
    "JwtBearer",
    "KeyringSafe",
    "LedgerError",
    "MemoryLedger",
    "MemorySafe",
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
    "Quota",
    "RateLimited",
    "RefreshToken",
    "Refused",
    "RingonceError",
    "Safe",
    "Saml2Bearer",
    "SqliteLedger",
    "State",
    "StillGoing",
    "Timeouts",
    "TooLate",
    "Unreachable",
    "Verdict",
]

_ROOMS = ("client", "config", "errors", "models", "ledger.memory", "ledger.sqlite")


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
