"""Finding calls afterwards."""

import datetime as dt
from typing import Any

from official_sdk.conformance.driving import ADA, LIKELY, Drive, Scene, placed


def _query(scene: Scene) -> dict[str, Any]:
    placed(scene)
    scene.sandbox.advance(60)
    now = dt.datetime.fromtimestamp(scene.sandbox.world.now, dt.UTC)
    predicate = scene.body("SegmentDetailQueryPredicate", dimension="userId", value=ADA)
    query = scene.body(
        "ConversationQuery",
        interval=f"{(now - dt.timedelta(hours=1)).isoformat()}/{now.isoformat()}",
        segment_filters=[scene.body("SegmentDetailQueryFilter", type="and", predicates=[predicate])],
    )
    return {"body": query}


DRIVES = [
    Drive(
        "POST",
        "/analytics/conversations/details/query",
        "AnalyticsApi.post_analytics_conversations_details_query",
        _query,
        LIKELY,
    ),
    Drive(
        "GET",
        "/analytics/conversations/details",
        "AnalyticsApi.get_analytics_conversations_details",
        lambda scene: {"id": [placed(scene, digits="0002"), placed(scene)]},
        LIKELY,
    ),
    Drive(
        "GET",
        "/analytics/conversations/{conversationId}/details",
        "AnalyticsApi.get_analytics_conversation_details",
        lambda scene: {"conversation_id": placed(scene)},
        LIKELY,
    ),
]
