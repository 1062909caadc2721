"""The delivery of one edition to one address: its states, replies of the relay, and verdicts about them.

A delivery changes its state only as `TRANSITIONS` allows; docs/ARCHITECTURE.md shows the same table.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class DeliveryState(StrEnum):
    """The state of a delivery. `sending`: the intent is committed, and end of data may be sent."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    IN_DOUBT = "in doubt"
    FAILED = "failed"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"


FINAL_STATES = frozenset(
    {
        DeliveryState.SENT,
        DeliveryState.FAILED,
        DeliveryState.EXPIRED,
        DeliveryState.SUPPRESSED,
        DeliveryState.CANCELLED,
    }
)

_UNSENT_STATES = frozenset({DeliveryState.EXPIRED, DeliveryState.SUPPRESSED, DeliveryState.CANCELLED})
TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.QUEUED: _UNSENT_STATES | {DeliveryState.CLAIMED},
    DeliveryState.CLAIMED: _UNSENT_STATES
    | {DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.DEFERRED, DeliveryState.FAILED},
    DeliveryState.SENDING: frozenset(
        {
            DeliveryState.SENT,
            DeliveryState.DEFERRED,
            DeliveryState.FAILED,
            DeliveryState.IN_DOUBT,
            DeliveryState.EXPIRED,  # deferred by the relay, with no time left for another attempt
        }
    ),
    DeliveryState.DEFERRED: _UNSENT_STATES | {DeliveryState.CLAIMED},
    DeliveryState.IN_DOUBT: _UNSENT_STATES | {DeliveryState.CLAIMED, DeliveryState.SENT},
} | {state: frozenset() for state in FINAL_STATES}
"""The next states that each state allows. Final states allow none."""


class Phase(StrEnum):
    """The phases of an SMTP session, in order (RFC 5321, 4.1)."""

    CONNECT = "connect"
    TLS = "tls"
    HELLO = "hello"
    AUTHENTICATE = "authenticate"
    MAIL = "mail"
    RECIPIENT = "recipient"
    DATA = "data"
    BODY = "body"
    END_OF_DATA = "end of data"
    DOT = END_OF_DATA  # the earlier name, for users of `ketapress.testing`


class Reply(NamedTuple):
    """A reply of the relay, without control characters and cut to a sane length.

    `code` has three digits; it is 0 where there was no valid reply: the connection was lost, timed out or broke the
    protocol. `enhanced` is the RFC 3463 code (`5.1.1`) or empty.
    """

    code: int
    text: str
    enhanced: str = ""

    def __str__(self) -> str:
        return " ".join(
            part for part in (str(self.code) if self.code else "", self.enhanced, self.text) if part
        )


class Fault(StrEnum):
    """What a reply is about: this recipient, the sender, the message, or the relay as a whole.

    This decides which deliveries wait, which fail, and whether others may go on.
    """

    NONE = "none"
    RECIPIENT_DEFERRED = "recipient deferred"
    RECIPIENT_FAILED = "recipient failed"
    SENDER_REFUSED = "sender refused"
    MESSAGE_REFUSED = "message refused"
    RELAY_THROTTLED = "relay throttled"
    RELAY_DOWN = "relay down"
    RELAY_MISCONFIGURED = "relay misconfigured"
    IN_DOUBT = "in doubt"


class Verdict(NamedTuple):
    """The classification of a reply. `suppress`: the address does not exist and should get no more mail."""

    fault: Fault
    reply: Reply
    phase: Phase
    suppress: bool = False

    @property
    def is_domain_busy(self) -> bool:
        """Whether the recipient's domain may want less mail: deferred, and not because of one mailbox."""
        is_deferred = self.fault is Fault.RECIPIENT_DEFERRED and self.reply.code > 0
        return is_deferred and not self.reply.enhanced.startswith(("4.1.", "4.2."))  # RFC 3463, 3.2 and 3.3


class Recipient(NamedTuple):
    """A claimed delivery: its address, its subscription, and the number of earlier attempts.

    `message_date` is the Date header of a message that the relay may have accepted already: a resend repeats it, so that
    both copies have the same bytes.
    """

    subscription_id: int
    address: str
    name: str = ""
    attempts: int = 0
    message_date: datetime | None = None


class DeliveryResult(NamedTuple):
    """The result of one attempt: the next state, the reply, and when to try again if the delivery is deferred."""

    subscription_id: int
    state: DeliveryState
    reply: str = ""
    next_at: datetime | None = None
    suppress: bool = False


class LeaseLostError(Exception):
    """The lease of this worker has expired; another worker may have taken over its claimed deliveries."""


class DeliverySummary(NamedTuple):
    """A delivery as `outbox show --deliveries` and `subscribers history` show it.

    `message_date` is the Date header of its message, once one may have been sent.
    """

    edition: str
    subscription_id: int
    address: str
    state: DeliveryState
    attempts: int
    reply: str
    next_at: datetime | None = None
    message_date: datetime | None = None
