"""STARTTLS, implicit TLS and logging in: against our own relay, and against aiosmtpd as an independent one."""

import asyncio
import ssl
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from ketapress.model.delivery import Fault, Phase
from ketapress.model.settings import RelayUrl
from ketapress.relay.classify import classify_reply
from ketapress.relay.client import ConnectError, Connection
from ketapress.relay.transaction import Envelope
from ketapress.testing import ScriptedRelay, hang_up
from support.certificates import create_client_context, create_server_context

serving, trusting = create_server_context, create_client_context
MESSAGE = b"Subject: x\r\n\r\nHello.\r\n"


async def allow() -> bool:
    return True


async def send_message(url: RelayUrl, context: ssl.SSLContext | None) -> int:
    connection = await Connection.open(url, hostname="press.example.org", tls_context=context)
    outcome = await connection.send(
        Envelope("digest@example.org", "ann@example.net", len(MESSAGE)), [MESSAGE], allow
    )
    await connection.close()
    assert outcome is not None
    return outcome[1].code


def send_to(relay: ScriptedRelay, context: ssl.SSLContext | None, **changes: Any) -> int:
    with relay:
        return asyncio.run(send_message(relay.url._replace(**changes), context))


def refusal_by(relay: ScriptedRelay, context: ssl.SSLContext | None, **changes: Any) -> ConnectError:
    with pytest.raises(ConnectError) as error:
        send_to(relay, context, **changes)
    assert not relay.messages
    assert not [command for command in relay.commands if command.startswith("MAIL")]
    return error.value


def fault_of(refusal: ConnectError) -> Fault:
    return classify_reply(refusal.phase, refusal.reply).fault


def test_starttls_is_followed_by_a_new_greeting_inside_tls(
    serving: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    relay = ScriptedRelay(tls=serving)
    assert send_to(relay, trusting, security="starttls") == 250
    assert relay.commands[:3] == ["EHLO press.example.org", "STARTTLS", "EHLO press.example.org"]


def test_implicit_tls_is_spoken_from_the_first_byte(
    serving: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    relay = ScriptedRelay(tls=serving, implicit_tls=True)
    assert send_to(relay, trusting, security="tls", host="localhost") == 250


def test_a_certificate_that_nobody_vouches_for_is_refused_by_default(serving: ssl.SSLContext) -> None:
    for security, implicit in (("starttls", False), ("tls", True)):
        refusal = refusal_by(ScriptedRelay(tls=serving, implicit_tls=implicit), None, security=security)
        assert refusal.phase is Phase.TLS
        assert "CERTIFICATE_VERIFY_FAILED" in refusal.reply.text
        assert fault_of(refusal) is Fault.RELAY_MISCONFIGURED


def test_a_certificate_for_another_name_is_refused(serving: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    refusal = refusal_by(ScriptedRelay(tls=serving), trusting, security="starttls", host="127.0.0.2")
    assert refusal.phase is Phase.TLS or "127.0.0.2" in refusal.reply.text


def test_without_starttls_nothing_is_sent_and_no_password(trusting: ssl.SSLContext) -> None:
    relay = ScriptedRelay()
    refusal = refusal_by(relay, trusting, security="starttls", user="press", password="secret")
    assert (refusal.phase, fault_of(refusal)) == (Phase.TLS, Fault.RELAY_MISCONFIGURED)
    assert relay.commands == ["EHLO press.example.org"]


def test_a_password_never_travels_in_clear() -> None:
    relay = ScriptedRelay()
    refusal = refusal_by(relay, None, user="press", password="secret")
    assert fault_of(refusal) is Fault.RELAY_MISCONFIGURED
    assert relay.connections == 0


def test_words_slipped_in_before_tls_end_the_conversation(
    serving: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    relay = ScriptedRelay(tls=serving)
    relay.script(Phase.TLS, "220 go on\n250 slipped in")
    assert refusal_by(relay, trusting, security="starttls").phase is Phase.TLS


def test_a_handshake_that_is_cut_is_told(trusting: ssl.SSLContext) -> None:
    relay = ScriptedRelay(extensions=("STARTTLS",))
    relay.script(Phase.TLS, "220 go on")
    relay.script(Phase.HELLO, hang_up, on=2)
    refusal = refusal_by(relay, trusting, security="starttls")
    assert (refusal.phase, refusal.reply.code) == (Phase.TLS, 0)


@pytest.mark.parametrize(
    ("offer", "command"),
    [("AUTH LOGIN PLAIN", "AUTH PLAIN AHByZXNzAHNlY3JldA=="), ("AUTH LOGIN", "AUTH LOGIN")],
)
def test_it_logs_in_as_the_relay_offers(
    serving: ssl.SSLContext, trusting: ssl.SSLContext, offer: str, command: str
) -> None:
    relay = ScriptedRelay(tls=serving)
    relay.script(Phase.HELLO, f"250-relay.example\n250 {offer}", on=2)
    assert send_to(relay, trusting, security="starttls", user="press", password="secret") == 250
    assert relay.commands[3] == command
    if command == "AUTH LOGIN":
        assert relay.commands[4:6] == ["cHJlc3M=", "c2VjcmV0"]


@pytest.mark.parametrize(
    ("answer", "fault"),
    [("535 5.7.8 wrong password", Fault.RELAY_MISCONFIGURED), ("454 4.7.0 not now", Fault.RELAY_DOWN)],
)
def test_a_refused_login_is_told_and_nothing_sent(
    serving: ssl.SSLContext, trusting: ssl.SSLContext, answer: str, fault: Fault
) -> None:
    relay = ScriptedRelay(tls=serving)
    relay.script(Phase.AUTHENTICATE, answer)
    refusal = refusal_by(relay, trusting, security="starttls", user="press", password="secret")
    assert (refusal.phase, fault_of(refusal)) == (Phase.AUTHENTICATE, fault)
    assert "secret" not in str(refusal)


def test_a_relay_without_a_login_that_we_know_is_misconfigured(
    serving: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    relay = ScriptedRelay(tls=serving)
    relay.script(Phase.HELLO, "250-relay.example\n250 AUTH GSSAPI", on=2)
    refusal = refusal_by(relay, trusting, security="starttls", user="press", password="secret")
    assert (refusal.phase, fault_of(refusal)) == (Phase.AUTHENTICATE, Fault.RELAY_MISCONFIGURED)
    assert "GSSAPI" in refusal.reply.text


class Recorder:
    """What aiosmtpd was handed."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, list[str], bytes]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.messages.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 kept"


class FreePort(Controller):
    """Listens where there is room."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd's own


def may_log_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=(data.login, data.password) == (b"press", b"secret"), handled=False)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_aiosmtpd_takes_a_message_after_starttls_and_login(
    serving: ssl.SSLContext, trusting: ssl.SSLContext, mechanism: str
) -> None:
    recorder = Recorder()
    other = {"PLAIN": "LOGIN", "LOGIN": "PLAIN"}[mechanism]
    controller = FreePort(
        recorder,
        hostname="127.0.0.1",
        port=0,
        tls_context=serving,
        require_starttls=True,
        auth_required=True,
        authenticator=may_log_in,
        auth_exclude_mechanism=[other],
    )
    controller.start()
    try:
        url = RelayUrl("127.0.0.1", controller.port, "starttls", "press", "secret")
        assert asyncio.run(send_message(url, trusting)) == 250
        with pytest.raises(ConnectError) as error:
            asyncio.run(send_message(url._replace(password="wrong"), trusting))
    finally:
        controller.stop()
    assert (error.value.phase, error.value.reply.code) == (Phase.AUTHENTICATE, 535)
    assert recorder.messages == [("digest@example.org", ["ann@example.net"], MESSAGE)]


def test_aiosmtpd_takes_a_message_over_implicit_tls(
    serving: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    recorder = Recorder()
    controller = FreePort(recorder, hostname="127.0.0.1", port=0, ssl_context=serving)
    controller.start()
    try:
        assert asyncio.run(send_message(RelayUrl("localhost", controller.port, "tls"), trusting)) == 250
    finally:
        controller.stop()
    assert len(recorder.messages) == 1
