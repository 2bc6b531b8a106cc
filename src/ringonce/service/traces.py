"""Spans for OpenTelemetry. Without an SDK in the process they cost next to nothing and go nowhere."""

from contextlib import AbstractContextManager

from opentelemetry import trace

_tracer = trace.get_tracer("ringonce")


def span(name: str, **attributes: str | float) -> AbstractContextManager[trace.Span]:
    """Open a span; an error that passes through is noted in it. *attributes* hold ids and counts, never a number."""
    return _tracer.start_as_current_span(
        name, attributes={f"ringonce.{key}": value for key, value in attributes.items()}
    )
