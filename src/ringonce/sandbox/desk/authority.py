"""A token's own pages: whose it is, and until when."""

from typing import Any

from ringonce.sandbox.agenda import iso
from ringonce.sandbox.desk.routes import Route
from ringonce.sandbox.desk.visit import Answer, Visit
from ringonce.sandbox.org import AUTHORIZATION_CODE, CLIENT_CREDENTIALS, JWT_BEARER, SAML2_BEARER
from ringonce.sandbox.scopes import SCOPES

# The platform has no JWT bearer grant, so none of its names fits; a client of agents is nearest to CODE.
KINDS = {
    CLIENT_CREDENTIALS: "CLIENT-CREDENTIALS",
    AUTHORIZATION_CODE: "CODE",
    JWT_BEARER: "CODE",
    SAML2_BEARER: "SAML2-BEARER",
}


def about(visit: Visit) -> Answer:
    """Say which client the token was given to, until when, and which scopes it has."""
    return 200, token_info(visit)


def token_info(visit: Visit) -> dict[str, Any]:
    """The token of a visit: the official SDK's model TokenInfo."""
    org, issued = visit.world.org, visit.token
    client = visit.world.clients[issued.client.id]
    whole = {"id": org.id, "name": org.name}
    scopes = issued.scopes if issued.scopes is not None else SCOPES.keys() if issued.user_id else ()
    return {
        "organization": whole,
        "homeOrganization": whole,
        "authorizedScope": sorted(scopes),
        "dateTokenIdles": iso(issued.expires_at),
        "OAuthClient": {
            "id": client.id,
            "name": client.name,
            "authorizedGrantType": KINDS[issued.grant],
            "state": client.state,
            "organization": whole,
        },
    }


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
