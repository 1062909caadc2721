"""How the preview begins and ends, and whom it answers."""

import os
import pty
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ketapress.testing import ScriptedRelay
from support.cli_runner import ketapress
from support.preview_process import PAGE, PATIENCE, Served, Stream, ended, port_of, started


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_while_pages_listen(
    publication: Path, serve: Callable[..., Served], sign: signal.Signals
) -> None:
    served = serve(publication)
    with Stream(served, served.number()):
        served.process.send_signal(sign)
        said, complained = served.process.communicate(timeout=PATIENCE)
    assert (served.process.returncode, said, complained) == (0, "", "")


def test_a_terminal_gets_the_page(publication: Path) -> None:
    ours, theirs = pty.openpty()
    process = started(publication, "--port", "0", stdout=theirs)
    os.close(theirs)
    try:
        with os.fdopen(ours) as terminal:
            served = Served(publication, process, port_of(terminal.readline()))
            assert served.get().status == 200
    finally:
        ended(process)


def test_what_is_no_terminal_gets_files_and_an_end(publication: Path) -> None:
    process = started(publication)
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "weekly/2023-06-12T0800" in said
    assert "digest.html" in said


def test_files_or_a_page_but_not_both(publication: Path) -> None:
    for words in (("--json", "--serve"), ("--json", "--port", "0"), ("--no-serve", "--open")):
        assert ketapress(publication, "preview", *words).exit_code == 2


def test_a_port_that_is_taken_is_named(publication: Path) -> None:
    with ScriptedRelay() as other:
        outcome = ketapress(publication, "preview", "--port", str(other.port))
    assert outcome.exit_code == 1
    assert f"127.0.0.1:{other.port} cannot be listened on: another program listens there." in outcome.stderr
    assert "--port 0" in outcome.stderr


def test_wrong_settings_and_unknown_newsletters_end_the_start(publication: Path) -> None:
    assert ketapress(publication, "preview", "nobody", "--port", "0").exit_code == 2
    (publication / "ketapress.toml").write_text("[[[")
    assert ketapress(publication, "preview", "--port", "0").exit_code == 78


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:{port}", "LOCALHOST", "[::1]:{port}", "[::1]"])
def test_it_answers_to_the_names_of_this_machine(served: Served, host: str) -> None:
    assert served.get(host=host.format(port=served.port)).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "example.org",
        "example.org:{port}",
        "127.0.0.1.example.org",
        "localhost.example.org:{port}",
        "[::1",
        "127.0.0.1:{port}:{port}",
        "[::2]",
        "user@localhost",
    ],
)
@pytest.mark.parametrize(
    "path", ["/", PAGE, f"{PAGE}/light", f"{PAGE}/message.eml", "/events", "/preview.js"]
)
def test_it_answers_to_no_other_name_so_that_no_page_elsewhere_can_read_it(
    served: Served, host: str, path: str
) -> None:
    answer = served.get(path, host=host.format(port=served.port))
    assert 400 <= answer.status < 500
    assert "Ketamine" not in answer.text


def test_no_host_and_two_hosts_are_refused(served: Served) -> None:
    for host in ("", "localhost localhost"):
        assert 400 <= served.get(host=host).status < 500


def test_it_listens_on_no_other_address(served: Served) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", served.port), timeout=PATIENCE)
