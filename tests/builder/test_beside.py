"""Pictures and other files beside posts: what a visible post names is copied to the site, and nothing else is."""

from pathlib import Path

import pytest

from ketapress.posts.source import attachments as beside
from support.cli_runner import Outcome, hashes, ketapress

AT = ("--at", "2023-06-12T09:00")
PNG = b"\x89PNG\r\n\x1a\n a picture"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9"/></svg>'
SITE = "https://reader.example"


@pytest.fixture
def bundle(publication: Path) -> Path:
    """A post as Hugo's users lay it: a folder with its text, its pictures and a paper in it."""
    folder = publication / "posts" / "2023-06-08-harbour"
    folder.mkdir()
    (folder / "index.md").write_text(
        "---\ntitle: Harbour\nimage: cover.png\n---\n"
        "![The quay](pictures/the%20quay.png) and [the paper](paper.pdf#page=2).\n"
    )
    (folder / "pictures").mkdir()
    for name in ("cover.png", "pictures/the quay.png", "unused.png"):
        (folder / name).write_bytes(PNG + name.encode())
    (folder / "paper.pdf").write_bytes(b"%PDF-1.7")
    toml = publication / "ketapress.toml"
    toml.write_text(toml.read_text().replace(toml.read_text().split('url = "')[1].split('"')[0], SITE, 1))
    return publication


def built(folder: Path) -> Outcome:
    outcome = ketapress(folder, "build", *AT)
    assert outcome.exit_code in {0, 1}, outcome.stderr
    return outcome


def files(folder: Path) -> set[str]:
    place = folder / "public" / "files"
    return {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}


def test_what_a_post_names_stands_on_the_site(bundle: Path) -> None:
    built(bundle)

    where = "2023-06-08-harbour"
    assert files(bundle) == {
        f"{where}/{name}" for name in ("cover.png", "pictures/the quay.png", "paper.pdf")
    }
    copied = bundle / "public" / "files" / where / "pictures" / "the quay.png"
    assert copied.read_bytes() == PNG + b"pictures/the quay.png"
    address = f"{SITE}/files/{where}"
    for output in ("feed.xml", "atom.xml", "feed.json", "2023/harbour.html"):
        text = (bundle / "public" / output).read_text()
        assert f"{address}/pictures/the%20quay.png" in text, output
        assert f"{address}/paper.pdf#page=2" in text, output
        assert output == "atom.xml" or f"{address}/cover.png" in text, output


@pytest.mark.parametrize("header", ["draft: true", "date: 2023-07-01", "expires: 2023-06-10"])
def test_a_picture_is_as_secret_as_its_post(bundle: Path, header: str) -> None:
    post = bundle / "posts" / "2023-06-08-harbour" / "index.md"
    post.write_text(post.read_text().replace("title: Harbour", f"title: Harbour\n{header}"))

    built(bundle)

    assert files(bundle) == set()


def test_a_picture_goes_with_its_post(bundle: Path) -> None:
    post = bundle / "posts" / "2023-06-08-harbour" / "index.md"
    built(bundle)
    assert files(bundle)

    post.write_text(post.read_text().replace("title: Harbour", "title: Harbour\ndraft: true"))
    built(bundle)

    assert files(bundle) == set()


@pytest.mark.parametrize(
    "address",
    [
        "../pictures/quay.png",
        "{static}../pictures/quay.png",
        "{static}/pictures/quay.png",
        "/pictures/quay.png",
    ],
)
def test_other_tools_name_it_in_their_own_ways(publication: Path, address: str) -> None:
    for name in ("pictures", "notes"):
        (publication / "posts" / name).mkdir()
    (publication / "posts" / "pictures" / "quay.png").write_bytes(PNG)
    (publication / "posts" / "notes" / "2023-06-09-quay.md").write_text(f"![Quay]({address})\n")

    built(publication)

    assert files(publication) == {"pictures/quay.png"}


def test_nothing_is_copied_twice_and_a_changed_picture_changes_its_copy_alone(bundle: Path) -> None:
    built(bundle)
    before = hashes(bundle / "public")

    assert "0 files written" in built(bundle).stdout
    (bundle / "posts" / "2023-06-08-harbour" / "cover.png").write_bytes(PNG + b"another")
    assert "1 files written" in built(bundle).stdout.replace("1 file ", "1 files ")

    after = hashes(bundle / "public")
    assert {path for path in after if after[path] != before[path]} == {"files/2023-06-08-harbour/cover.png"}


def test_a_picture_that_comes_later_is_found_and_one_that_goes_is_missed(publication: Path) -> None:
    post = publication / "posts" / "2023-06-09-quay.md"
    post.write_text("![Quay](quay.png)\n")
    built(publication)
    page = publication / "public" / "2023" / "quay.html"
    assert "/2023/quay.png" in page.read_text()

    (publication / "posts" / "quay.png").write_bytes(PNG)
    built(publication)
    assert "/files/quay.png" in page.read_text()

    (publication / "posts" / "quay.png").unlink()
    built(publication)
    assert "/2023/quay.png" in page.read_text()
    assert files(publication) == set()


@pytest.mark.parametrize(
    "hostile",
    [
        b"<svg><script>alert(1)</script></svg>",
        b'<svg onload="alert(1)"/>',
        b'<svg><a href="&#106;avascript:alert(1)"><text>x</text></a></svg>',
        b'<svg><a href="java&#10;scr\tipt:alert(1)"><text>x</text></a></svg>',
        b'<svg><set attributeName="href" to=" JavaScript&colon;alert(1)"/></svg>',
        b'<svg><s:script xmlns:s="http://www.w3.org/2000/svg"/></svg>',
        b'<!DOCTYPE svg [<!ENTITY x "y">]><svg>&x;</svg>',
        b'<?xml-stylesheet href="x.xsl"?><svg/>',
        b"<svg><foreignObject/></svg>",
        b"<svg><use href='data:image/svg+xml;base64,AAAA'/></svg>",
        "<svg onload='x()'/>".encode("utf-16"),
        b"\xff\xfe<svg/>",
    ],
)
def test_a_vector_picture_that_runs_something_is_named_and_not_copied(
    publication: Path, hostile: bytes
) -> None:
    (publication / "posts" / "plain.svg").write_bytes(SVG)
    (publication / "posts" / "hostile.svg").write_bytes(hostile)
    (publication / "posts" / "2023-06-09-quay.md").write_text("![a](plain.svg) ![b](hostile.svg)\n")

    outcome = built(publication)

    assert files(publication) == {"plain.svg"}
    assert "posts/hostile.svg" in outcome.stderr
    assert "Save it as a plain SVG" in outcome.stderr
    assert "posts/hostile.svg" in ketapress(publication, "check", *AT).stderr


def test_what_is_too_large_or_leads_out_is_named_and_the_rest_goes_on(
    publication: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "MAX_ATTACHMENT_SIZE", 100)
    posts, secret = publication / "posts", tmp_path_factory.mktemp("elsewhere") / "secret.png"
    secret.write_bytes(PNG)
    (posts / "film.mp4").write_bytes(bytes(101))
    (posts / "secret.png").symlink_to(secret)
    (posts / "quay.png").write_bytes(PNG)
    (posts / "2023-06-09-quay.md").write_text("![a](quay.png) [b](film.mp4) ![c](secret.png)\n")

    outcome = built(publication)

    assert files(publication) == {"quay.png"}
    assert "posts/film.mp4: the file has more than" in outcome.stderr
    assert "posts/secret.png: the link points outside `posts/`" in outcome.stderr


@pytest.mark.parametrize(
    "name", ["page.html", "program.js", "style.css", "data.xml", "noending", "two.tar.gz"]
)
def test_what_a_browser_would_run_is_never_copied(publication: Path, name: str) -> None:
    (publication / "posts" / name).write_text("2023-06-09\n\n<p>x</p>")
    (publication / "posts" / "2023-06-09-quay.md").write_text(f"[a]({name}) and ![b]({name})\n")

    built(publication)

    assert files(publication) == set()


def test_a_name_of_any_bytes_stops_nothing(publication: Path) -> None:
    (publication / "posts" / "2023-06-09-quay.md").write_text("![a](quay.png)\n")
    place = str(publication / "posts").encode()
    for name in (b"\xff.png", b"two\nlines.png", "Bild \u202f 1.png".encode()):
        Path(place.decode(), name.decode(errors="surrogateescape")).write_bytes(PNG)

    built(publication)

    assert files(publication) == set()
