"""Size: what is too large is cut off by Gmail, and with it the link to unsubscribe."""

from collections.abc import Iterator

from ketapress.mail.lint.document import mail_problem
from ketapress.model.errors import Problem, Severity
from ketapress.model.message import Digest

GMAIL_CLIP_SIZE = 102 * 1024  # bytes; measured at 102 to 105 KB, sources differ on whether encoded ones count
_SETTINGS_FILE = "ketapress.toml"
_CURE = "Give the newsletter a smaller `max_bytes`, or the template less markup for each post."


def size_problems(digest: Digest, message: bytes, max_bytes: int) -> Iterator[Problem]:
    """`most` is the newsletter's `max_bytes`."""
    size = digest.sizes["html"]
    encoded_size = len(message.rpartition(b"\r\nContent-Type: text/html")[2])
    if size > max_bytes:
        yield mail_problem(
            "too-large",
            f"the HTML is {size:,} bytes and may be {max_bytes:,}: even headlines alone do not fit.",
            "Take markup out of the template, or raise `max_bytes` of the newsletter.",
        )
    elif size > GMAIL_CLIP_SIZE:
        yield _clip_warning(f"the HTML is {size:,} bytes; Gmail cuts off what is beyond {GMAIL_CLIP_SIZE:,}.")
    elif encoded_size > GMAIL_CLIP_SIZE:
        yield _clip_warning(
            f"the HTML is {encoded_size:,} bytes as it is encoded; Gmail may cut off what is beyond {GMAIL_CLIP_SIZE:,}."
        )


def _clip_warning(message: str) -> Problem:
    return mail_problem("clipped", message, _CURE, path=_SETTINGS_FILE, severity=Severity.WARNING)
