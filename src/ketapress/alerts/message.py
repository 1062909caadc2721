"""An alert, for the command and for the mail. Pure: problems in; JSON, or a message in plain text, out."""

import json
from base64 import encodebytes
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from hashlib import blake2b

from ketapress.mail.mime.headers import mailbox_value, text_value
from ketapress.model.address import Mailbox
from ketapress.model.errors import Problem

_SHOWN = 20  # problems written out; a thousand bad posts need a person once


def summary(title: str, problems: Sequence[Problem]) -> str:
    """One line: whose, and how many."""
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{title} needs a person: {': '.join(part for part in (first.where, first.message) if part)}{more}"


def alert_document(title: str, problems: Sequence[Problem], now: datetime) -> str:
    """What the command reads: all of them, in the shape that `--json` has."""
    found = {
        "schema": 1,
        "publication": title,
        "at": now.isoformat(),
        "summary": summary(title, problems),
        "problems": [
            {
                "code": each.code,
                "severity": str(each.severity),
                "path": each.path,
                "line": each.line,
                "message": each.message,
                "cure": each.cure,
            }
            for each in problems
        ],
    }
    return json.dumps(found)


def alert_message(title: str, problems: Sequence[Problem], sender: Mailbox, to: str, now: datetime) -> bytes:
    """A message that no out-of-office answer comes back to (RFC 3834, 5), in base64: a problem may hold anything."""
    lines = [f"- {each}" for each in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(
            f"… and {len(problems) - _SHOWN} more: `ketapress status` and `ketapress check` name them."
        )
    body = "\n\n".join(
        [f"{title}: this waits for you.", *lines, "Sent by `ketapress run`; [alerts] sets when."]
    )
    key = blake2b(f"{now.isoformat()}\n{to}\n{body}".encode(errors="replace"), digest_size=16).hexdigest()
    headers = {
        "From": mailbox_value(title, sender.address),
        "To": to,
        "Subject": text_value(summary(title, problems)[:150]),
        "Date": format_datetime(now),
        "Message-ID": f"<alert.{key}@{sender.domain}>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "base64",
    }
    text = encodebytes((body + "\n").encode(errors="replace")).replace(b"\n", b"\r\n")
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii") + b"\r\n" + text
