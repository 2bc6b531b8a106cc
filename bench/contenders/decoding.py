"""Turn one conversation's bytes into what a program works with: `python -m bench.contenders.decoding ours|sdk`."""

import sys
import types
from collections.abc import Callable

from bench.answering import take_turns
from bench.contenders.placing import timed
from bench.servers.bodies import record

BODIES = record()


def ours() -> dict[str, Callable[[], object]]:
    from ringonce.client import snapshots
    from ringonce.client.fold import fold

    return {
        "snapshot": lambda: snapshots.read(BODIES.read),
        "call": lambda: fold(BODIES.conversation, [snapshots.read(BODIES.read)]),
    }


def sdk() -> dict[str, Callable[[], object]]:
    import PureCloudPlatformClientV2

    client = PureCloudPlatformClientV2.api_client.ApiClient(host="http://127.0.0.1")
    answer = types.SimpleNamespace(data=BODIES.read.decode(), getheader=lambda _: "application/json")
    return {"Conversation": lambda: client.deserialize(answer, "Conversation")}


KINDS = {"ours": ours, "sdk": sdk}[sys.argv[1]]()


def play(kind: str, times: int) -> dict[str, float]:
    decode = KINDS[kind]

    def decode_them() -> None:
        for _ in range(times):
            decode()

    return timed(decode_them)


take_turns(play, size=len(BODIES.read))
