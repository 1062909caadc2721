"""The files in docs/deploy/ are tried: by the programs that read them where those are there, by their words elsewhere."""

import http.client
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from ketapress.cli.main import COMMANDS
from ketapress.feeds.formats import FORMATS
from ketapress.mail.tokens import Purpose
from ketapress.model.settings import WebSettings
from ketapress.settings.loader import parse_settings
from ketapress.web.app import HEADERS
from ketapress.web.static.media_types import media_type
from support.cli_runner import ketapress
from support.factories import REPOSITORY

FOLDER = REPOSITORY / "docs" / "deploy"
OPERATIONS = (REPOSITORY / "docs" / "operations.md").read_text()
FILES = sorted(each for each in FOLDER.iterdir() if each.is_file())
PORT = WebSettings().port
SECRETS = {"SMTP_PASSWORD": "p", "DATABASE_PASSWORD": "d", "KETAPRESS_SECRET": "0123456789abcdef" * 4}


def text(name: str) -> str:
    return (FOLDER / name).read_text()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_is_told_of_in_the_page_for_ops(file: Path) -> None:
    assert f"deploy/{file.name}" in OPERATIONS


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_command_in_them_is_there(file: Path) -> None:
    called = re.findall(r"bin/ketapress -C \S+ ([a-z-]+)", file.read_text())
    assert set(called) <= set(COMMANDS)


def test_every_command_and_option_in_the_page_for_ops_is_there() -> None:
    called = set(re.findall(r"ketapress(?: -C \S+)? ([a-z][a-z-]+)[ `\n]", OPERATIONS)) - {"container"}
    assert called
    assert called <= set(COMMANDS)


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_the_web_servers_say_what_the_door_says(name: str) -> None:
    for header, value in HEADERS.items():
        assert re.search(rf'{header} "{re.escape(value)}"', text(name)), header
    for each in FORMATS:
        assert each.path.replace(".", r"\.") in text(name) or each.path in text(name)
        assert media_type(each.path) in text(name)
    assert f"127.0.0.1:{PORT}" in text(name)
    assert text(name).count("{") == text(name).count("}")


def test_tokens_are_in_no_log_of_the_web_server() -> None:
    for each in Purpose:
        assert re.search(rf'"~\^/\([a-z|]*{each}[a-z|]*\)/" 0;', text("nginx.conf"))


def test_compose_names_what_there_is() -> None:
    found = yaml.safe_load(text("compose.yaml"))
    ours, database = found["services"]["ketapress"], found["services"]["database"]
    assert (FOLDER / ours["build"]["context"] / ours["build"]["dockerfile"]).is_file()
    assert ours["command"][0] in COMMANDS
    assert ours["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
    assert set(ours["depends_on"]) <= set(found["services"])
    named = {volume.partition(":")[0] for each in (ours, database) for volume in each.get("volumes", [])}
    assert {each for each in named if not each.startswith(".")} == set(found["volumes"])


def test_the_settings_beside_compose_can_be_used_with_its_environment() -> None:
    newsletter = (
        '[newsletters.w]\ntitle = "W"\nschedule = "daily 08:00"\nstarts = 2026-01-01\nfrom = "a@b.org"\n'
    )
    settings = parse_settings(text("ketapress.toml") + newsletter, SECRETS)
    compose = yaml.safe_load(text("compose.yaml"))["services"]
    user, _, rest = settings.database.url.partition("//")[2].partition(":")
    assert user == compose["database"]["environment"]["POSTGRES_USER"]
    assert rest == f"d@database/{compose['database']['environment']['POSTGRES_DB']}"
    used = set(re.findall(r"\$\{([A-Z_]+)\}", text("ketapress.toml")))
    assert used == {each for each in compose["ketapress"]["environment"] if each in SECRETS} == set(SECRETS)


def test_the_image_takes_only_what_the_wheel_is_built_of() -> None:
    dockerfile = text("Dockerfile")
    allowed = re.findall(r"^!(\S+)", (REPOSITORY / ".dockerignore").read_text(), re.MULTILINE)
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
        for name in line.split()
    ]
    assert sorted(copied) == sorted(allowed)
    assert all((REPOSITORY / name).exists() for name in copied)
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert "postgres" in extras
    assert re.search(r"^USER (?!root)", dockerfile, re.MULTILINE)
    assert f"127.0.0.1:{PORT}/healthz" in dockerfile
    assert dockerfile.index("USER ketapress") < dockerfile.index("ENTRYPOINT")


@pytest.mark.systemd
@pytest.mark.parametrize("unit", ["ketapress.service", "ketapress-backup.service", "ketapress-backup.timer"])
def test_systemd_takes_the_units(tmp_path: Path, unit: str) -> None:
    for each in FOLDER.glob("ketapress*.[st]*i*"):
        if each.suffix in {".service", ".timer"}:
            there = each.read_text().replace("/opt/ketapress/bin/ketapress", sys.executable)
            (tmp_path / each.name).write_text(there)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "ketapress" in line and "network-online" not in line]
    assert ours == []


@pytest.mark.systemd
def test_systemd_finds_little_to_fear_of_the_service() -> None:
    done = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=true",
            "--threshold=20",
            str(FOLDER / "ketapress.service"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-300:]


@pytest.fixture
def nginx(publication: Path, tmp_path: Path) -> Iterator[http.client.HTTPConnection]:
    """nginx as the snippet has it, over a published folder: without TLS, on a port of this machine, with no door behind."""
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    snippet = re.sub(r"server \{\n    listen 80;.*?\n\}\n", "", text("nginx.conf"), flags=re.DOTALL)
    snippet = re.sub(r"    (ssl_|listen \[).*\n", "", snippet)
    snippet = snippet.replace("listen 443 ssl http2;", f"listen 127.0.0.1:{port};")
    snippet = snippet.replace("/srv/ketapress", str(publication)).replace("/var/log/nginx", str(tmp_path))
    paths = "".join(
        f"{kind}_temp_path {tmp_path};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = f"http {{ include /etc/nginx/mime.types;\n{paths}{snippet.replace(f':{PORT};', ':9;')} }}"
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"user root;\npid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\nevents {{}}\n{whole}"
    )
    command = [
        str(shutil.which("nginx", path="/usr/sbin:/usr/bin")),
        "-c",
        str(config),
        "-g",
        "daemon off; master_process off;",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        _wait_for(port, process)
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            yield connection
    finally:
        process.terminate()
        process.communicate()


def _wait_for(port: int, process: "subprocess.Popen[str]") -> None:
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        assert process.poll() is None, process.communicate()[1]
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError("nginx did not listen")


def asked(nginx: http.client.HTTPConnection, path: str) -> http.client.HTTPResponse:
    nginx.request("GET", path, headers={"Host": "letters.example.org"})
    answer = nginx.getresponse()
    answer.read()
    return answer


@pytest.mark.nginx
def test_nginx_serves_public_as_the_door_does(nginx: http.client.HTTPConnection) -> None:
    for each in FORMATS:
        feed = asked(nginx, f"/{each.path}")
        assert (feed.status, feed.headers["Content-Type"]) == (200, media_type(each.path))
        assert f'<https://letters.example.org/{each.path}>; rel="self"' in (feed.headers["Link"] or "")
        assert feed.headers["ETag"]
    page = asked(nginx, "/")
    assert page.status == 200
    assert page.headers["Content-Type"] == media_type("index.html")
    assert page.headers["Link"] is None
    for header, value in HEADERS.items():
        assert page.headers[header] == value
    assert asked(nginx, "/archive/").status == 200
    nginx.request(
        "GET", "/feed.xml", headers={"If-None-Match": asked(nginx, "/feed.xml").headers["ETag"] or ""}
    )
    assert nginx.getresponse().status == 304


@pytest.mark.nginx
def test_nginx_hands_everything_else_to_the_door_and_hides_hidden_files(
    nginx: http.client.HTTPConnection,
) -> None:
    for path in ("/unsubscribe/token", "/archive", "/nothing"):  # nobody is behind the proxy in this test
        assert asked(nginx, path).status == 502
    assert asked(nginx, "/.ketapress/secret").status == 404
    assert asked(nginx, "/../ketapress.db").status in {400, 404}
