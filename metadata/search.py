"""Find the few paths that hold one of some texts: all are searched as one text, at memory speed."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property


class Listing:
    """Paths to search, none of them empty; what was found once is kept.

    A path with a line feed, which metadata cannot have, comes back in pieces that are no path.
    """

    def __init__(self, paths: Collection[str]) -> None:
        self.paths = paths
        self._whole = "\n".join(["", *paths, ""])
        self._outside: dict[str, set[str]] = {}
        self._exact: dict[str, set[str]] = {}
        self._alike: dict[str, set[str]] = {}

    def __contains__(self, path: object) -> bool:
        return path in self.paths

    def outside(self, prefix: str) -> set[str]:
        """The paths that begin otherwise."""
        if prefix not in self._outside:
            end = len(prefix)
            self._outside[prefix] = {path for path in self.paths if path[:end] != prefix}
        return self._outside[prefix]

    def holding(self, texts: Collection[str]) -> set[str]:
        """The paths that contain one of the texts, none of which may be empty."""
        for text in texts:
            if text not in self._exact:
                self._exact[text] = _lines(self._whole, self._whole, text)
        return set().union(*(self._exact[text] for text in texts))

    def twice(self, text: str) -> set[str]:
        """The paths that contain a text at least twice."""
        whole, found = self._whole, set[str]()
        at = whole.find(text)
        while at >= 0:
            again = whole.find(text, at + len(text))
            if again >= 0 and whole.find("\n", at, again) < 0:
                found.add(whole[whole.rfind("\n", 0, at) + 1 : whole.index("\n", again)])
            at = again
        return found

    def alike(self, texts: Collection[str]) -> Collection[str]:
        """All paths that contain one of the texts whatever the case of either, and a few others.

        A text that begins with a line feed begins a path. What the small letter of a letter beyond
        ASCII is depends on who is asked, so paths with any are among the others.
        """
        if not all(text.isascii() for text in texts):
            return self.paths
        found = set(self._unusual)
        for text in {text.lower() for text in texts}:
            if text not in self._alike:
                self._alike[text] = _lines(self._plain, self._small, text)
            found |= self._alike[text]
        return found

    @cached_property
    def _unusual(self) -> list[str]:
        return [] if self._whole.isascii() else [path for path in self.paths if not path.isascii()]

    @cached_property
    def _plain(self) -> str:
        if not self._unusual:
            return self._whole
        return "\n".join(["", *(path for path in self.paths if path.isascii()), ""])

    @cached_property
    def _small(self) -> str:
        return self._plain.lower()


def _lines(whole: str, searched: str, text: str) -> set[str]:
    """The lines of a text where another form of it, sign by sign, contains a text."""
    found: set[str] = set()
    at = searched.find(text)
    while at >= 0:
        end = whole.index("\n", at + 1)
        found.add(whole[whole.rfind("\n", 0, at + 1) + 1 : end])
        at = searched.find(text, end)
    return found
