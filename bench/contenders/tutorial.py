"""What the tutorial teaches: `requests`, a connection for every request, and a loop that looks again and again."""

import base64
import concurrent.futures
import time
from typing import Any

import requests

from bench.answering import take_turns
from bench.contenders.placing import CALLER_ID, CLIENT_ID, CLIENT_SECRET, NUMBERS, URL, timed
from ringonce.sandbox.default_org import ADA

PATIENCE = 10
"""Seconds that a request may take."""
OVER = ("disconnected", "failed")


class Caller:
    """Signs in, rings, looks."""

    def __init__(self, origin: str, client_id: str, client_secret: str) -> None:
        self.origin, self.client_id, self.client_secret = origin, client_id, client_secret
        self.access_token = ""

    def sign_in(self) -> None:
        basic = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        answer = requests.post(
            f"{self.origin}/oauth/token",
            headers={"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Basic {basic}"},
            data={"grant_type": "client_credentials", "scope": "conversation:call:write"},
            timeout=PATIENCE,
        )
        answer.raise_for_status()
        self.access_token = answer.json()["access_token"]

    def ring(self, number: str) -> str:
        if not self.access_token:
            self.sign_in()
        answer = requests.post(
            f"{self.origin}/api/v2/conversations/calls",
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.access_token}"},
            json={"from": {"id": ADA, "phoneNumber": CALLER_ID}, "to": {"phoneNumber": number}, "type": "pstn"},
            timeout=PATIENCE,
        )
        answer.raise_for_status()
        conversation_id: str = answer.json()["id"]
        return conversation_id

    def look(self, conversation_id: str) -> str:
        answer = requests.get(
            f"{self.origin}/api/v2/conversations/{conversation_id}",
            headers={"Authorization": f"Bearer {self.access_token}"},
            timeout=PATIENCE,
        )
        answer.raise_for_status()
        status: str = answer.json().get("status", "")
        return status


caller = Caller(URL, CLIENT_ID, CLIENT_SECRET)


def place(calls: int, looks: bool) -> None:
    for _ in range(calls):
        conversation_id = caller.ring(next(NUMBERS))
        if looks:
            caller.look(conversation_id)


def follow(calls: int, number: str, every: float) -> None:
    """Ring and look every *every* seconds until the call is over, as many calls at once."""
    caller.sign_in()

    def one(_: int) -> None:
        conversation_id = caller.ring(number)
        while caller.look(conversation_id) not in OVER:
            time.sleep(every)

    with concurrent.futures.ThreadPoolExecutor(calls) as pool:
        list(pool.map(one, range(calls)))


def play(calls: int, in_flight: int = 1, looks: bool = False, number: str = "", every: float = 0.0) -> dict[str, Any]:
    if number:
        return timed(lambda: follow(calls, number, every))
    if in_flight != 1:
        raise ValueError("the tutorial places one call after the other")
    return timed(lambda: place(calls, looks))


take_turns(play)
