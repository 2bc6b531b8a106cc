"""Who we are to the platform: the grants, each a way to get access tokens.

plain       client credentials, and a token made elsewhere
browser     authorization code with PKCE: an agent says yes in a browser
renewing    refresh tokens, which change at every use
assertions  SAML2 bearer and JWT bearer: somebody else vouches for the agent
"""

from ringonce.client.auth.assertions import JwtBearer, Saml2Bearer
from ringonce.client.auth.browser import AuthorizationCode
from ringonce.client.auth.grant import AccessGrant, Auth
from ringonce.client.auth.plain import AccessToken, ClientCredentials
from ringonce.client.auth.renewing import RefreshToken

__all__ = [
    "AccessGrant",
    "AccessToken",
    "Auth",
    "AuthorizationCode",
    "ClientCredentials",
    "JwtBearer",
    "RefreshToken",
    "Saml2Bearer",
]
