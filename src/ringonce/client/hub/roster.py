"""Who is followed, by how many, and since when by nobody: plain book-keeping without a clock or a socket."""

from collections.abc import Iterable


class Roster:
    """Agents with the flows that listen to them, and the agents that nobody listens to any more."""

    def __init__(self) -> None:
        self._wanted: dict[object, set[str]] = {}
        self._followers: dict[str, int] = {}
        self._idle_since: dict[str, float] = {}

    def join(self, whom: object, agent_id: str) -> None:
        """Note that *whom*, a flow, listens to the agent."""
        mine = self._wanted.setdefault(whom, set())
        if agent_id not in mine:
            mine.add(agent_id)
            self._followers[agent_id] = self._followers.get(agent_id, 0) + 1
            self._idle_since.pop(agent_id, None)

    def leave(self, whom: object, now: float) -> None:
        """Note that *whom* listens to nobody any more."""
        for agent_id in self._wanted.pop(whom, ()):
            left = self._followers[agent_id] - 1
            if left:
                self._followers[agent_id] = left
            else:
                del self._followers[agent_id]
                self._idle_since[agent_id] = now

    def followed(self, agent_id: str) -> bool:
        """Say whether anybody listens to the agent."""
        return agent_id in self._followers

    def idle(self, agents: Iterable[str], before: float) -> list[str]:
        """Give those of *agents* whom nobody has listened to since *before* or earlier."""
        since = self._idle_since
        return [agent for agent in agents if agent not in self._followers and since.get(agent, before) <= before]

    def forget(self, agents: Iterable[str]) -> None:
        """Forget since when nobody listens to these agents: their topics are gone."""
        for agent in agents:
            self._idle_since.pop(agent, None)
