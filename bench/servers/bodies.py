"""What the sandbox answers and announces for one call, recorded once: every server here serves these bytes."""

import base64
import dataclasses
import json

from ringonce.sandbox.default_org import ADA
from ringonce.sandbox.desk import Desk
from ringonce.sandbox.http import Reply, Request
from ringonce.sandbox.world import World

BEGINS = 1_800_000_000.0
NUMBER, CALLER_ID = "+15559876543", "+15551234567"
BASIC = "Basic " + base64.b64encode(b"your_client_id:your_client_secret").decode()
SENT_AT = "bench.sentAt"
"""The attribute that an event brings to tell when it left."""
NOT_YET = "0" * 20
"""What stands in a recorded event for that moment."""


@dataclasses.dataclass(frozen=True)
class Bodies:
    """One call's life as bytes. *conversation* and `ADA` are the ids to be replaced."""

    conversation: str
    token: bytes
    create: bytes
    tutorial_create: bytes
    read: bytes
    read_flat: bytes
    events: tuple[bytes, ...]
    """What the agent's topic says, from the beginning to the end."""
    timed: bytes
    """An event of the connected call, with `NOT_YET` for when it leaves."""


def record() -> Bodies:
    """Let one call live in a sandbox without a socket."""
    world = World(now=BEGINS)
    world.rate_limit = None
    desk = Desk(world)

    def ask(method: str, path: str, body: object = None, *, token: str) -> Reply:
        said = json.dumps(body).encode() if body else b""
        headers = {"content-type": "application/json", "host": "127.0.0.1", "authorization": f"Bearer {token}"}
        if path == "/oauth/token":
            said = b"grant_type=client_credentials"
            headers |= {"content-type": "application/x-www-form-urlencoded", "authorization": token}
        reply = desk.handle(Request(method, path, {}, headers, said))
        if reply.status >= 400:
            raise RuntimeError(f"{method} {path}: {reply.status} {reply.body.decode()}")
        return reply

    signed_in = ask("POST", "/oauth/token", token=BASIC).body
    token = json.loads(signed_in)["access_token"]
    channel = json.loads(ask("POST", "/api/v2/notifications/channels", token=token).body)["id"]
    topic = [{"id": f"v2.users.{ADA}.conversations"}]
    ask("PUT", f"/api/v2/notifications/channels/{channel}/subscriptions", topic, token=token)
    frames: list[bytes] = []
    world.channels.attach(channel, frames.append)
    order = {
        "phoneNumber": NUMBER,
        "callerId": CALLER_ID,
        "attributes": {"ringonce.intent": "0" * 32, SENT_AT: NOT_YET},
    }
    create = ask("POST", f"/api/v2/conversations/calls/user/{ADA}", order, token=token).body
    conversation = json.loads(create)["id"]
    world.advance(BEGINS + 6)
    read = ask("GET", f"/api/v2/conversations/{conversation}", token=token).body
    flat = ask("GET", f"/api/v2/conversations/calls/{conversation}", token=token).body
    talking = [frame for frame in frames if conversation.encode() in frame]
    world.advance(BEGINS + 120)
    events = tuple(frame for frame in frames if conversation.encode() in frame)
    asked = {"from": {"id": ADA, "phoneNumber": CALLER_ID}, "to": {"phoneNumber": NUMBER}, "type": "pstn"}
    tutorial = ask("POST", "/api/v2/conversations/calls", asked, token=token).body
    tutorial = tutorial.replace(json.loads(tutorial)["id"].encode(), conversation.encode())
    return Bodies(conversation, signed_in, create, tutorial, read, flat, events, talking[-1])
