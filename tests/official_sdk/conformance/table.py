"""Every endpoint of the sandbox, each with how the official SDK drives it; room by room."""

from official_sdk.conformance import analytics, conversations, directory, notifications
from official_sdk.conformance.driving import Drive

DRIVES: list[Drive] = [
    *conversations.DRIVES,
    *analytics.DRIVES,
    *directory.DRIVES,
    *notifications.DRIVES,
]
