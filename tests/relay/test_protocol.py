"""Parse replies from bytes, and dot-stuff messages so that no line ends them early."""

import re

import pytest
from hypothesis import given, settings as limits, strategies as st

from ketapress.model.delivery import Reply
from ketapress.relay.protocol import MAX_LINE, MAX_LINES, MAX_TEXT, ProtocolError, ReplyParser, dot_stuff


def replies(*chunks: bytes) -> list[Reply]:
    parser = ReplyParser()
    return [answer.reply for chunk in chunks for answer in parser.feed(chunk)]


def test_a_reply_is_cut_from_its_line() -> None:
    assert replies(b"250 ok\r\n") == [Reply(250, "ok")]
    assert replies(b"250\r\n") == [Reply(250, "")]
    assert replies(b"250 ok\n354 go\n") == [Reply(250, "ok"), Reply(354, "go")]


def test_a_reply_of_many_lines_is_one_reply_and_its_enhanced_code_is_apart() -> None:
    assert replies(b"550-5.1.1 no\r\n550 5.1.1 such user\r\n") == [Reply(550, "no such user", "5.1.1")]


def test_an_enhanced_code_of_another_class_is_text() -> None:
    assert replies(b"250 5.1.1 ok\r\n") == [Reply(250, "5.1.1 ok")]


def test_what_a_relay_writes_is_cleaned_of_controls_escapes_and_direction_marks() -> None:
    [reply] = replies("550 a\x1b[31mb\x00\x9bc\u202ed\u2028e\r\n".encode())
    assert reply.text == "a [31mb  c d e"
    assert replies(b"550 \xff\xfe\r\n")[0].text.isprintable()


def test_a_long_reply_is_cut() -> None:
    assert len(replies(b"550 " + b"x" * 3000 + b"\r\n")[0].text) == MAX_TEXT


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n",
        b"25 ok\r\n",
        b"2500 ok\r\n",
        b"999 ok\r\n",
        b"150 ok\r\n",
        b"\r\n",
        b"250ok\r\n",
        b"x" * (MAX_LINE + 1),
        b"250 " + b"x" * MAX_LINE + b"\r\n",
        b"250-wait\r\n" * (MAX_LINES + 1),
    ],
)
def test_garbage_is_no_reply(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        replies(data)


def test_a_part_of_a_reply_is_known_to_be_there() -> None:
    parser, partial = ReplyParser(), []
    for chunk in (b"250 a\r\n", b"250-b\r\n", b"25", b"0 c\r\n"):
        assert len(list(parser.feed(chunk))) in {0, 1}
        partial.append(parser.has_partial_reply)
    assert partial == [False, True, True, False]


lines = st.lists(
    st.tuples(
        st.sampled_from(["-", " "]),
        st.text(st.characters(codec="ascii", exclude_characters="\r\n"), max_size=30),
    )
)


@limits(max_examples=100, deadline=None)
@given(lines, st.lists(st.integers(1, 40), max_size=20))
def test_replies_do_not_depend_on_how_the_bytes_arrive(lines: list[tuple[str, str]], cuts: list[int]) -> None:
    stream = "".join(f"250{mark}{text}\r\n" for mark, text in lines).encode()
    chunks, rest = [], stream
    for cut in cuts:
        chunks.append(rest[:cut])
        rest = rest[cut:]
    assert replies(*chunks, rest) == replies(stream)


@limits(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_replies_or_garbage_and_nothing_else(data: bytes) -> None:
    try:
        parsed = replies(data)
    except ProtocolError:
        parsed = []
    assert all(200 <= reply.code <= 599 and reply.text.isprintable() for reply in parsed)


def test_a_message_without_leading_full_stops_passes_unchanged() -> None:
    chunks = [b"Subject: ", b"x", b"\r\n\r\n", b"Ends. So.\r\n"]
    assert dot_stuff(chunks) == b"".join(chunks)


def test_a_message_gets_its_last_line_end() -> None:
    assert dot_stuff([b"a\r\n\r\nb"]) == b"a\r\n\r\nb\r\n"


long_chunks = st.sampled_from([b"x" * 1000, b"." * 1000, b"x" * 1000 + b"\r\n", b"\n." + b"x" * 1000])


@limits(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from([b".", b"..", b"a", b"\r\n", b"\r\n.", b".\r\n", b"x.y"]) | long_chunks, max_size=30
    ).filter(lambda chunks: not re.search(rb"(?<!\r)\n", b"".join(chunks)))
)
def test_a_message_never_holds_the_dot_that_would_end_it_and_comes_out_as_it_was(chunks: list[bytes]) -> None:
    message, sent = b"".join(chunks), dot_stuff(chunks)
    assert not (b"\r\n" + sent).count(b"\r\n.\r\n")
    received = b"\r\n".join(line.removeprefix(b".") for line in sent.split(b"\r\n"))
    assert received == (message if message.endswith(b"\r\n") else message + b"\r\n")
