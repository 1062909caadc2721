"""Size: Gmail clips large messages, and the unsubscribe link with them."""

from collections.abc import Iterator

from ketapress.mail.lint.document import mail_problem
from ketapress.model.errors import Problem, Severity
from ketapress.model.message import Digest

GMAIL_CLIP_SIZE = (
    102 * 1024
)  # bytes; measured at 102 to 105 KB; sources differ on whether it is the encoded size
_SETTINGS_FILE = "ketapress.toml"
_CURE = "Lower `max_bytes` of the newsletter, or use less markup for each post in the template."


def size_problems(digest: Digest, message: bytes, max_bytes: int) -> Iterator[Problem]:
    """Yield a problem for an HTML part above the newsletter's `max_bytes`, or above the size at which Gmail clips."""
    size = digest.sizes["html"]
    encoded_size = len(message.rpartition(b"\r\nContent-Type: text/html")[2])
    if size > max_bytes:
        yield mail_problem(
            "too-large",
            f"the HTML is {size:,} bytes, and the limit is {max_bytes:,}: even headlines alone do not fit.",
            "Use less markup in the template, or raise `max_bytes` of the newsletter.",
        )
    elif size > GMAIL_CLIP_SIZE:
        yield _clip_warning(f"the HTML is {size:,} bytes; Gmail clips messages at {GMAIL_CLIP_SIZE:,}.")
    elif encoded_size > GMAIL_CLIP_SIZE:
        yield _clip_warning(
            f"the encoded HTML is {encoded_size:,} bytes; Gmail may clip messages at {GMAIL_CLIP_SIZE:,}."
        )


def _clip_warning(message: str) -> Problem:
    return mail_problem("clipped", message, _CURE, path=_SETTINGS_FILE, severity=Severity.WARNING)
