"""Whose a request is, by the header that it carries, without a look at whether it may be."""

import base64

from ringonce.sandbox.world import World


def bearer(authorization: str) -> str:
    """The token in an Authorization header."""
    return authorization.partition(" ")[2].strip()


def client_of(authorization: str, world: World) -> str | None:
    """Name the OAuth client behind a request; only ids that exist, so that nothing mistyped is written down."""
    token = world.tokens.find(bearer(authorization))
    if token is not None:
        return token.client.id
    if authorization[:6].lower() != "basic ":
        return None
    try:
        name = base64.b64decode(authorization[6:], validate=True).partition(b":")[0].decode()
    except ValueError:
        return None
    return name if name in world.clients else None
