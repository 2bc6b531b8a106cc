"""The board: the latest truth about every call that is being watched, and a count that says when it changed.

Events and reads are put on it; flows look at it. A follower compares counts, so a slow one gets the latest truth
and never a backlog, and costs the others nothing.
"""

import contextlib
from collections import Counter
from collections.abc import Iterable, Iterator

from ringonce.client.fold import Facts
from ringonce.client.snapshots import Snapshot

KEPT = 20_000
"""Conversations kept, or as many as are followed. Of the others the ended ones leave first, and the oldest of them."""


class Board:
    """Facts by conversation, conversations by agent, and a count for each of both."""

    def __init__(self) -> None:
        self._facts: dict[str, Facts] = {}
        self._followers: Counter[str] = Counter()
        self._room = KEPT
        self._counts: dict[str, int] = {}
        self._by_agent: dict[str, dict[str, int]] = {}
        self.newest = 0
        """The number of the conversation that was the last to be seen as some agent's."""
        self._claimed: set[str] = set()
        self._whole: dict[str, tuple[str, int]] = {}
        self._gaps: dict[str, int] = {}
        self._turns: dict[str, float] = {}
        self.being_read: set[str] = set()
        """Conversations that one of their followers is reading right now, for all of them."""

    def count(self, key: str) -> int:
        """How often something changed for *key*, a conversation's or an agent's id."""
        return self._counts.get(key, 0)

    def facts(self, conversation_id: str) -> Facts:
        """Give what is known of a conversation; nothing yet, if it is new."""
        facts = self._facts.get(conversation_id)
        if facts is None:
            self._make_room()
            facts = self._facts[conversation_id] = Facts(conversation_id)
        return facts

    @contextlib.contextmanager
    def followed(self, conversation_id: str) -> Iterator[None]:
        """Keep what is known of a conversation while somebody follows it."""
        self._followers[conversation_id] += 1
        try:
            yield
        finally:
            self._followers[conversation_id] -= 1
            if not self._followers[conversation_id]:
                del self._followers[conversation_id]

    def take(self, snapshot: Snapshot, agent_id: str = "") -> tuple[str, ...]:
        """Put up one observation; give the keys whose count rose."""
        facts = self.facts(snapshot.conversation_id)
        owners = {leg.user_id for leg in snapshot.legs if leg.user_id}
        if agent_id:
            owners.add(agent_id)
        for owner in owners:
            self._number(owner, snapshot.conversation_id)
        settled = facts.settled
        if not facts.absorb(snapshot) and facts.settled == settled:
            return ()
        keys = (snapshot.conversation_id, *owners)
        for key in keys:
            self._counts[key] = self.count(key) + 1
        return keys

    def settled(self, conversation_id: str) -> bool:
        """Say whether a conversation is known to its very end."""
        facts = self._facts.get(conversation_id)
        return facts is not None and facts.settled

    def of_agent(self, agent_id: str, *, after: int = 0) -> Iterator[Facts]:
        """Give the conversations that an agent was first seen in *after* a number, in that order."""
        mine = self._by_agent.get(agent_id, {})
        return (self._facts[one] for one, number in mine.items() if number > after and one in self._facts)

    def note_gap(self, agents: Iterable[str], *, apart: float = 0.0) -> tuple[str, ...]:
        """Note that events of these agents may have been missed until now; give the keys of whoever should know.

        *apart* is how many seconds one agent's calls are to be read after the last one's, so that a call which
        speaks for itself meanwhile need not be read at all.
        """
        keys: list[str] = []
        for place, agent in enumerate(agents):
            self._gaps[agent] = self.gaps_of(agent) + 1
            self._turns[agent] = place * apart
            keys += (agent, *self._by_agent.get(agent, ()))
        return tuple(keys)

    def gaps_of(self, agent_id: str) -> int:
        """How often events of the agent may have been missed: what happened before the last time was not all seen."""
        return self._gaps.get(agent_id, 0)

    def turn_of(self, agent_id: str) -> float:
        """Seconds after the agent's last gap from which his calls are to be read."""
        return self._turns.get(agent_id, 0.0)

    def claim(self, conversation_id: str, agent_id: str, gaps: int) -> None:
        """Mark a conversation as an intent's, watched since the agent had *gaps*, before its create left."""
        self._claimed.add(conversation_id)
        self._number(agent_id, conversation_id)
        self.vouch(conversation_id, agent_id, gaps)

    def claimed(self, conversation_id: str) -> bool:
        """Say whether the conversation is an intent's."""
        return conversation_id in self._claimed

    def seen_whole(self, conversation_id: str) -> bool:
        """Say whether nothing of the conversation can have been missed: all of it was heard, or read since."""
        agent_id, gaps = self._whole.get(conversation_id, ("", -1))
        return gaps == self.gaps_of(agent_id)

    def vouch(self, conversation_id: str, agent_id: str, gaps: int) -> None:
        """Note that the conversation is known whole as of the agent's *gaps*: a full picture of it came after them."""
        self._whole[conversation_id] = agent_id, gaps

    def _number(self, agent_id: str, conversation_id: str) -> None:
        mine = self._by_agent.setdefault(agent_id, {})
        if conversation_id not in mine:
            self.newest += 1
            mine[conversation_id] = self.newest

    def _make_room(self) -> None:
        if len(self._facts) < self._room:
            return
        spare = [one for one in self._facts if one not in self._followers]
        spare.sort(key=lambda one: not self._facts[one].settled)  # stable: each kind stays in the order it came
        gone = set(spare[: len(self._facts) - KEPT * 3 // 4])
        for one in gone:
            del self._facts[one]
            self._counts.pop(one, None)
            self._claimed.discard(one)
            self._whole.pop(one, None)
        for mine in self._by_agent.values():
            for one in gone.intersection(mine):
                del mine[one]
        self._room = max(KEPT, len(self._facts) + KEPT // 4)
