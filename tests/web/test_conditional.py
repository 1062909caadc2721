"""Headers as anybody may send them: the answer is always one that HTTP knows."""

from hypothesis import given, strategies as st

from ketapress.web.static.http_conditional import Validators, byte_range, is_unchanged, takes_gzip

VALIDATORS = Validators('"0123"', 1_700_000_000)
ranges = st.one_of(
    st.text(),
    st.builds("bytes={}-{}".format, st.integers(0, 30) | st.just(""), st.integers(0, 30) | st.just("")),
)


@given(st.integers(0, 20), ranges)
def test_a_part_is_inside_the_file_or_there_is_none(size: int, asked: str) -> None:
    try:
        part = byte_range(size, asked, VALIDATORS, None)
    except ValueError:
        return
    if part is not None:
        assert 0 <= part[0] <= part[1] < size


@given(st.none() | st.text(), st.none() | st.text())
def test_whatever_is_sent_only_the_tag_or_a_later_date_is_the_same_content(
    none_match: str | None, modified_since: str | None
) -> None:
    if is_unchanged(VALIDATORS, none_match, modified_since):
        assert none_match is None or "*" in none_match or VALIDATORS.etag in none_match


def test_a_date_is_the_same_content_from_the_second_of_the_change_on() -> None:
    assert VALIDATORS.last_modified == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert is_unchanged(VALIDATORS, None, "Tue, 14 Nov 2023 22:13:20 GMT")
    assert not is_unchanged(VALIDATORS, None, "Tue, 14 Nov 2023 22:13:19 GMT")
    assert is_unchanged(VALIDATORS, None, "Tuesday, 14-Nov-23 22:13:21 GMT")


@given(st.text())
def test_gzip_goes_only_to_who_names_it_or_takes_anything(accepted: str) -> None:
    if takes_gzip(accepted):
        assert "gzip" in accepted.lower() or "*" in accepted
