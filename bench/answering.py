"""How a measured process talks with whoever measures it: a JSON line in, a JSON line out."""

import json
import sys
from collections.abc import Callable
from typing import Any

Play = Callable[..., dict[str, Any]]


def tell(words: dict[str, Any]) -> None:
    """Say one thing."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def take_turns(play: Play, **ready: Any) -> None:
    """Say that this process is ready, then take a turn for every line, until there are no more."""
    tell({"ready": True, **ready})
    for line in sys.stdin:
        tell(play(**json.loads(line)))
