"""The relay that we ship for tests, driven by the standard library's client, and the clock."""

import asyncio
import smtplib
from datetime import UTC, datetime, timedelta

import pytest

from ketapress.model.delivery import Phase
from ketapress.testing import ScriptedRelay, StillClock, after, endless, hang_up, slowly

MESSAGE = b"Subject: x\r\n\r\nHello.\r\n..two\r\n"


def client(relay: ScriptedRelay) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", relay.port, local_hostname="client.example", timeout=5)


def test_it_takes_everything_without_a_script_and_keeps_the_bytes() -> None:
    with ScriptedRelay() as relay, client(relay) as smtp:
        smtp.sendmail("a@example.org", ["b@example.org", "c@example.org"], MESSAGE)
    assert [(message.sender, message.recipient) for message in relay.messages] == [
        ("a@example.org", "b@example.org"),
        ("a@example.org", "c@example.org"),
    ]
    assert relay.messages[0].message == MESSAGE
    assert relay.connections == 1


def test_a_script_refuses_one_recipient() -> None:
    with ScriptedRelay() as relay, client(relay) as smtp:
        relay.script(Phase.RECIPIENT, "550 5.1.1 no such user", recipient="b@example.org")
        refused = smtp.sendmail("a@example.org", ["b@example.org", "c@example.org"], MESSAGE)
    assert refused == {"b@example.org": (550, b"5.1.1 no such user")}
    assert [message.recipient for message in relay.messages] == ["c@example.org"]


def test_a_script_applies_on_the_nth_occasion_only() -> None:
    with ScriptedRelay() as relay, client(relay) as smtp:
        relay.script(Phase.END_OF_DATA, "452 4.3.1 full", on=2)
        smtp.sendmail("a@example.org", "b@example.org", MESSAGE)
        with pytest.raises(smtplib.SMTPDataError):
            smtp.sendmail("a@example.org", "b@example.org", MESSAGE)
        smtp.sendmail("a@example.org", "b@example.org", MESSAGE)
    assert len(relay.messages) == 2


def test_the_first_line_of_the_script_that_applies_is_used() -> None:
    with ScriptedRelay() as relay, client(relay) as smtp:
        relay.script(Phase.MAIL, "451 4.3.0 first", on=1)
        relay.script(Phase.MAIL, "550 5.7.1 then this")
        assert smtp.mail("a@example.org")[0] == 451
        assert smtp.mail("a@example.org")[0] == 550


def test_it_hangs_up_before_the_dot_and_keeps_what_came() -> None:
    with ScriptedRelay() as relay:
        relay.script(Phase.BODY, hang_up)
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            client(relay).sendmail("a@example.org", "b@example.org", MESSAGE)
    assert not relay.messages
    assert [message.recipient for message in relay.unfinished] == ["b@example.org"]


def test_it_hangs_up_after_the_dot() -> None:
    with ScriptedRelay() as relay:
        relay.script(Phase.END_OF_DATA, hang_up)
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
            client(relay).sendmail("a@example.org", "b@example.org", MESSAGE)
    assert not relay.messages
    assert not relay.unfinished


def test_it_calls_a_function_at_a_point_of_the_conversation() -> None:
    called: list[str] = []
    with ScriptedRelay() as relay, client(relay) as smtp:
        relay.script(Phase.DATA, after(lambda: called.append("data"), "354 go on"))
        smtp.sendmail("a@example.org", "b@example.org", MESSAGE)
    assert called == ["data"]
    assert len(relay.messages) == 1


def test_it_answers_slowly_and_without_end() -> None:
    async def conversation() -> tuple[bytes, list[bytes]]:
        async with ScriptedRelay() as relay:
            relay.script(Phase.CONNECT, slowly("220 at last", pause=0.001))
            relay.script(Phase.HELLO, endless("250-wait"))
            reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
            greeting = await reader.readline()
            writer.write(b"EHLO client.example\r\n")
            lines = [await reader.readline() for _ in range(20)]
            writer.close()
            await writer.wait_closed()
            return greeting, lines

    greeting, lines = asyncio.run(conversation())
    assert greeting == b"220 at last\r\n"
    assert set(lines) == {b"250-wait\r\n"}


def test_a_still_clock_moves_only_when_it_is_told() -> None:
    clock = StillClock(datetime(2023, 6, 12, 9, tzinfo=UTC))
    assert clock() == clock()
    clock.advance(timedelta(hours=2))
    assert clock() == datetime(2023, 6, 12, 11, tzinfo=UTC)
