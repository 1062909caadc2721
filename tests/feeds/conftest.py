"""Every format in turn, for what holds in all of them; and where each rule for feeds has its test.

| rule | test |
|---|---|
| an id is pinned, a URI, and a permalink only when it is the link | `test_an_id_is_kept_and_is_a_uri_in_every_format`, `test_an_id_is_a_permalink_only_when_it_is_the_link` |
| ids are the same in all formats and in the feeds of tags, and none comes twice | `test_a_reader_of_all_formats_finds_the_same_in_each`, `test_a_tag_has_a_feed_with_the_same_ids`, `test_each_complaint_can_be_drawn` |
| dates are RFC 822 or RFC 3339, in English and UTC, to the second, with the right weekday | `test_no_text_draws_a_complaint`, `test_instants_are_in_utc_and_to_the_second` |
| nothing hidden, held or future is in a feed | `test_only_visible_posts_reach_a_feed` |
| a feed is dated by its newest entry, so that the same posts make the same bytes | `test_a_feed_is_dated_by_its_newest_entry`, `test_the_same_posts_make_the_same_bytes` |
| the full text, a summary before it, and full addresses alone | `test_what_an_entry_holds_arrives`, `test_no_text_draws_a_complaint`, `test_every_address_of_ours_is_absolute_and_on_the_site` |
| titles, names and tags are plain for every reader | `test_a_title_that_looks_like_markup_is_shown_as_it_was_written`, `test_no_text_draws_a_complaint` |
| no character that XML or HTML cannot hold; no element or attribute that readers refuse | `test_characters_that_xml_cannot_hold_are_dropped`, `test_no_html_draws_a_complaint_once_it_is_clean` |
| a body says its language and direction itself | `test_a_body_that_is_read_from_right_to_left_says_so_itself` |
| a small feed, and archives behind it that stay as they are (RFC 5005) | `test_history.py` |
| a hub is named in every format; a picture comes with its size | `test_what_the_feed_says_of_itself_arrives`, `test_a_picture_arrives_with_its_size` |
| all feeds in one list; each page of the site points to its feeds | `test_the_list_of_feeds_holds_the_site_and_each_tag`, `tests/site/test_pages.py` |
| readers that people use keep titles, ids, dates and text | `test_clients.py` |
"""

import pytest

from ketapress.feeds.formats import FORMATS, Format


@pytest.fixture(params=FORMATS, ids=lambda form: form.name)
def form(request: pytest.FixtureRequest) -> Format:
    found: Format = request.param
    return found
