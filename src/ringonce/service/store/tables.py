"""The tables. Times are seconds since the epoch; a `mark` stands for a number, equal for equal numbers."""

import sqlalchemy as sa

from ringonce.ledger import sql

metadata = sa.MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
)
_seq = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_time: sa.types.TypeEngine[float] = sa.Double()

calls = sa.Table(
    "calls",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True, doc="the intent's key, the caller's or made"),
    sa.Column("fingerprint", sa.Text, nullable=False, doc="hash of what was asked under the key"),
    sa.Column("created_by", sa.Text, nullable=False, doc="the API token's id"),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("batch_id", sa.Text, sa.ForeignKey("batches.id"), nullable=True),
    sa.Column("row", sa.Integer, nullable=True, doc="the row's number in the batch's file"),
    sa.Column("agent", sa.Text, nullable=False, doc="as it was given; empty: anybody of the batch's pool"),
    sa.Column("agent_id", sa.Text, nullable=False, doc="empty until it is looked up"),
    sa.Column("number", sa.Text, nullable=False, doc="E.164"),
    sa.Column("mark", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False, doc="the callee's own time zone, if it was given"),
    sa.Column("asked", sa.JSON, nullable=False, doc="caller id, queue, attributes, … as given"),
    sa.Column("priority", sa.Integer, nullable=False, doc="the lower goes first"),
    sa.Column("not_before", _time, nullable=False),
    sa.Column("expires_at", _time, nullable=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("due_at", _time, nullable=False, doc="when a waiting call is looked at again"),
    sa.Column("why", sa.JSON, nullable=False, doc="what it waits for, or why it was refused"),
    sa.Column("attempt", sa.Integer, nullable=False, doc="the number of the intent that it is or will be next, from 1"),
    sa.Column("conversation_id", sa.Text, nullable=False),
    sa.Column("progress", sa.Text, nullable=False, doc="the call's own state while it is live"),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("told", sa.JSON, nullable=False, doc="the call as it was last told, with its evidence"),
    sa.Column("placed_at", _time, nullable=True),
    sa.Column("ended_at", _time, nullable=True),
    sa.Column("changed_at", _time, nullable=False),
    sa.Index(None, "state", "due_at"),
    sa.Index(None, "agent_id", "state", "priority", "due_at"),
    sa.Index(None, "batch_id", "row"),
    sa.Index(None, "batch_id", "state", "outcome"),
    # Rows that wait for whichever agent of a pool is free first.
    sa.Index(
        "ix_calls_pooled",
        "batch_id",
        "priority",
        "due_at",
        sqlite_where=sa.text("agent = '' AND state = 'waiting'"),
        postgresql_where=sa.text("agent = '' AND state = 'waiting'"),
    ),
    sa.Index(None, "expires_at"),
    sa.Index(None, "agent", "agent_id"),
    sa.Index(None, "mark", "created_at"),
    sa.Index(None, "created_at"),
)

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, nullable=False, unique=True, doc="the Idempotency-Key, the caller's or made"),
    sa.Column("digest", sa.Text, nullable=False, doc="hash of the file and its settings; empty until it is whole"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("settings", sa.JSON, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False, doc="that were taken"),
    sa.Column("report", sa.JSON, nullable=False, doc="what is wrong where in the file"),
    sa.Column("gap", _time, nullable=False, doc="seconds from one call to the next, at the least"),
    sa.Column("paced_at", _time, nullable=False, doc="no next call before"),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("changed_at", _time, nullable=False),
    sa.Index(None, "state"),
)

pools = sa.Table(
    "pools",
    metadata,
    sa.Column("batch_id", sa.Text, sa.ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True, doc="an agent who takes the batch's rows, in lower case"),
    sa.Column("agent_id", sa.Text, nullable=False, doc="empty until it is looked up"),
    sa.Column("why", sa.Text, nullable=False, doc="why there is no such agent"),
    sa.Index(None, "agent_id"),
)

agents = sa.Table(
    "agents",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, doc="what calls name the agent by, in lower case"),
    sa.Column("agent_id", sa.Text, nullable=False),
    sa.Index(None, "agent_id"),
)

lines = sa.Table(
    "lines",
    metadata,
    sa.Column("agent_id", sa.Text, primary_key=True, doc="one call at a time for an agent"),
    sa.Column("call_id", sa.Text, nullable=False, doc="empty while the agent has none"),
    sa.Column("run", sa.Text, nullable=False, doc="the workflow that has the call"),
    sa.Column("worker", sa.Text, nullable=False),
    sa.Column("free_at", _time, nullable=False, doc="no next call before: the agent is wrapping up"),
    sa.Column("look_at", _time, nullable=False, doc="when one of the agent's waiting calls may be due"),
    sa.Index(None, "call_id", "look_at"),
    sa.Index(None, "worker"),
)

attempts = sa.Table(
    "attempts",
    metadata,
    sa.Column("intent", sa.Text, primary_key=True, doc="the ledger's key of this attempt"),
    sa.Column("call_id", sa.Text, nullable=False),
    sa.Column("mark", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Index(None, "mark", "at"),
    sa.Index(None, "call_id"),
)

intents = sql.intents.to_metadata(metadata)
meters = sql.meters.to_metadata(metadata)
secret = sql.secret.to_metadata(metadata)

events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", _seq, primary_key=True, autoincrement=True),
    sa.Column("at", _time, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, doc="call.changed, batch.changed, …"),
    sa.Column("subject", sa.Text, nullable=False, doc="the call's or batch's id"),
    sa.Column("agent_id", sa.Text, nullable=False, doc="whose it is, for who may see it"),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Index(None, "subject", "seq"),
    sa.Index(None, "at"),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("agents", sa.JSON, nullable=False, doc="a dialer's agents; empty: all"),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("used_at", _time, nullable=True),
    sa.Column("revoked_at", _time, nullable=True),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("hash", sa.Text, primary_key=True, doc="of the cookie's secret"),
    sa.Column("token_id", sa.Text, nullable=False, doc="the token that it was begun with, and dies with"),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("expires_at", _time, nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("seq", _seq, primary_key=True, autoincrement=False, doc="without a gap"),
    sa.Column("at", _time, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False, doc="JSON, the very bytes that were hashed"),
    sa.Column("before", sa.Text, nullable=False, doc="the hash of the entry before"),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Index(None, "subject"),
)

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, doc="under which a secret is kept"),
    sa.Column("agent_id", sa.Text, nullable=False),
    sa.Column("agent", sa.Text, nullable=False, doc="for people"),
    sa.Column("sealed", sa.LargeBinary, nullable=False, doc="encrypted"),
    sa.Column("changed_at", _time, nullable=False),
    sa.Index(None, "agent_id"),
)

invitations = sa.Table(
    "invitations",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("hash", sa.Text, nullable=False, unique=True, doc="of the link's secret"),
    sa.Column("agent", sa.Text, nullable=False, doc="who has to log in"),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("expires_at", _time, nullable=False),
    sa.Column("used_at", _time, nullable=True),
)

webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("kinds", sa.JSON, nullable=False, doc="of events; empty: all"),
    sa.Column("sealed", sa.LargeBinary, nullable=False, doc="the signing secret, encrypted"),
    sa.Column("created_at", _time, nullable=False),
    sa.Column("next_seq", _seq, nullable=False, doc="the first event not yet handed over"),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("due_at", _time, nullable=False),
    sa.Column("paused", sa.Text, nullable=False, doc="why nothing is sent any more; empty: it is"),
    sa.Column("said", sa.Text, nullable=False, doc="what went wrong last"),
)

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("process", sa.Text, nullable=False, doc="its number and start, unique on the host"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("started_at", _time, nullable=False),
    sa.Column("beat_at", _time, nullable=False),
)

lists = sa.Table(
    "lists",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, doc="a do-not-call list"),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("taken_at", _time, nullable=False),
    sa.Column("max_age", _time, nullable=True),
    sa.Column("edition", sa.Text, nullable=False, doc="under which its numbers are kept: it is replaced in one moment"),
    sa.Column("numbers", sa.Integer, nullable=False),
    sa.Column("changed_at", _time, nullable=False),
)

listed = sa.Table(
    "listed",
    metadata,
    sa.Column("mark", sa.Text, primary_key=True),
    sa.Column("edition", sa.Text, primary_key=True, doc="a list's, or one that is being taken in"),
    sa.Index(None, "edition"),
)

settings = sa.Table(
    "settings",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, doc="such as stop, the kill switch"),
    sa.Column("value", sa.JSON, nullable=False),
    sa.Column("changed_at", _time, nullable=False),
)
