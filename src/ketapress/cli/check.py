"""`ketapress check`: list all problems, each with its fix."""

from ketapress.cli.context import CommandContext, CommandResult, format_count
from ketapress.cli.decorators import command
from ketapress.model.errors import Severity


@command("check", "List all problems in posts, templates, and settings.", asks_time=True)
def check(context: CommandContext) -> CommandResult:
    from ketapress.check.problems import collect_problems

    publication = context.publication
    library = publication.load_library(context.now, save_ids=False)
    problems = collect_problems(publication.compose_context, library.posts, library.problems, context.now)
    error_paths = {
        problem.path for problem in library.problems if problem.severity is Severity.ERROR and problem.path
    }
    data = {"files": library.files, "posts": len(library.posts), "problem_files": len(error_paths)}
    counts = f"{format_count(library.files, 'file')}: {format_count(len(library.posts), 'post')}"
    if error_paths:
        counts += f", {format_count(len(error_paths), 'file')} with errors"
    return CommandResult(data, [f"{counts}." if problems else f"{counts}. No problems found."], problems)
