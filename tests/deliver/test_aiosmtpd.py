"""The whole way to a server that is not ours: over TLS, logged in, on several connections."""

import ssl
from collections import Counter
from email import message_from_bytes
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from ketapress.model.edition import EditionState
from ketapress.model.settings import RelayUrl
from support.certificates import create_client_context, create_server_context
from support.delivery_fixture import Press, new_press

press, serving, trusting = new_press, create_server_context, create_client_context

READERS = [f"reader{n}@example.net" for n in range(45)]


class Kept:
    """What aiosmtpd was handed."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.messages += [(recipient, envelope.content) for recipient in envelope.rcpt_tos]
        return "250 kept"


class FreePort(Controller):
    """Listens where there is room."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # it is a Server
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd's own


def let_in(*_: Any) -> AuthResult:
    return AuthResult(success=True)


def test_aiosmtpd_gets_each_message_once_over_tls_with_a_login(
    press: Press, serving: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    kept = Kept()
    controller = FreePort(
        kept,
        hostname="127.0.0.1",
        port=0,
        tls_context=serving,
        require_starttls=True,
        auth_required=True,
        authenticator=let_in,
    )
    controller.start()
    try:
        press.subscribe(*READERS)
        press.edition()
        relay = press.road.relay._replace(
            connections=4,
            url=RelayUrl("127.0.0.1", controller.port, "starttls", "press", "secret"),
        )
        report = press.send(relay=relay, context=trusting)
    finally:
        controller.stop()
    assert (report.state, report.sent) == (EditionState.DONE, 45)
    assert Counter(recipient for recipient, _ in kept.messages) == Counter(READERS)
    assert all(message_from_bytes(message)["To"] == recipient for recipient, message in kept.messages)
