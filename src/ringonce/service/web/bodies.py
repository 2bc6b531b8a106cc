"""What goes in and out by the web door. Every field's meaning and limits are in the OpenAPI document."""

import re
from typing import Annotated, Any

import msgspec
from litestar.connection import Request
from litestar.exceptions import ValidationException
from msgspec import Meta

from ringonce.models import Finding, Outcome, Wire
from ringonce.service.access import Role
from ringonce.service.agents import Agent
from ringonce.service.calls import LEAST_URGENT, MOST_URGENT, Ask, Record, State
from ringonce.service.story import Entry
from ringonce.service.web.problems import ProblemError

LATEST = 4_102_444_800.0
"""The year 2100: no moment of a call is later."""
Moment = Annotated[float, Meta(ge=0, le=LATEST, description="Seconds since 1970, such as 1795377600.")]
Text = Annotated[str, Meta(pattern=r"^[^\x00]*$")]
"""Any text but one with a NUL, which PostgreSQL does not keep."""
Line = Annotated[str, Meta(max_length=256, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""One line of text."""
Name = Annotated[
    str, Meta(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$")
]
Reason = Annotated[Name, Meta(description="Why; kept in the audit log.")]
CALL_ID = r"^call_[0-9a-f]{8,40}$"
UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"


class RetryBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """When an attempt that came to nothing is followed by another. Never after declined, never after unknown."""

    attempts: Annotated[int, Meta(ge=1, le=10, description="In all, the first included.")] = 1
    gap: Annotated[float, Meta(ge=60, le=2_592_000, description="Seconds between two, at the least.")] = 3600.0
    outcomes: Annotated[
        tuple[str, ...],
        Meta(
            max_length=10,
            description="After which of no_answer, busy, voicemail, agent_unreachable, abandoned, failed.",
        ),
    ] = ("no_answer", "busy")


class OverrideBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Rules of the guard that a person sets aside for one call; for admins, and in the audit log."""

    rules: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=20, description="Such as `calling hours`.")]
    reason: Reason


class CallBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One call as it is asked for."""

    agent: Annotated[Name, Meta(description="The agent who talks: id, e-mail or full name.")]
    to: Annotated[Name, Meta(description="The number to call, in any human form.", examples=["+1 555 987 6543"])]
    caller_id: Annotated[Line, Meta(description="The number to show. Not beside a queue.")] = ""
    caller_name: Line = ""
    queue: Annotated[Line, Meta(description="The queue to call for, by id or name.")] = ""
    attributes: Annotated[dict[Text, Text], Meta(max_length=100, description="Kept on the far end's participant.")] = {}
    external_contact: Line = ""
    uui: Annotated[str, Meta(max_length=1024, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    wire: Wire = Wire.PLATFORM
    zone: Annotated[Line, Meta(description="The callee's time zone; else every zone the number may be in.")] = ""
    priority: Annotated[int, Meta(ge=MOST_URGENT, le=LEAST_URGENT, description="The lower goes first.")] = 0
    not_before: Moment = 0.0
    expires_at: Moment | None = None
    retry: RetryBody = msgspec.field(default_factory=RetryBody)
    override: OverrideBody | None = None

    def ask(self) -> Ask:
        """Give it as the service keeps it."""
        return msgspec.convert(msgspec.to_builtins(self), Ask)


class CallShown(msgspec.Struct, kw_only=True):
    """A call as it stands."""

    id: Annotated[str, Meta(pattern=CALL_ID)]
    key: Annotated[str, Meta(description="The intent's key: one decision to call.")]
    agent: str
    agent_id: Annotated[str, Meta(description="Empty until the agent is looked up.")]
    to: Annotated[str, Meta(description="The number; its middle is masked unless the token is an admin's.")]
    state: State
    progress: Annotated[str, Meta(description="While it is live: requested, dialing, ringing, connected, ended.")]
    outcome: Annotated[str, Meta(description=f"One of {', '.join(Outcome)}; empty while not known.")]
    conversation_id: str
    attempt: Annotated[int, Meta(description="Which attempt this is or will be next, from 1.")]
    why: Annotated[dict[str, Any], Meta(description="What it waits for, or why it was refused.")]
    evidence: Annotated[dict[str, Any] | None, Meta(description="What the outcome was seen by.")]
    due_at: Annotated[float | None, Meta(description="While it waits: when it is looked at next.")]
    batch_id: str | None
    row: int | None
    created_at: float
    placed_at: float | None
    ended_at: float | None
    changed_at: float
    held: bool = False
    muted: bool = False


class CallPage(msgspec.Struct, kw_only=True):
    """A page of calls, the newest first."""

    calls: list[CallShown]
    next: Annotated[str | None, Meta(description="Give it as `cursor` for the next page; null on the last.")]


class CallStory(msgspec.Struct, kw_only=True):
    """A call and its whole story, from the intent to what its outcome was seen by."""

    call: CallShown
    story: Annotated[list[Entry], Meta(description="In order.")]
    more: Annotated[bool, Meta(description="Whether events were left out, since there are very many.")]
    who: Annotated[dict[str, str], Meta(description="The names of tokens whose ids are in it.")]


class WrapUpBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How the agent wraps the call up."""

    code: Annotated[Name, Meta(description="The wrap-up code, by id or name.")]
    notes: Annotated[str, Meta(max_length=2000)] = ""


class ResolveBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A person's word about a call that may have rung: either `placed` or `not_placed`."""

    reason: Reason
    placed: Annotated[str, Meta(pattern=UUID, description="The conversation that it was.")] | None = None
    not_placed: Annotated[bool, Meta(description="It never rang.")] = False
    dial_again: Annotated[bool, Meta(description="With not_placed: dial it after all.")] = False


class StopBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why everything is to stop."""

    reason: Reason


class TokenBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A token to make."""

    name: Annotated[Name, Meta(description="Who uses it.")]
    role: Role
    agents: Annotated[
        tuple[Name, ...],
        Meta(max_length=1000, description="For a dialer: whose calls it may place; none: everybody's."),
    ] = ()


class TokenShown(msgspec.Struct, kw_only=True):
    """A token, without its secret."""

    id: str
    name: str
    role: Role
    agents: tuple[str, ...]
    created_at: float
    used_at: float | None
    revoked_at: float | None


class TokenMade(TokenShown, kw_only=True):
    """A new token with its secret, which is never shown again."""

    secret: str


class Tokens(msgspec.Struct, kw_only=True):
    """All tokens, the revoked ones too."""

    tokens: list[TokenShown]


class AgentPage(msgspec.Struct, kw_only=True):
    """A page of agents."""

    agents: list[Agent]
    next: str | None


class Findings(msgspec.Struct, kw_only=True):
    """What a call would run into; nothing rang."""

    findings: list[Finding]


class AuditEntry(msgspec.Struct, kw_only=True):
    """One thing that somebody did; each entry is hashed together with the one before."""

    seq: int
    at: float
    who: str
    what: str
    subject: str
    details: str
    before: str
    hash: str


class AuditPage(msgspec.Struct, kw_only=True):
    """A page of the audit log, the oldest first."""

    entries: list[AuditEntry]
    next: Annotated[int | None, Meta(description="Give it as `after` for the next page; null on the last.")]


class StrictRequest(Request[Any, Any, Any]):
    """A request whose body is JSON of exactly the type that the door asks for."""

    async def json(self) -> Any:
        """Read the body, or say where in it the trouble is."""
        sent = self.headers.get("content-type", "")
        if sent.partition(";")[0].strip().lower() != "application/json":
            said = f"its Content-Type is {sent[:80]!r}" if sent else "it has no Content-Type"
            raise ProblemError(
                "not-json", "The body is not taken for JSON", why=said, fix="send Content-Type: application/json"
            )
        body = await self.body()
        field = self.route_handler.parsed_data_field
        try:
            return msgspec.json.decode(body, type=field.raw if field else Any)
        except msgspec.ValidationError as wrong:
            # Files of calls take days and times in words, too, so that one may try them here.
            moment = re.search(r"got `str` - at `\$\.(not_before|expires_at)`", str(wrong))
            hint = f": {moment[1]} is a number of seconds since 1970, such as 1795377600" if moment else ""
            raise ValidationException(detail=f"{wrong}{hint}") from wrong
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as wrong:
            fix = "send one JSON object, in UTF-8"
            raise ProblemError("malformed", "The body is no JSON", why=str(wrong), fix=fix) from wrong


def shown(record: Record, *, whole_number: bool) -> CallShown:
    """Give a call as the outside sees it."""
    return msgspec.convert(record.shown(whole_number=whole_number), CallShown)
