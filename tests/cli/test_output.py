"""What people see: tables that fit the terminal, plain lines in a pipe, times in the site's zone, and clear errors."""

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

from ketapress.cli.table import Table, format_plain, make_table
from ketapress.cli.terminal_table import render_table
from support.cli_runner import ketapress

AT, LATER = "2023-06-08T09:00", "2023-06-12T10:00"
EDITION = "weekly/2023-06-12T0800"
# Without skin tone modifiers: at the start of a cell, terminals differ in their width.
CHARACTERS = st.characters(exclude_characters=[chr(code) for code in range(0x1F3FB, 0x1F400)])
ROWS = st.lists(
    st.tuples(
        st.text(CHARACTERS, max_size=30),
        st.sampled_from(["in", "held", ""]),
        st.text(CHARACTERS, max_size=200),
    )
)


def run_on_terminal(folder: Path, *words: str, width: int, **environment: str) -> str:
    """Run a command on a terminal of that width. Return its output."""
    controller, terminal = pty.openpty()
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    command = [sys.executable, "-m", "ketapress", "-C", str(folder), *words]
    clean_environment = {
        name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR"}
    }
    process = subprocess.Popen(
        command, stdout=terminal, stderr=subprocess.PIPE, env=clean_environment | environment
    )
    os.close(terminal)
    output = b""
    try:
        while chunk := os.read(controller, 65536):
            output += chunk
    except OSError:  # raised by Linux after the last writer closed the terminal
        pass
    finally:
        os.close(controller)
        process.communicate()
    return output.decode().replace("\r\n", "\n")


@given(ROWS, st.integers(20, 120), st.booleans())
@settings(max_examples=100, deadline=None)
def test_rows_are_never_wider_than_the_terminal_and_lose_no_word(
    cells: list[tuple[str, str, str]], width: int, has_colors: bool
) -> None:
    table = make_table(cells, indent=2)
    lines = render_table(table, width, has_colors=False)
    assert [line for line in lines if cell_len(line) > width] == []
    text = "".join("".join(lines).split())
    for row in table.rows:
        assert all("".join(cell.split()) in text for cell in row[:1])
    assert "\x1b" not in "".join(render_table(table, width, has_colors=has_colors)) or has_colors


@given(ROWS)
@settings(max_examples=100, deadline=None)
def test_a_pipe_gets_one_line_a_row_and_no_control_character(cells: list[tuple[str, str, str]]) -> None:
    lines = format_plain(make_table(cells))
    assert len(lines) == len(cells)
    assert all(line.isprintable() for line in lines)


def test_wide_terminals_get_columns_and_narrow_ones_blocks() -> None:
    table = make_table(
        [("weekly/2023-06-12T0800", "ready", "A subject"), ("weekly/2023-06-05T0800", "held", "Another")]
    )
    assert render_table(table, 80, has_colors=False) == [
        "weekly/2023-06-12T0800  ready  A subject",
        "weekly/2023-06-05T0800  held   Another",
    ]
    assert render_table(table, 30, has_colors=False) == [
        "weekly/2023-06-12T0800  ready",
        "    A subject",
        "weekly/2023-06-05T0800  held",
        "    Another",
    ]
    assert "\x1b[32mready" in render_table(table, 80, has_colors=True)[0]
    assert render_table(Table(()), 80, has_colors=False) == []


def test_a_title_cannot_move_the_cursor_or_colour_the_screen(publication: Path) -> None:
    (publication / "posts" / "2023-06-15-x.md").write_text(
        '---\ntitle: "[red]A\\e[31m\\e[2J title"\n---\nx\n'
    )
    screen = run_on_terminal(publication, "queue", "--at", AT, width=100, NO_COLOR="1")
    assert "[red]A" in screen
    assert "\x1b" not in screen


def test_a_terminal_gets_colours_unless_it_asks_for_none(publication: Path) -> None:
    ketapress(publication, "publish", "--at", LATER)
    assert "\x1b[32m" in run_on_terminal(publication, "outbox", "list", width=80)
    assert "\x1b" not in run_on_terminal(publication, "outbox", "list", width=80, NO_COLOR="1")
    assert ketapress(publication, "outbox", "list").stdout == f"{EDITION}  ready  Ketamine Therapy\n"


@pytest.mark.parametrize("width", [40, 80])
def test_an_edition_is_shown_with_posts_and_sizes_beside_the_limit(publication: Path, width: int) -> None:
    ketapress(publication, "publish", "--at", LATER)
    screen = " ".join(
        run_on_terminal(publication, "outbox", "show", EDITION, width=width, NO_COLOR="1").split()
    )
    size = ketapress(publication, "outbox", "show", EDITION, "--json").result["sizes"]["html"]
    assert f"html {size:,} of 92,160 bytes" in screen
    assert "send time Mon 12 Jun 2023, 08:00 UTC" in screen
    assert "covers posts from Mon 05 Jun 2023, 00:00 UTC to Mon 12 Jun 2023, 08:00 UTC" in screen
    assert "full Ketamine Therapy 2023-06-07-ketamine-" in screen
    assert "deliveries none yet" in screen


@pytest.mark.parametrize(
    "manifest", ["{}", '{"sha256": {}, "posts": 1}', '{"sha256": {}, "posts": [{}, 1]}', "x"]
)
def test_an_edition_is_shown_whatever_its_folder_says(publication: Path, manifest: str) -> None:
    ketapress(publication, "publish", "--at", LATER)
    (publication / "outbox" / EDITION / "edition.json").write_text(manifest)
    assert ketapress(publication, "outbox", "show", EDITION).exit_code == 0


def test_send_says_times_in_the_sites_zone(publication: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    toml = publication / "ketapress.toml"
    text = toml.read_text().replace('"UTC"', '"Asia/Tokyo"')
    toml.write_text(f'{text}\n[relay]\nurl = "smtp://127.0.0.1:{port}"\n')
    ketapress(publication, "subscribers", "add", "ann@example.net")
    ketapress(publication, "publish", "--at", LATER)
    text = ketapress(publication, "send", "--at", LATER).stdout
    assert "may be tried again at Mon 12 Jun 2023, 10:01 JST." in text
    assert "UTC" not in text


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
    assert {post["path"]: post["included"] for post in outcome.result["posts"]} == {
        "draft.md": False,
        "2023-06-07-ketamine-therapy.txt": True,
    }
    assert (
        "The newsletter weekly is no longer in ketapress.toml."
        in ketapress(publication, "explain", EDITION, "--at", LATER).stdout
    )
    empty = ketapress(publication, "explain", "weekly/2023-06-05T0800", "--at", LATER, "--json")
    assert (empty.result["decided"], empty.result["window"]) == ("merged", None)
    merged = ketapress(publication, "explain", "weekly/2023-06-05T0800", "--at", LATER).stdout
    assert merged.startswith("weekly/2023-06-05T0800: part of a later edition. The newsletter")
    assert ketapress(publication, "explain", "weekly/2023-06-19T0800", "--at", LATER).exit_code == 2


def test_a_post_that_came_after_its_edition_was_decided_is_not_said_to_be_in_it(publication: Path) -> None:
    ketapress(publication, "publish", "--at", LATER)
    (publication / "posts" / "2023-06-09-late.md").write_text("---\ntitle: Late\n---\nx\n")
    posts = ketapress(publication, "explain", EDITION, "--at", LATER, "--json").result["posts"]
    (late,) = (post for post in posts if post["path"] == "2023-06-09-late.md")
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
