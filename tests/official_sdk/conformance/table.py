"""Every endpoint of the sandbox, each with how the official SDK drives it; room by room."""

from official_sdk.conformance import analytics, callbacks, conversations, directory, notifications, transfers
from official_sdk.conformance.driving import Drive

DRIVES: list[Drive] = [
    *conversations.DRIVES,
    *transfers.DRIVES,
    *callbacks.DRIVES,
    *analytics.DRIVES,
    *directory.DRIVES,
    *notifications.DRIVES,
]
