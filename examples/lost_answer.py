"""What a lost answer costs: the official Python SDK beside ringonce, each asked for one call.

    make lost-answer

The sandbox creates every call it is asked for and closes the socket without an answer. Nothing real rings.
"""

import PureCloudPlatformClientV2 as sdk  # noqa: N813  the SDK's own name is longer than its use here

from ringonce import Client, ClientCredentials
from ringonce.sandbox import Sandbox

ADA, NUMBER = "a1b2c3d4-e5f6-7890-abcd-ef1234567890", "+15559876543"
LOSE_THE_ANSWER = {"method": "POST", "path": "/api/v2/conversations/calls*", "action": "drop_after"}


def official_sdk(url: str) -> str:
    host, _, port = url.removeprefix("http://").partition(":")
    api = sdk.api_client.ApiClient()
    api.set_gateway(host, "http", int(port), "", "")
    api.get_client_credentials_token("your_client_id", "your_client_secret")
    try:
        sdk.ConversationsApi(api).post_conversations_calls_user_user_id(ADA, {"phoneNumber": NUMBER})
    except Exception as error:  # noqa: BLE001  whatever a user of the SDK would see
        return type(error).__name__
    return "an answer"


def ringonce(url: str) -> str:
    auth = ClientCredentials("your_client_id", "your_client_secret")
    with Client(base_url=url, auth=auth) as genesys:
        placed = genesys.place_call(agent=ADA, to=NUMBER, intent="crm-4711")
    return f"conversation {placed.conversation_id}, adopted: {placed.evidence}"


for name, place_one_call in (("official SDK", official_sdk), ("ringonce", ringonce)):
    with Sandbox(port=0) as sandbox:
        sandbox.fault(**LOSE_THE_ANSWER)
        told = place_one_call(sandbox.url)
        print(f"{name:13} calls created: {len(sandbox.calls()):2}   caller was told: {told}")
