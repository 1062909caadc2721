"""What people see: rows that fit every terminal, lines for a pipe, times in the site's zone, and no tricks by strangers."""

import os
import pty
import socket
import struct
import subprocess
import sys
import termios
from fcntl import ioctl
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from rich.cells import cell_len

from ketapress.cli.table import Rows, piped, rows
from ketapress.cli.terminal_table import drawn
from support.cli_runner import ketapress

AT, LATER = "2023-06-08T09:00", "2023-06-12T10:00"
EDITION = "weekly/2023-06-12T0800"
# But for the tones of skin: where one begins a cell, terminals differ in how wide it is.
LETTERS = st.characters(exclude_characters=[chr(code) for code in range(0x1F3FB, 0x1F400)])
CELLS = st.lists(
    st.tuples(
        st.text(LETTERS, max_size=30), st.sampled_from(["in", "held", ""]), st.text(LETTERS, max_size=200)
    )
)


def on_a_terminal(folder: Path, *words: str, width: int, **environment: str) -> str:
    """What a command writes to a terminal of that width."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    command = [sys.executable, "-m", "ketapress", "-C", str(folder), *words]
    environ = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR"}}
    process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, env=environ | environment)
    os.close(theirs)
    said = b""
    try:
        while chunk := os.read(ours, 65536):
            said += chunk
    except OSError:  # Linux says so when the last writer has gone
        pass
    finally:
        os.close(ours)
        process.communicate()
    return said.decode().replace("\r\n", "\n")


@given(CELLS, st.integers(20, 120), st.booleans())
@settings(max_examples=100, deadline=None)
def test_rows_are_never_wider_than_the_terminal_and_lose_no_word(
    cells: list[tuple[str, str, str]], width: int, colours: bool
) -> None:
    found = rows(cells, indent=2)
    lines = drawn(found, width, colours=False)
    assert [line for line in lines if cell_len(line) > width] == []
    shown = "".join("".join(lines).split())
    for each in found.cells:
        assert all("".join(cell.split()) in shown for cell in each[:1])
    assert "\x1b" not in "".join(drawn(found, width, colours=colours)) or colours


@given(CELLS)
@settings(max_examples=100, deadline=None)
def test_a_pipe_gets_one_line_a_row_and_no_control_character(cells: list[tuple[str, str, str]]) -> None:
    lines = piped(rows(cells))
    assert len(lines) == len(cells)
    assert all(line.isprintable() for line in lines)


def test_wide_terminals_get_columns_and_narrow_ones_blocks() -> None:
    found = rows(
        [("weekly/2023-06-12T0800", "ready", "A subject"), ("weekly/2023-06-05T0800", "held", "Another")]
    )
    assert drawn(found, 80, colours=False) == [
        "weekly/2023-06-12T0800  ready  A subject",
        "weekly/2023-06-05T0800  held   Another",
    ]
    assert drawn(found, 30, colours=False) == [
        "weekly/2023-06-12T0800  ready",
        "    A subject",
        "weekly/2023-06-05T0800  held",
        "    Another",
    ]
    assert "\x1b[32mready" in drawn(found, 80, colours=True)[0]
    assert drawn(Rows(()), 80, colours=False) == []


def test_a_title_cannot_move_the_cursor_or_colour_the_screen(publication: Path) -> None:
    (publication / "posts" / "2023-06-15-x.md").write_text(
        '---\ntitle: "[red]A\\e[31m\\e[2J title"\n---\nx\n'
    )
    told = on_a_terminal(publication, "queue", "--at", AT, width=100, NO_COLOR="1")
    assert "[red]A" in told
    assert "\x1b" not in told


def test_a_terminal_gets_colours_unless_it_asks_for_none(publication: Path) -> None:
    ketapress(publication, "publish", "--at", LATER)
    assert "\x1b[32m" in on_a_terminal(publication, "outbox", "list", width=80)
    assert "\x1b" not in on_a_terminal(publication, "outbox", "list", width=80, NO_COLOR="1")
    assert ketapress(publication, "outbox", "list").stdout == f"{EDITION}  ready  Ketamine Therapy\n"


@pytest.mark.parametrize("width", [40, 80])
def test_an_edition_is_shown_with_posts_and_sizes_beside_the_limit(publication: Path, width: int) -> None:
    ketapress(publication, "publish", "--at", LATER)
    told = " ".join(on_a_terminal(publication, "outbox", "show", EDITION, width=width, NO_COLOR="1").split())
    size = ketapress(publication, "outbox", "show", EDITION, "--json").result["sizes"]["html"]
    assert f"html {size:,} of 92,160 bytes" in told
    assert "due Mon 12 Jun 2023, 08:00 UTC" in told
    assert "full Ketamine Therapy 2023-06-07-ketamine-" in told
    assert "deliveries none yet" in told


@pytest.mark.parametrize(
    "manifest", ["{}", '{"sha256": {}, "posts": 1}', '{"sha256": {}, "posts": [{}, 1]}', "x"]
)
def test_an_edition_is_shown_whatever_its_folder_says(publication: Path, manifest: str) -> None:
    ketapress(publication, "publish", "--at", LATER)
    (publication / "outbox" / EDITION / "edition.json").write_text(manifest)
    assert ketapress(publication, "outbox", "show", EDITION).exit_code == 0


def test_send_says_times_in_the_sites_zone(publication: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    toml = publication / "ketapress.toml"
    text = toml.read_text().replace('"UTC"', '"Asia/Tokyo"')
    toml.write_text(f'{text}\n[relay]\nurl = "smtp://127.0.0.1:{port}"\n')
    ketapress(publication, "subscribers", "add", "ann@example.net")
    ketapress(publication, "publish", "--at", LATER)
    told = ketapress(publication, "send", "--at", LATER).stdout
    assert "may be tried again at Mon 12 Jun 2023, 10:01 JST." in told
    assert "UTC" not in told


def test_status_says_which_command_lets_an_edition_go(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + 'approval = "one"\n')
    ketapress(publication, "publish", "--at", LATER)
    assert f"`ketapress outbox approve {EDITION}`" in ketapress(publication, "status", "--at", LATER).stdout
    ketapress(publication, "outbox", "hold", EDITION, "--at", LATER)
    assert f"`ketapress outbox release {EDITION}`" in ketapress(publication, "status", "--at", LATER).stdout


def test_a_removed_newsletter_is_explained_from_what_was_decided(publication: Path) -> None:
    ketapress(publication, "publish", "--at", LATER)
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text().replace("[newsletters.weekly]", "[newsletters.monthly]"))
    (publication / "posts" / "draft.md").write_text("---\ndate: 2023-06-08\ndraft: true\n---\nx\n")
    outcome = ketapress(publication, "explain", EDITION, "--at", LATER, "--json")
    assert {each["path"]: each["included"] for each in outcome.result["posts"]} == {
        "draft.md": False,
        "2023-06-07-ketamine-therapy.txt": True,
    }
    assert (
        "has no newsletter weekly any more"
        in ketapress(publication, "explain", EDITION, "--at", LATER).stdout
    )
    empty = ketapress(publication, "explain", "weekly/2023-06-05T0800", "--at", LATER, "--json")
    assert (empty.result["decided"], empty.result["window"]) == ("merged", None)
    assert ketapress(publication, "explain", "weekly/2023-06-19T0800", "--at", LATER).exit_code == 2


def test_a_post_that_came_after_its_edition_was_decided_is_not_said_to_be_in_it(publication: Path) -> None:
    ketapress(publication, "publish", "--at", LATER)
    (publication / "posts" / "2023-06-09-late.md").write_text("---\ntitle: Late\n---\nx\n")
    found = ketapress(publication, "explain", EDITION, "--at", LATER, "--json").result["posts"]
    (late,) = (each for each in found if each["path"] == "2023-06-09-late.md")
    assert not late["included"]


@pytest.mark.parametrize("name", ["public", ".ketapress"])
def test_a_file_where_a_folder_should_be_is_named(publication: Path, name: str) -> None:
    (publication / name).write_text("")
    outcome = ketapress(publication, "publish", "--at", LATER)
    assert outcome.exit_code == 1
    assert f"{name}: " in outcome.stderr
    assert "a file stands where a folder should be" in outcome.stderr.lower()
    assert "ove it away" in outcome.stderr


def test_a_database_that_cannot_be_there_is_a_wrong_setting(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + '\n[database]\nurl = "sqlite:///nowhere/ketapress.db"\n')
    for words in (
        ("status",),
        ("publish",),
        ("outbox", "list"),
        ("preview",),
        ("check",),
        ("subscribers", "list"),
    ):
        outcome = ketapress(publication, *words)
        assert outcome.exit_code == 78, words
        assert "ketapress.toml: `database.url` cannot be used" in outcome.stderr
