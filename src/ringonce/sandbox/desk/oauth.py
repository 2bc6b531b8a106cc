"""`POST /oauth/token`: every grant, each with its own way to prove who asks and for whom."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qsl

from ringonce.sandbox import scopes
from ringonce.sandbox.desk import assertions
from ringonce.sandbox.desk.assertions import RefusedError
from ringonce.sandbox.http import Request
from ringonce.sandbox.org import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    GRANTS,
    JWT_BEARER,
    REFRESH_TOKEN,
    SAML2_BEARER,
    OAuthClient,
)
from ringonce.sandbox.tokens import Token
from ringonce.sandbox.world import World

TOKEN_PATH: Final = "/oauth/token"  # noqa: S105 - a path
VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
Form = dict[str, str]


def token(world: World, request: Request) -> tuple[int, dict[str, Any]]:
    """Answer a request for a token. Errors have OAuth's body, not the platform's ErrorBody."""
    try:
        return 200, _grant(world, request, form_of(request))
    except RefusedError as refused:
        words = str(refused)
        return refused.status, {"error": refused.error, "description": words, "error_description": words}


def form_of(request: Request) -> Form:
    """The fields of a form, the last of each name."""
    return dict(parse_qsl(request.body.decode("utf-8", "replace")))


def active_client(world: World, client_id: str) -> OAuthClient:
    """The client with this id, or `RefusedError` when there is none or it is switched off."""
    client = world.clients.get(client_id)
    if client is None:
        raise RefusedError("invalid_client", "client not found")
    if client.state != "active":
        raise RefusedError("invalid_client", f"client is {client.state}, not active", status=401)
    return client


def reach(asked: str, client: OAuthClient) -> frozenset[str] | None:
    """The scopes that a user's token gets, or `RefusedError`."""
    try:
        return scopes.granted(asked, client.scopes)
    except scopes.UnknownScopeError as wrong:
        raise RefusedError("invalid_scope", str(wrong)) from wrong


def _grant(world: World, request: Request, form: Form) -> dict[str, Any]:
    grant = form.get("grant_type", "")
    way = WAYS.get(grant)
    if way is None:
        asked = f"grant_type {grant!r} is not supported" if grant else "grant_type is missing"
        raise RefusedError("unsupported_grant_type", f"{asked}; this sandbox has {', '.join(WAYS)}")
    return way(world, request, form)


def _by_secret(world: World, request: Request, _form: Form) -> dict[str, Any]:
    return _told(world.tokens.issue(_with_secret(world, request, CLIENT_CREDENTIALS)))


def _by_code(world: World, request: Request, form: Form) -> dict[str, Any]:
    client, public = _code_client(world, request, form)
    code, redirect_uri = _field(form, "code"), _field(form, "redirect_uri")
    consent = world.consents.of_code(code)
    if consent is None or consent.client_id != client.id:
        raise RefusedError("invalid_grant", "the authorization code is not one that was given to this client")
    if consent.redeemed:
        # Whoever comes second may be the one it was meant for, so nobody keeps what the first one got (RFC 6749).
        world.consents.withdraw(consent)
        words = "the authorization code has been used before; the tokens that it gave are revoked"
        raise RefusedError("invalid_grant", words)
    if world.consents.expired(consent):
        raise RefusedError("invalid_grant", "the authorization code has expired")
    if redirect_uri != consent.redirect_uri:
        words = "redirect_uri is not the one that the authorization code was sent to"
        raise RefusedError("invalid_grant", words)
    _prove(consent.challenge, form.get("code_verifier", ""), public=public)
    consent.public = public
    return _told(world.consents.issue(client, consent), consent.refresh_token)


def _prove(challenge: str, verifier: str, *, public: bool) -> None:
    """Hold PKCE's verifier against its challenge (RFC 7636)."""
    if not challenge:
        if public:
            words = "the authorization code was asked for without PKCE, so redeeming it takes the client's secret"
            raise RefusedError("invalid_client", words, status=401)
        if verifier:
            raise RefusedError("invalid_grant", "there is a code_verifier, but there was no code_challenge")
        return
    if not verifier:
        raise RefusedError("invalid_request", "code_verifier is missing; the code was asked for with a code_challenge")
    if VERIFIER.fullmatch(verifier) is None:
        words = f"code_verifier must be 43 to 128 of A-Z a-z 0-9 - . _ ~; it has {len(verifier)} characters"
        raise RefusedError("invalid_request", words)
    if not hmac.compare_digest(challenge_of(verifier), challenge):
        raise RefusedError("invalid_grant", "code_verifier does not fit the code_challenge")


def challenge_of(verifier: str) -> str:
    """PKCE's S256 challenge of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _by_refresh_token(world: World, request: Request, form: Form) -> dict[str, Any]:
    client, public = _code_client(world, request, form, grant=REFRESH_TOKEN)
    value = _field(form, "refresh_token")
    consent = world.consents.of_refresh_token(value)
    if consent is None or consent.client_id != client.id:
        raise RefusedError("invalid_grant", "the refresh token is not one that was given to this client")
    if public and not consent.public:
        words = "this refresh token was given to a client with a secret, so using it takes the secret"
        raise RefusedError("invalid_client", words, status=401)
    if consent.refresh_token != value:
        words = "the refresh token has been used before or was revoked; each is good for one use"
        raise RefusedError("invalid_grant", words)
    return _told(world.consents.issue(client, consent), consent.refresh_token)


def _by_saml(world: World, request: Request, form: Form) -> dict[str, Any]:
    client = _with_secret(world, request, SAML2_BEARER)
    org = world.org
    asked = _field(form, "orgName")
    if asked.lower() not in {org.short_name.lower(), org.name.lower()}:
        words = f"orgName {asked!r} is no organization here; this sandbox is {org.short_name!r}"
        raise RefusedError("invalid_grant", words)
    user = assertions.saml_user(world, _field(form, "assertion"), _audiences(request, client))
    issued = world.tokens.issue(client, user, scopes=reach(form.get("scope", ""), client), grant=SAML2_BEARER)
    return _told(issued)


def _by_jwt(world: World, request: Request, form: Form) -> dict[str, Any]:
    assertion = _field(form, "assertion")
    if request.headers.get("authorization"):
        client = _with_secret(world, request, JWT_BEARER)
    else:
        # The assertion's signature proves who asks, so neither a secret nor the client's id is needed beside it.
        client = active_client(world, form.get("client_id") or assertions.issuer(assertion))
        _may_use(client, JWT_BEARER)
    user = assertions.jwt_user(world, client, assertion, _audiences(request, client))
    issued = world.tokens.issue(client, user, scopes=reach(form.get("scope", ""), client), grant=JWT_BEARER)
    return _told(issued)


def _told(issued: Token, refresh_token: str = "") -> dict[str, Any]:
    answer = {"access_token": issued.value, "token_type": "bearer", "expires_in": issued.client.token_lifetime}
    return {**answer, "refresh_token": refresh_token} if refresh_token else answer


def _field(form: Form, name: str) -> str:
    value = form.get(name, "")
    if not value:
        raise RefusedError("invalid_request", f"{name} is missing")
    return value


def _code_client(
    world: World, request: Request, form: Form, *, grant: str = AUTHORIZATION_CODE
) -> tuple[OAuthClient, bool]:
    """Who redeems a code or refreshes, and whether they have shown no secret: then the form names them."""
    if request.headers.get("authorization"):
        client = _with_secret(world, request, grant)
        if form.get("client_id", client.id) != client.id:
            raise RefusedError(
                "invalid_request", "client_id in the form is another one than in the Authorization header"
            )
        return client, False
    if not form.get("client_id"):
        words = "show the client's secret in `Authorization: Basic base64(id:secret)`, or, with PKCE, give client_id"
        raise RefusedError("invalid_request", words)
    client = active_client(world, form["client_id"])
    _may_use(client, grant)
    return client, True


def _with_secret(world: World, request: Request, grant: str) -> OAuthClient:
    basic = _basic(request.headers.get("authorization", ""))
    if basic is None:
        words = "client credentials belong in the header `Authorization: Basic base64(id:secret)`"
        if b"client_secret" in request.body:
            words += ", not in the form"
        raise RefusedError("invalid_request", words)
    client_id, secret = basic
    client = world.clients.get(client_id)
    if client is not None and not hmac.compare_digest(client.secret.encode(), secret.encode()):
        raise RefusedError("invalid_client", "authentication failed", status=401)
    client = active_client(world, client_id)
    _may_use(client, grant)
    return client


def _may_use(client: OAuthClient, grant: str) -> None:
    if grant not in client.grants:
        has = ", ".join(each for each in GRANTS if each in client.grants)
        raise RefusedError("unauthorized_client", f"this client is not registered for {grant}; it is for {has}")


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (client_id, secret) if colon else None


def _audiences(request: Request, client: OAuthClient) -> frozenset[str]:
    """What an assertion may be meant for: this very address, its origin, or what is registered for the client."""
    host = request.headers.get("host", "")
    prefix = request.path.removesuffix(TOKEN_PATH)
    here = [
        f"{scheme}://{host}{path}"
        for scheme in ("http", "https")
        for path in (f"{prefix}{TOKEN_PATH}", TOKEN_PATH, "", "/")
    ]
    return frozenset(here if host else ()) | ({client.audience} if client.audience else set())


WAYS: Final[dict[str, Callable[[World, Request, Form], dict[str, Any]]]] = {
    CLIENT_CREDENTIALS: _by_secret,
    AUTHORIZATION_CODE: _by_code,
    REFRESH_TOKEN: _by_refresh_token,
    SAML2_BEARER: _by_saml,
    JWT_BEARER: _by_jwt,
}
