"""Send messages to a scripted relay on a real socket: each phase, and each fault in it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

import pytest

from ketapress.model.delivery import Phase, Reply
from ketapress.model.settings import RelayUrl
from ketapress.relay.client import ConnectError, Connection
from ketapress.relay.stream import DEADLINES, Deadlines
from ketapress.relay.transaction import Envelope
from ketapress.testing import ScriptedRelay, after, endless, hang_up, keep_silent, slowly

MESSAGE = b"Subject: x\r\n\r\nHello.\r\n"
SENDER, ANN, BOB = "digest@example.org", "ann@example.net", "bob@example.net"
STEP_BY_STEP = ("SIZE 1000000", "8BITMIME")

Outcome = tuple[Phase, Reply] | None


async def allow() -> bool:
    return True


async def deny() -> bool:
    return False


def short_deadlines(phase: Phase) -> Deadlines:
    """Return the default deadlines, with a short one for this phase."""
    return DEADLINES._replace(**{"greeting" if phase is Phase.CONNECT else phase.name.lower(): 0.15})


async def open_connection(relay: ScriptedRelay, deadlines: Deadlines = DEADLINES) -> Connection:
    return await Connection.open(relay.url, hostname="press.example.org", deadlines=deadlines)


async def send_to(
    relay: ScriptedRelay,
    *recipients: str,
    authorize: Callable[[], Awaitable[bool]] = allow,
    deadlines: Deadlines = DEADLINES,
) -> list[Outcome]:
    """Send one message to each recipient, on as many connections as needed."""
    results: list[Outcome] = []
    connection = await open_connection(relay, deadlines)
    for recipient in recipients:
        if not connection.is_usable:
            await connection.close()
            connection = await open_connection(relay, deadlines)
        results.append(await connection.send(Envelope(SENDER, recipient, len(MESSAGE)), [MESSAGE], authorize))
    await connection.close()
    return results


def step(outcome: Outcome) -> tuple[Phase, int]:
    assert outcome is not None
    return outcome[0], outcome[1].code


def run(
    scenario: Callable[[ScriptedRelay], Coroutine[Any, Any, Any]], relay: ScriptedRelay | None = None
) -> Any:
    async def run_scenario() -> Any:
        async with relay or ScriptedRelay() as open_relay:
            return await scenario(open_relay)

    return asyncio.run(run_scenario())


with_and_without_pipelining = pytest.mark.parametrize(
    "extensions", [("PIPELINING", "SIZE 1000000"), STEP_BY_STEP], ids=["pipelined", "step by step"]
)


@with_and_without_pipelining
def test_messages_follow_one_another_on_one_connection(extensions: tuple[str, ...]) -> None:
    relay = ScriptedRelay(extensions=extensions)
    results = run(lambda relay: send_to(relay, ANN, BOB, ANN), relay)
    assert [step(result) for result in results] == [(Phase.END_OF_DATA, 250)] * 3
    assert [(message.sender, message.recipient, message.message) for message in relay.messages] == [
        (SENDER, recipient, MESSAGE) for recipient in (ANN, BOB, ANN)
    ]
    assert relay.connections == 1
    assert relay.commands[:2] == ["EHLO press.example.org", f"MAIL FROM:<{SENDER}> SIZE={len(MESSAGE)}"]
    assert relay.commands[-1] == "QUIT"


def test_a_relay_that_offers_nothing_gets_plain_commands() -> None:
    relay = ScriptedRelay(extensions=())
    run(lambda relay: send_to(relay, ANN), relay)
    assert relay.commands[1] == f"MAIL FROM:<{SENDER}>"
    assert len(relay.messages) == 1


def test_an_old_server_is_greeted_with_helo() -> None:
    relay = ScriptedRelay()
    relay.script(Phase.HELLO, "502 5.5.2 what?", on=1)
    run(lambda relay: send_to(relay, ANN), relay)
    assert relay.commands[1] == "HELO press.example.org"
    assert len(relay.messages) == 1


def test_an_envelope_goes_out_in_one_write_where_the_relay_allows() -> None:
    async def scenario(relay: ScriptedRelay) -> Outcome:
        relay.script(Phase.MAIL, after(lambda: command_counts.append(len(relay.commands)), "250 ok"))
        return (await send_to(relay, ANN))[0]

    async def envelope_is_written_before_the_first_answer(relay: ScriptedRelay) -> bytes:
        received: list[bytes] = []

        async def peek(conversation: Any) -> str:
            received.append(
                await conversation.reader.readexactly(len("RCPT TO:<ann@example.net>\r\nDATA\r\n"))
            )
            conversation.hang_up()
            return ""

        relay.script(Phase.MAIL, peek)
        await send_to(relay, ANN)
        return received[0]

    command_counts: list[int] = []
    assert step(run(scenario)) == (Phase.END_OF_DATA, 250)
    assert run(envelope_is_written_before_the_first_answer) == b"RCPT TO:<ann@example.net>\r\nDATA\r\n"


async def send_announced(relay: ScriptedRelay, *recipients: str) -> list[Outcome]:
    """Send one message to each recipient, each announced with the end of data before it."""
    envelopes = [Envelope(SENDER, recipient, len(MESSAGE)) for recipient in recipients]
    connection, results = await open_connection(relay), []
    for envelope, following in zip(envelopes, [*envelopes[1:], None], strict=True):
        if not connection.is_usable:
            await connection.close()
            connection = await open_connection(relay)
        results.append(await connection.send(envelope, [MESSAGE], allow, partial(next, iter([following]))))
    await connection.close()
    return results


@with_and_without_pipelining
def test_the_next_envelope_may_go_out_with_the_dot(extensions: tuple[str, ...]) -> None:
    async def peek(conversation: Any) -> str:
        if extensions != STEP_BY_STEP:
            assert (await conversation.reader.readuntil(b"DATA\r\n")).startswith(b"MAIL FROM")
            conversation.reader.feed_data(
                b"MAIL FROM:<digest@example.org>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n"
            )
        return "250 2.0.0 accepted"

    relay = ScriptedRelay(extensions=extensions)
    relay.script(Phase.END_OF_DATA, peek, on=1)
    results = run(lambda relay: send_announced(relay, ANN, BOB), relay)
    assert [step(result) for result in results] == [(Phase.END_OF_DATA, 250)] * 2
    assert [message.recipient for message in relay.messages] == [ANN, BOB]
    assert relay.connections == 1


@pytest.mark.parametrize(
    ("phase", "answer", "connections"),
    [
        (Phase.RECIPIENT, "550 5.1.1 no such user", 1),
        (Phase.DATA, "451 4.3.0 later", 1),
        (Phase.END_OF_DATA, "554 5.7.1 spam", 1),
        (Phase.END_OF_DATA, "421 4.3.2 closing", 2),
        (Phase.END_OF_DATA, hang_up, 2),
        (Phase.END_OF_DATA, "garbage", 2),
    ],
)
def test_a_fault_of_one_message_is_never_taken_for_one_of_the_announced_next(
    phase: Phase, answer: Any, connections: int
) -> None:
    relay = ScriptedRelay()
    relay.script(phase, answer, recipient=BOB)
    results = run(lambda relay: send_announced(relay, ANN, BOB, ANN, ANN), relay)
    expected = int(answer[:3]) if isinstance(answer, str) and answer[0].isdigit() else 0
    assert [step(result) for result in results] == [
        (Phase.END_OF_DATA, 250),
        (phase, expected),
        (Phase.END_OF_DATA, 250),
        (Phase.END_OF_DATA, 250),
    ]
    assert [message.recipient for message in relay.messages] == [ANN, ANN, ANN]
    assert relay.connections == connections


def test_a_stray_answer_after_a_dot_never_passes_for_the_next_messages() -> None:
    relay = ScriptedRelay()
    relay.script(Phase.END_OF_DATA, "250 2.0.0 accepted\n250 and again", on=1)
    results = run(lambda relay: send_announced(relay, ANN, BOB), relay)
    assert step(results[0]) == (Phase.END_OF_DATA, 250)
    assert step(results[1]) == (Phase.DATA, 250)
    assert [message.recipient for message in relay.messages] == [ANN]


def test_a_message_other_than_the_announced_one_ends_the_line() -> None:
    async def scenario(relay: ScriptedRelay) -> tuple[Phase, int]:
        connection = await open_connection(relay)
        ann, bob, cy = (Envelope(SENDER, address, len(MESSAGE)) for address in (ANN, BOB, "cy@example.net"))
        await connection.send(ann, [MESSAGE], allow, lambda: bob)
        outcome = await connection.send(cy, [MESSAGE], allow)
        await connection.close()
        return step(outcome)

    relay = ScriptedRelay()
    assert run(scenario, relay) == (Phase.MAIL, 0)
    assert [message.recipient for message in relay.messages] == [ANN]
    assert not any(message.message for message in relay.unfinished)


@with_and_without_pipelining
@pytest.mark.parametrize(
    ("phase", "answer"),
    [
        (Phase.MAIL, "550 5.7.1 not from you"),
        (Phase.MAIL, "451 4.3.0 later"),
        (Phase.RECIPIENT, "550 5.1.1 no such user"),
        (Phase.RECIPIENT, "450 4.7.1 greylisted"),
        (Phase.DATA, "454 4.7.0 throttled"),
        (Phase.END_OF_DATA, "554 5.7.1 spam"),
        (Phase.END_OF_DATA, "451 4.3.0 later"),
    ],
)
def test_a_refusal_is_told_and_the_next_message_goes_on(
    extensions: tuple[str, ...], phase: Phase, answer: str
) -> None:
    relay = ScriptedRelay(extensions=extensions)
    relay.script(phase, answer, on=1)
    results = run(lambda relay: send_to(relay, ANN, BOB), relay)
    assert step(results[0]) == (phase, int(answer[:3]))
    assert results[0][1].enhanced == answer[4:9]
    assert step(results[1]) == (Phase.END_OF_DATA, 250)
    assert [message.recipient for message in relay.messages] == [BOB]
    assert relay.connections == 1


def test_a_refused_recipient_answered_by_354_gets_a_lone_dot_and_never_the_body() -> None:
    relay = ScriptedRelay()
    relay.script(Phase.RECIPIENT, "550 5.1.1 no such user", recipient=ANN)
    relay.script(Phase.DATA, "354 go on all the same", recipient=ANN)
    results = run(lambda relay: send_to(relay, ANN, BOB), relay)
    assert step(results[0]) == (Phase.RECIPIENT, 550)
    assert step(results[1]) == (Phase.END_OF_DATA, 250)
    assert "(0 lines) ." in relay.commands
    assert [message.recipient for message in relay.messages] == [BOB]
    assert relay.connections == 1


def test_the_dot_waits_for_its_permission_and_the_relay_has_nothing_before() -> None:
    message_counts: list[int] = []

    async def scenario(relay: ScriptedRelay) -> Outcome:
        async def authorize() -> bool:
            message_counts.append(len(relay.messages))
            return True

        return (await send_to(relay, ANN, authorize=authorize))[0]

    relay = ScriptedRelay()
    assert step(run(scenario, relay)) == (Phase.END_OF_DATA, 250)
    assert message_counts == [0]
    assert "DATA" in relay.commands


def test_without_permission_the_line_is_closed_without_the_dot() -> None:
    relay = ScriptedRelay()
    assert run(lambda relay: send_to(relay, ANN, authorize=deny), relay) == [None]
    assert not relay.messages
    assert not [command for command in relay.commands if command.endswith(".")]
    assert "RSET" not in relay.commands
    assert "QUIT" not in relay.commands


def test_an_error_while_asking_permission_closes_the_line_and_passes_through() -> None:
    async def authorize() -> bool:
        raise LookupError

    relay = ScriptedRelay()
    with pytest.raises(LookupError):
        run(lambda relay: send_to(relay, ANN, authorize=authorize), relay)
    assert not relay.messages


@with_and_without_pipelining
@pytest.mark.parametrize("phase", [Phase.MAIL, Phase.RECIPIENT, Phase.DATA, Phase.END_OF_DATA])
@pytest.mark.parametrize(
    "act",
    [hang_up, keep_silent, "what?", endless("250-wait"), slowly("999" + "x" * 400)],
    ids=["connection lost", "silence", "garbage", "endless lines", "a byte at a time"],
)
def test_a_lost_late_or_senseless_answer_is_code_0_in_its_phase(
    extensions: tuple[str, ...], phase: Phase, act: Any
) -> None:
    relay = ScriptedRelay(extensions=extensions)
    relay.script(phase, act, on=1)
    results = run(lambda relay: send_to(relay, ANN, BOB, deadlines=short_deadlines(phase)), relay)
    assert step(results[0]) == (phase, 0)
    assert results[0][1].text
    assert step(results[1]) == (Phase.END_OF_DATA, 250)
    assert [message.recipient for message in relay.messages] == [BOB]
    assert relay.connections == 2


@pytest.mark.parametrize(("act", "code"), [(hang_up, 0), ("what?", 0), ("552 5.3.4 too big", 552)])
def test_a_relay_that_interrupts_the_body_gets_no_dot(act: Any, code: int) -> None:
    async def scenario(relay: ScriptedRelay) -> Outcome:
        connection = await open_connection(relay)

        async def wait_for_reply() -> bool:
            while connection.is_usable:  # noqa: ASYNC110 - what it waits for happens inside the connection
                await asyncio.sleep(0)  # lets the socket be read
            return True

        outcome = await connection.send(Envelope(SENDER, ANN, len(MESSAGE)), [MESSAGE], wait_for_reply)
        await connection.close()
        return outcome

    relay = ScriptedRelay()
    relay.script(Phase.BODY, act)
    assert step(run(scenario, relay)) == (Phase.BODY, code)
    assert not relay.messages
    assert not [command for command in relay.commands if command.endswith(".")]


def test_an_answer_that_nobody_asked_for_is_not_taken_for_the_next_one() -> None:
    relay = ScriptedRelay()
    relay.script(Phase.END_OF_DATA, "250 2.0.0 accepted\n250 and again", on=1)
    results = run(lambda relay: send_to(relay, ANN, BOB), relay)
    assert [step(result) for result in results] == [(Phase.END_OF_DATA, 250)] * 2
    assert relay.connections == 2


@pytest.mark.parametrize("phase", [Phase.MAIL, Phase.RECIPIENT, Phase.DATA, Phase.END_OF_DATA])
def test_421_ends_the_connection(phase: Phase) -> None:
    relay = ScriptedRelay()
    relay.script(phase, "421 4.3.2 closing", on=1)
    results = run(lambda relay: send_to(relay, ANN, BOB), relay)
    assert step(results[0]) == (phase, 421)
    assert step(results[1]) == (Phase.END_OF_DATA, 250)
    assert relay.connections == 2


def test_a_refused_recipient_stays_refused_when_the_line_breaks_right_after() -> None:
    relay = ScriptedRelay()
    relay.script(Phase.RECIPIENT, "550 5.1.1 no such user")
    relay.script(Phase.DATA, hang_up)
    assert step(run(lambda relay: send_to(relay, ANN), relay)[0]) == (Phase.RECIPIENT, 550)


def test_a_slow_answer_within_its_deadline_is_an_answer() -> None:
    relay = ScriptedRelay()
    relay.script(Phase.END_OF_DATA, slowly("250 accepted", pause=0.001))
    assert step(run(lambda relay: send_to(relay, ANN), relay)[0]) == (Phase.END_OF_DATA, 250)


@pytest.mark.parametrize(
    ("phase", "act", "code"),
    [
        (Phase.CONNECT, "554 5.7.1 not you", 554),
        (Phase.CONNECT, "421 4.3.2 busy", 421),
        (Phase.CONNECT, hang_up, 0),
        (Phase.CONNECT, keep_silent, 0),
        (Phase.CONNECT, "HTTP/1.1 400 Bad Request", 0),
        (Phase.CONNECT, endless("220-wait"), 0),
        (Phase.HELLO, "550 5.7.1 no", 550),
        (Phase.HELLO, hang_up, 0),
        (Phase.HELLO, keep_silent, 0),
    ],
)
def test_a_relay_that_does_not_open_says_in_which_phase(phase: Phase, act: Any, code: int) -> None:
    relay = ScriptedRelay()
    relay.script(phase, act)
    with pytest.raises(ConnectError) as error:
        run(lambda relay: send_to(relay, ANN, deadlines=short_deadlines(phase)), relay)
    assert (error.value.phase, error.value.reply.code) == (phase, code)
    assert not [command for command in relay.commands if command.startswith("MAIL")]


def test_a_port_without_a_server_is_a_relay_that_does_not_open() -> None:
    async def scenario(relay: ScriptedRelay) -> None:
        url = relay.url
        await relay.__aexit__(None, None, None)
        try:
            await Connection.open(url, hostname="press.example.org")
        finally:
            await relay.__aenter__()

    with pytest.raises(ConnectError) as error:
        run(scenario)
    assert (error.value.phase, error.value.reply.code) == (Phase.CONNECT, 0)
    assert "127.0.0.1" in error.value.reply.text


@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".invalid"])
def test_a_host_name_that_cannot_be_looked_up_is_a_relay_that_does_not_open(host: str) -> None:
    with pytest.raises(ConnectError) as error:
        asyncio.run(Connection.open(RelayUrl(host, 25, "none"), hostname="press.example.org"))
    assert (error.value.phase, error.value.reply.code) == (Phase.CONNECT, 0)


@pytest.mark.parametrize(
    "address",
    [
        "a b@example.org",
        "a@example.org> SIZE=9",
        "a@example.org\r\nRSET",
        "a\x00@example.org",
        "ü@example.org",
        "<>",
        "",
    ],
)
def test_an_address_that_may_not_go_on_the_wire_does_not(address: str) -> None:
    for sender, recipient in ((address, ANN), (SENDER, address)):
        with pytest.raises(ValueError, match=r"address|@|domain"):
            Envelope(sender, recipient, 1)


def test_an_address_goes_on_the_wire_in_its_checked_form() -> None:
    assert Envelope(SENDER, " Ann@BÜCHER.example ", 1).recipient == "Ann@xn--bcher-kva.example"


def test_a_name_that_cannot_stand_in_ehlo_is_refused() -> None:
    with pytest.raises(ValueError, match="EHLO"):
        asyncio.run(Connection.open(RelayUrl("127.0.0.1", 25, "none"), hostname="a\r\nQUIT"))


def test_a_large_message_arrives_whole_with_its_leading_full_stops() -> None:
    message = b"Subject: x\r\n\r\n" + b".dot\r\n.\r\n..\r\n" + b"x" * 70 + b"\r\n" * 40000

    async def scenario(relay: ScriptedRelay) -> None:
        connection = await open_connection(relay)
        assert step(await connection.send(Envelope(SENDER, ANN, len(message)), [message], allow)) == (
            Phase.END_OF_DATA,
            250,
        )
        await connection.close()

    relay = ScriptedRelay()
    run(scenario, relay)
    assert relay.messages[0].message == message
