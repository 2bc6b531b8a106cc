"""urllib3 with nothing around it, and told not to send anything twice."""

import msgspec
import urllib3

from bench.contenders.placing import ATTRIBUTES, CALLER_ID, CLIENT_ID, CLIENT_SECRET, PATH, URL, on_threads

pool = urllib3.PoolManager(maxsize=16, retries=False)
basic = urllib3.make_headers(basic_auth=f"{CLIENT_ID}:{CLIENT_SECRET}")
signed_in = pool.request(
    "POST", f"{URL}/oauth/token", fields={"grant_type": "client_credentials"}, headers=basic, encode_multipart=False
)
token = msgspec.json.decode(signed_in.data)["access_token"]
headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}


def place(number: str) -> str:
    order = {"phoneNumber": number, "callerId": CALLER_ID, "attributes": {**ATTRIBUTES, "key": number}}
    answer = pool.request("POST", URL + PATH, body=msgspec.json.encode(order), headers=headers)
    conversation_id: str = msgspec.json.decode(answer.data)["id"]
    return conversation_id


def look(conversation_id: str) -> object:
    answer = pool.request("GET", f"{URL}/api/v2/conversations/{conversation_id}", headers=headers)
    return msgspec.json.decode(answer.data)


on_threads(place, look)
