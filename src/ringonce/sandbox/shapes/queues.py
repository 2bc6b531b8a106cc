"""Queues, their members and wrap-up codes: models Queue, QueueMember and WrapupCode of the official SDK."""

from typing import Any

from ringonce.sandbox.directory import Directory
from ringonce.sandbox.org import Org, Queue, WrapUpCode
from ringonce.sandbox.shapes.people import HOME_DIVISION, presence, reference, routing_status

_PROMPTS = {
    "mandatory": "MANDATORY",
    "optional": "OPTIONAL",
    "timeout": "MANDATORY_TIMEOUT",
    "forcedTimeout": "MANDATORY_FORCED_TIMEOUT",
    "agentRequested": "AGENT_REQUESTED",
}


def queue(whole: Queue, directory: Directory) -> dict[str, Any]:
    """One queue."""
    return {
        "id": whole.id,
        "name": whole.name,
        "division": HOME_DIVISION,
        "description": whole.description,
        "memberCount": len(whole.member_ids),
        "userMemberCount": len(whole.member_ids),
        "joinedMemberCount": sum(directory.joined(whole.id, each) for each in whole.member_ids),
        "acwSettings": {"wrapupPrompt": _PROMPTS[whole.wrapup_prompt], **_timeout(whole)},
        "skillEvaluationMethod": "NONE",
        "enableTranscription": False,
        "enableManualAssignment": False,
        "callingPartyName": whole.calling_party_name,
        "callingPartyNumber": whole.calling_party_number,
        "selfUri": f"/api/v2/routing/queues/{whole.id}",
    }


def _timeout(whole: Queue) -> dict[str, int]:
    return {"timeoutMs": round(whole.wrapup_timeout * 1000)} if whole.wrapup_timeout else {}


def user_queue(whole: Queue, user_id: str, directory: Directory) -> dict[str, Any]:
    """A queue as its member has it: model UserQueue."""
    return queue(whole, directory) | {"joined": directory.joined(whole.id, user_id)}


def member(whole: Queue, user_id: str, org: Org, directory: Directory, expand: list[str]) -> dict[str, Any]:
    """One member of a queue."""
    person = org.users[user_id]
    named = reference(person)
    if "presence" in expand:
        named["presence"] = presence(person, directory)
    return {
        "id": person.id,
        "name": person.name,
        "user": named,
        "ringNumber": 1,
        "joined": directory.joined(whole.id, user_id),
        "memberBy": "user",
        "routingStatus": routing_status(person, directory),
        "selfUri": f"/api/v2/routing/queues/{whole.id}/users/{person.id}",
    }


def wrapup_code(code: WrapUpCode) -> dict[str, Any]:
    """One wrap-up code."""
    return {"id": code.id, "name": code.name, "selfUri": f"/api/v2/routing/wrapupcodes/{code.id}"}
