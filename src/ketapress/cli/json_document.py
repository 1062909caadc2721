"""The document that `--json` prints, in parts. It is quick to import: a build that finds nothing changed needs it, too."""

_SCHEMA = 1


def document_parts(command: str, at: str, problems: str) -> tuple[str, str]:
    """Return what stands before and after the result. All texts are JSON: `"build"`, `"2023-06-12T09:00:00+02:00"`."""
    return (
        f'{{"schema": {_SCHEMA}, "command": {command}, "at": {at}, "result": ',
        f', "problems": {problems}}}',
    )
