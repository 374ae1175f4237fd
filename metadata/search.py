"""Find the few paths that hold one of some texts: all are searched as one text, at memory speed."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def holding(paths: Sequence[str], texts: Collection[str], *, folded: bool = False) -> set[str]:
    """Paths that contain one of the texts; no path may contain a line feed, no text be empty.

    ``folded`` passes over capitals; the texts are in small letters then.
    """
    written = whole = "\n".join(paths)
    if folded:
        whole = _small(written)
    found: set[str] = set()
    for text in texts:
        at = whole.find(text)
        while at >= 0:
            end = whole.find("\n", at)
            end = len(whole) if end < 0 else end
            found.add(written[whole.rfind("\n", 0, at) + 1 : end])
            at = whole.find(text, end)
    return found


def _small(text: str) -> str:
    """A text in small letters, each sign at its place: a few capitals have a small one of two."""
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(sign if len(sign.lower()) > 1 else sign.lower() for sign in text)
