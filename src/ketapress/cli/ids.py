"""`ketapress ids`: the ids of posts."""

import click

from ketapress.cli.context import CommandContext, CommandResult
from ketapress.cli.decorators import command
from ketapress.posts.identity.registry_text import TRACKED_REGISTRY


@command("ids save", f"Write the ids that this machine learned into {TRACKED_REGISTRY}.", writes=True)
def save(context: CommandContext) -> CommandResult:
    publication = context.publication
    with publication.exclusive_lock("publish"):
        count, is_changed = publication.save_tracked_ids(dry_run=context.dry_run)
    data = {"path": TRACKED_REGISTRY, "posts": count, "changed": is_changed, "dry_run": context.dry_run}
    if not is_changed:
        return CommandResult(data, [f"{TRACKED_REGISTRY} contains all known ids; nothing was written."])
    posts, verb = f"{count} post{'' if count == 1 else 's'}", "would be" if context.dry_run else "were"
    return CommandResult(data, [f"The ids of {posts} {verb} written to {TRACKED_REGISTRY}. Commit the file."])


ids = click.Group("ids", [save], help=f"Write the ids that this machine learned into {TRACKED_REGISTRY}.")
