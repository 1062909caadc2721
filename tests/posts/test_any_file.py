"""Any file in `posts/` is a post or a named problem, never an exception, and the HTML is clean."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings as hypothesis_settings, strategies as st

from ketapress.posts.identity.registry import read_registry
from ketapress.posts.identity.registry_text import format_registry
from ketapress.posts.library import Library
from ketapress.posts.loader import load_posts
from support.factories import NOW, settings
from support.fuzz_posts import SUFFIXES, check_counts, check_post, check_tree, mangle
from support.posts_folder import save_ids, write_publication

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


def check_library(library: Library) -> None:
    """Assert what holds for each library and each post."""
    check_counts(library)
    for post in library.posts:
        check_post(post)
        check_tree(post)


@given(st.dictionaries(NAMES, BROKEN, min_size=1, max_size=4))
@hypothesis_settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes(files: dict[str, bytes]) -> None:
    with TemporaryDirectory() as folder:
        root = write_publication(Path(folder), files)
        library = load_posts(root, settings(), NOW)
        assert library.files == len(files)
        check_library(library)
        save_ids(root, library)
        again = load_posts(root, settings(), NOW)
        assert again.new_ids is None
        assert again.posts == library.posts
        assert format_registry(read_registry(root)) == library.new_ids


@pytest.mark.parametrize("seed", range(8))
def test_real_posts_mangled(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    files = {f"2023-06-07-{number}{rng.choice(SUFFIXES)}": mangle(rng) for number in range(60)}
    library = load_posts(write_publication(tmp_path, files), settings(), NOW)
    assert library.files == len(files)
    check_library(library)
