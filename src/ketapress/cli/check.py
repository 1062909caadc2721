"""`ketapress check`: everything that is wrong, and what to do about it."""

from ketapress.cli.decorators import Answer, Door, command
from ketapress.model.errors import Severity


@command("check", "Name everything that is wrong with posts, templates and settings.", asks_time=True)
def check(door: Door) -> Answer:
    from ketapress.check.problems import collect_problems

    publication = door.publication
    library = publication.load_library(door.now, save_ids=False)
    problems = collect_problems(publication.compose_context, library.posts, library.problems, door.now)
    broken = {each.path for each in library.problems if each.severity is Severity.ERROR and each.path}
    result = {"files": library.files, "posts": len(library.posts), "problem_files": len(broken)}
    counts = f"{library.files} files: {len(library.posts)} posts, {len(broken)} with problems."
    return Answer(result, [counts if problems else f"{counts} Nothing to mend."], problems)
