"""Size: what is too large is cut off by Gmail, and with it the link to unsubscribe."""

from collections.abc import Iterator

from ketapress.mail.lint.document import fault
from ketapress.model.errors import Problem, Severity
from ketapress.model.message import Digest

GMAIL_CLIPS = 102 * 1024  # bytes; measured at 102 to 105 KB, sources differ on whether encoded ones count
_SETTINGS = "ketapress.toml"
_CURE = "Give the newsletter a smaller `max_bytes`, or the template less markup for each post."


def size_problems(digest: Digest, message: bytes, most: int) -> Iterator[Problem]:
    """`most` is the newsletter's `max_bytes`."""
    size = digest.sizes["html"]
    encoded = len(message.rpartition(b"\r\nContent-Type: text/html")[2])
    if size > most:
        yield fault(
            "too-large",
            f"the HTML is {size:,} bytes and may be {most:,}: even headlines alone do not fit.",
            "Take markup out of the template, or raise `max_bytes` of the newsletter.",
        )
    elif size > GMAIL_CLIPS:
        yield _clipped(f"the HTML is {size:,} bytes; Gmail cuts off what is beyond {GMAIL_CLIPS:,}.")
    elif encoded > GMAIL_CLIPS:
        yield _clipped(
            f"the HTML is {encoded:,} bytes as it is encoded; Gmail may cut off what is beyond {GMAIL_CLIPS:,}."
        )


def _clipped(message: str) -> Problem:
    return fault("clipped", message, _CURE, path=_SETTINGS, severity=Severity.WARNING)
