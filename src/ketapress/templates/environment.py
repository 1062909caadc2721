"""The templates of a publication: its own in `templates/`, and the shipped ones behind them.

In: a name and values. Out: text, or a `ConfigurationError` that names the template's file and line. It never lets a
template call back into the program: the sandbox is Jinja's immutable one, and what is undefined is a fault.
"""

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ketapress import __version__
from ketapress.i18n.schedules import spoken_filter
from ketapress.model.errors import ConfigurationError, Problem
from ketapress.templates.filters import dated_filter, day_filter, isoformat_filter, month_filter, year_filter
from ketapress.templates.lang_attributes import speech_filter
from ketapress.templates.post_lists import shelves_filter
from ketapress.templates.sources import template_folders

# What an expression of a template can raise (`{{ 1 / 0 }}`, `{{ posts[0] }}` of none, `{{ "a" + 1 }}`), and its file.
_RENDER_ERRORS = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)
_ESCAPED_SUFFIXES = (".html", ".xml")
_MAX_LINE_LENGTH = 998  # characters: what a line of a message may hold (RFC 5322, 2.1.1)
# `range` and `lipsum` are asked to make things as large as the template says; nothing shipped needs them.
_REMOVED_GLOBALS = ("range", "lipsum")
_FILTERS = {
    "dated": dated_filter,
    "day": day_filter,
    "isoformat": isoformat_filter,
    "month": month_filter,
    "shelves": shelves_filter,
    "speech": speech_filter,
    "spoken": spoken_filter,
    "year": year_filter,
}
_CURE = (
    "Mend it, or remove the file to use the shipped template of that name; `ketapress check` tries them all."
)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, which looks up a field of a value of ours at once: its checks take most of a page's time.

    Fields of named tuples are what a template is meant to read; methods, and whatever is not ours, go the long way.
    """

    def getattr(self, obj: Any, attribute: str) -> Any:
        if attribute in getattr(type(obj), "_fields", ()):
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """As above: `sort(attribute="date")` asks here for a field of every post."""
        if argument.__class__ is str and argument in getattr(type(obj), "_fields", ()):
            return getattr(obj, argument)
        return super().getitem(obj, argument)


class Templates:
    """The templates of one publication; a `Renderer`. Reads each file once: make another to see changes."""

    def __init__(self, root: Path) -> None:
        self._folders = template_folders(root)
        loader = ChoiceLoader([FileSystemLoader(folder) for folder in self._folders])
        self._environment = _Sandbox(
            loader=loader,
            autoescape=_is_escaped,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
            bytecode_cache=_bytecode_cache(),
        )
        self._environment.filters.update(_FILTERS)
        for name in _REMOVED_GLOBALS:
            del self._environment.globals[name]

    def __call__(self, name: str, values: Mapping[str, Any]) -> str:
        """The template of that name (`archive/post.html`), filled. Raises `ConfigurationError`."""
        try:
            return self._environment.get_template(name).render(values)
        except _RENDER_ERRORS as error:
            raise ConfigurationError(self._make_problem(error, name)) from error

    def render_line(self, source: str, values: Mapping[str, Any], setting: str) -> str:
        """A template from the settings, filled: plain text on one line. `where` names the setting for its faults."""
        try:
            line = " ".join(self._environment.from_string(source).render(values).split())
            if len(line) > _MAX_LINE_LENGTH:
                raise ValueError(f"what comes of it is longer than {_MAX_LINE_LENGTH} characters")
        except _RENDER_ERRORS as error:
            message = f"The template in `{setting}` cannot be filled: {_error_text(error)}."
            raise ConfigurationError(
                Problem(code="template.line", message=message, cure="Mend that setting in ketapress.toml.")
            ) from error
        return line

    def _make_problem(self, error: Exception, template_name: str) -> Problem:
        if isinstance(error, TemplateNotFound) and error.name == template_name:
            return Problem(
                code="template.missing",
                message=f"There is no template of the name {template_name}.",
                cure="Install Ketapress again: a shipped template is gone.",
                path=f"templates/{template_name}",
            )
        name, line = self._locate(error)
        code = "template.syntax" if isinstance(error, TemplateSyntaxError) else "template.fault"
        message = f"The template cannot be filled: {_error_text(error)}."
        return Problem(
            code=code, message=message, cure=_CURE, path=f"templates/{name or template_name}", line=line
        )

    def _locate(self, error: Exception) -> tuple[str | None, int | None]:
        """The template's name and line: what the parser says, else the innermost frame that Jinja put there."""
        if isinstance(error, TemplateSyntaxError):
            return error.name, error.lineno
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            for folder in self._folders:
                if Path(frame.filename).is_relative_to(folder):
                    return Path(frame.filename).relative_to(folder).as_posix(), frame.lineno
        return None, None


def _bytecode_cache() -> FileSystemBytecodeCache | None:
    """Where compiled templates are kept for the next process: a folder of the user's own below the system's for such things.

    To compile the archive's takes 50 ms. Never in the publication: what comes with a folder is no program of ours.
    """
    try:
        return FileSystemBytecodeCache(pattern=f"__ketapress_{__version__}_%s.cache")
    except (OSError, RuntimeError):  # there is no such folder, or somebody else may write there
        return None


def _is_escaped(name: str | None) -> bool:
    return name is not None and name.endswith(_ESCAPED_SUFFIXES)


def _error_text(error: Exception) -> str:
    """What the fault says, without a full stop, in one line."""
    text = " ".join(str(error).split()).rstrip(".")
    return text or type(error).__name__
