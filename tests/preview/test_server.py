"""How the preview starts and stops, and which requests it answers."""

import os
import pty
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ketapress.testing import ScriptedRelay
from support.cli_runner import ketapress
from support.preview_process import (
    PAGE,
    TIMEOUT,
    EventStream,
    PreviewProcess,
    parse_port,
    start_preview,
    stop_preview,
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_while_pages_listen(
    publication: Path, serve: Callable[..., PreviewProcess], number: signal.Signals
) -> None:
    preview = serve(publication)
    with EventStream(preview, preview.get_number()):
        preview.process.send_signal(number)
        output, errors = preview.process.communicate(timeout=TIMEOUT)
    assert (preview.process.returncode, output, errors) == (0, "", "")


def test_a_terminal_gets_the_page(publication: Path) -> None:
    terminal_end, process_end = pty.openpty()
    process = start_preview(publication, "--port", "0", stdout=process_end)
    os.close(process_end)
    try:
        with os.fdopen(terminal_end) as terminal:
            preview = PreviewProcess(publication, process, parse_port(terminal.readline()))
            assert preview.get().status == 200
    finally:
        stop_preview(process)


def test_what_is_no_terminal_gets_files_and_an_end(publication: Path) -> None:
    process = start_preview(publication)
    output, _ = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0
    assert "weekly/2023-06-12T0800" in output
    assert "digest.html" in output


def test_files_or_a_page_but_not_both(publication: Path) -> None:
    for arguments in (("--json", "--serve"), ("--json", "--port", "0"), ("--no-serve", "--open")):
        assert ketapress(publication, "preview", *arguments).exit_code == 2


def test_a_port_that_is_taken_is_named(publication: Path) -> None:
    with ScriptedRelay() as relay:
        outcome = ketapress(publication, "preview", "--port", str(relay.port))
    assert outcome.exit_code == 1
    assert f"cannot listen on 127.0.0.1:{relay.port}: another program uses this port." in outcome.stderr
    assert "--port 0" in outcome.stderr


def test_wrong_settings_and_unknown_newsletters_end_the_start(publication: Path) -> None:
    assert ketapress(publication, "preview", "nobody", "--port", "0").exit_code == 2
    (publication / "ketapress.toml").write_text("[[[")
    assert ketapress(publication, "preview", "--port", "0").exit_code == 78


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:{port}", "LOCALHOST", "[::1]:{port}", "[::1]"])
def test_it_answers_to_the_names_of_this_machine(preview: PreviewProcess, host: str) -> None:
    assert preview.get(host=host.format(port=preview.port)).status == 200


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
    preview: PreviewProcess, host: str, path: str
) -> None:
    response = preview.get(path, host=host.format(port=preview.port))
    assert 400 <= response.status < 500
    assert "Ketamine" not in response.text


def test_no_host_and_two_hosts_are_refused(preview: PreviewProcess) -> None:
    for host in ("", "localhost localhost"):
        assert 400 <= preview.get(host=host).status < 500


def test_it_listens_on_no_other_address(preview: PreviewProcess) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", preview.port), timeout=TIMEOUT)
