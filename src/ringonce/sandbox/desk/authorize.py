"""`/oauth/authorize`: the page where somebody chooses an agent and lets a program act for them, or does not."""

import re
from collections.abc import Collection
from typing import Final

from ringonce.sandbox.desk import consent_page as page
from ringonce.sandbox.desk.assertions import RefusedError
from ringonce.sandbox.desk.oauth import active_client, form_of, reach
from ringonce.sandbox.http import Reply, Request
from ringonce.sandbox.org import AUTHORIZATION_CODE, OAuthClient, Org, User
from ringonce.sandbox.redirects import may_go_to, source_of, with_query
from ringonce.sandbox.scopes import SCOPES
from ringonce.sandbox.world import World

AUTHORIZE_PATH: Final = "/oauth/authorize"
MOST_CHOICES: Final = 200
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_OF_THE_REQUEST: Final = (
    "client_id",
    "redirect_uri",
    "response_type",
    "state",
    "scope",
    "code_challenge",
    "code_challenge_method",
    "login_hint",
)


def authorize(world: World, request: Request) -> Reply:
    """Show the page (GET), or take its answer (POST: the page's fields, *agent* and *decision*)."""
    asked = {**request.query, **(form_of(request) if request.method == "POST" else {})}
    try:
        client = active_client(world, asked.get("client_id", ""))
        redirect_uri = _redirect_uri(client, asked.get("redirect_uri", ""))
    except RefusedError as refused:
        # Sending anybody to an address that nobody registered is how codes get stolen.
        return page.refusal(str(refused))
    state = asked.get("state", "")
    try:
        scopes = _scopes(client, asked)
        if request.method == "GET":
            return _consent_page(world.org, client, asked, scopes)
        user = _agent(world.org, asked)
    except RefusedError as refused:
        error = {"error": refused.error, "error_description": str(refused)}
        return _redirect(with_query(redirect_uri, **error, state=state))
    if user is None:
        name = asked.get("agent", "")
        words = f"Nobody here is {name!r}. Choose an agent." if name else "Choose an agent."
        return _consent_page(world.org, client, asked, scopes, words=words)
    challenge = asked.get("code_challenge", "")
    code = world.consents.give(client, user, redirect_uri=redirect_uri, scopes=scopes, challenge=challenge)
    return _redirect(with_query(redirect_uri, code=code, state=state))


def _redirect_uri(client: OAuthClient, asked: str) -> str:
    if not asked:
        raise RefusedError("invalid_request", "redirect_uri is missing")
    if not may_go_to(asked, client.redirect_uris):
        known = ", ".join(client.redirect_uris) or "none"
        words = f"redirect_uri {asked} is not registered for {client.id}, to the letter; registered: {known}"
        raise RefusedError("invalid_request", words)
    return asked


def _scopes(client: OAuthClient, asked: dict[str, str]) -> frozenset[str] | None:
    """The scopes that a yes would give, once everything else about the request is right."""
    if AUTHORIZATION_CODE not in client.grants:
        raise RefusedError("unauthorized_client", f"this client is not registered for {AUTHORIZATION_CODE}")
    kind = asked.get("response_type", "")
    if kind != "code":
        words = f"response_type {kind!r} is not supported; use code" if kind else "response_type is missing; use code"
        raise RefusedError("unsupported_response_type" if kind else "invalid_request", words)
    challenge, method = asked.get("code_challenge", ""), asked.get("code_challenge_method", "")
    if challenge and method != "S256":
        raise RefusedError("invalid_request", f"code_challenge_method is {method!r}; it must be S256")
    if challenge and _CHALLENGE.fullmatch(challenge) is None:
        words = "code_challenge is no SHA-256 in unpadded base64url, which has 43 characters"
        raise RefusedError("invalid_request", words)
    if method and not challenge:
        raise RefusedError("invalid_request", "there is a code_challenge_method, but no code_challenge")
    return reach(asked.get("scope", ""), client)


def _agent(org: Org, asked: dict[str, str]) -> User | None:
    """Who says yes; None when nobody of that name is here."""
    decision = asked.get("decision", "allow")
    if decision != "allow":
        raise RefusedError("access_denied", "the agent said no")
    user = _find(org, asked.get("agent", ""))
    if user is not None and user.state != "active":
        raise RefusedError("access_denied", f"{user.email} is {user.state} and cannot sign in")
    return user


def _find(org: Org, name: str) -> User | None:
    return org.users.get(name) or org.user_of(name)


def _consent_page(
    org: Org, client: OAuthClient, asked: dict[str, str], scopes: frozenset[str] | None, *, words: str = ""
) -> Reply:
    # The hint is an e-mail address, which an organization's name may follow.
    hint = asked.get("agent") or asked.get("login_hint", "").partition(":")[0]
    hinted = _find(org, hint)
    active = [each for each in org.users.values() if each.state == "active"]
    agents = active[:MOST_CHOICES]
    if hinted in active and hinted not in agents:
        agents = [hinted, *agents]
    more = len(active) - len(agents)
    return page.consent(
        status=400 if words else 200,
        words=words,
        client=client.name,
        org=org.name,
        agents=[(each.id, f"{each.name}, {each.email}", each is hinted) for each in agents],
        note=f"There are {more} more agents; login_hint names one of them." if more else "",
        scopes=_in_words(SCOPES.keys() if scopes is None else scopes),
        fields=[(name, asked[name]) for name in _OF_THE_REQUEST if name in asked],
        leads_to=source_of(asked["redirect_uri"]),
    )


def _in_words(scopes: Collection[str]) -> list[str]:
    """What scopes allow; whoever may change something need not be told that it can be seen."""
    told = {each for each in scopes if not (each.endswith(":readonly") and each.removesuffix(":readonly") in scopes)}
    return [words for each, words in SCOPES.items() if each in told]


def _redirect(location: str) -> Reply:
    return Reply(302, headers=(("Location", location), ("Cache-Control", "no-store")))
