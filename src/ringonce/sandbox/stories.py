"""What happens to a call, by the last four digits dialled."""

import dataclasses
import re

_FORMATTING = re.compile(r"[\s().\-]")
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_NATIONAL = re.compile(r"1?([2-9]\d{9})")


@dataclasses.dataclass(frozen=True, slots=True)
class SipReason:
    """Why the far end did not take a call, as its carrier says."""

    code: int
    phrase: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One fate. Every time is in seconds; None means that it never happens by itself.

    *answers*, *refuses* and *voicemail* count from the first ring, *hangs_up* and *drops* from the answer.
    """

    title: str
    station_answers: bool = True
    routable: bool = True
    answers: float | None = None
    refuses: float | None = None
    reason: SipReason | None = None
    voicemail: float | None = None
    hangs_up: float | None = None
    drops: float | None = None


STORIES = {
    "0000": Story(title="answers after 2 s and talks until hung up", answers=2.0),
    "0001": Story(title="no answer", refuses=30.0, reason=SipReason(480, "Temporarily Unavailable")),
    "0002": Story(title="busy", refuses=0.5, reason=SipReason(486, "Busy Here")),
    "0003": Story(title="declined", refuses=2.0, reason=SipReason(603, "Decline")),
    "0004": Story(title="unroutable", routable=False),
    "0005": Story(title="voicemail", voicemail=4.0, hangs_up=6.0),
    "0006": Story(title="answers and hangs up at once", answers=2.0, hangs_up=0.5),
    "0007": Story(title="the agent's station never answers", station_answers=False),
    "0008": Story(title="the line drops in mid-call", answers=2.0, drops=5.0),
    "0009": Story(title="rings until someone answers"),
}
ORDINARY = Story(title="answers after 2 s, hangs up 8 s later", answers=2.0, hangs_up=8.0)


def address_of(dialled: str) -> str:
    """The address of whatever was dialled: `tel:` for a number, `sip:` for anything else."""
    if dialled.startswith(("sip:", "tel:")):
        return dialled
    if _E164.fullmatch(dialled) is not None:
        return f"tel:{dialled}"
    number = _FORMATTING.sub("", dialled)
    if (national := _NATIONAL.fullmatch(number)) is not None:
        number = f"+1{national[1]}"
    return f"sip:{dialled}" if "@" in dialled else f"tel:{number}"


def story_of(address: str) -> Story:
    """What happens to a call to *address*. A number that no carrier knows is unroutable."""
    if address.startswith("sip:"):
        return ORDINARY
    number = address.removeprefix("tel:")
    if _E164.fullmatch(number) is None:
        return STORIES["0004"]
    return STORIES.get(number[-4:], ORDINARY)
