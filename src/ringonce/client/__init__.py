"""The client: flows decide, a shell grants."""

from ringonce.client.aio import AsyncClient
from ringonce.client.auth import AccessToken, Auth, ClientCredentials
from ringonce.client.blocking import Client
from ringonce.client.flows.order import Plan

__all__ = ["AccessToken", "AsyncClient", "Auth", "Client", "ClientCredentials", "Plan"]
