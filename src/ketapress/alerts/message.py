"""Format an alert: as JSON for the command, and as a plain-text message for the mail."""

import json
from base64 import encodebytes
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from hashlib import blake2b

from ketapress.mail.mime.headers import mailbox_value, unstructured_value
from ketapress.model.address import Mailbox
from ketapress.model.errors import Problem

_MAX_PROBLEMS = 20  # in a message; a thousand bad posts need a person only once


def summarize(title: str, problems: Sequence[Problem]) -> str:
    """Return one line with the publication's title, the first problem, and the number of others."""
    first = problems[0]
    suffix = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return (
        f"{title} needs a person: {': '.join(part for part in (first.where, first.message) if part)}{suffix}"
    )


def format_alert(title: str, problems: Sequence[Problem], now: datetime) -> str:
    """Return the alert as JSON for the command, with all problems in the format of `--json`."""
    document = {
        "schema": 1,
        "publication": title,
        "at": now.isoformat(),
        "summary": summarize(title, problems),
        "problems": [
            {
                "code": problem.code,
                "severity": str(problem.severity),
                "path": problem.path,
                "line": problem.line,
                "message": problem.message,
                "cure": problem.cure,
            }
            for problem in problems
        ],
    }
    return json.dumps(document)


def build_alert_message(
    title: str, problems: Sequence[Problem], sender: Mailbox, recipient: str, now: datetime
) -> bytes:
    """Build the message. It asks for no automatic reply (RFC 3834, 5); base64, because problems may contain any text."""
    lines = [f"- {problem}" for problem in problems[:_MAX_PROBLEMS]]
    if len(problems) > _MAX_PROBLEMS:
        lines.append(
            f"… and {len(problems) - _MAX_PROBLEMS} more: `ketapress status` and `ketapress check` list them."
        )
    body = "\n\n".join(
        [f"{title} needs a person:", *lines, "Sent by `ketapress run`; see [alerts] in ketapress.toml."]
    )
    key = blake2b(
        f"{now.isoformat()}\n{recipient}\n{body}".encode(errors="replace"), digest_size=16
    ).hexdigest()
    headers = {
        "From": mailbox_value(title, sender.address),
        "To": recipient,
        "Subject": unstructured_value(summarize(title, problems)[:150]),
        "Date": format_datetime(now),
        "Message-ID": f"<alert.{key}@{sender.domain}>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "base64",
    }
    text = encodebytes((body + "\n").encode(errors="replace")).replace(b"\n", b"\r\n")
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii") + b"\r\n" + text
