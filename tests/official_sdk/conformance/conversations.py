"""Placing, reading and steering calls."""

from typing import Any

from official_sdk.conformance.driving import ADA, LIKELY, SALE, SALES, SURE, Drive, Scene, leg, line, placed

CALL = "/conversations/calls/{conversationId}"
LEG = f"{CALL}/participants/{{participantId}}"
LINE = f"{LEG}/communications/{{communicationId}}"
PARTY = "/conversations/{conversationId}/participants/{participantId}"


def _call(scene: Scene, **fields: Any) -> dict[str, Any]:
    return {"conversation_id": placed(scene, **fields)}


def _order(scene: Scene) -> Any:
    return scene.body("CreateCallRequest", phone_number="+15559876543")


def _ended(scene: Scene, **fields: Any) -> str:
    conversation_id = placed(scene, **fields)
    scene.api("ConversationsApi").delete_conversation(conversation_id)
    scene.sandbox.advance(1)
    return conversation_id


def _wrapped_up(scene: Scene) -> str:
    conversation_id = _ended(scene, call_from_queue_id=SALES)
    scene.api("ConversationsApi").post_conversations_call_participant_communication_wrapup(
        **line(scene, conversation_id), body=scene.body("WrapupInput", code=SALE, notes="two", tags=["new"])
    )
    scene.sandbox.advance(1)
    return conversation_id


def _mine(scene: Scene) -> dict[str, Any]:
    placed(scene)
    return {}


def _past(scene: Scene) -> dict[str, Any]:
    _ended(scene, call_from_queue_id=SALES)
    return {}


DRIVES = [
    Drive(
        "POST",
        "/conversations/calls/user/{userId}",
        "ConversationsApi.post_conversations_calls_user_user_id",
        lambda scene: {"user_id": ADA, "body": _order(scene)},
    ),
    Drive(
        "POST",
        "/conversations/calls",
        "ConversationsApi.post_conversations_calls",
        lambda scene: {"body": _order(scene)},
        who=ADA,
    ),
    Drive("GET", "/conversations/calls", "ConversationsApi.get_conversations_calls", _mine, who=ADA),
    Drive("GET", "/conversations", "ConversationsApi.get_conversations", _mine, who=ADA),
    Drive("GET", "/conversations/calls/history", "ConversationsApi.get_conversations_calls_history", _past, who=ADA),
    Drive("GET", CALL, "ConversationsApi.get_conversations_call", _call),
    Drive("GET", "/conversations/{conversationId}", "ConversationsApi.get_conversation", _call),
    Drive(
        "PATCH",
        CALL,
        "ConversationsApi.patch_conversations_call",
        lambda scene: {**_call(scene), "body": scene.body("Conversation", state="disconnected")},
    ),
    Drive("DELETE", "/conversations/{conversationId}", "ConversationsApi.delete_conversation", _call),
    Drive(
        "PUT",
        f"{CALL}/recordingstate",
        "ConversationsApi.put_conversations_call_recordingstate",
        lambda scene: {**_call(scene), "body": scene.body("SetRecordingState", recording_state="PAUSED")},
    ),
    Drive(
        "PATCH",
        LEG,
        "ConversationsApi.patch_conversations_call_participant",
        lambda scene: {**leg(scene, placed(scene)), "body": scene.body("MediaParticipantRequest", held=True)},
    ),
    Drive(
        "PATCH",
        f"{LEG}/user/{{userId}}",
        "ConversationsApi.patch_conversations_call_participant_user_user_id",
        lambda scene: {
            **leg(scene, placed(scene)),
            "user_id": ADA,
            "body": scene.body("MediaParticipantRequest", muted=True),
        },
        LIKELY,
    ),
    Drive(
        "PATCH",
        f"{LEG}/attributes",
        "ConversationsApi.patch_conversations_call_participant_attributes",
        lambda scene: {
            **leg(scene, placed(scene)),
            "body": scene.body("ParticipantAttributes", attributes={"result": "sold"}),
        },
    ),
    Drive(
        "PATCH",
        f"{PARTY}/attributes",
        "ConversationsApi.patch_conversation_participant_attributes",
        lambda scene: {
            **leg(scene, placed(scene)),
            "body": scene.body("ParticipantAttributes", attributes={"result": "sold"}),
        },
    ),
    Drive(
        "PATCH",
        LINE,
        "ConversationsApi.patch_conversations_call_participant_communication",
        lambda scene: {
            **line(scene, placed(scene)),
            "body": scene.body("MediaParticipantRequest", state="disconnected"),
        },
    ),
    Drive(
        "PATCH",
        PARTY,
        "ConversationsApi.patch_conversation_participant",
        lambda scene: {**leg(scene, placed(scene)), "body": scene.body("MediaParticipantRequest", muted=True)},
        LIKELY,
    ),
    Drive(
        "PATCH",
        "/conversations/{conversationId}/recordingstate",
        "ConversationsApi.patch_conversation_recordingstate",
        lambda scene: {**_call(scene), "body": scene.body("SetRecordingState", recording_state="ACTIVE")},
        LIKELY,
    ),
    Drive(
        "PUT",
        f"{LINE}/uuidata",
        "ConversationsApi.put_conversations_call_participant_communication_uuidata",
        lambda scene: {**line(scene, placed(scene)), "body": scene.body("SetUuiDataRequest", uui_data="00ab")},
    ),
    Drive(
        "GET",
        f"{LINE}/wrapup",
        "ConversationsApi.get_conversations_call_participant_communication_wrapup",
        lambda scene: line(scene, _wrapped_up(scene)),
        LIKELY,
    ),
    Drive(
        "POST",
        f"{PARTY}/digits",
        "ConversationsApi.post_conversation_participant_digits",
        lambda scene: {**leg(scene, placed(scene)), "body": scene.body("Digits", digits="12#")},
    ),
    Drive("POST", "/conversations/{conversationId}/disconnect", "ConversationsApi.post_conversation_disconnect", _call),
    Drive(
        "PUT",
        "/conversations/{conversationId}/tags",
        "ConversationsApi.put_conversation_tags",
        lambda scene: {**_call(scene), "body": scene.body("ConversationTagsUpdate", external_tag="order-1")},
    ),
    Drive(
        "POST",
        f"{LINE}/wrapup",
        "ConversationsApi.post_conversations_call_participant_communication_wrapup",
        lambda scene: {
            **line(scene, _ended(scene, call_from_queue_id=SALES)),
            "body": scene.body("WrapupInput", code=SALE, notes="two"),
        },
        LIKELY,
    ),
    Drive(
        "GET",
        f"{LEG}/wrapup",
        "ConversationsApi.get_conversations_call_participant_wrapup",
        lambda scene: leg(scene, _wrapped_up(scene)),
    ),
    Drive(
        "GET",
        f"{PARTY}/wrapup",
        "ConversationsApi.get_conversation_participant_wrapup",
        lambda scene: leg(scene, _wrapped_up(scene)),
    ),
    Drive(
        "GET",
        f"{LEG}/wrapupcodes",
        "ConversationsApi.get_conversations_call_participant_wrapupcodes",
        lambda scene: leg(scene, placed(scene, call_from_queue_id=SALES)),
        SURE,
    ),
    Drive(
        "GET",
        f"{PARTY}/wrapupcodes",
        "ConversationsApi.get_conversation_participant_wrapupcodes",
        lambda scene: leg(scene, placed(scene, call_from_queue_id=SALES)),
    ),
]
