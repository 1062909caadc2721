"""Arguments with bytes that are not UTF-8 are refused in UTF-8, and names of files may have them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LATIN = b"w\xe9"
AT = "2023-06-12T09:00"


def run(folder: Path, *words: str | bytes, lang: str = "C.UTF-8") -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "ketapress", "-C", folder, *words]
    environment = {**os.environ, "LC_ALL": lang}
    return subprocess.run(command, capture_output=True, check=False, env=environment)


@pytest.mark.parametrize("lang", ["C.UTF-8", "C", "POSIX"])
@pytest.mark.parametrize(
    "words",
    [
        ["explain", LATIN],
        ["outbox", "show", LATIN],
        ["outbox", "list", LATIN],
        ["outbox", "resolve", "weekly/x", LATIN],
        ["outbox", "hold", LATIN],
        ["preview", LATIN],
        ["compose", LATIN],
        ["queue", "--from", LATIN],
        ["check", "--at", LATIN],
        ["new", LATIN],
        ["init", LATIN],
        ["doctor", "--dns", LATIN],
        ["send-test", "weekly", LATIN],
        ["subscribers", "add", "a@example.org", LATIN],
        ["subscribers", "erase", LATIN],
        ["subscribers", "export", "--newsletter", LATIN],
        ["db", "backup", b"/tmp/" + LATIN],
        ["build", LATIN],
        [LATIN],
    ],
)
def test_no_argument_ends_in_a_traceback(publication: Path, words: list[str | bytes], lang: str) -> None:
    process = run(publication, *words, "--json", lang=lang)
    assert process.returncode == 2, process.stderr
    assert b"Traceback" not in process.stderr
    document = json.loads(process.stdout.decode("utf-8"))
    assert document["problems"]
    process.stderr.decode("utf-8")


def test_a_folder_whose_name_is_not_utf_8_is_refused(publication: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(publication) + LATIN))
    publication.rename(folder)
    for command in ("publish", "build", "status", "check"):
        process = run(folder, command, "--json")
        assert process.returncode == 2
        (problem,) = json.loads(process.stdout.decode("utf-8"))["problems"]
        assert problem["code"] == "usage.encoding"


def test_a_file_of_subscribers_may_have_any_name(publication: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(publication) + b"/" + LATIN + b".csv"))
    file.write_text("address\nada@example.org\n")
    process = run(publication, "subscribers", "import", os.fsencode(file), "--json")
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout.decode("utf-8"))["result"]["added"] == 1


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["build", "x"], "build"),
        (["outbox", "show"], "outbox show"),
        (["outbox", "shwo", "x"], "outbox"),
        (["subscribers", "import", "/nowhere.csv"], "subscribers import"),
        (["publish", "--nope", "x"], "publish"),
        (["send-test", "a", "b", "c"], "send-test"),
        (["publsh"], ""),
    ],
)
def test_command_is_the_name_of_the_command(publication: Path, words: list[str], name: str) -> None:
    process = run(publication, *words, "--json")
    assert process.returncode == 2
    assert json.loads(process.stdout)["command"] == name
