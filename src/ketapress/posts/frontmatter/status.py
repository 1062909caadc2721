"""Whether a header withholds its post: draft, on hold, or what other tools would show to some readers only.

A switch that cannot be read counts as on: it is safer to withhold a post than to send it.
"""

from collections.abc import Mapping

from ketapress.model.errors import Problem, Severity
from ketapress.posts.frontmatter.values import Value, invalid_value, parse_flag, to_text

_PUBLIC_STATES = {
    *("published", "publish", "public", "scheduled", "future", "sent", "final", "live", "done", "ready"),
    *("approved", "featured"),
}
_DRAFT_STATES = {
    *("draft", "hidden", "skip", "unlisted", "private", "pending", "review", "idea", "trash", "archived"),
}
_DRAFT_SWITCHES = ("draft", "isdraft", "is_draft")
_PUBLIC_SWITCHES = ("published", "publish", "render", "permalink")
"""Switches whose `false` means draft: in Jekyll, VuePress and Zola, and Eleventy's page without a file."""
_AUDIENCE_SWITCHES = ("private", "hidden", "unlisted", "headless", "eleventyexcludefromcollections")
_BUILD_OPTIONS = ("build", "_build")
_EXCLUSION_VALUES = {"never", "false", "link"}
_BUILD_EXCLUSIONS = {"render": _EXCLUSION_VALUES, "list": _EXCLUSION_VALUES - {"link"}}
"""Hugo's build options, and their values for a page that is not built or not listed."""


def is_draft(header: Mapping[str, Value], problems: list[Problem]) -> bool:
    """Whether the post is a draft in any of the tools. The names are in lower case; warnings are appended."""
    if _is_draft_state(header, problems):
        return True
    if any(_is_switch_on(header, name, problems) for name in _DRAFT_SWITCHES):
        return True
    if any(parse_flag(header.get(name)) is False for name in _PUBLIC_SWITCHES):
        return True
    return _has_limited_audience(header, problems)


def is_on_hold(header: Mapping[str, Value], problems: list[Problem]) -> bool:
    """Whether the post waits for a person to release it. Warnings are appended."""
    return _is_switch_on(header, "hold", problems)


def _is_draft_state(header: Mapping[str, Value], problems: list[Problem]) -> bool:
    """Whether `status` or `visibility` is that of a draft, or unknown."""
    name = "status" if header.get("status") else "visibility"
    value = header.get(name)
    state = to_text(value[0] if isinstance(value, list) and value else value).lower()
    if not state or state in _PUBLIC_STATES:
        return False
    if state not in _DRAFT_STATES:
        problems.append(
            invalid_value(name, state, "so the post is treated as a draft", "Write `draft` or `published`.")
        )
    return True


def _has_limited_audience(header: Mapping[str, Value], problems: list[Problem]) -> bool:
    """Whether another tool would show the post to some readers only, which Ketapress cannot do."""
    name = next((name for name in _AUDIENCE_SWITCHES if parse_flag(header.get(name))), "")
    name = name or _find_build_exclusion(header) or ("password" if to_text(header.get("password")) else "")
    if name:
        problems.append(
            Problem(
                code="post.header-value",
                severity=Severity.WARNING,
                message=f"`{name}` limits who sees the post. Ketapress shows every post to all readers, "
                "so it is treated as a draft.",
                cure=f"Remove `{name}` from the header to publish it.",
            )
        )
    return bool(name)


def _find_build_exclusion(header: Mapping[str, Value]) -> str:
    """Return the build option that keeps Hugo from building or listing the page; empty where there is none."""
    for table in _BUILD_OPTIONS:
        options = header.get(table)
        if isinstance(options, dict):
            for name, exclusions in _BUILD_EXCLUSIONS.items():
                if to_text(options.get(name)).lower() in exclusions:
                    return f"{table}.{name}"
    return ""


def _is_switch_on(header: Mapping[str, Value], name: str, problems: list[Problem]) -> bool:
    value = header.get(name)
    if value is None or to_text(value) == "":
        return bool(value) and not isinstance(value, str)  # a list or a mapping counts as on
    state = parse_flag(value)
    if state is None:
        problems.append(
            invalid_value(name, to_text(value), "so it is treated as true", "Write `true` or `false`.")
        )
    return state is not False
