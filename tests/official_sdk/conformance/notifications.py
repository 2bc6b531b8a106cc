"""Channels and what they listen to."""

from typing import Any

from official_sdk.conformance.driving import ADA, Drive, Scene
from ringonce.sandbox.desk.notifications import EXPANDABLE

CHANNEL = "/notifications/channels/{channelId}"


def _channel(scene: Scene) -> dict[str, Any]:
    return {"channel_id": scene.api("NotificationsApi").post_notifications_channels().id}


def _topics(scene: Scene) -> Any:
    return [scene.body("ChannelTopic", id=f"v2.users.{ADA}.conversations.calls")]


def _subscribe(scene: Scene) -> dict[str, Any]:
    return {**_channel(scene), "body": _topics(scene)}


def _subscribed(scene: Scene) -> dict[str, Any]:
    channel = _channel(scene)
    scene.api("NotificationsApi").post_notifications_channel_subscriptions(**channel, body=_topics(scene))
    return channel


def _listed(scene: Scene) -> dict[str, Any]:
    _channel(scene)
    return {}


DRIVES = [
    Drive("POST", "/notifications/channels", "NotificationsApi.post_notifications_channels"),
    Drive("GET", "/notifications/channels", "NotificationsApi.get_notifications_channels", _listed),
    Drive("HEAD", CHANNEL, "NotificationsApi.head_notifications_channel", _channel),
    Drive("GET", f"{CHANNEL}/subscriptions", "NotificationsApi.get_notifications_channel_subscriptions", _subscribed),
    Drive("POST", f"{CHANNEL}/subscriptions", "NotificationsApi.post_notifications_channel_subscriptions", _subscribe),
    Drive("PUT", f"{CHANNEL}/subscriptions", "NotificationsApi.put_notifications_channel_subscriptions", _subscribe),
    Drive(
        "DELETE", f"{CHANNEL}/subscriptions", "NotificationsApi.delete_notifications_channel_subscriptions", _subscribed
    ),
    Drive(
        "GET",
        "/notifications/availabletopics",
        "NotificationsApi.get_notifications_availabletopics",
        lambda _: {"expand": sorted(EXPANDABLE)},
    ),
]
