"""Act: says again what the last build said, where nothing that it read or made has changed since.

In: the publication folder, the moment, the environment. Out: what to say, or None, and then somebody has to build. It
compares the stamps of files and never looks into one; what is doubtful counts as changed. At the top are only modules
that Python has loaded anyway: this is all that most builds do.
"""

import os
import sys

from ketapress import __version__
from ketapress.system.file_stamp import is_fresh, program_stamps, stamp, tree_stamps

_FILE = ".ketapress/unchanged"
_PROGRAM = f"ketapress {__version__}, Python {sys.version}"
_END = "."
_RECORDS = "posts/.published.jsonl"
_OWN = frozenset({"posts", _RECORDS})
"""What a build itself changes of what it reads, when it sees a post for the first time."""


class Saying:
    """What a build says that finds nothing to do: its exit code, what it is asked to say on stderr and on stdout.

    `document` is the answer for scripts, in two halves: between them stands the moment, in the zone of that name.
    """

    __slots__ = ("code", "document", "errors", "lines", "zone")

    def __init__(self, code: int, errors: str, lines: str, document: tuple[str, str], zone: str) -> None:
        self.code = code
        self.errors = errors
        self.lines = lines
        self.document = document
        self.zone = zone


class Span:
    """When a build began, when it was done, and until when the same posts can be seen, in seconds since 1970."""

    __slots__ = ("began", "done", "until")

    def __init__(self, began: float, done: float, until: float) -> None:
        self.began = began
        self.done = done
        self.until = until


def inputs(
    root: str, folders: tuple[str, ...], files: tuple[str, ...], seen: dict[str, str]
) -> dict[str, str]:
    """The stamps of all that a build reads: these folders and files, under `root` or absolute, and its own program.

    To be called before the first of them is read. `seen` are those of a moment ago, as `recalled` found them.
    """
    stamps = program_stamps()
    for folder in folders:
        stamps |= tree_stamps(root, folder, seen)
    return stamps | {file: stamp(_place(root, file)) for file in (*files, _RECORDS)}


def remember(
    root: str,
    saying: Saying,
    span: Span,
    before: dict[str, str],
    made: dict[str, str],
    environment: dict[str, str | None],
) -> None:
    """Keeps what is to be said as long as nothing changes: no input, no file that was made, no variable that was used.

    The inputs are kept as they were before they were read, so what changed meanwhile will be built. Where one changed so
    lately that its next change might not show, nothing is kept.
    """
    now = before | {path: stamp(_place(root, path)) for path in _OWN}
    if not _settled(root, now, span):
        return
    head = [_PROGRAM, root, repr(span.began), repr(span.until), str(saying.code), saying.zone]
    said = [saying.errors, saying.lines, *saying.document]
    used = [" ".join(sorted(environment)), _hidden(environment)]
    stamps = [part for pair in (now | made).items() for part in pair]
    _write(_place(root, _FILE), "\0".join([*head, *said, *used, *stamps, _END]))


def recalled(
    root: str, now: float, environ: dict[str, str], seen: dict[str, str] | None = None
) -> Saying | None:
    """What to say at `now` (seconds) where nothing has changed; None where anything has, or nobody knows.

    The stamps that it looked at are added to `seen`, by places.
    """
    seen = {} if seen is None else seen
    try:
        program, place, began, until, code, zone, *rest = _read(_place(root, _FILE)).split("\0")
        errors, lines, before, after, names, values, *stamps, end = rest
        holds = (program, place, end) == (_PROGRAM, root, _END) and float(began) <= now < float(until)
        saying = Saying(int(code), errors, lines, (before, after), zone)
        known = zip(stamps[::2], stamps[1::2], strict=True)
        unchanged = holds and all(_looked(_place(root, path), seen) == then for path, then in known)
    except (OSError, ValueError):
        return None
    if not unchanged or values != _hidden({name: environ.get(name) for name in names.split()}):
        return None
    return saying if all(map(_is_sayable, (errors, lines, before, after))) else None


def _looked(place: str, seen: dict[str, str]) -> str:
    seen[place] = found = stamp(place)
    return found


def _settled(root: str, stamps: dict[str, str], span: Span) -> bool:
    """Whether every later change will show: also what came to `posts` itself while the build changed its stamp."""
    there = {f"posts/{name}" for name in _names(_place(root, "posts"))}
    known = {path for path in stamps if path.startswith("posts/") and path.count("/") == 1} - _OWN
    return there == known and not any(
        is_fresh(found, span.done if path in _OWN else span.began) for path, found in stamps.items()
    )


def _names(place: str) -> list[str]:
    try:
        return [name for name in os.listdir(place) if not name.startswith(".")]  # noqa: PTH208 - see stamps
    except OSError:
        return []


def _hidden(environment: dict[str, str | None]) -> str:
    """The values of variables, so that they can be compared and not be read; nothing where there are none."""
    if not environment:
        return ""
    from hashlib import sha256  # noqa: PLC0415 - most publications use no variables

    return sha256(repr(sorted(environment.items())).encode(errors="backslashreplace")).hexdigest()


def _is_sayable(text: str) -> bool:
    """Whether a terminal shows it as it is: the folder may come from anybody."""
    return text.replace("\n", "").isprintable()


def _place(root: str, path: str) -> str:
    return path if path.startswith("/") else f"{root}/{path}"


def _read(place: str) -> str:
    with open(place, encoding="utf-8", errors="surrogateescape", newline="") as file:  # noqa: PTH123 - see stamps
        return file.read()


def _write(place: str, text: str) -> None:
    """Whole or not at all, and for its owner alone: what is hidden in it may be worth guessing.

    What cannot be written is not remembered; the build itself is done.
    """
    from ketapress.system.atomic import write_atomic  # noqa: PLC0415 - a build that finds nothing changed writes nothing

    if os.path.islink(os.path.dirname(place)):  # noqa: PTH114, PTH120 - see stamps
        return
    try:
        write_atomic(place, text.encode(errors="surrogateescape"), mode=0o600)
    except (OSError, UnicodeEncodeError):
        return
