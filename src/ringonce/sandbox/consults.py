"""Consult transfers: an agent speaks to somebody new about a call before handing it over."""

from collections.abc import Callable
from functools import partial

from ringonce.sandbox.agenda import Agenda
from ringonce.sandbox.call_control import REACTION_TAKES
from ringonce.sandbox.conversation import Conversation, Participant
from ringonce.sandbox.life import Exchange
from ringonce.sandbox.lines import Destination

SPEAK_TO = ("DESTINATION", "OBJECT", "BOTH", "CONFERENCE")


class Consults:
    """Begins consults and says who hears whom in them; they end when one of the three leaves.

    The *object* is the party that the call is about. The agent who leaves hands the call over.
    """

    def __init__(self, agenda: Agenda, exchange: Exchange, changed: Callable[[Conversation], None]) -> None:
        self._agenda = agenda
        self._exchange = exchange
        self._changed = changed

    def begin(
        self,
        conversation: Conversation,
        agent: Participant,
        subject: Participant,
        destination: Destination,
        speak_to: str,
    ) -> Participant:
        """Call *destination* for *agent* about *subject*. The new leg exists at once: the answer names it."""
        leg = self._exchange.invite(conversation, destination, agent)
        leg.consulted_by, leg.consult_object = agent.id, subject.id
        self._agenda.after(REACTION_TAKES, partial(self._speak, conversation, leg, speak_to))
        return leg

    def speak(self, conversation: Conversation, consulted: Participant, speak_to: str) -> None:
        """Let the agent speak to the one consulted, to the object, to both; or join all three for good."""
        self._agenda.after(REACTION_TAKES, partial(self._speak, conversation, consulted, speak_to))

    def cancel(self, conversation: Conversation, consulted: Participant) -> None:
        """Send the one consulted away; the call is the agent's again."""
        self._agenda.after(REACTION_TAKES, partial(self._exchange.hang_up, conversation, consulted, "transfer.consult"))

    def _speak(self, conversation: Conversation, consulted: Participant, speak_to: str) -> None:
        subject = conversation.participant(consulted.consult_object)
        if subject is None or not subject.live or not consulted.live:
            return
        subject.confined = speak_to == "DESTINATION"
        consulted.confined = speak_to == "OBJECT"
        if speak_to == "CONFERENCE":
            consulted.consulted_by = ""
            conversation.conference = True
        self._changed(conversation)
