"""One edition on its way to one address: states, what a relay said, and what we make of it.

Every change of state goes along an arrow of `ARROWS`; the table in docs/ARCHITECTURE.md is this one in words.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class DeliveryState(StrEnum):
    """Where a delivery stands. `sending` means: the intent is committed, and the final dot may go out."""

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
            DeliveryState.EXPIRED,  # refused for now, with no time left to try again
        }
    ),
    DeliveryState.DEFERRED: _UNSENT_STATES | {DeliveryState.CLAIMED},
    DeliveryState.IN_DOUBT: _UNSENT_STATES | {DeliveryState.CLAIMED, DeliveryState.SENT},
} | {state: frozenset() for state in FINAL_STATES}
"""From each state, where a delivery may go next. Final states have no way out."""


class Phase(StrEnum):
    """The steps of a conversation with a relay, in order (RFC 5321, 4.1)."""

    CONNECT = "connect"
    TLS = "tls"
    HELLO = "hello"
    AUTHENTICATE = "authenticate"
    MAIL = "mail"
    RECIPIENT = "recipient"
    DATA = "data"
    BODY = "body"
    END_OF_DATA = "dot"


class Reply(NamedTuple):
    """What a relay said, cleaned of control characters and cut to a sane length.

    `code` is the three digits, 0 when there was no usable answer: the line broke, timed out, or spoke garbage.
    `enhanced` is the RFC 3463 code (`5.1.1`) or empty.
    """

    code: int
    text: str
    enhanced: str = ""

    def __str__(self) -> str:
        return " ".join(
            part for part in (str(self.code) if self.code else "", self.enhanced, self.text) if part
        )


class Fault(StrEnum):
    """Whose matter a reply is: this decides who waits, who is given up, and what else may go on."""

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
    """What we make of a reply. `suppress` says that the address itself is dead and should get no more mail."""

    fault: Fault
    reply: Reply
    phase: Phase
    suppress: bool = False

    @property
    def is_domain_busy(self) -> bool:
        """Whether the recipient's whole domain may want less: put off for now, and not because of one mailbox."""
        is_deferred = self.fault is Fault.RECIPIENT_DEFERRED and self.reply.code > 0
        return is_deferred and not self.reply.enhanced.startswith(("4.1.", "4.2."))  # RFC 3463, 3.2 and 3.3


class Recipient(NamedTuple):
    """One delivery, claimed: to whom, under which subscription, how often it was tried before.

    `dated` is the Date header of a message that may already have been accepted: a resend repeats it to the byte.
    """

    subscription_id: int
    address: str
    name: str = ""
    attempts: int = 0
    message_date: datetime | None = None


class DeliveryResult(NamedTuple):
    """What became of one delivery that was tried: its next state, the reply, and when to try again if deferred."""

    subscription_id: int
    state: DeliveryState
    reply: str = ""
    next_at: datetime | None = None
    suppress: bool = False


class LeaseLostError(Exception):
    """We said nothing for longer than its lease: what was claimed is, or may be, in other hands."""


class DeliverySummary(NamedTuple):
    """One delivery as people look at it: `outbox show --deliveries`, `subscribers history`.

    `dated` is the Date of its message, once one may have gone out.
    """

    edition: str
    subscription_id: int
    address: str
    state: DeliveryState
    attempts: int
    reply: str
    next_at: datetime | None = None
    message_date: datetime | None = None
