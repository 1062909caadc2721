"""Whatever lies in `posts/`: each file is a post or a named problem, no exception, and what leaves is clean."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import html5lib
import pytest
from hypothesis import HealthCheck, given, settings as trying, strategies as st

from factories import NOW, REPOSITORY, SEED, settings
from ketapress.model.errors import Severity
from ketapress.posts.folder import Library, read_library
from ketapress.posts.ids import read_records, write_records
from postfolder import publication

NAMES = st.sampled_from(["a.md", "2023-06-07-b.txt", "c.html", "d/index.markdown", "2023-06-07.htm", "e.rst"])
BROKEN = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode(errors="surrogatepass")),
    st.text(max_size=200).map(
        lambda text: f"---\ndate: 2023-06-07\n---\n{text}".encode(errors="surrogatepass")
    ),
    st.text(max_size=60).map(lambda text: f"June 7, 2023\n\n{text}".encode(errors="surrogatepass")),
    st.text(max_size=60).map(
        lambda text: f"---\ntitle: {text}\ndate: 2023-06-07\n---\nx".encode(errors="surrogatepass")
    ),
)
REAL = [
    SEED.read_bytes(),
    *(path.read_bytes() for path in sorted((REPOSITORY / "posts").glob("2023-06-0[58]-*"))),
    b'+++\ntitle = "A"\ndate = 2023-06-07\ntags = ["a"]\n+++\n# B\n\n**c** [d]({{ site.url }}/e) {% f %}\n\n| g | h |\n|---|---|\n| i | j |\n',
    b'{"title": "A", "date": "2023-06-07"}\n\n<div><img src=x.png><a name=b>c</a></div>\n\n[^1]\n\n[^1]: d\n',
    "Title: 标题\nDate: 2023-06-07\n\n**中文。**后面\n\n<pre>x</pre>\n".encode(),
]  # fmt: skip


def checked(library: Library) -> None:
    """What is true of every reading, and of every post."""
    bad = {problem.path for problem in library.problems if problem.severity is Severity.ERROR}
    assert library.files == len(library.posts) + len(bad)
    assert not bad & {f"posts/{post.path}" for post in library.posts}
    assert (
        len({post.id for post in library.posts})
        == len({post.url for post in library.posts})
        == len(library.posts)
    )
    for problem in library.problems:
        assert problem.message
        assert problem.cure
        assert problem.line is None or problem.line > 0
        assert str(problem).encode()
    for post in library.posts:
        assert post.title.strip()
        assert len(post.summary) <= 280
        for text in (post.title, post.summary, post.html, *post.tags, *post.authors, post.id, post.url):
            text.encode()
            assert not set(text) & {"\0", "\x0b", "\x1b", "\x85", "\ufffd", "\ufffe", "\uffff"}
        for element in html5lib.parseFragment(post.html, container="div").iter():
            for name in ("href", "src", "cite", "poster"):
                assert element.get(name, "https://x").startswith(("https://", "http://", "mailto:", "tel:"))


@given(st.dictionaries(NAMES, BROKEN, min_size=1, max_size=4))
@trying(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes(files: dict[str, bytes]) -> None:
    with TemporaryDirectory() as folder:
        root = publication(Path(folder), files)
        library = read_library(root, settings(), NOW)
        assert library.files == len(files)
        checked(library)
        write_records(root, library.records)
        again = read_library(root, settings(), NOW)
        assert not again.changed
        assert again.posts == library.posts
        assert read_records(root) == library.records


@pytest.mark.parametrize("seed", range(8))
def test_real_posts_mangled(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    files = {
        f"2023-06-07-{number}{rng.choice(['.md', '.txt', '.html'])}": mangled(rng) for number in range(60)
    }
    library = read_library(publication(tmp_path, files), settings(), NOW)
    assert library.files == len(files)
    checked(library)


def mangled(rng: random.Random) -> bytes:
    """A real post with a few of its bytes gone, doubled, swapped or replaced."""
    data = bytearray(rng.choice(REAL))
    for _ in range(rng.randint(1, 12)):
        start = rng.randrange(len(data) + 1)
        end = min(len(data), start + rng.choice([0, 1, 1, 2, 8, 40]))
        insert = rng.choice(
            [
                b"",
                b"",
                data[start:end] * 2,
                bytes([rng.randrange(256)]),
                b"\n",
                b"---\n",
                b"<",
                b"[",
                b"{{",
                b"\xff",
                b": ",
            ]
        )
        data[start:end] = insert
    return bytes(data)
