"""Decide which new posts are missing ones under another name, and which a person has to be asked about.

A question is about a new post and the missing ones that it resembles and that disappeared in the same run. It is stored
with the entry of the new post and stays open until it is answered: by an `id:` in the header of the new post, or by the
return of the missing files. Until then the entry of the new post stays too, also where its file is missing meanwhile.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import tzinfo
from typing import NamedTuple

from ketapress.model.sample_post import SAMPLE_POST_HASHES
from ketapress.posts.identity.match import Matches
from ketapress.posts.identity.registry_entry import RegistryEntry
from ketapress.posts.identity.resemblance import Resemblance, ResemblanceIndex
from ketapress.posts.parsing.parse import ParsedPost


class Questions(NamedTuple):
    """Each post with its entry, and the open questions.

    `by_path` has the missing entries that a post may be, by the path of the post; `ids` are the ids of all of them.
    `missing` are the published entries that no post was taken for. `missing_new_entries` are those of new posts whose
    question is open and whose file is missing.
    """

    pairs: tuple[tuple[ParsedPost, RegistryEntry | None], ...]
    by_path: Mapping[str, tuple[RegistryEntry, ...]]
    ids: frozenset[str]
    missing: tuple[RegistryEntry, ...]
    missing_new_entries: tuple[RegistryEntry, ...]


def find_questions(
    matches: Matches, foreign_ids: frozenset[str], zone: tzinfo, *, is_first_build: bool
) -> Questions:
    """Take new posts for missing ones where that is certain, and ask where it is likely (`judge_resemblance`).

    It is certain where one new post and one missing post are the same by that rule, and no other post of the run is. A post that
    came with an id of another machine (`foreign_ids`) is new here.
    """
    published_missing = {entry.id: entry for entry in matches.missing if entry.published}
    asked_about = {
        post_id: entry
        for post_id, entry in published_missing.items()
        if not entry.gone and post_id not in foreign_ids and entry.sha256 not in SAMPLE_POST_HASHES
    }
    index = ResemblanceIndex(() if is_first_build else asked_about.values(), zone)
    similar_ids = {
        parsed_post.path: index.find_similar(parsed_post)
        for parsed_post, entry in matches.pairs
        if parsed_post.fields.id is None
        and (entry is None or entry.id in foreign_ids or (entry.held and not entry.question))
    }
    renamed = _find_renamed(
        {
            parsed_post.path: similar_ids.get(parsed_post.path, {})
            for parsed_post, entry in matches.pairs
            if entry is None or entry.id in foreign_ids
        }
        if asked_about
        else {}
    )
    for post_id in renamed.values():
        del asked_about[post_id]
    by_path: dict[str, tuple[RegistryEntry, ...]] = {}
    for parsed_post, entry in matches.pairs:
        if entry and entry.id in foreign_ids:
            continue  # another machine published it as a post of its own
        question = entry.question if entry and entry.held else ()
        ids = question or similar_ids.get(parsed_post.path, ())
        entries = tuple(asked_about[post_id] for post_id in ids if post_id in asked_about)
        if entries and parsed_post.fields.id is None and parsed_post.path not in renamed:
            by_path[parsed_post.path] = entries
    missing_new_entries = tuple(
        entry
        for entry in matches.missing
        if entry.held and not entry.published and any(post_id in asked_about for post_id in entry.question)
    )
    return Questions(
        pairs=tuple(
            (
                parsed_post,
                published_missing[renamed[parsed_post.path]] if parsed_post.path in renamed else entry,
            )
            for parsed_post, entry in matches.pairs
        ),
        by_path=by_path,
        ids=frozenset(
            [entry.id for entries in by_path.values() for entry in entries]
            + [post_id for entry in missing_new_entries for post_id in entry.question]
        ),
        missing=tuple(
            entry for post_id, entry in published_missing.items() if post_id not in set(renamed.values())
        ),
        missing_new_entries=missing_new_entries,
    )


def _find_renamed(similar_ids: Mapping[str, Mapping[str, Resemblance]]) -> dict[str, str]:
    """Return the ids of the missing posts that new posts certainly are, by the paths of the new posts."""
    same_ids = {path: _same_ids(judgments) for path, judgments in similar_ids.items()}
    counts = Counter(post_id for ids in same_ids.values() for post_id in ids)
    return {path: ids[0] for path, ids in same_ids.items() if len(ids) == 1 and counts[ids[0]] == 1}


def _same_ids(judgments: Mapping[str, Resemblance]) -> list[str]:
    return [post_id for post_id, judgment in judgments.items() if judgment is Resemblance.SAME]
