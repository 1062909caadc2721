"""Delivery to another SMTP server, with TLS and a login, on several connections."""

import ssl
from collections import Counter
from email import message_from_bytes
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from ketapress.model.edition import EditionState
from ketapress.model.settings import RelayUrl
from support.certificates import create_client_context, create_server_context
from support.delivery_fixture import DeliveryFixture, new_delivery

delivery, serving, trusting = new_delivery, create_server_context, create_client_context

READERS = [f"reader{n}@example.net" for n in range(45)]


class Recorder:
    """Records the messages that aiosmtpd receives."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.messages += [(recipient, envelope.content) for recipient in envelope.rcpt_tos]
        return "250 kept"


class FreePort(Controller):
    """Listens on a free port."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # it is a Server
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd's own


def authenticate(*_: Any) -> AuthResult:
    return AuthResult(success=True)


def test_aiosmtpd_gets_each_message_once_over_tls_with_a_login(
    delivery: DeliveryFixture, serving: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    recorder = Recorder()
    controller = FreePort(
        recorder,
        hostname="127.0.0.1",
        port=0,
        tls_context=serving,
        require_starttls=True,
        auth_required=True,
        authenticator=authenticate,
    )
    controller.start()
    try:
        delivery.subscribe(*READERS)
        delivery.add_edition()
        relay = delivery.context.relay._replace(
            connections=4,
            url=RelayUrl("127.0.0.1", controller.port, "starttls", "press", "secret"),
        )
        report = delivery.send(relay=relay, tls_context=trusting)
    finally:
        controller.stop()
    assert (report.state, report.sent) == (EditionState.DONE, 45)
    assert Counter(recipient for recipient, _ in recorder.messages) == Counter(READERS)
    assert all(message_from_bytes(message)["To"] == recipient for recipient, message in recorder.messages)
