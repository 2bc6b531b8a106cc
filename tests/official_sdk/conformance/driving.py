"""How one endpoint of the sandbox is driven with the official SDK's own method, and what was heard on the wire."""

import dataclasses
import json
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Literal

from official_sdk.conformance.walk import misfits
from ringonce.sandbox import Sandbox, default_org
from ringonce.sandbox.dice import named

ADA = default_org.ADA
GRACE = named("user/grace")
SALES, SUPPORT = named("queue/sales"), named("queue/support")
SALE = named("wrapup-code/Sale")


@dataclasses.dataclass(frozen=True)
class Basis:
    """What the sandbox's behaviour at an endpoint rests on. The shape of an answer always rests on the SDK's model."""

    behaviour: Literal["recorded fact", "guess"]
    confidence: Literal["sure", "likely", "guess"]


SURE = Basis("recorded fact", "sure")
LIKELY = Basis("recorded fact", "likely")
GUESS = Basis("guess", "guess")


@dataclasses.dataclass(frozen=True)
class Heard:
    """One request of the SDK and its answer. *model* is what the SDK takes the answer for."""

    method: str
    path: str
    model: str | None
    status: int
    body: bytes

    def misfits(self) -> Iterator[str]:
        """Whatever in the answer is not in the SDK's model."""
        if self.model is None:
            if self.body:
                yield f"{self.body!r} was answered where the SDK reads nothing"
        elif self.body:
            yield from misfits(json.loads(self.body), self.model, self.model)
        elif self.method != "HEAD":
            yield f"nothing was answered where the SDK reads {self.model}"

    def is_empty_listing(self) -> bool:
        """Whether the walk has seen the envelope only."""
        answer = json.loads(self.body) if self.body else None
        return isinstance(answer, dict) and answer.get("entities", True) == []


class Scene:
    """A sandbox whose clock stands still, and the SDK's clients of a service and of agents in it."""

    def __init__(self, sdk: Any, sandbox: Sandbox, client: Callable[[str], Any]) -> None:
        self.sdk = sdk
        self.sandbox = sandbox
        self._client = client

    def body(self, model: str, **fields: Any) -> Any:
        """A request's body in the SDK's own model."""
        body = getattr(self.sdk, model)()
        for name, value in fields.items():
            assert name in body.swagger_types, f"{model} has no {name}"
            setattr(body, name, value)
        return body

    def api(self, name: str, who: str = "") -> Any:
        """One of the SDK's API classes, for the user with the id *who* or for the service."""
        return getattr(self.sdk, name)(self._client(who))

    def drive(self, drive: "Drive") -> Heard:
        """Ask what *drive* asks, and give back the one request that its method made."""
        arguments = drive.arguments(self)
        client = self._client(drive.who)
        asked: list[tuple[str, str, str | None]] = []
        ask = client.call_api

        def call_api(resource_path: str, method: str, *rest: Any, response_type: str | None = None, **more: Any) -> Any:
            asked.append((method, resource_path, response_type))
            return ask(resource_path, method, *rest, response_type=response_type, **more)

        client.call_api = call_api
        try:
            api, _, name = drive.sdk_method.partition(".")
            # The SDK warns of methods that the platform would rather not see used; they are there all the same.
            with warnings.catch_warnings(record=True):
                getattr(getattr(self.sdk, api)(client), name)(**arguments)
        finally:
            client.call_api = ask
        [(method, path, model)] = asked
        answer = client.last_response
        return Heard(method, path.removeprefix("/api/v2"), model, answer.status, answer.data or b"")


@dataclasses.dataclass(frozen=True)
class Drive:
    """One endpoint: its route in the sandbox's table, the SDK's method, and how to call it.

    *arguments* sets the scene and gives the method's keyword arguments. *who* is a user's id; empty is the service.
    """

    method: str
    path: str
    sdk_method: str
    arguments: Callable[[Scene], dict[str, Any]] = lambda _: {}
    basis: Basis = SURE
    who: str = ""


def placed(scene: Scene, digits: str = "0000", who: str = ADA, seconds: float = 5, **fields: Any) -> str:
    """The id of a call that somebody placed to +1555987 and the digits *seconds* ago; it is answered and goes on."""
    body = scene.body("CreateCallRequest", phone_number=f"+1555987{digits}", **fields)
    conversation_id: str = scene.api("ConversationsApi").post_conversations_calls_user_user_id(who, body).id
    scene.sandbox.advance(seconds)
    return conversation_id


def leg(scene: Scene, conversation_id: str, index: int = 0) -> dict[str, str]:
    """The arguments that name a participant of a call: the agent is the first one."""
    participant = scene.api("ConversationsApi").get_conversation(conversation_id).participants[index]
    return {"conversation_id": conversation_id, "participant_id": participant.id}


def line(scene: Scene, conversation_id: str, index: int = 0) -> dict[str, str]:
    """The arguments that name a participant's communication."""
    participant = scene.api("ConversationsApi").get_conversation(conversation_id).participants[index]
    communication = (participant.calls or participant.callbacks)[0]
    return {
        "conversation_id": conversation_id,
        "participant_id": participant.id,
        "communication_id": communication.id,
    }
