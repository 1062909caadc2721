"""Render the templates of a publication: its own in `templates/` come before the shipped ones.

An error is a `ConfigurationError` that names the template's file and line. Templates cannot call the program: they run in
Jinja's immutable sandbox, and undefined names are errors.
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
    select_autoescape,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

from ketapress import __version__
from ketapress.model.errors import ConfigurationError, Problem
from ketapress.templates.filters import (
    dated_filter,
    day_filter,
    isoformat_filter,
    month_filter,
    spoken_filter,
    year_filter,
)
from ketapress.templates.lang_attributes import speech_filter
from ketapress.templates.post_lists import shelves_filter
from ketapress.templates.sources import template_folders

# Raised by expressions of a template (`{{ 1 / 0 }}`, `{{ posts[0] }}` without posts, `{{ "a" + 1 }}`), or by its file.
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
_MAX_LINE_LENGTH = 998  # characters of a line of a message (RFC 5322, 2.1.1)
# `range` and `lipsum` can use up all memory; the shipped templates do not need them.
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
_CURE = "Correct it, or remove the file to use the shipped template; `ketapress check` renders all templates."


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, with direct access to fields of named tuples, which are safe: its checks take most of a page's time.

    Methods and all other attributes are checked as usual.
    """

    def getattr(self, obj: Any, attribute: str) -> Any:
        if attribute in getattr(type(obj), "_fields", ()):
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return a field directly: `sort(attribute="date")` reads one of every post this way."""
        if argument.__class__ is str and argument in getattr(type(obj), "_fields", ()):
            return getattr(obj, argument)
        return super().getitem(obj, argument)


class Templates:
    """The templates of one publication, as a `Renderer`. Each file is read once: create another object to see changes."""

    def __init__(self, root: Path) -> None:
        self._folders = template_folders(root)
        loader = ChoiceLoader([FileSystemLoader(folder) for folder in self._folders])
        self._environment = _Sandbox(
            loader=loader,
            autoescape=select_autoescape(("html", "xml"), default_for_string=False),
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
        """Render the template of that name (`archive/post.html`). Raises `ConfigurationError`."""
        try:
            return self._environment.get_template(name).render(values)
        except _RENDER_ERRORS as error:
            raise ConfigurationError(self._make_problem(error, name)) from error

    def render_line(self, source: str, values: Mapping[str, Any], setting: str) -> str:
        """Render a template of the settings to one line of plain text. `setting` names it in errors."""
        try:
            line = " ".join(self._environment.from_string(source).render(values).split())
            if len(line) > _MAX_LINE_LENGTH:
                raise ValueError(f"the result is longer than {_MAX_LINE_LENGTH} characters")
        except _RENDER_ERRORS as error:
            message = f"The template in `{setting}` cannot be rendered: {_error_text(error)}."
            cure = "Correct that setting in ketapress.toml."
            raise ConfigurationError(Problem(code="template.line", message=message, cure=cure)) from error
        return line

    def _make_problem(self, error: Exception, template_name: str) -> Problem:
        if isinstance(error, TemplateNotFound) and error.name == template_name:
            return Problem(
                code="template.missing",
                message=f"There is no template {template_name}.",
                cure="Install Ketapress again: a shipped template is missing.",
                path=f"templates/{template_name}",
            )
        name, line = self._locate(error)
        code = "template.syntax" if isinstance(error, TemplateSyntaxError) else "template.fault"
        message = f"The template cannot be rendered: {_error_text(error)}."
        return Problem(
            code=code, message=message, cure=_CURE, path=f"templates/{name or template_name}", line=line
        )

    def _locate(self, error: Exception) -> tuple[str | None, int | None]:
        """Return the template's name and line: from the parser, else from the innermost frame of a template."""
        if isinstance(error, TemplateSyntaxError):
            return error.name, error.lineno
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            for folder in self._folders:
                if Path(frame.filename).is_relative_to(folder):
                    return Path(frame.filename).relative_to(folder).as_posix(), frame.lineno
        return None, None


def _bytecode_cache() -> FileSystemBytecodeCache | None:
    """Return a cache of compiled templates in a private folder of the user; None where there can be none.

    Compiling the site's templates takes 50 ms. The cache is never in the publication: a folder from elsewhere must not
    bring code with it.
    """
    try:
        return FileSystemBytecodeCache(pattern=f"__ketapress_{__version__}_%s.cache")
    except (OSError, RuntimeError):  # there is no such folder, or other users may write to it
        return None


def _error_text(error: Exception) -> str:
    """Return the text of an error on one line, without a period at its end."""
    text = " ".join(str(error).split()).rstrip(".")
    return text or type(error).__name__
