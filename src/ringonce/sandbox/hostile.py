"""The hostile profile: a little of everything that has happened to somebody, each dose with a knob.

`ringonce sandbox --hostile`, `Sandbox(hostile=True)` and `POST /_sandbox/hostile` set all doses at their defaults;
`--hostile lost_answers=0.3,throttled=0`, `Sandbox(hostile={"lost_answers": 0.3})` and a body with such fields change
some of them. A dose is a share, from 0 (never) to 1 (always). Each rolls dice of its own, seeded by the sandbox's seed
and the dose's name: the same seed and the same requests give the same story, whatever the other doses are.
"""

import dataclasses
import difflib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ringonce.sandbox.trouble import SandboxError, said

_CREATES: Final = {"method": "POST", "path": "/api/v2/conversations/calls*"}
_ANY: Final = {"path": "/api/v2/*"}
PREFIX: Final = "hostile."
"""What the ids of the profile's faults begin with."""


@dataclasses.dataclass(frozen=True, slots=True)
class Dose:
    """One kind of trouble: its knob, its usual share, what it means, and the faults it is made of."""

    name: str
    share: float
    meaning: str
    faults: tuple[Mapping[str, Any], ...]


DOSES: Final = (
    Dose(
        "lost_requests",
        0.05,
        "creates of which nothing comes, not even an answer",
        ({**_CREATES, "action": "drop_before"},),
    ),
    Dose(
        "lost_answers", 0.05, "creates that place a call and lose the answer", ({**_CREATES, "action": "drop_after"},)
    ),
    Dose("cut_answers", 0.03, "creates that place a call and answer half", ({**_CREATES, "action": "truncate"},)),
    Dose(
        "late_creation",
        0.03,
        "creates whose connection closes, and whose call begins 3 s later",
        ({**_CREATES, "action": "create_late", "delay_s": 3},),
    ),
    Dose(
        "late_errors",
        0.03,
        "creates that place a call and answer 504",
        ({**_CREATES, "action": "late_status", "status": 504},),
    ),
    Dose(
        "throttled",
        0.03,
        "requests refused with 429 and Retry-After 1, beside the 429s of the real limit",
        ({**_ANY, "action": "status", "status": 429, "retry_after": 1},),
    ),
    Dose("unavailable", 0.03, "requests refused with 503", ({**_ANY, "action": "status", "status": 503},)),
    Dose("slow_answers", 0.03, "answers that come 2 s later", ({**_ANY, "action": "delay", "delay_s": 2},)),
    Dose("expired_tokens", 0.01, "requests whose token has just expired", ({**_ANY, "action": "expire_token"},)),
    Dose(
        "closed_sockets", 0.01, "requests at which every channel's socket closes", ({**_ANY, "action": "close_socket"},)
    ),
    Dose(
        "evicted_channels",
        0.005,
        "requests at which a channel of the token's owner is evicted, silently",
        ({**_ANY, "action": "evict_channel"},),
    ),
    Dose("mute_sockets", 0.1, "WebSockets that open and never say a word", ({"action": "mute_new_socket"},)),
    Dose("reordered_events", 0.1, "events that come 0.2 s late, behind their successors", ({"action": "reorder"},)),
    Dose("duplicated_events", 0.1, "events that come twice", ({"action": "duplicate"},)),
    Dose(
        "unknown_values",
        0.02,
        "answers and events with an enum value that no SDK knows",
        ({**_ANY, "action": "unknown_value"}, {"action": "unknown_value"}),
    ),
    Dose(
        "extra_fields",
        0.05,
        "answers and events with a field that no SDK knows",
        ({**_ANY, "action": "extra_field"}, {"action": "extra_field"}),
    ),
)
USUAL: Final[Mapping[str, float]] = {dose.name: dose.share for dose in DOSES}


def read_doses(text: str) -> dict[str, float]:
    """Read `lost_answers=0.3,throttled=0`, as the command line takes it; an empty text changes no dose."""
    given: dict[str, float] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, equals, value = (each.strip() for each in part.partition("="))
        try:
            given[name] = float(value)
        except ValueError:
            why = f"{name} needs a number from 0 to 1" if equals else "each dose is written NAME=SHARE"
            raise _wrong(f"{part!r} is no dose", why) from None
    return doses(given)


def doses(given: object = True) -> dict[str, float]:
    """Give every dose's share: the usual ones, but for those that are *given* (a mapping of names to shares)."""
    if given is True:
        given = {}
    if not isinstance(given, Mapping):
        raise _wrong(f"{said(given)} are no doses", "doses are names with shares")
    for name, share in given.items():
        if name not in USUAL:
            near = difflib.get_close_matches(str(name), USUAL, 1)
            raise _wrong(
                f"there is no dose {name!r}", f"did you mean {near[0]}?" if near else f"there are {', '.join(USUAL)}"
            )
        # The comparison refuses NaN as well.
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise _wrong(f"{name} cannot be {said(share)}", "a dose is a share from 0 (never) to 1 (always)")
    return {**USUAL, **given}


def faults_of(shares: Mapping[str, float]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the faults of a profile, each with its id; a dose of 0 has none."""
    for dose in DOSES:
        for number, fault in enumerate(dose.faults):
            if shares[dose.name]:
                yield f"{PREFIX}{dose.name}{'.events' * number}", {**fault, "share": shares[dose.name]}


def _wrong(what: str, why: str) -> SandboxError:
    example = "Write for example lost_answers=0.3,throttled=0; `POST /_sandbox/hostile` takes them as JSON fields."
    return SandboxError(f"The hostile profile was not set: {what}", why=why, fix=example)


HOSTILE: Final[tuple[Mapping[str, Any], ...]] = tuple(fault for _, fault in faults_of(USUAL))
"""The faults of the profile at its usual doses, for `serve(faults=HOSTILE)`."""
