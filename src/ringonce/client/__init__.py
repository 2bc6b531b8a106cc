"""The client: flows decide, a shell grants."""

from ringonce.client.aio import AsyncClient
from ringonce.client.auth import (
    AccessToken,
    Auth,
    AuthorizationCode,
    ClientCredentials,
    JwtBearer,
    RefreshToken,
    Saml2Bearer,
)
from ringonce.client.blocking import Client
from ringonce.client.flows.order import Plan
from ringonce.client.quota import Quota
from ringonce.client.safe import FileSafe, KeyringSafe, MemorySafe, Safe

__all__ = [
    "AccessToken",
    "AsyncClient",
    "Auth",
    "AuthorizationCode",
    "Client",
    "ClientCredentials",
    "FileSafe",
    "JwtBearer",
    "KeyringSafe",
    "MemorySafe",
    "Plan",
    "Quota",
    "RefreshToken",
    "Safe",
    "Saml2Bearer",
]
