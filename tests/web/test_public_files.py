"""public/ over HTTP: polled for next to nothing, and never a byte from beside it."""

import gzip
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from support.cli_runner import hashes, ketapress
from support.web_fixture import Door, open_door

SECRET = b"nobody may read this"


@pytest.mark.parametrize(
    ("path", "kind"),
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
    door: Door, path: str, kind: str
) -> None:
    answer = door.client.get(path, headers={"Accept-Encoding": "identity"})
    file = door.root / "public" / (path[1:] or "index.html")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
    assert answer.content == file.read_bytes()
    assert answer.headers["ETag"].startswith('"')
    assert "set-cookie" not in answer.headers


def test_every_file_that_was_built_can_be_asked_for(door: Door) -> None:
    for path in hashes(door.root / "public"):
        assert door.client.get(f"/{path}").status_code == 200, path


def test_who_has_it_already_gets_304_and_no_bytes(door: Door) -> None:
    first = door.client.get("/atom.xml")
    tag, when = first.headers["ETag"], first.headers["Last-Modified"]
    for asked in (
        {"If-None-Match": tag},
        {"If-None-Match": f'"other", W/{tag}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": when},
    ):
        again = door.client.get("/atom.xml", headers=asked)
        assert (again.status_code, again.content) == (304, b""), asked
        assert again.headers["ETag"] == tag
        assert again.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "asked",
    [
        {"If-None-Match": '"other"'},
        {"If-None-Match": "nonsense"},
        {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"If-Modified-Since": "some day"},
        {"If-Modified-Since": "Thu, 99 Foo 99999 00:00:00 GMT"},
    ],
)
def test_who_has_something_else_gets_the_whole(door: Door, asked: dict[str, str]) -> None:
    assert door.client.get("/feed.xml", headers=asked).status_code == 200


def test_an_entity_tag_decides_before_a_date(door: Door) -> None:
    first = door.client.get("/feed.xml")
    asked = {"If-None-Match": '"other"', "If-Modified-Since": first.headers["Last-Modified"]}
    assert door.client.get("/feed.xml", headers=asked).status_code == 200


def test_the_tag_is_of_the_content_not_of_the_file(own_door: Door) -> None:
    file = own_door.root / "public" / "feed.xml"
    before = own_door.client.get("/feed.xml").headers["ETag"]
    content = file.read_bytes()
    file.write_bytes(b"other")
    changed = own_door.client.get("/feed.xml", headers={"Accept-Encoding": "identity"})
    assert (changed.content, changed.headers["ETag"] == before) == (b"other", False)
    file.write_bytes(content)
    os.utime(file, (1, 1))
    assert own_door.client.get("/feed.xml").headers["ETag"] == before


def test_head_says_what_get_would_say_without_the_bytes(door: Door) -> None:
    whole, head = door.client.get("/feed.json"), door.client.head("/feed.json")
    assert (head.status_code, head.content) == (200, b"")
    same = ("Content-Length", "Content-Type", "ETag", "Last-Modified", "Vary")
    assert [head.headers[name] for name in same] == [whole.headers[name] for name in same]


def test_the_copy_that_stands_beside_a_feed_goes_to_who_takes_gzip(door: Door) -> None:
    plain = door.client.get("/feed.xml", headers={"Accept-Encoding": "identity"})
    packed = door.client.get("/feed.xml", headers={"Accept-Encoding": "br, gzip;q=0.8"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == (door.root / "public" / "feed.xml.gz").stat().st_size
    assert (
        packed.content
        == plain.content
        == gzip.decompress((door.root / "public" / "feed.xml.gz").read_bytes())
    )
    assert packed.headers["ETag"] != plain.headers["ETag"]
    assert packed.headers["Content-Type"] == plain.headers["Content-Type"]
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    asked = {"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]}
    assert door.client.get("/feed.xml", headers=asked).status_code == 304


@pytest.mark.parametrize("taken", ["", "identity", "gzip;q=0", "br", "gzip;q=0.1, identity"])
def test_who_does_not_take_gzip_gets_none(door: Door, taken: str) -> None:
    assert "Content-Encoding" not in door.client.get("/feed.xml", headers={"Accept-Encoding": taken}).headers


@pytest.mark.parametrize(
    ("asked", "part", "said"),
    [
        ("bytes=0-3", slice(0, 4), "bytes 0-3/{size}"),
        ("bytes=10-", slice(10, None), "bytes 10-{last}/{size}"),
        ("bytes=-5", slice(-5, None), None),
        ("bytes=2-999999999", slice(2, None), "bytes 2-{last}/{size}"),
    ],
)
def test_a_part_of_a_file(door: Door, asked: str, part: slice, said: str | None) -> None:
    content = (door.root / "public" / "style.css").read_bytes()
    answer = door.client.get("/style.css", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, content[part])
    if said:
        assert answer.headers["Content-Range"] == said.format(size=len(content), last=len(content) - 1)


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=-", "lines=1-2", "bytes=0-1,3-4", "bytes=x"])
def test_what_is_no_part_is_answered_with_the_whole(door: Door, asked: str) -> None:
    assert door.client.get("/style.css", headers={"Range": asked}).status_code == 200


def test_a_part_behind_the_end_is_416_and_a_part_of_another_content_is_the_whole(door: Door) -> None:
    assert door.client.get("/style.css", headers={"Range": "bytes=9999999-"}).status_code == 416
    asked = {"Range": "bytes=0-1", "If-Range": '"other"'}
    assert door.client.get("/style.css", headers=asked).status_code == 200
    tag = door.client.get("/style.css").headers["ETag"]
    assert door.client.get("/style.css", headers=asked | {"If-Range": tag}).status_code == 206


def test_a_large_file_is_streamed_whole_and_in_parts(own_door: Door) -> None:
    content = os.urandom(3_000_000)
    (own_door.root / "public" / "talk.mp3").write_bytes(content)
    whole = own_door.client.get("/talk.mp3")
    assert (whole.content, whole.headers["Content-Type"]) == (content, "audio/mpeg")
    part = own_door.client.get("/talk.mp3", headers={"Range": "bytes=1000000-2500000"})
    assert (part.status_code, part.content) == (206, content[1000000:2500001])
    asked = {"If-None-Match": whole.headers["ETag"]}
    assert own_door.client.get("/talk.mp3", headers=asked).status_code == 304
    assert own_door.client.head("/talk.mp3").headers["Content-Length"] == "3000000"


def test_a_folder_is_its_index_and_without_its_slash_a_relative_redirect(door: Door) -> None:
    assert door.client.get("/2023/").content == (door.root / "public" / "2023" / "index.html").read_bytes()
    moved = door.client.get("/2023?from=mail")
    assert (moved.status_code, moved.headers["Location"]) == (301, "./2023/?from=mail")
    assert door.client.get("/2023", follow_redirects=True).url.path == "/2023/"


def test_nothing_is_there_in_the_style_of_the_archive(own_door: Door) -> None:
    own = own_door.root / "public" / "404.html"
    answer = own_door.client.get("/no/such/page.html")
    assert (answer.status_code, answer.content) == (404, own.read_bytes())
    own.unlink()
    answer = own_door.client.get("/no/such/page.html")
    assert answer.status_code == 404
    assert "Page not found" in answer.text
    assert "The Example Press" in answer.text


@pytest.fixture(scope="module")
def baited(press: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A door with things beside it that somebody would like to have, and ways to them."""
    published = shutil.copytree(press, tmp_path_factory.mktemp("bait") / "press")
    (published / "beside.txt").write_bytes(SECRET)
    public = published / "public"
    (public / "link.txt").symlink_to(published / "beside.txt")
    (public / "folder").symlink_to(published)
    (public / ".hidden").write_bytes(SECRET)
    (public / "feed.xml.ketapress-new").write_bytes(SECRET)
    os.mkfifo(public / "pipe.txt")
    with open_door(published) as door:
        yield door


HOSTILE = [
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


@pytest.mark.parametrize("path", HOSTILE, ids=[each[:40] for each in HOSTILE])
def test_no_path_leads_out(baited: Door, path: str) -> None:
    answer = baited.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert answer.startswith(b"HTTP/1.1 404 "), answer[:200]
    assert SECRET not in answer
    assert b"\r\nset-cookie" not in head
    assert b"\r\nlocation" not in head


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(["..", ".", "%2e", "%2f", "/", "\\", "beside.txt", "2023", "%00", "é", "folder"])
    )
)
def test_no_path_at_all_leads_out(baited: Door, parts: list[str]) -> None:
    path = "/" + "".join(parts)
    answer = baited.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert answer[9:12] in {b"200", b"301", b"400", b"404"}, (path, answer[:100])
    assert SECRET not in answer


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_files_can_only_be_read(door: Door, method: str) -> None:
    answer = door.client.request(method, "/index.html")
    assert (answer.status_code, {*answer.headers["Allow"].split(", ")}) == (405, {"GET", "HEAD"})


def test_every_answer_has_the_heads_that_keep_readers_safe(door: Door) -> None:
    for path in ("/", "/feed.xml", "/nothing", "/unsubscribe/nothing"):
        heads = door.client.get(path).headers
        assert heads["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in heads["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in heads["Content-Security-Policy"]
        assert "server" not in heads


def test_feeds_name_their_hub_and_themselves(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text() + '\n[feeds]\nhub = "https://hub.example.org"\n')
    (publication / "posts" / "tagged.md").write_text(
        "---\ntitle: T\ndate: 2023-06-08\ntags: [Über uns]\n---\nText.\n"
    )
    ketapress(publication, "build", "--at", "2023-06-12T09:00")
    with open_door(publication) as door:
        for path in ("/feed.xml", "/atom.xml", "/feed.json", "/tags/%C3%BCber-uns/feed.xml"):
            answer = door.client.get(path)
            assert answer.headers["Link"] == (
                f'<https://hub.example.org>; rel="hub", <https://example.org{path}>; rel="self"'
            )
            again = door.client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
            assert again.headers["Link"] == answer.headers["Link"]
        assert "Link" not in door.client.get("/").headers


def test_a_site_in_a_folder_is_served_with_its_folder_or_without(publication: Path) -> None:
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text().replace("https://example.org", "https://example.org/press"))
    ketapress(publication, "build", "--at", "2023-06-12T09:00")
    with open_door(publication) as door:
        for path in ("/press/", "/", "/press/feed.xml", "/press/2023/"):
            assert door.client.get(path).status_code == 200, path
        assert door.client.get("/press//beside").status_code == 404


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", b"200"),
        (b"GET http://elsewhere/feed.xml HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404"),
        (b"GET /?a=../../beside.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"200"),
    ],
)
def test_what_is_no_request_of_a_browser_does_no_harm(baited: Door, request_: bytes, status: bytes) -> None:
    answer = baited.raw(request_)
    assert answer[9:12] == status
    assert SECRET not in answer
    assert baited.client.get("/").status_code == 200
    assert baited.said.getvalue() == ""
