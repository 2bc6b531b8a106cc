"""What `/_sandbox/clients` shows of OAuth clients, and lets one change about them."""

from collections.abc import Callable
from typing import Any, Final

from ringonce.sandbox.keys import read_key
from ringonce.sandbox.org import GRANTS, OAuthClient
from ringonce.sandbox.redirects import flaw_of
from ringonce.sandbox.trouble import NotThereError, SandboxError, said
from ringonce.sandbox.world import World

STATES: Final = ("active", "disabled", "inactive")
LONGEST: Final = 2_048
MOST_URIS: Final = 100


def listed(client: OAuthClient) -> dict[str, Any]:
    """A client as `/_sandbox/clients` shows it, its secret left out."""
    return {
        "id": client.id,
        "name": client.name,
        "state": client.state,
        "grants": [each for each in GRANTS if each in client.grants],
        "scopes": None if client.scopes is None else sorted(client.scopes),
        "redirectUris": list(client.redirect_uris),
        "publicKey": client.public_key,
        "audience": client.audience,
        "tokenLifetime": client.token_lifetime,
    }


def change(world: World, client_id: str, fields: object) -> OAuthClient:
    """Register what *fields* say for a client until the next reset, or raise `SandboxError` and change nothing."""
    if client_id not in world.clients:
        known = ", ".join(world.clients)
        raise NotThereError(
            f"No OAuth client has the id {client_id!r}", why=f"there are {known}", fix="Name one of them."
        )
    if not isinstance(fields, dict) or not fields:
        raise SandboxError("The body was not understood", why="it is no JSON object with fields", fix=_fields())
    unknown = sorted(set(map(str, fields)) - _READERS.keys())
    if unknown:
        raise SandboxError(f"{unknown[0]} cannot be registered", why="there is no such field", fix=_fields())
    return world.change_client(client_id, **dict(_READERS[name](value) for name, value in fields.items()))


def _fields() -> str:
    return f"Give any of {', '.join(_READERS)}."


def _text(field: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST:
        why = f"it must be text of at most {LONGEST} characters"
        raise SandboxError(f"{field} was not taken", why=why, fix=f"Give {field} as a JSON string.")
    return value


def _redirect_uris(value: object) -> tuple[str, Any]:
    if not isinstance(value, list) or len(value) > MOST_URIS:
        why = f"it must be a list of at most {MOST_URIS} addresses"
        raise SandboxError("redirectUris was not taken", why=why, fix='For example ["http://127.0.0.1/callback"].')
    for each in value:
        flaw = flaw_of(_text("redirectUris", each))
        if flaw:
            fix = "Programs on this machine may use http://127.0.0.1/…; any port is then allowed."
            raise SandboxError(f"The redirect URI {each!r} was not taken", why=flaw, fix=fix)
    return "redirect_uris", tuple(value)


def _public_key(value: object) -> tuple[str, Any]:
    pem = _text("publicKey", value)
    if pem:
        read_key(pem)
    return "public_key", pem


def _state(value: object) -> tuple[str, Any]:
    if value not in STATES:
        raise SandboxError(
            f"state cannot be {said(value)}", why=f"it is one of {', '.join(STATES)}", fix="Give one of them."
        )
    return "state", value


def _audience(value: object) -> tuple[str, Any]:
    return "audience", _text("audience", value)


def _token_lifetime(value: object) -> tuple[str, Any]:
    # The platform's own bounds for a client's tokens: the official SDK's model OAuthClientRequest.
    shortest, longest = 300, 172_800
    if isinstance(value, bool) or not isinstance(value, int) or not shortest <= value <= longest:
        why = f"it is a whole number of seconds from {shortest} to {longest}"
        raise SandboxError(f"tokenLifetime cannot be {said(value)}", why=why, fix="Leave it out for what it is now.")
    return "token_lifetime", value


_READERS: Final[dict[str, Callable[[object], tuple[str, Any]]]] = {
    "redirectUris": _redirect_uris,
    "publicKey": _public_key,
    "audience": _audience,
    "state": _state,
    "tokenLifetime": _token_lifetime,
}
