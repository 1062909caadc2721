"""Classify a reply: what it says about the recipient, the message, the sender or the relay. The rules are data.

Pure. When to try again is decided in `deliver/retry_policy.py`.
"""

from functools import lru_cache

from ketapress.model.delivery import Fault, Phase, Reply, Verdict

# For each phase, the fault by the first digit of the code: 0, 2, 3, 4, 5. 0 is a lost connection or a reply that is not
# SMTP. 2 and 3 are no fault where they are the expected reply; except after the end of data only other replies are
# classified, so there they mean that the relay lacks something (TLS, a login method) or breaks the order of commands.
_CLASSES = (0, 2, 3, 4, 5)
_DOWN, _MISCONFIGURED = Fault.RELAY_DOWN, Fault.RELAY_MISCONFIGURED
_THROTTLED, _DEFERRED = Fault.RELAY_THROTTLED, Fault.RECIPIENT_DEFERRED
_FAULTS: dict[Phase, tuple[Fault, ...]] = {
    Phase.CONNECT: (_DOWN, _DOWN, _DOWN, _DOWN, _DOWN),
    Phase.TLS: (_MISCONFIGURED, _MISCONFIGURED, _MISCONFIGURED, _DOWN, _MISCONFIGURED),
    Phase.HELLO: (_DOWN, _DOWN, _DOWN, _DOWN, _DOWN),
    Phase.AUTHENTICATE: (_DOWN, _MISCONFIGURED, _MISCONFIGURED, _DOWN, _MISCONFIGURED),
    Phase.MAIL: (_DEFERRED, _DOWN, _DOWN, _THROTTLED, Fault.SENDER_REFUSED),
    Phase.RECIPIENT: (_DEFERRED, _DOWN, _DOWN, _DEFERRED, Fault.RECIPIENT_FAILED),
    Phase.DATA: (_DEFERRED, _DOWN, _DOWN, _THROTTLED, Fault.MESSAGE_REFUSED),
    Phase.BODY: (_DEFERRED, _DEFERRED, _DEFERRED, _DEFERRED, Fault.MESSAGE_REFUSED),
    Phase.END_OF_DATA: (Fault.IN_DOUBT, Fault.NONE, Fault.IN_DOUBT, _DEFERRED, Fault.MESSAGE_REFUSED),
}

_TRANSACTION = (Phase.MAIL, Phase.RECIPIENT, Phase.DATA, Phase.BODY, Phase.END_OF_DATA)
_FAULTS_BY_CODE: dict[tuple[Phase, int], Fault] = (
    # RFC 5321, 3.8: the relay closes the connection, whoever the recipient is
    {(phase, 421): _THROTTLED for phase in _TRANSACTION}
    # RFC 4954, 6: these ask for a login or for TLS, and would be sent to every recipient
    | {(phase, code): _MISCONFIGURED for phase in _TRANSACTION for code in (530, 534, 535, 538)}
    | {
        (Phase.RECIPIENT, 552): _DEFERRED,  # RFC 5321, 4.5.3.1.10: too many recipients, today 452
        (Phase.END_OF_DATA, 452): _THROTTLED,  # the relay's disk is full
        (Phase.END_OF_DATA, 454): _THROTTLED,  # Amazon SES: over the sending rate
    }
)

# RFC 3463, 3.2, 3.3 and 3.8: an enhanced code about the address or its mailbox concerns the recipient even after the
# end of data; one about policy concerns the message.
_FAULTS_BY_ENHANCED_CODE: dict[tuple[Phase, str], Fault] = {
    (Phase.RECIPIENT, "5.7"): Fault.MESSAGE_REFUSED,
    (Phase.END_OF_DATA, "5.1"): Fault.RECIPIENT_FAILED,
    (Phase.END_OF_DATA, "5.2"): Fault.RECIPIENT_FAILED,
}

_UNKNOWN_ADDRESS = (
    "5.1.1"  # the one code that proves by itself that the address does not exist; no spam filter uses it
)


def classify_reply(phase: Phase, reply: Reply) -> Verdict:
    """Return the verdict on a reply. A connection lost before the end of data is safe to repeat; after it, in doubt."""
    fault = _find_fault(phase, reply.code, reply.enhanced)
    is_unknown_address = (
        fault is Fault.RECIPIENT_FAILED and phase is Phase.RECIPIENT and reply.enhanced == _UNKNOWN_ADDRESS
    )
    return Verdict(fault, reply, phase, suppress=is_unknown_address)


@lru_cache(maxsize=1024)
def _find_fault(phase: Phase, code: int, enhanced: str) -> Fault:
    subject = enhanced.rpartition(".")[0]
    return (
        _FAULTS_BY_CODE.get((phase, code))
        or _FAULTS_BY_ENHANCED_CODE.get((phase, subject))
        or _FAULTS[phase][_CLASSES.index(code // 100)]
    )
