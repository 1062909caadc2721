"""`public/` over HTTP: conditional requests, and never a byte from outside the folder."""

import gzip
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from support.cli_runner import hashes, ketapress
from support.web_fixture import WebServer, run_web_server

SECRET = b"nobody may read this"


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/feed.xml", "application/rss+xml; charset=utf-8"),
        ("/atom.xml", "application/atom+xml; charset=utf-8"),
        ("/feed.json", "application/feed+json; charset=utf-8"),
        ("/feeds.opml", "text/x-opml; charset=utf-8"),
        ("/sitemap.xml", "application/xml; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/feed.xml.gz", "application/gzip"),
        ("/archive/weekly/2023-06-12T0800.html", "text/html; charset=utf-8"),
    ],
)
def test_every_file_of_the_archive_has_its_type_its_tag_and_its_bytes(
    server: WebServer, path: str, media_type: str
) -> None:
    response = server.client.get(path, headers={"Accept-Encoding": "identity"})
    file = server.root / "public" / (path[1:] or "index.html")
    assert (response.status_code, response.headers["Content-Type"]) == (200, media_type)
    assert response.content == file.read_bytes()
    assert response.headers["ETag"].startswith('"')
    assert "set-cookie" not in response.headers


def test_every_file_that_was_built_can_be_asked_for(server: WebServer) -> None:
    for path in hashes(server.root / "public"):
        assert server.client.get(f"/{path}").status_code == 200, path


def test_who_has_it_already_gets_304_and_no_bytes(server: WebServer) -> None:
    first = server.client.get("/atom.xml")
    tag, when = first.headers["ETag"], first.headers["Last-Modified"]
    for headers in (
        {"If-None-Match": tag},
        {"If-None-Match": f'"other", W/{tag}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": when},
    ):
        repeated = server.client.get("/atom.xml", headers=headers)
        assert (repeated.status_code, repeated.content) == (304, b""), headers
        assert repeated.headers["ETag"] == tag
        assert repeated.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "headers",
    [
        {"If-None-Match": '"other"'},
        {"If-None-Match": "nonsense"},
        {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"If-Modified-Since": "some day"},
        {"If-Modified-Since": "Thu, 99 Foo 99999 00:00:00 GMT"},
    ],
)
def test_who_has_something_else_gets_the_whole(server: WebServer, headers: dict[str, str]) -> None:
    assert server.client.get("/feed.xml", headers=headers).status_code == 200


def test_an_entity_tag_decides_before_a_date(server: WebServer) -> None:
    first = server.client.get("/feed.xml")
    headers = {"If-None-Match": '"other"', "If-Modified-Since": first.headers["Last-Modified"]}
    assert server.client.get("/feed.xml", headers=headers).status_code == 200


def test_the_tag_is_of_the_content_not_of_the_file(own_server: WebServer) -> None:
    file = own_server.root / "public" / "feed.xml"
    before = own_server.client.get("/feed.xml").headers["ETag"]
    content = file.read_bytes()
    file.write_bytes(b"other")
    changed = own_server.client.get("/feed.xml", headers={"Accept-Encoding": "identity"})
    assert (changed.content, changed.headers["ETag"] == before) == (b"other", False)
    file.write_bytes(content)
    os.utime(file, (1, 1))
    assert own_server.client.get("/feed.xml").headers["ETag"] == before


def test_head_says_what_get_would_say_without_the_bytes(server: WebServer) -> None:
    complete, head = server.client.get("/feed.json"), server.client.head("/feed.json")
    assert (head.status_code, head.content) == (200, b"")
    names = ("Content-Length", "Content-Type", "ETag", "Last-Modified", "Vary")
    assert [head.headers[name] for name in names] == [complete.headers[name] for name in names]


def test_the_copy_that_stands_beside_a_feed_goes_to_who_takes_gzip(server: WebServer) -> None:
    plain = server.client.get("/feed.xml", headers={"Accept-Encoding": "identity"})
    compressed = server.client.get("/feed.xml", headers={"Accept-Encoding": "br, gzip;q=0.8"})
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert (
        int(compressed.headers["Content-Length"]) == (server.root / "public" / "feed.xml.gz").stat().st_size
    )
    assert (
        compressed.content
        == plain.content
        == gzip.decompress((server.root / "public" / "feed.xml.gz").read_bytes())
    )
    assert compressed.headers["ETag"] != plain.headers["ETag"]
    assert compressed.headers["Content-Type"] == plain.headers["Content-Type"]
    assert compressed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    headers = {"Accept-Encoding": "gzip", "If-None-Match": compressed.headers["ETag"]}
    assert server.client.get("/feed.xml", headers=headers).status_code == 304


@pytest.mark.parametrize("accept_encoding", ["", "identity", "gzip;q=0", "br", "gzip;q=0.1, identity"])
def test_who_does_not_take_gzip_gets_none(server: WebServer, accept_encoding: str) -> None:
    response = server.client.get("/feed.xml", headers={"Accept-Encoding": accept_encoding})
    assert "Content-Encoding" not in response.headers


@pytest.mark.parametrize(
    ("range_header", "part", "content_range"),
    [
        ("bytes=0-3", slice(0, 4), "bytes 0-3/{size}"),
        ("bytes=10-", slice(10, None), "bytes 10-{last}/{size}"),
        ("bytes=-5", slice(-5, None), None),
        ("bytes=2-999999999", slice(2, None), "bytes 2-{last}/{size}"),
    ],
)
def test_a_part_of_a_file(
    server: WebServer, range_header: str, part: slice, content_range: str | None
) -> None:
    content = (server.root / "public" / "style.css").read_bytes()
    response = server.client.get("/style.css", headers={"Range": range_header})
    assert (response.status_code, response.content) == (206, content[part])
    if content_range:
        assert response.headers["Content-Range"] == content_range.format(
            size=len(content), last=len(content) - 1
        )


@pytest.mark.parametrize("range_header", ["bytes=5-2", "bytes=-", "lines=1-2", "bytes=0-1,3-4", "bytes=x"])
def test_what_is_no_part_is_responseed_with_the_whole(server: WebServer, range_header: str) -> None:
    assert server.client.get("/style.css", headers={"Range": range_header}).status_code == 200


def test_a_part_behind_the_end_is_416_and_a_part_of_another_content_is_the_whole(server: WebServer) -> None:
    assert server.client.get("/style.css", headers={"Range": "bytes=9999999-"}).status_code == 416
    headers = {"Range": "bytes=0-1", "If-Range": '"other"'}
    assert server.client.get("/style.css", headers=headers).status_code == 200
    tag = server.client.get("/style.css").headers["ETag"]
    assert server.client.get("/style.css", headers=headers | {"If-Range": tag}).status_code == 206


def test_a_large_file_is_streamed_whole_and_in_parts(own_server: WebServer) -> None:
    content = os.urandom(3_000_000)
    (own_server.root / "public" / "talk.mp3").write_bytes(content)
    response = own_server.client.get("/talk.mp3")
    assert (response.content, response.headers["Content-Type"]) == (content, "audio/mpeg")
    part = own_server.client.get("/talk.mp3", headers={"Range": "bytes=1000000-2500000"})
    assert (part.status_code, part.content) == (206, content[1000000:2500001])
    headers = {"If-None-Match": response.headers["ETag"]}
    assert own_server.client.get("/talk.mp3", headers=headers).status_code == 304
    assert own_server.client.head("/talk.mp3").headers["Content-Length"] == "3000000"


def test_a_folder_is_its_index_and_without_its_slash_a_relative_redirect(server: WebServer) -> None:
    assert (
        server.client.get("/2023/").content == (server.root / "public" / "2023" / "index.html").read_bytes()
    )
    redirect = server.client.get("/2023?from=mail")
    assert (redirect.status_code, redirect.headers["Location"]) == (301, "./2023/?from=mail")
    assert server.client.get("/2023", follow_redirects=True).url.path == "/2023/"


def test_nothing_is_there_in_the_style_of_the_archive(own_server: WebServer) -> None:
    page = own_server.root / "public" / "404.html"
    response = own_server.client.get("/no/such/page.html")
    assert (response.status_code, response.content) == (404, page.read_bytes())
    page.unlink()
    response = own_server.client.get("/no/such/page.html")
    assert response.status_code == 404
    assert "Page not found" in response.text
    assert "The Example Press" in response.text


@pytest.fixture(scope="module")
def bait_server(shared_publication: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """A server with secret files outside `public/`, and links to them inside."""
    root = shutil.copytree(shared_publication, tmp_path_factory.mktemp("bait") / "publication")
    (root / "beside.txt").write_bytes(SECRET)
    public = root / "public"
    (public / "link.txt").symlink_to(root / "beside.txt")
    (public / "folder").symlink_to(root)
    (public / ".hidden").write_bytes(SECRET)
    (public / "feed.xml.ketapress-new").write_bytes(SECRET)
    os.mkfifo(public / "pipe.txt")
    with run_web_server(root) as server:
        yield server


HOSTILE_PATHS = [
    "/../beside.txt",
    "/..%2fbeside.txt",
    "/%2e%2e/beside.txt",
    "/%2e%2e%2fbeside.txt",
    "/%252e%252e/beside.txt",
    "/2023/../../beside.txt",
    "/2023/%2e%2e/%2e%2e/beside.txt",
    "/..\\beside.txt",
    "/..%5cbeside.txt",
    "//beside.txt",
    "//etc/passwd",
    "/%2fetc/passwd",
    "/%2fetc%2fpasswd",
    "/./index.html",
    "/beside.txt%00.html",
    "/index.html%00",
    "/link.txt",
    "/folder/beside.txt",
    "/folder/",
    "/.hidden",
    "/pipe.txt",
    "/feed.xml.ketapress-new",
    "/%c0%ae%c0%ae/beside.txt",
    "/%ff",
    "/index.html/",
    "/index.html/x",
    "/" + "a" * 5000,
    "/" + "a/" * 2000,
    "/%0d%0aSet-Cookie:%20a=b",
]


@pytest.mark.parametrize("path", HOSTILE_PATHS, ids=[path[:40] for path in HOSTILE_PATHS])
def test_no_path_leads_out(bait_server: WebServer, path: str) -> None:
    response = bait_server.send_raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    header = response.partition(b"\r\n\r\n")[0].lower()
    assert response.startswith(b"HTTP/1.1 404 "), response[:200]
    assert SECRET not in response
    assert b"\r\nset-cookie" not in header
    assert b"\r\nlocation" not in header


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(["..", ".", "%2e", "%2f", "/", "\\", "beside.txt", "2023", "%00", "é", "folder"])
    )
)
def test_no_path_at_all_leads_out(bait_server: WebServer, parts: list[str]) -> None:
    path = "/" + "".join(parts)
    response = bait_server.send_raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert response[9:12] in {b"200", b"301", b"400", b"404"}, (path, response[:100])
    assert SECRET not in response


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_files_can_only_be_read(server: WebServer, method: str) -> None:
    response = server.client.request(method, "/index.html")
    assert (response.status_code, {*response.headers["Allow"].split(", ")}) == (405, {"GET", "HEAD"})


def test_every_response_has_the_heads_that_keep_readers_safe(server: WebServer) -> None:
    for path in ("/", "/feed.xml", "/nothing", "/unsubscribe/nothing"):
        headers = server.client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "server" not in headers


def test_feeds_name_their_hub_and_themselves(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + '\n[feeds]\nhub = "https://hub.example.org"\n')
    (publication / "posts" / "tagged.md").write_text(
        "---\ntitle: T\ndate: 2023-06-08\ntags: [Über uns]\n---\nText.\n"
    )
    ketapress(publication, "build", "--at", "2023-06-12T09:00")
    with run_web_server(publication) as server:
        for path in ("/feed.xml", "/atom.xml", "/feed.json", "/tags/%C3%BCber-uns/feed.xml"):
            response = server.client.get(path)
            assert response.headers["Link"] == (
                f'<https://hub.example.org>; rel="hub", <https://example.org{path}>; rel="self"'
            )
            repeated = server.client.get(path, headers={"If-None-Match": response.headers["ETag"]})
            assert repeated.headers["Link"] == response.headers["Link"]
        assert "Link" not in server.client.get("/").headers


def test_a_site_in_a_folder_is_served_with_its_folder_or_without(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text().replace("https://example.org", "https://example.org/press"))
    ketapress(publication, "build", "--at", "2023-06-12T09:00")
    with run_web_server(publication) as server:
        for path in ("/press/", "/", "/press/feed.xml", "/press/2023/"):
            assert server.client.get(path).status_code == 200, path
        assert server.client.get("/press//beside").status_code == 404


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", b"200"),
        (b"GET http://elsewhere/feed.xml HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404"),
        (b"GET /?a=../../beside.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"200"),
    ],
)
def test_what_is_no_request_of_a_browser_does_no_harm(
    bait_server: WebServer, request_bytes: bytes, status: bytes
) -> None:
    response = bait_server.send_raw(request_bytes)
    assert response[9:12] == status
    assert SECRET not in response
    assert bait_server.client.get("/").status_code == 200
    assert bait_server.log_output.getvalue() == ""
