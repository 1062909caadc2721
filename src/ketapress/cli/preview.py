"""`ketapress preview`: what goes out next, by the code that sends it: on a page that follows, or as files."""

import os
import sys
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from ketapress.cli.decorators import Answer, Door, command, disk_problem
from ketapress.edition_service import EditionService
from ketapress.model.errors import ConfigurationError, KetapressError, Problem, UsageError
from ketapress.publication import Publication

if TYPE_CHECKING:
    from ketapress.check.preview import UpcomingEdition
    from ketapress.web.preview.watch import PreviewAttempt

_PORT = 8125


@command(
    "preview",
    "Show the next edition as it will be sent, on a page that follows what you write; nothing is decided or sent.",
    asks_time=True,
)
@click.argument("newsletter", required=False)
@click.option(
    "--serve/--no-serve",
    default=None,
    help="Serve a page, or write files and exit. By default a terminal gets the page.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), help=f"The page's port: {_PORT} by default, 0 for any free one."
)
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser.")
def preview(
    door: Door, newsletter: str | None, *, serve: bool | None, port: int | None, opens: bool
) -> Answer:
    asked = serve or port is not None or opens
    if asked and (door.as_json or serve is False):
        raise UsageError(_CONTRADICTION)
    if asked or (serve is None and sys.stdout.isatty() and not door.as_json):
        return _served(door, newsletter, _PORT if port is None else port, opens=opens)
    return _written(door, newsletter)


_CONTRADICTION = Problem(
    code="usage.preview",
    message="--json and --no-serve write files and exit; --serve, --port and --open are for a page that stays.",
    cure="Leave one of them out.",
)


def _written(door: Door, newsletter: str | None) -> Answer:
    """The files of each edition, below `.ketapress/preview/`."""
    from ketapress.check.preview import preview_newsletter as preview_of

    publication = door.publication
    library = publication.load_library(door.now, save_ids=False)
    lines, editions, problems = [], [], list(library.problems)
    for each in publication.newsletters(newsletter):
        coming = preview_of(publication.compose_context, each, library.posts, door.now).upcoming
        if coming is None:
            lines.append(
                f"{each.name}: nothing new by its next slot; `ketapress outbox list` shows what is composed."
            )
            continue
        folder = EditionService(publication).write_preview(coming.composed_edition)
        editions.append(_previewed(coming) | {"folder": str(folder)})
        problems += coming.composed_edition.problems
        lines += [*_lines(door, coming, each.max_bytes), f"  Open {folder / 'digest.html'} in a browser."]
    return Answer({"editions": editions}, lines, problems)


def _previewed(coming: "UpcomingEdition") -> dict[str, object]:
    made = coming.composed_edition
    return {
        "edition": made.edition.slot.edition,
        "state": str(made.state),
        "subject": made.digest.subject,
        "posts": [post.id for post in made.edition.posts],
        "bytes": made.digest.sizes["html"],
    }


def _lines(door: Door, coming: "UpcomingEdition", most: int) -> list[str]:
    made, sizes = coming.composed_edition, coming.composed_edition.digest.sizes
    slot = made.edition.slot
    return [
        f"{slot.edition}: “{made.digest.subject}”",
        f"  due {door.day(slot.at, door.zone_of(slot.newsletter))}; {made.state}{made.reason and f': {made.reason}'}.",
        (
            f"  {sizes['html']:,} of {most:,} bytes ({sizes['html'] / most:.0%}); text {sizes['text']:,}; "
            f"message {sizes['message']:,}."
        ),
        *(f"  {item.display:<8}  {item.post.title}" for item in made.edition.items),
        *(f"  left out  {post.title}" for post in made.edition.overflow),
    ]


def _served(door: Door, newsletter: str | None, port: int, *, opens: bool) -> Answer:
    """A page on this machine, until Ctrl-C."""
    from ketapress.web.preview.app import create_preview_app
    from ketapress.web.preview.server import open_local_socket, serve
    from ketapress.web.preview.watch import PreviewWatcher
    from ketapress.web.server import get_url

    publication = door.publication  # a wrong setting ends the start here, with exit code 78
    publication.newsletters(newsletter)
    watcher = PreviewWatcher(
        lambda: _made(door, newsletter), EditionService(publication).preview_stamps, door.clock
    )
    with open_local_socket(port) as listener:
        address = f"{get_url(listener)}/"
        click.echo(f"{address} shows what goes out next, and follows what you write. Ctrl-C ends it.")
        if opens:
            click.launch(address)
        serve(create_preview_app(watcher, publication.render_template), watcher, listener)
    return Answer({}, silent=True)


def _made(door: Door, newsletter: str | None) -> "PreviewAttempt":
    """One try, from the settings on, for they may have changed too. What is wrong is a value: the page shows it."""
    from ketapress.web.preview.watch import PreviewAttempt

    now = door.clock()
    try:
        with closing(Publication(door.root, os.environ)) as publication:
            return _tried(publication, newsletter, now)
    except KetapressError as error:
        return PreviewAttempt(created_at=now.astimezone(door.zone), problems=error.problems)
    except OSError as error:
        return PreviewAttempt(created_at=now.astimezone(door.zone), problems=(disk_problem(error),))


def _tried(publication: Publication, newsletter: str | None, now: datetime) -> "PreviewAttempt":
    from ketapress.check.preview import preview_newsletter as preview_of
    from ketapress.web.preview.watch import PreviewAttempt

    library = publication.load_library(now, save_ids=False)
    previews, problems = {}, list(library.problems)
    newsletters = publication.newsletters(newsletter)
    for each in newsletters:
        try:
            previews[each.name] = preview_of(publication.compose_context, each, library.posts, now)
        except ConfigurationError as error:
            problems += error.problems
    return PreviewAttempt(
        created_at=now.astimezone(ZoneInfo(publication.settings.site.timezone)),
        site_title=publication.settings.site.title,
        newsletter_names=tuple(each.name for each in newsletters),
        previews=previews,
        problems=tuple(dict.fromkeys(problems)),
    )
