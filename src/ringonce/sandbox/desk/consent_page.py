"""The page of `/oauth/authorize`, written out: plain HTML without scripts or anything from elsewhere."""

import base64
import functools
import hashlib
import html
import string
from collections.abc import Iterable
from pathlib import Path

from ringonce.sandbox.http import Reply


def refusal(words: str) -> Reply:
    """Say why nobody can sign in here, when there is no safe address to send that to."""
    content = (
        "<h1>This sign-in cannot go on</h1>\n"
        f'<p class="wrong" role="alert">{html.escape(words)}</p>\n'
        '<p class="small">Nothing was given to any program. The program that sent you here has to be put right.</p>'
    )
    return _reply(400, "Sign-in refused", content, "'none'")


def consent(
    *,
    status: int,
    words: str,
    client: str,
    org: str,
    agents: Iterable[tuple[str, str, bool]],
    note: str,
    scopes: Iterable[str],
    fields: Iterable[tuple[str, str]],
    leads_to: str,
) -> Reply:
    """Ask who says yes. *agents* are id, words and whether chosen; *leads_to* is where the answer may redirect."""
    name = html.escape(client)
    lines = [
        f"<h1>{name} wants to act for you</h1>",
        f'<p>You are at <strong>{html.escape(org)}</strong>, <span class="small">a sandbox: no password.</span></p>',
    ]
    if words:
        lines.append(f'<p class="wrong" role="alert">{html.escape(words)}</p>')
    lines.append('<form method="post" action="authorize">')
    lines += [f'<input type="hidden" name="{each}" value="{html.escape(value)}">' for each, value in fields]
    lines.append('<label for="agent">You are</label>')
    lines.append('<select id="agent" name="agent" required>')
    lines += [
        f'<option value="{html.escape(id_)}"{" selected" if chosen else ""}>{html.escape(label)}</option>'
        for id_, label, chosen in agents
    ]
    lines.append("</select>")
    if note:
        lines.append(f'<p class="small">{html.escape(note)}</p>')
    lines.append(f"<p>If you agree, {name} can, as far as you may yourself:</p>")
    lines.append(f"<ul>{''.join(f'<li>{html.escape(each)}</li>' for each in scopes)}</ul>")
    lines.append('<button class="yes" name="decision" value="allow">Allow</button>')
    lines.append('<button name="decision" value="deny">Deny</button>')
    lines.append("</form>")
    return _reply(status, f"Sign in to {client}", "\n".join(lines), f"'self' {leads_to}")


def _reply(status: int, title: str, content: str, form_goes_to: str) -> Reply:
    template, style = _template()
    policy = (
        f"default-src 'none'; style-src {style}; form-action {form_goes_to}; base-uri 'none'; frame-ancestors 'none'"
    )
    return Reply(
        status,
        template.substitute(title=html.escape(title), content=content).encode(),
        (
            ("Content-Security-Policy", policy),
            ("Cache-Control", "no-store"),
            # Stricter, and browsers would send the form with an origin of `null`, which the door turns away.
            ("Referrer-Policy", "same-origin"),
            ("X-Content-Type-Options", "nosniff"),
        ),
        "text/html; charset=utf-8",
    )


@functools.cache
def _template() -> tuple[string.Template, str]:
    """The page's frame, and the one style that its policy allows, by its digest."""
    text = Path(__file__).with_suffix(".html").read_text("utf-8")
    style = text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return string.Template(text), f"'sha256-{digest}'"
