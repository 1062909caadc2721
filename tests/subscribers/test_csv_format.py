"""CSV in the formats of other systems and ours: every line is a row, or a refusal with its line number."""

import csv
from datetime import UTC, datetime
from io import StringIO

import pytest
from hypothesis import given, settings, strategies as st

from ketapress.model.subscriber import ImportRow, RejectedRow, Subscriber, Subscription, SubscriptionState
from ketapress.subscribers.csv_format import parse_import_rows, subscriber_csv_lines

ADA = ImportRow(address="ada@example.org", name="Ada Lovelace", lang="en", line=2)


def subscriber(address: str, name: str = "", *states: SubscriptionState) -> Subscriber:
    since = datetime(2023, 6, 7, 6, tzinfo=UTC)
    subscriptions = tuple(
        Subscription(id=number, newsletter=f"letter{number}", state=state, since=since)
        for number, state in enumerate(states)
    )
    return Subscriber(id=1, address=address, name=name, subscriptions=subscriptions)


def rejected_rows(data: str | bytes) -> list[tuple[int | None, str]]:
    return [(row.line, row.reason) for row in parse_import_rows(data) if isinstance(row, RejectedRow)]


@pytest.mark.parametrize(
    "header",
    [
        "address,name,lang",
        "Email Address,Full Name,Language",
        "E-Mail;Name;Locale",
        "MAIL\tdisplay_name\tlang",
        '"email","name","lang"',
        "\ufeffemail,name,lang",
    ],
)
def test_columns_are_found_by_the_names_that_mail_tools_give_them(header: str) -> None:
    separator = next((separator for separator in ";\t" if separator in header), ",")
    line = separator.join(["ada@example.org", "Ada Lovelace", "en"])
    assert list(parse_import_rows(f"{header}\n{line}\n")) == [ADA]


def test_columns_may_stand_in_any_order_among_others() -> None:
    data = "id,Last Name,joined,email,First Name\n7,Lovelace,2020-01-01,ada@example.org,Ada\n"
    assert list(parse_import_rows(data)) == [
        ImportRow(address="ada@example.org", name="Ada Lovelace", line=2)
    ]


def test_a_header_is_not_needed() -> None:
    assert list(parse_import_rows("ada@example.org\nbob@example.org\n")) == [
        ImportRow(address="ada@example.org", line=1),
        ImportRow(address="bob@example.org", line=2),
    ]
    assert list(parse_import_rows("Ada,ada@example.org,2020-01-01")) == [
        ImportRow(address="ada@example.org", name="Ada", line=1)
    ]


def test_bytes_may_begin_with_a_byte_order_mark_and_end_lines_in_any_way() -> None:
    data = "\ufeffada@example.org,Ada\r\nbob@example.org,Bób\rcy@example.org,Cy".encode()
    assert [(row.line, row.name) for row in parse_import_rows(data) if isinstance(row, ImportRow)] == [
        (1, "Ada"),
        (2, "Bób"),
        (3, "Cy"),
    ]


def test_blank_lines_are_skipped_and_counted() -> None:
    data = "\n\naddress\n\n  \n,,\nada@example.org\n\n"
    assert list(parse_import_rows(data)) == [ImportRow(address="ada@example.org", line=7)]


def test_quotes_hold_separators_and_quotes() -> None:
    data = 'address,name\nada@example.org,"Lovelace, Ada ""the first"""\n'
    assert list(parse_import_rows(data)) == [
        ImportRow(address="ada@example.org", name='Lovelace, Ada "the first"', line=2)
    ]


def test_a_column_that_nobody_reads_may_hold_line_breaks() -> None:
    data = 'address,notes\nada@example.org,"two\nlines"\nbob@example.org,\n'
    assert list(parse_import_rows(data)) == [
        ImportRow(address="ada@example.org", line=2),
        ImportRow(address="bob@example.org", line=4),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("no address", "the address has no @"),
        ("a@b@c", "the part before the @ contains '@'"),
        (",Ada", "the address is empty"),
        ("ada@example.org\0", "it contains a NUL character"),
        ("ada@example.org,A\x1bda", "the name contains a control character or a line break"),
        ("ada@example.org,\u202eadA", "the name contains a control character or a line break"),
        (
            "ada@example.org,Ada,English please",
            "`English please` is not a language tag such as `en` or `de-CH`",
        ),
        ('"ada@example.org,Ada', "it has a misplaced quotation mark"),
        ('"ada"@example.org', "it has a misplaced quotation mark"),
        ("=HYPERLINK(1)@example.org", "the part before the @ contains '('"),
    ],
)
def test_a_broken_line_is_named_and_takes_no_other_with_it(line: str, reason: str) -> None:
    data = f"address,name,lang\nfirst@example.org\n{line}\nlast@example.org,Last\n"
    assert rejected_rows(data) == [(3, reason)]
    addresses = [row.address for row in parse_import_rows(data) if isinstance(row, ImportRow)]
    assert addresses == ["first@example.org", "last@example.org"]


def test_bytes_that_are_no_utf_8_cost_their_own_line_only() -> None:
    data = b"address,name\nada@example.org,Ada\n" + b"bob@example.org,B\xf6b\ncy@example.org,Cy\n"
    assert rejected_rows(data) == [(3, "it is not UTF-8; save the file as UTF-8, or as `CSV UTF-8`")]
    assert sum(isinstance(row, ImportRow) for row in parse_import_rows(data)) == 2


def test_a_refused_value_is_short_and_steers_no_terminal() -> None:
    data = "\x1b[2J" + "x" * 500 + "\n"
    (refusal,) = parse_import_rows(data)
    assert isinstance(refusal, RejectedRow)
    assert refusal.value == "\N{REPLACEMENT CHARACTER}[2J" + "x" * 55 + "…"


@pytest.mark.parametrize("state", ["left", "unsubscribed", "cleaned", "pending"])
def test_who_is_not_active_in_a_list_is_not_taken_from_it(state: str) -> None:
    data = f"email,status\nada@example.org,{state}\nbob@example.org,Subscribed\n"
    assert rejected_rows(data) == [
        (2, f"its state in this list is `{state}`; only active subscribers are imported")
    ]


def test_an_export_is_complete() -> None:
    subscribers = [
        subscriber("ada@example.org", "Ada", SubscriptionState.ACTIVE, SubscriptionState.LEFT),
        subscriber("bob@example.org"),
    ]
    assert list(csv.reader(StringIO("".join(subscriber_csv_lines(subscribers))))) == [
        ["address", "name", "lang", "newsletter", "state", "since"],
        ["ada@example.org", "Ada", "", "letter0", "active", "2023-06-07T06:00:00+00:00"],
        ["ada@example.org", "Ada", "", "letter1", "left", "2023-06-07T06:00:00+00:00"],
        ["bob@example.org", "", "", "", "", ""],
    ]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "'=1", "''-1"])
def test_an_export_holds_no_formula(name: str) -> None:
    lines = list(subscriber_csv_lines([subscriber("ada@example.org", name, SubscriptionState.ACTIVE)]))
    (row,) = csv.reader([lines[1]])
    assert row[1] == f"'{name}"


names = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]), max_size=12).map(str.strip)
LETTERS = st.text("abcxyz+-=", min_size=1, max_size=5)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(LETTERS, names), max_size=5))
def test_what_was_exported_is_imported_as_it_was(values: list[tuple[str, str]]) -> None:
    subscribers = [
        subscriber(f"{local}@example.org", name, SubscriptionState.ACTIVE) for local, name in values
    ]
    rows = list(parse_import_rows("".join(subscriber_csv_lines(subscribers)).encode()))
    assert rows == [
        ImportRow(
            address=entry.address, name=entry.name, line=number, newsletter=entry.subscriptions[0].newsletter
        )
        for number, entry in enumerate(subscribers, start=2)
    ]


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.binary(max_size=80), st.text("a@b.c,;\"\n\r\t\0'=\ufeff\x85", max_size=60)))
def test_no_line_is_dropped_in_silence(data: str | bytes) -> None:
    rows = list(parse_import_rows(data))
    lines = [row.line for row in rows if row.line]
    assert len(lines) == len(rows)
    assert lines == sorted(set(lines))
    for row in rows:
        if isinstance(row, RejectedRow):
            assert row.value.isprintable()
            assert row.reason


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_utf_16_is_named_as_that_and_not_line_by_line(encoding: str) -> None:
    data = "address,name\nada@example.org,Ada\nbob@example.org,Bob\n".encode(encoding)
    assert rejected_rows(data) == [(1, "the file is UTF-16, not UTF-8; save it as `CSV UTF-8`")]


def test_a_cell_that_is_too_long_is_named_as_that_and_costs_its_own_line_only() -> None:
    data = f"address,name\nada@example.org,{'x' * 200_000}\nbob@example.org,Bob\n"
    assert rejected_rows(data) == [(2, "it has a cell longer than 131,072 characters")]
    assert [row.address for row in parse_import_rows(data) if isinstance(row, ImportRow)] == [
        "bob@example.org"
    ]
