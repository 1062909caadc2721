"""Conditional requests and ranges with arbitrary headers: the result is always valid."""

from hypothesis import given, strategies as st

from ketapress.web.static.http_conditional import Validators, accepts_gzip, is_not_modified, parse_range

VALIDATORS = Validators('"0123"', 1_700_000_000)
RANGES = st.one_of(
    st.text(),
    st.builds("bytes={}-{}".format, st.integers(0, 30) | st.just(""), st.integers(0, 30) | st.just("")),
)


@given(st.integers(0, 20), RANGES)
def test_a_part_is_inside_the_file_or_there_is_none(size: int, header: str) -> None:
    try:
        byte_range = parse_range(size, header, VALIDATORS, None)
    except ValueError:
        return
    if byte_range is not None:
        assert 0 <= byte_range[0] <= byte_range[1] < size


@given(st.none() | st.text(), st.none() | st.text())
def test_whatever_is_sent_only_the_tag_or_a_later_date_is_the_same_content(
    if_none_match: str | None, if_modified_since: str | None
) -> None:
    if is_not_modified(VALIDATORS, if_none_match, if_modified_since):
        assert if_none_match is None or "*" in if_none_match or VALIDATORS.etag in if_none_match


def test_a_date_is_the_same_content_from_the_second_of_the_change_on() -> None:
    assert VALIDATORS.last_modified == "Tue, 14 Nov 2023 22:13:20 GMT"
    assert is_not_modified(VALIDATORS, None, "Tue, 14 Nov 2023 22:13:20 GMT")
    assert not is_not_modified(VALIDATORS, None, "Tue, 14 Nov 2023 22:13:19 GMT")
    assert is_not_modified(VALIDATORS, None, "Tuesday, 14-Nov-23 22:13:21 GMT")


@given(st.text())
def test_gzip_goes_only_to_who_names_it_or_takes_anything(accept_encoding: str) -> None:
    if accepts_gzip(accept_encoding):
        assert "gzip" in accept_encoding.lower() or "*" in accept_encoding
