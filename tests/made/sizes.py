"""Small sizes of architectures, with options that replace some of them."""

from typing import Any

__all__ = ["merged"]


def merged(*sizes: dict[str, Any]) -> dict[str, Any]:
    """Arguments of an architecture: later ones replace earlier ones, also within `trunk`, `pair_map`, ..."""
    result: dict[str, Any] = {}
    for some in sizes:
        for name, value in some.items():
            inner = result.get(name)
            result[name] = merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return result
