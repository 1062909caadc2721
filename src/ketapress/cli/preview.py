"""`ketapress preview`: the next edition, rendered by the code that sends it, on a live page or as files."""

import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from ketapress.cli.context import CommandContext, CommandResult, disk_problem
from ketapress.cli.decorators import command
from ketapress.edition_service import EditionService
from ketapress.model.errors import ConfigurationError, KetapressError, Problem, UsageError
from ketapress.publication import Publication

if TYPE_CHECKING:
    from ketapress.compose import ComposedEdition
    from ketapress.web.preview.watch import PreviewAttempt

_PORT = 8125


@command(
    "preview",
    "Show the next edition as it will be sent. Its page updates as you write; nothing is decided or sent.",
    asks_time=True,
)
@click.argument("newsletter", required=False)
@click.option(
    "--serve/--no-serve",
    "serves",
    default=None,
    help="Serve a page, or write files and exit. By default, a page is served on a terminal only.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), help=f"The page's port (default: {_PORT}; 0: any free port)."
)
@click.option("--open", "opens_browser", is_flag=True, help="Open the page in a browser.")
def preview(
    context: CommandContext,
    newsletter: str | None,
    *,
    serves: bool | None,
    port: int | None,
    opens_browser: bool,
) -> CommandResult:
    wants_page = serves or port is not None or opens_browser
    if wants_page and (context.as_json or serves is False):
        message = "--json and --no-serve write files and exit; --serve, --port, and --open serve a page."
        raise UsageError(Problem(code="usage.preview", message=message, cure="Leave one of them out."))
    if wants_page or (serves is None and sys.stdout.isatty() and not context.as_json):
        return _serve_page(context, newsletter, _PORT if port is None else port, opens_browser=opens_browser)
    return _write_files(context, newsletter)


def _write_files(context: CommandContext, name: str | None) -> CommandResult:
    """Write the files of each edition below `.ketapress/preview/`."""
    from ketapress.check.preview import preview_newsletter

    publication = context.publication
    library = publication.load_library(context.now, save_ids=False)
    lines, editions, problems = [], [], list(library.problems)
    for newsletter in publication.newsletters(name):
        upcoming = preview_newsletter(
            publication.compose_context, newsletter, library.posts, context.now
        ).upcoming
        if upcoming is None:
            lines.append(
                f"{newsletter.name}: no new posts for the next edition. `ketapress outbox list` shows composed editions."
            )
            continue
        edition = upcoming.composed_edition
        folder = EditionService(publication).write_preview(edition)
        editions.append(
            {
                "edition": edition.edition.slot.edition,
                "state": str(edition.state),
                "subject": edition.digest.subject,
                "posts": [post.id for post in edition.edition.posts],
                "bytes": edition.digest.sizes["html"],
                "folder": str(folder),
            }
        )
        problems += edition.problems
        lines += _edition_lines(context, edition, newsletter.max_bytes)
        lines.append(f"  Open {folder / 'digest.html'} in a browser.")
    return CommandResult({"editions": editions}, lines, problems)


def _edition_lines(context: CommandContext, edition: "ComposedEdition", max_bytes: int) -> list[str]:
    slot, sizes = edition.edition.slot, edition.digest.sizes
    send_time = context.format_time(slot.at, context.newsletter_zone(slot.newsletter))
    html_size = f"HTML {sizes['html']:,} of {max_bytes:,} bytes ({sizes['html'] / max_bytes:.0%})"
    return [
        f"{slot.edition}: “{edition.digest.subject}”",
        f"  Send time: {send_time}. State: {edition.state}{edition.reason and f' ({edition.reason})'}.",
        f"  {html_size}, text {sizes['text']:,} bytes, message {sizes['message']:,} bytes.",
        *(f"  {item.display:<8}  {item.post.title}" for item in edition.edition.items),
        *(f"  left out  {post.title}" for post in edition.edition.overflow),
    ]


def _serve_page(
    context: CommandContext, newsletter: str | None, port: int, *, opens_browser: bool
) -> CommandResult:
    """Serve a page on this machine until Ctrl-C."""
    from ketapress.web.preview.app import create_preview_app
    from ketapress.web.preview.server import open_local_socket, serve
    from ketapress.web.preview.watch import PreviewWatcher
    from ketapress.web.server import get_url

    publication = context.publication  # a wrong setting ends the command here, with exit code 78
    publication.newsletters(newsletter)
    watch = PreviewWatcher(
        lambda: _make_previews(context, newsletter), EditionService(publication).preview_stamps, context.clock
    )
    with open_local_socket(port) as listener:
        address = f"{get_url(listener)}/"
        click.echo(f"{address} shows the next edition and updates as you write. Press Ctrl-C to stop.")
        if opens_browser:
            click.launch(address)
        serve(create_preview_app(watch, publication.render_template), watch, listener)
    return CommandResult({}, silent=True)


def _make_previews(context: CommandContext, name: str | None) -> "PreviewAttempt":
    """Read everything again, settings included, and make all previews; the page shows errors as problems."""
    from ketapress.check.preview import preview_newsletter
    from ketapress.web.preview.watch import PreviewAttempt

    now = context.clock()
    try:
        with closing(Publication(context.root, os.environ)) as publication:
            library = publication.load_library(now, save_ids=False)
            newsletters = publication.newsletters(name)
            previews, problems = {}, list(library.problems)
            for newsletter in newsletters:
                try:
                    preview = preview_newsletter(publication.compose_context, newsletter, library.posts, now)
                    previews[newsletter.name] = preview
                except ConfigurationError as error:
                    problems += error.problems
            site = publication.settings.site
            return PreviewAttempt(
                created_at=now.astimezone(ZoneInfo(site.timezone)),
                site_title=site.title,
                newsletter_names=tuple(newsletter.name for newsletter in newsletters),
                previews=previews,
                problems=tuple(dict.fromkeys(problems)),
            )
    except KetapressError as error:
        return PreviewAttempt(created_at=now.astimezone(context.zone), problems=error.problems)
    except OSError as error:
        return PreviewAttempt(created_at=now.astimezone(context.zone), problems=(disk_problem(error),))
