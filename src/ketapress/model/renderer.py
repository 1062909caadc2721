"""How packages render templates without knowing where templates come from."""

from collections.abc import Mapping
from typing import Any, Protocol


class Renderer(Protocol):
    """Renders the template of a name (`archive/post.html`). Raises `ConfigurationError` with file and line."""

    def __call__(self, name: str, values: Mapping[str, Any]) -> str: ...
