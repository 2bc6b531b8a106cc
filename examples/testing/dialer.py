"""The program under test, as many write it first: one call with plain `requests`, tried again if need be."""

import requests


def place_call(base_url: str, agent: str, to: str, *, tries: int = 3) -> str:
    """Place a call for an agent and give its conversation's id."""
    token = requests.post(
        f"{base_url}/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=("your_client_id", "your_client_secret"),
        timeout=10,
    ).json()["access_token"]
    for attempt in range(1, tries + 1):
        try:
            answer = requests.post(
                f"{base_url}/api/v2/conversations/calls/user/{agent}",
                json={"phoneNumber": to},
                headers={"Authorization": f"Bearer {token}"},
                timeout=10,
            )
            answer.raise_for_status()
            return str(answer.json()["id"])
        except requests.ConnectionError:
            if attempt == tries:
                raise
    raise ValueError(tries)
