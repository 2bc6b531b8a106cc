"""`/oauth/token`, and the token's own page `/api/v2/tokens/me`."""

import base64
import binascii
import hmac
from typing import Any
from urllib.parse import parse_qs

from ringonce.sandbox.agenda import iso
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit
from ringonce.sandbox.http import Request
from ringonce.sandbox.world import World

GRANTS = ("client_credentials",)


def token(world: World, request: Request) -> Answer:
    """Answer a request for a token. Errors have OAuth's body, not the platform's ErrorBody."""
    form = {name: values[-1] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
    grant = form.get("grant_type", "")
    if grant not in GRANTS:
        asked = f"grant_type {grant!r} is not supported" if grant else "grant_type is missing"
        return _refuse(400, "unsupported_grant_type", f"{asked}; this sandbox has {', '.join(GRANTS)}")
    basic = _basic(request.headers.get("authorization", ""))
    if basic is None:
        words = "client credentials belong in the header `Authorization: Basic base64(id:secret)`"
        if "client_id" in form or "client_secret" in form:
            words += ", not in the form"
        return _refuse(400, "invalid_request", words)
    client_id, secret = basic
    client = world.org.clients.get(client_id)
    if client is None:
        return _refuse(400, "invalid_client", "client not found")
    if not hmac.compare_digest(client.secret.encode(), secret.encode()):
        return _refuse(401, "invalid_client", "authentication failed")
    issued = world.tokens.issue(client)
    return 200, {"access_token": issued.value, "token_type": "bearer", "expires_in": client.token_lifetime}


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (client_id, secret) if colon else None


def _refuse(status: int, error: str, words: str) -> Answer:
    return status, {"error": error, "description": words, "error_description": words}


def about(visit: Visit) -> Answer:
    """Say whose token it is."""
    org, client, issued = visit.world.org, visit.token.client, visit.token
    shape: dict[str, Any] = {
        "organization": {"id": org.id, "name": org.name},
        "homeOrganization": {"id": org.id, "name": org.name},
        "authorizedScope": [],
        "dateTokenIdles": iso(issued.expires_at),
        "OAuthClient": {
            "id": client.id,
            "name": client.name,
            "authorizedGrantType": "CODE" if issued.user_id else "CLIENT-CREDENTIALS",
            "state": "active",
            "organization": {"id": org.id, "name": org.name},
        },
    }
    return 200, shape


def probe(_visit: Visit) -> Answer:
    """Say that the token is good."""
    return 200, None


def revoke(visit: Visit) -> Answer:
    """Forget the token."""
    visit.world.tokens.revoke(visit.token)
    return 200, None


ROUTES = [
    Route("GET", "/tokens/me", about),
    Route("HEAD", "/tokens/me", probe),
    Route("DELETE", "/tokens/me", revoke),
]
