"""`ketapress ids`: the ids of posts."""

from ketapress.cli.context import CommandContext, CommandResult
from ketapress.cli.decorators import command, group
from ketapress.posts.identity.registry_text import TRACKED_REGISTRY


@command(
    "ids save", f"Write the ids that this machine learned into {TRACKED_REGISTRY}, to commit it.", writes=True
)
def save(context: CommandContext) -> CommandResult:
    publication = context.publication
    with publication.exclusive_lock("publish"):
        count, is_changed = publication.save_tracked_ids(dry_run=context.dry_run)
    result = {"path": TRACKED_REGISTRY, "posts": count, "changed": is_changed, "dry_run": context.dry_run}
    if not is_changed:
        return CommandResult(
            result, [f"{TRACKED_REGISTRY} has all ids that are known here; nothing is written."]
        )
    verb = "would be written" if context.dry_run else "are written"
    return CommandResult(
        result,
        [f"The ids of {count} post{'' if count == 1 else 's'} {verb} into {TRACKED_REGISTRY}; commit it."],
    )


ids = group(
    "ids", "Write the ids of posts that this machine learned into the file that is committed.", [save]
)
