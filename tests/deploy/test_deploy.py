"""The files in docs/deploy/, checked by the programs that read them where these are installed, and by their text."""

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
from ketapress.web.app import SECURITY_HEADERS
from ketapress.web.static.media_types import guess_media_type
from support.cli_runner import ketapress
from support.factories import REPOSITORY

FOLDER = REPOSITORY / "docs" / "deploy"
OPERATIONS = (REPOSITORY / "docs" / "operations.md").read_text()
FILES = sorted(file for file in FOLDER.iterdir() if file.is_file())
PORT = WebSettings().port
SECRETS = {"SMTP_PASSWORD": "p", "DATABASE_PASSWORD": "d", "KETAPRESS_SECRET": "0123456789abcdef" * 4}


def read_text(name: str) -> str:
    return (FOLDER / name).read_text()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_is_told_of_in_the_page_for_ops(file: Path) -> None:
    assert f"deploy/{file.name}" in OPERATIONS


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_command_in_them_is_there(file: Path) -> None:
    commands = re.findall(r"bin/ketapress -C \S+ ([a-z-]+)", file.read_text())
    assert set(commands) <= set(COMMANDS)


def test_every_command_and_option_in_the_page_for_ops_is_there() -> None:
    commands = set(re.findall(r"ketapress(?: -C \S+)? ([a-z][a-z-]+)[ `\n]", OPERATIONS)) - {"container"}
    assert commands
    assert commands <= set(COMMANDS)


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_the_web_servers_say_what_the_door_says(name: str) -> None:
    for header, value in SECURITY_HEADERS.items():
        assert re.search(rf'{header} "{re.escape(value)}"', read_text(name)), header
    for feed_format in FORMATS:
        assert feed_format.path.replace(".", r"\.") in read_text(name) or feed_format.path in read_text(name)
        assert guess_media_type(feed_format.path) in read_text(name)
    assert f"127.0.0.1:{PORT}" in read_text(name)
    assert read_text(name).count("{") == read_text(name).count("}")


def test_tokens_are_in_no_log_of_the_web_server() -> None:
    for purpose in Purpose:
        assert re.search(rf'"~\^/\([a-z|]*{purpose}[a-z|]*\)/" 0;', read_text("nginx.conf"))


def test_compose_names_what_there_is() -> None:
    compose = yaml.safe_load(read_text("compose.yaml"))
    program, database = compose["services"]["ketapress"], compose["services"]["database"]
    assert (FOLDER / program["build"]["context"] / program["build"]["dockerfile"]).is_file()
    assert program["command"][0] in COMMANDS
    assert program["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
    assert set(program["depends_on"]) <= set(compose["services"])
    mounts = [mount for service in (program, database) for mount in service.get("volumes", [])]
    volumes = {mount.partition(":")[0] for mount in mounts}
    assert {volume for volume in volumes if not volume.startswith(".")} == set(compose["volumes"])


def test_the_settings_beside_compose_can_be_used_with_its_environment() -> None:
    newsletter = (
        '[newsletters.w]\ntitle = "W"\nschedule = "daily 08:00"\nstarts = 2026-01-01\nfrom = "a@b.org"\n'
    )
    settings = parse_settings(read_text("ketapress.toml") + newsletter, SECRETS)
    compose = yaml.safe_load(read_text("compose.yaml"))["services"]
    user, _, rest = settings.database.url.partition("//")[2].partition(":")
    assert user == compose["database"]["environment"]["POSTGRES_USER"]
    assert rest == f"d@database/{compose['database']['environment']['POSTGRES_DB']}"
    names = set(re.findall(r"\$\{([A-Z_]+)\}", read_text("ketapress.toml")))
    assert names == {name for name in compose["ketapress"]["environment"] if name in SECRETS} == set(SECRETS)


def test_the_image_takes_only_what_the_wheel_is_built_of() -> None:
    dockerfile = read_text("Dockerfile")
    allowed = re.findall(r"^!(\S+)", (REPOSITORY / ".dockerignore").read_text(), re.MULTILINE)
    names = [
        name
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE)
        for name in line.split()
    ]
    assert sorted(names) == sorted(allowed)
    assert all((REPOSITORY / name).exists() for name in names)
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert "postgres" in extras
    assert re.search(r"^USER (?!root)", dockerfile, re.MULTILINE)
    assert f"127.0.0.1:{PORT}/healthz" in dockerfile
    assert dockerfile.index("USER ketapress") < dockerfile.index("ENTRYPOINT")


@pytest.mark.systemd
@pytest.mark.parametrize("unit", ["ketapress.service", "ketapress-backup.service", "ketapress-backup.timer"])
def test_systemd_takes_the_units(tmp_path: Path, unit: str) -> None:
    for file in FOLDER.glob("ketapress*.[st]*i*"):
        if file.suffix in {".service", ".timer"}:
            content = file.read_text().replace("/opt/ketapress/bin/ketapress", sys.executable)
            (tmp_path / file.name).write_text(content)
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    messages = [
        line for line in result.stderr.splitlines() if "ketapress" in line and "network-online" not in line
    ]
    assert messages == []


@pytest.mark.systemd
def test_systemd_finds_little_to_fear_of_the_service() -> None:
    result = subprocess.run(
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
    assert result.returncode == 0, result.stdout[-300:]


@pytest.fixture
def nginx(publication: Path, tmp_path: Path) -> Iterator[http.client.HTTPConnection]:
    """nginx with our configuration and a published folder: without TLS, on a local port, with no daemon behind it."""
    ketapress(publication, "publish", "--at", "2023-06-12T09:00")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    snippet = re.sub(r"server \{\n    listen 80;.*?\n\}\n", "", read_text("nginx.conf"), flags=re.DOTALL)
    snippet = re.sub(r"    (ssl_|listen \[).*\n", "", snippet)
    snippet = snippet.replace("listen 443 ssl http2;", f"listen 127.0.0.1:{port};")
    snippet = snippet.replace("/srv/ketapress", str(publication)).replace("/var/log/nginx", str(tmp_path))
    paths = "".join(
        f"{kind}_temp_path {tmp_path};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    http_block = f"http {{ include /etc/nginx/mime.types;\n{paths}{snippet.replace(f':{PORT};', ':9;')} }}"
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"user root;\npid {tmp_path}/pid;\nerror_log {tmp_path}/error.log;\nevents {{}}\n{http_block}"
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
        _wait_for_port(port, process)
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            yield connection
    finally:
        process.terminate()
        process.communicate()


def _wait_for_port(port: int, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[1]
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError("nginx did not listen")


def get(nginx: http.client.HTTPConnection, path: str) -> http.client.HTTPResponse:
    nginx.request("GET", path, headers={"Host": "letters.example.org"})
    response = nginx.getresponse()
    response.read()
    return response


@pytest.mark.nginx
def test_nginx_serves_public_as_the_door_does(nginx: http.client.HTTPConnection) -> None:
    for feed_format in FORMATS:
        feed = get(nginx, f"/{feed_format.path}")
        assert (feed.status, feed.headers["Content-Type"]) == (200, guess_media_type(feed_format.path))
        assert f'<https://letters.example.org/{feed_format.path}>; rel="self"' in (feed.headers["Link"] or "")
        assert feed.headers["ETag"]
    page = get(nginx, "/")
    assert page.status == 200
    assert page.headers["Content-Type"] == guess_media_type("index.html")
    assert page.headers["Link"] is None
    for header, value in SECURITY_HEADERS.items():
        assert page.headers[header] == value
    assert get(nginx, "/archive/").status == 200
    nginx.request(
        "GET", "/feed.xml", headers={"If-None-Match": get(nginx, "/feed.xml").headers["ETag"] or ""}
    )
    assert nginx.getresponse().status == 304


@pytest.mark.nginx
def test_nginx_hands_everything_else_to_the_door_and_hides_hidden_files(
    nginx: http.client.HTTPConnection,
) -> None:
    for path in (
        "/unsubscribe/token",
        "/archive",
        "/nothing",
    ):  # no daemon runs behind the proxy in this test
        assert get(nginx, path).status == 502
    assert get(nginx, "/.ketapress/secret").status == 404
    assert get(nginx, "/../ketapress.db").status in {400, 404}
