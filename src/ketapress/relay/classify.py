"""A reply in, a verdict out: whose matter it is, and what may go on. The fault table, as data.

Never speaks to anybody and knows no time: when to try again is decided in `deliver/settle.py`.
"""

from functools import lru_cache

from ketapress.model.delivery import Fault, Phase, Reply, Verdict

# For each phase the fault by the first digit of the code, as 0, 2, 3, 4, 5. A 0 is a line that was lost or spoke
# garbage. A 2 or 3 is no fault where it is the answer that was hoped for; such answers are reported after the dot
# only, so elsewhere it is a relay that lacks what we need (TLS, a way to log in) or does not know the order of things.
_CLASSES = (0, 2, 3, 4, 5)
_DOWN, _WRONG = Fault.RELAY_DOWN, Fault.RELAY_MISCONFIGURED
_WAIT, _LATER = Fault.RELAY_THROTTLED, Fault.RECIPIENT_DEFERRED
_FAULTS: dict[Phase, tuple[Fault, ...]] = {
    Phase.CONNECT: (_DOWN, _DOWN, _DOWN, _DOWN, _DOWN),
    Phase.TLS: (_WRONG, _WRONG, _WRONG, _DOWN, _WRONG),
    Phase.HELLO: (_DOWN, _DOWN, _DOWN, _DOWN, _DOWN),
    Phase.AUTHENTICATE: (_DOWN, _WRONG, _WRONG, _DOWN, _WRONG),
    Phase.MAIL: (_LATER, _DOWN, _DOWN, _WAIT, Fault.SENDER_REFUSED),
    Phase.RECIPIENT: (_LATER, _DOWN, _DOWN, _LATER, Fault.RECIPIENT_FAILED),
    Phase.DATA: (_LATER, _DOWN, _DOWN, _WAIT, Fault.MESSAGE_REFUSED),
    Phase.BODY: (_LATER, _LATER, _LATER, _LATER, Fault.MESSAGE_REFUSED),
    Phase.END_OF_DATA: (Fault.IN_DOUBT, Fault.NONE, Fault.IN_DOUBT, _LATER, Fault.MESSAGE_REFUSED),
}

_TRANSACTION = (Phase.MAIL, Phase.RECIPIENT, Phase.DATA, Phase.BODY, Phase.END_OF_DATA)
_CODES: dict[tuple[Phase, int], Fault] = (
    {
        (phase, 421): _WAIT for phase in _TRANSACTION
    }  # RFC 5321, 3.8: it closes the channel, whoever we write to
    # RFC 4954, 6: these ask for a login or for TLS, and would ask every recipient
    | {(phase, code): _WRONG for phase in _TRANSACTION for code in (530, 534, 535, 538)}
    | {
        (Phase.RECIPIENT, 552): _LATER,  # RFC 5321, 4.5.3.1.10: too many recipients, said as 452 today
        (Phase.END_OF_DATA, 452): _WAIT,  # the relay's disk is full
        (Phase.END_OF_DATA, 454): _WAIT,  # Amazon SES: over the sending rate
    }
)

# RFC 3463 3.2, 3.3, 3.8: what the enhanced code says about the address or its mailbox is the recipient's matter even
# after the dot; what it says about policy concerns the message.
_ENHANCED: dict[tuple[Phase, str], Fault] = {
    (Phase.RECIPIENT, "5.7"): Fault.MESSAGE_REFUSED,
    (Phase.END_OF_DATA, "5.1"): Fault.RECIPIENT_FAILED,
    (Phase.END_OF_DATA, "5.2"): Fault.RECIPIENT_FAILED,
}

_DEAD_ADDRESS = "5.1.1"  # the one code that proves an address dead by itself; a spam filter never says it


def verdict(phase: Phase, reply: Reply) -> Verdict:
    """What a reply in a phase means. Before the dot a lost line is safe to repeat; after it, the message is in doubt."""
    fault = _fault(phase, reply.code, reply.enhanced)
    dead = fault is Fault.RECIPIENT_FAILED and phase is Phase.RECIPIENT and reply.enhanced == _DEAD_ADDRESS
    return Verdict(fault, reply, phase, suppress=dead)


@lru_cache(maxsize=1024)
def _fault(phase: Phase, code: int, enhanced: str) -> Fault:
    subject = enhanced.rpartition(".")[0]
    by_class = _FAULTS[phase][_CLASSES.index(code // 100)]
    return _CODES.get((phase, code)) or _ENHANCED.get((phase, subject)) or by_class
