"""Answer a build at once where nothing that the last build read or wrote has changed since.

It compares the stamps of files and reads none of them; in doubt, a file counts as changed. Nothing is imported here that
takes time, and the stored answer is a flat file: this is all that most builds do.
"""

import os
import sys

from ketapress import __version__
from ketapress.system.file_stamp import is_fresh, program_stamps, stamp, tree_stamps

_FILE = ".ketapress/unchanged"
_PROGRAM = f"ketapress {__version__}, answer 2, Python {sys.version}"
_END = "."
_IDS = "posts/.published.jsonl"
_LOCAL_IDS = ".ketapress/published.jsonl"
_WRITTEN_INPUTS = frozenset({"posts", _IDS, _LOCAL_IDS})
"""Inputs that a build itself changes, when it sees a post for the first time."""


class CachedAnswer:
    """What a build says that finds nothing to do: its exit code, and its text on stderr and on stdout.

    `result` and `problems` are the members of the document that `--json` prints, as JSON; `zone` is the name of the time
    zone in which the document gives the time.
    """

    __slots__ = ("code", "errors", "lines", "problems", "result", "zone")

    def __init__(self, code: int, errors: str, lines: str, result: str, problems: str, zone: str) -> None:
        self.code = code
        self.errors = errors
        self.lines = lines
        self.result = result
        self.problems = problems
        self.zone = zone


class ValidityWindow:
    """When a build began and ended, and until when the same posts are visible, in seconds since 1970."""

    __slots__ = ("end", "start", "valid_until")

    def __init__(self, start: float, end: float, valid_until: float) -> None:
        self.start = start
        self.end = end
        self.valid_until = valid_until


def input_stamps(
    root: str, folders: tuple[str, ...], files: tuple[str, ...], known: dict[str, str]
) -> dict[str, str]:
    """Return the stamps of all that a build reads: these folders and files, under `root` or absolute, and the program.

    Call it before any of them is read. `known` are stamps that `cached_answer` looked up a moment ago.
    """
    stamps = program_stamps()
    for folder in folders:
        stamps |= tree_stamps(root, folder, known)
    return stamps | {file: stamp(_absolute(root, file)) for file in (*files, _IDS, _LOCAL_IDS)}


def save_answer(
    root: str,
    answer: CachedAnswer,
    window: ValidityWindow,
    inputs: dict[str, str],
    outputs: dict[str, str],
    environment: dict[str, str | None],
) -> None:
    """Store an answer that is valid while no input, no file that was written and no environment variable in use changes.

    `inputs` are stamps from before the inputs were read, so that what changed meanwhile is built next time. Where an input
    changed so recently that its next change might leave the same stamp, nothing is stored.
    """
    stamps = inputs | {path: stamp(_absolute(root, path)) for path in _WRITTEN_INPUTS}
    if not _will_show_changes(root, stamps, window):
        return
    parts = [_PROGRAM, root, repr(window.start), repr(window.valid_until)]
    parts += [str(answer.code), answer.zone, answer.errors, answer.lines, answer.result, answer.problems]
    parts += [" ".join(sorted(environment)), _environment_digest(environment)]
    parts += [part for pair in (stamps | outputs).items() for part in pair]
    _write(_absolute(root, _FILE), "\0".join([*parts, _END]))


def cached_answer(
    root: str, now: float, environ: dict[str, str], stamps: dict[str, str] | None = None
) -> CachedAnswer | None:
    """Return the answer at `now` (seconds) where nothing has changed; None where anything has, or is in doubt.

    The stamps that it looks up are added to `stamps`, by absolute paths.
    """
    stamps = {} if stamps is None else stamps
    try:
        program, stored_root, start, valid_until, code, zone, *rest = _read(_absolute(root, _FILE)).split(
            "\0"
        )
        errors, lines, result, problems, names, values, *pairs, end = rest
        is_valid = (program, stored_root, end) == (_PROGRAM, root, _END) and float(start) <= now < float(
            valid_until
        )
        answer = CachedAnswer(int(code), errors, lines, result, problems, zone)
        stored = zip(pairs[::2], pairs[1::2], strict=True)
        is_unchanged = is_valid and all(
            _look_up(_absolute(root, path), stamps) == stored_stamp for path, stored_stamp in stored
        )
    except (OSError, ValueError):
        return None
    if not is_unchanged or values != _environment_digest({name: environ.get(name) for name in names.split()}):
        return None
    return answer if all(map(_is_printable, (errors, lines, result, problems))) else None


def _look_up(file: str, stamps: dict[str, str]) -> str:
    stamps[file] = current = stamp(file)
    return current


def _will_show_changes(root: str, stamps: dict[str, str], window: ValidityWindow) -> bool:
    """Return whether every later change of an input changes a stamp.

    The build changed the stamp of `posts` itself, so the names in that folder are compared as well.
    """
    names = {f"posts/{name}" for name in _visible_names(_absolute(root, "posts"))}
    known = {path for path in stamps if path.startswith("posts/") and path.count("/") == 1} - _WRITTEN_INPUTS
    return names == known and not any(
        is_fresh(current, window.end if path in _WRITTEN_INPUTS else window.start)
        for path, current in stamps.items()
    )


def _visible_names(folder: str) -> list[str]:
    try:
        return [name for name in os.listdir(folder) if not name.startswith(".")]  # noqa: PTH208 - see file_stamp
    except OSError:
        return []


def _environment_digest(environment: dict[str, str | None]) -> str:
    """Return a digest of environment variables, which may be secrets; empty where there are none."""
    if not environment:
        return ""
    from hashlib import sha256  # noqa: PLC0415 - most publications use no variables

    return sha256(repr(sorted(environment.items())).encode(errors="backslashreplace")).hexdigest()


def _is_printable(text: str) -> bool:
    """Return whether a text has no control characters for the terminal: the folder may come from anybody."""
    return text.replace("\n", "").isprintable()


def _absolute(root: str, path: str) -> str:
    return path if path.startswith("/") else f"{root}/{path}"


def _read(file: str) -> str:
    with open(file, encoding="utf-8", errors="surrogateescape", newline="") as opened:  # noqa: PTH123 - see file_stamp
        return opened.read()


def _write(file: str, text: str) -> None:
    """Replace the file as a whole, readable by its owner alone: the digest of the environment might be guessed.

    Where that is impossible nothing is stored; the build itself is done.
    """
    from ketapress.system.atomic import write_atomic  # noqa: PLC0415 - a build that finds nothing changed writes nothing

    if os.path.islink(os.path.dirname(file)):  # noqa: PTH114, PTH120 - see file_stamp
        return
    try:
        write_atomic(file, text.encode(errors="surrogateescape"), mode=0o600)
    except (OSError, UnicodeEncodeError):
        return
