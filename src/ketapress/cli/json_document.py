"""The document that `--json` prints, in parts. It imports nothing, because a no-change build needs it."""

_SCHEMA = 1


def document_parts(command: str, at: str, problems: str) -> tuple[str, str]:
    """Return the text before and after the result. Arguments are JSON: `"build"`, `"2023-06-12T09:00:00+02:00"`."""
    return (
        f'{{"schema": {_SCHEMA}, "command": {command}, "at": {at}, "result": ',
        f', "problems": {problems}}}',
    )
