"""What a room is handed to fill templates with, without knowing where they come from."""

from collections.abc import Mapping
from typing import Any, Protocol


class Fill(Protocol):
    """Fills the template of that name (`archive/post.html`) with values. Raises `ConfigurationError` with file and line."""

    def __call__(self, name: str, values: Mapping[str, Any]) -> str: ...
