"""Handing calls on, and calls of more than two."""

from typing import Any

from official_sdk.conformance.driving import ADA, GRACE, GUESS, LIKELY, SALES, SUPPORT, Drive, Scene, leg, placed

CALL = "/conversations/calls/{conversationId}"
LEG = f"{CALL}/participants/{{participantId}}"
PARTY = "/conversations/{conversationId}/participants/{participantId}"
ELSEWHERE = "+15559876543"


def _customer(scene: Scene) -> dict[str, str]:
    return leg(scene, placed(scene, call_from_queue_id=SALES), 1)


def _consulting(scene: Scene) -> dict[str, str]:
    customer = _customer(scene)
    grace = scene.body("ConsultTransferToAgent", user_id=GRACE, speak_to="DESTINATION", consulting_user_id=ADA)
    scene.api("ConversationsApi").post_conversations_call_participant_consult_agent(**customer, body=grace)
    scene.sandbox.advance(3)
    return customer


def _replace(scene: Scene, model: str, **fields: Any) -> dict[str, Any]:
    return {**leg(scene, placed(scene)), "body": scene.body(model, transfer_type="Unattended", **fields)}


def _consult(scene: Scene, model: str, **fields: Any) -> dict[str, Any]:
    return {**_customer(scene), "body": scene.body(model, speak_to="DESTINATION", **fields)}


def _others(scene: Scene) -> Any:
    return scene.body("Conversation", participants=[scene.body("Participant", address=ELSEWHERE)])


DRIVES = [
    Drive(
        "POST",
        f"{LEG}/replace",
        "ConversationsApi.post_conversations_call_participant_replace",
        lambda scene: _replace(scene, "TransferRequest", user_id=GRACE),
    ),
    Drive(
        "POST",
        f"{PARTY}/replace",
        "ConversationsApi.post_conversation_participant_replace",
        lambda scene: _replace(scene, "TransferRequest", queue_id=SUPPORT),
    ),
    Drive(
        "POST",
        f"{PARTY}/replace/agent",
        "ConversationsApi.post_conversation_participant_replace_agent",
        lambda scene: _replace(scene, "TransferToAgentRequest", user_id=GRACE),
        LIKELY,
    ),
    Drive(
        "POST",
        f"{PARTY}/replace/queue",
        "ConversationsApi.post_conversation_participant_replace_queue",
        lambda scene: _replace(scene, "TransferToQueueRequest", queue_id=SUPPORT),
        LIKELY,
    ),
    Drive(
        "POST",
        f"{PARTY}/replace/external",
        "ConversationsApi.post_conversation_participant_replace_external",
        lambda scene: _replace(scene, "TransferToExternalRequest", address=ELSEWHERE),
        LIKELY,
    ),
    Drive(
        "POST",
        f"{LEG}/consult",
        "ConversationsApi.post_conversations_call_participant_consult",
        lambda scene: _consult(scene, "ConsultTransfer", destination=scene.body("Destination", user_id=GRACE)),
        LIKELY,
        ADA,
    ),
    Drive(
        "POST",
        f"{LEG}/consult/agent",
        "ConversationsApi.post_conversations_call_participant_consult_agent",
        lambda scene: _consult(scene, "ConsultTransferToAgent", user_id=GRACE),
        LIKELY,
        ADA,
    ),
    Drive(
        "POST",
        f"{LEG}/consult/queue",
        "ConversationsApi.post_conversations_call_participant_consult_queue",
        lambda scene: _consult(scene, "ConsultTransferToQueue", queue_id=SUPPORT),
        LIKELY,
        ADA,
    ),
    Drive(
        "POST",
        f"{LEG}/consult/external",
        "ConversationsApi.post_conversations_call_participant_consult_external",
        lambda scene: _consult(scene, "ConsultTransferToExternal", address=ELSEWHERE),
        LIKELY,
        ADA,
    ),
    Drive(
        "PATCH",
        f"{LEG}/consult",
        "ConversationsApi.patch_conversations_call_participant_consult",
        lambda scene: {**_consulting(scene), "body": scene.body("ConsultTransferUpdate", speak_to="BOTH")},
        LIKELY,
        ADA,
    ),
    Drive(
        "DELETE",
        f"{LEG}/consult",
        "ConversationsApi.delete_conversations_call_participant_consult",
        _consulting,
        LIKELY,
    ),
    Drive(
        "GET",
        "/conversations/calls/maximumconferenceparties",
        "ConversationsApi.get_conversations_calls_maximumconferenceparties",
    ),
    Drive(
        "PATCH",
        f"{CALL}/conference",
        "ConversationsApi.patch_conversations_call_conference",
        lambda scene: {
            "conversation_id": placed(scene),
            "body": scene.body("UpdateConferenceRequest", conversation_ids=[placed(scene)]),
        },
        LIKELY,
        ADA,
    ),
    Drive(
        "POST",
        f"{CALL}/participants",
        "ConversationsApi.post_conversations_call_participants",
        lambda scene: {"conversation_id": placed(scene), "body": _others(scene)},
        who=ADA,
    ),
    Drive(
        "POST",
        f"{CALL}/participants/user/{{userId}}",
        "ConversationsApi.post_conversations_call_participants_user_user_id",
        lambda scene: {"conversation_id": placed(scene), "user_id": ADA, "body": _others(scene)},
        LIKELY,
    ),
    Drive(
        "PUT",
        f"{PARTY}/flaggedreason",
        "ConversationsApi.put_conversation_participant_flaggedreason",
        lambda scene: leg(scene, placed(scene)),
        GUESS,
    ),
    Drive(
        "DELETE",
        f"{PARTY}/flaggedreason",
        "ConversationsApi.delete_conversation_participant_flaggedreason",
        lambda scene: leg(scene, placed(scene)),
        GUESS,
    ),
]
