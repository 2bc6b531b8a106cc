"""Callbacks, from the wish to the call."""

import datetime as dt
from typing import Any

from official_sdk.conformance.driving import ADA, GUESS, LIKELY, SALE, SALES, Drive, Scene

CALLBACK = "/conversations/callbacks/{conversationId}"
LEG = f"{CALLBACK}/participants/{{participantId}}"
LINE = f"{LEG}/communications/{{communicationId}}"


def _wish(scene: Scene, **fields: Any) -> Any:
    return scene.body(
        "CreateCallbackCommand",
        queue_id=SALES,
        callback_user_name="Ida Tarbell",
        callback_numbers=["+15559870000"],
        data={"crm": "4711"},
        **fields,
    )


def _created(scene: Scene, **fields: Any) -> str:
    conversation_id: str = (
        scene.api("ConversationsApi").post_conversations_callbacks(_wish(scene, **fields)).conversation.id
    )
    scene.sandbox.advance(1)
    return conversation_id


def _later(scene: Scene) -> str:
    tomorrow = dt.datetime.fromtimestamp(scene.sandbox.world.now + 86_400, dt.UTC)
    return _created(scene, callback_scheduled_time=tomorrow)


def _offered(scene: Scene) -> str:
    """A callback that is offered to Ada."""
    conversation_id = _created(scene)
    scene.api("ConversationsApi").post_conversation_assign(conversation_id, scene.body("ConversationUser", id=ADA))
    scene.sandbox.advance(1)
    return conversation_id


def _taken(scene: Scene) -> str:
    conversation_id = _offered(scene)
    scene.api("ConversationsApi").patch_conversations_callback_participant(
        **_leg(scene, conversation_id), body=scene.body("MediaParticipantRequest", state="connected")
    )
    scene.sandbox.advance(1)
    return conversation_id


def _done(scene: Scene) -> str:
    conversation_id = _taken(scene)
    scene.api("ConversationsApi").patch_conversations_callback(
        conversation_id, scene.body("Conversation", state="disconnected")
    )
    scene.sandbox.advance(1)
    return conversation_id


def _wrapped_up(scene: Scene) -> str:
    conversation_id = _done(scene)
    scene.api("ConversationsApi").post_conversations_callback_participant_communication_wrapup(
        **_line(scene, conversation_id), body=scene.body("WrapupInput", code=SALE)
    )
    scene.sandbox.advance(1)
    return conversation_id


def _leg(scene: Scene, conversation_id: str) -> dict[str, str]:
    """The agent's participant, who came last."""
    whole = scene.api("ConversationsApi").get_conversation(conversation_id)
    return {"conversation_id": conversation_id, "participant_id": whole.participants[-1].id}


def _line(scene: Scene, conversation_id: str) -> dict[str, str]:
    whole = scene.api("ConversationsApi").get_conversation(conversation_id)
    callback = whole.participants[-1].callbacks[0].id
    return {**_leg(scene, conversation_id), "communication_id": callback}


def _mine(scene: Scene) -> dict[str, Any]:
    _offered(scene)
    return {}


def _several(scene: Scene) -> dict[str, Any]:
    named = [scene.body("CallbackDisconnectIdentifier", conversation_id=_created(scene))]
    return {"body": scene.body("BulkCallbackDisconnectRequest", callback_disconnect_identifiers=named)}


def _other_time(scene: Scene) -> Any:
    due = dt.datetime.fromtimestamp(scene.sandbox.world.now + 3_600, dt.UTC)
    return scene.body("PatchCallbackRequest", conversation_id=_later(scene), callback_scheduled_time=due, agent_id=ADA)


DRIVES = [
    Drive(
        "POST",
        "/conversations/callbacks",
        "ConversationsApi.post_conversations_callbacks",
        lambda scene: {"body": _wish(scene)},
        LIKELY,
    ),
    Drive(
        "PATCH",
        "/conversations/callbacks",
        "ConversationsApi.patch_conversations_callbacks",
        lambda scene: {"body": _other_time(scene)},
        GUESS,
    ),
    Drive("GET", "/conversations/callbacks", "ConversationsApi.get_conversations_callbacks", _mine, LIKELY, ADA),
    Drive(
        "POST",
        "/conversations/callbacks/bulk/disconnect",
        "ConversationsApi.post_conversations_callbacks_bulk_disconnect",
        _several,
        GUESS,
    ),
    Drive(
        "GET",
        CALLBACK,
        "ConversationsApi.get_conversations_callback",
        lambda scene: {"conversation_id": _taken(scene)},
        LIKELY,
    ),
    Drive(
        "PATCH",
        CALLBACK,
        "ConversationsApi.patch_conversations_callback",
        lambda scene: {"conversation_id": _later(scene), "body": scene.body("Conversation", state="disconnected")},
        LIKELY,
    ),
    Drive(
        "PATCH",
        LEG,
        "ConversationsApi.patch_conversations_callback_participant",
        lambda scene: {
            **_leg(scene, _offered(scene)),
            "body": scene.body("MediaParticipantRequest", state="connected"),
        },
        LIKELY,
        ADA,
    ),
    Drive(
        "PATCH",
        f"{LEG}/attributes",
        "ConversationsApi.patch_conversations_callback_participant_attributes",
        lambda scene: {
            **_leg(scene, _offered(scene)),
            "body": scene.body("ParticipantAttributes", attributes={"result": "sold"}),
        },
        LIKELY,
    ),
    Drive(
        "PATCH",
        LINE,
        "ConversationsApi.patch_conversations_callback_participant_communication",
        lambda scene: {
            **_line(scene, _taken(scene)),
            "body": scene.body("MediaParticipantRequest", state="disconnected"),
        },
        LIKELY,
    ),
    Drive(
        "POST",
        f"{LINE}/wrapup",
        "ConversationsApi.post_conversations_callback_participant_communication_wrapup",
        lambda scene: {**_line(scene, _done(scene)), "body": scene.body("WrapupInput", code=SALE)},
        LIKELY,
    ),
    Drive(
        "GET",
        f"{LINE}/wrapup",
        "ConversationsApi.get_conversations_callback_participant_communication_wrapup",
        lambda scene: _line(scene, _wrapped_up(scene)),
        LIKELY,
    ),
    Drive(
        "GET",
        f"{LEG}/wrapup",
        "ConversationsApi.get_conversations_callback_participant_wrapup",
        lambda scene: _leg(scene, _wrapped_up(scene)),
        LIKELY,
    ),
    Drive(
        "GET",
        f"{LEG}/wrapupcodes",
        "ConversationsApi.get_conversations_callback_participant_wrapupcodes",
        lambda scene: _leg(scene, _taken(scene)),
        LIKELY,
    ),
    Drive(
        "POST",
        "/conversations/calls/{conversationId}",
        "ConversationsApi.post_conversations_call",
        lambda scene: {
            "conversation_id": _taken(scene),
            "body": scene.body("CallCommand", call_number="+15559870000"),
        },
        LIKELY,
        ADA,
    ),
    Drive(
        "POST",
        "/conversations/{conversationId}/assign",
        "ConversationsApi.post_conversation_assign",
        lambda scene: {"conversation_id": _created(scene), "body": scene.body("ConversationUser", id=ADA)},
        GUESS,
    ),
]
