"""The official Python SDK as its documentation has it."""

import PureCloudPlatformClientV2 as sdk  # noqa: N813  # the SDK's own name is longer than its use here

from bench.contenders.placing import ATTRIBUTES, CALLER_ID, CLIENT_ID, CLIENT_SECRET, URL, on_threads
from ringonce.sandbox.default_org import ADA

client = sdk.api_client.ApiClient(host=URL).get_client_credentials_token(CLIENT_ID, CLIENT_SECRET)
conversations = sdk.ConversationsApi(client)


def place(number: str) -> str:
    order = sdk.CreateCallRequest()
    order.phone_number, order.caller_id, order.attributes = number, CALLER_ID, ATTRIBUTES
    conversation_id: str = conversations.post_conversations_calls_user_user_id(ADA, order).id
    return conversation_id


on_threads(place, conversations.get_conversation)
