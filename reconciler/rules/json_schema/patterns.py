"""Patterns by RE2, their one home: matched in time linear in the text, whatever they are."""

from functools import lru_cache
from typing import Any, Final

MAX_PATTERN: Final = 1_000  # characters
_MEMORY: Final = 1 << 20  # bytes


def why_unfit(pattern: object) -> str:
    """Why a pattern cannot be used, "" where it can."""
    import re2

    if not isinstance(pattern, str) or len(pattern) > MAX_PATTERN:
        return f"it is longer than {MAX_PATTERN:,} characters"
    try:
        _compiled(pattern)
    except re2.error as error:
        text = error.args[0] if error.args else b""
        return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    except UnicodeError:
        return "it is not valid Unicode"
    return ""


def found(pattern: str, text: str) -> bool:
    """Whether the pattern matches anywhere in the text."""
    return bool(_compiled(pattern).search(text))


def size(pattern: str) -> int:
    """How large the pattern's program is: matching takes at most time by this and by the length of the text."""
    return int(_compiled(pattern).programsize)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    return re2.compile(pattern, options)
