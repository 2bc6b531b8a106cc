"""What secrets look like: those of the sandbox's default org, and every token that it makes."""

import base64
import re

from ringonce.sandbox.default_org import default_org
from ringonce.sandbox.published_key import PUBLISHED_PRIVATE_KEY

CLIENTS = default_org().clients.values()
KNOWN = (
    *(client.secret for client in CLIENTS),
    *(base64.b64encode(f"{client.id}:{client.secret}".encode()).decode() for client in CLIENTS),
    *PUBLISHED_PRIVATE_KEY.splitlines()[1:-1],
)
TOKEN = re.compile(r"\b[0-9a-f]{43,}\b|\beyJ[\w-]+\.[\w-]+\.[\w-]+|\bPH[\w+/=]{40,}")
"""A token or code of the sandbox, a JWT, and XML in base64."""


def leaks_in(text: str) -> list[str]:
    """Give the beginning of each secret that shows in *text*."""
    found = [secret for secret in KNOWN if secret in text] + TOKEN.findall(text)
    return [f"{secret[:6]}… ({len(secret)} characters)" for secret in found]
