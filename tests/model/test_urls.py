"""Slugs, joins and absolute URLs."""

import pytest
from hypothesis import given, strategies as st

from ketapress.model.urls import decode_path, encode_path, is_loopback, join_url, resolve_url, slugify


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Ketamine Therapy", "ketamine-therapy"),
        ("  What's new?  ", "what-s-new"),
        ("Größe", "grösse"),
        ("你好 世界", "你好-世界"),
        ("../../etc/passwd", "etc-passwd"),
        ("a_b__c", "a-b-c"),
        ("…", ""),
    ],
)
def test_a_slug_keeps_letters_of_any_script(text: str, name: str) -> None:
    assert slugify(text) == name


@given(st.text(max_size=300))
def test_a_slug_is_a_safe_file_name(text: str) -> None:
    name = slugify(text)
    assert not set(name) & set("/\\.\0 \n")
    assert len(name.encode()) <= 80
    assert slugify(name) == name
    assert decode_path(encode_path(name)) == name


def test_a_site_may_live_in_a_sub_folder() -> None:
    assert join_url("https://example.org/blog", "2023/a.html") == "https://example.org/blog/2023/a.html"


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("b.png", "https://example.org/2023/b.png"),
        ("/b.png", "https://example.org/b.png"),
        ("//cdn.example.org/b.png", "https://cdn.example.org/b.png"),
        ("a b.png", "https://example.org/2023/a%20b.png"),
        ("ü.png", "https://example.org/2023/%C3%BC.png"),
        ("https://exämple.org/", "https://xn--exmple-cua.org/"),
        ("https://Ada@Ex%C3%A4mple.org:8080/", "https://Ada@xn--exmple-cua.org:8080/"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("#top", "https://example.org/2023/a.html#top"),
        ("http://[broken", None),
    ],
)
def test_references_become_absolute(reference: str, url: str | None) -> None:
    assert resolve_url("https://example.org/2023/a.html", reference) == url


def test_which_hosts_are_this_machine() -> None:
    assert all(map(is_loopback, ["localhost", "127.0.0.1", "127.9.9.9", "::1"]))
    assert not is_loopback("relay.example.org")
