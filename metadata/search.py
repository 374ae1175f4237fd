"""Find the few paths that hold one of some texts: all are searched as one text, at memory speed."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Collection, Iterator
from functools import cached_property
from itertools import accumulate

FEW = 6
"""More paths than these are looked up in a set, which takes a while to make."""


_SMALL = {capital: capital + 32 for capital in range(ord("A"), ord("Z") + 1)}


class Names(Collection[str]):
    """Paths in one text, as git prints them, until many are looked at one by one."""

    def __init__(self, printed: str) -> None:
        """``printed`` has a NUL behind each path."""
        self._text = f"\0{printed}"
        self._asked = 0

    @cached_property
    def _each(self) -> dict[str, None]:
        return dict.fromkeys(self._text.split("\0")[1:-1])

    def __contains__(self, path: object) -> bool:
        self._asked += 1
        many = self._asked > FEW
        return path in self._each if many else f"\0{path}\0" in self._text

    def __iter__(self) -> Iterator[str]:
        return iter(self._each)

    def __len__(self) -> int:
        return self._text.count("\0") - 1


class Listing:
    """Paths to search, none of them empty; what was found once is kept.

    Most paths share their directory with others, so directories and the files' own names are
    searched apart. A path with a line feed, which metadata cannot have, is not found.
    """

    def __init__(self, paths: Collection[str]) -> None:
        self.paths = paths
        self._outside: dict[str, set[str]] = {}
        self._exact: dict[str, set[str]] = {}
        self._alike: dict[str, set[str]] = {}
        found = list(paths)
        self._odd = [path for path in found if "\n" in path]
        self._sound = [path for path in found if "\n" not in path] if self._odd else found
        self._starts: list[int] = []
        """With which path each run of neighbours in one directory begins."""
        runs: list[str] = []
        names: list[str] = []
        last = "\n"
        for path in self._sound:
            directory, slash, name = path.rpartition("/")
            if directory != last:
                last = directory
                runs.append(directory + slash)
                self._starts.append(len(names))
            names.append(name)
        self._starts.append(len(names))
        self._runs = "\n/".join(["", *runs, ""])
        self._names = "\n/".join(["", *names, ""])

    def __contains__(self, path: object) -> bool:
        return path in self.paths

    def outside(self, directory: str) -> set[str]:
        """The paths that do not lie in a directory, which ends with a slash where it is not all."""
        if directory not in self._outside:
            found = {path for path in self._odd if not path.startswith(directory)}
            for number, own in enumerate(self._runs.split("\n/")[1:-1]):
                if not own.startswith(directory):
                    found.update(self._run(number))
            self._outside[directory] = found
        return self._outside[directory]

    def holding(self, texts: Collection[str]) -> set[str]:
        """The paths that contain one of the texts.

        None of them may be empty or hold a slash, except that it begins with one where a file's or
        directory's name begins.
        """
        for text in texts:
            if text not in self._exact:
                self._exact[text] = self._found(self._runs, self._names, text)
        return set().union(*(self._exact[text] for text in texts))

    def twice(self, ending: str) -> set[str]:
        """The paths of which two directories' names at least end so, each with its slash."""
        runs, found = self._runs, set[str]()
        number, begun, at = -1, 0, runs.find(ending)
        while at >= 0:
            again = runs.find(ending, at + len(ending))
            number, begun = number + runs.count("\n", begun, at), at
            if again >= 0 and runs.find("\n", at, again) < 0:
                found.update(self._run(number))
            at = again
        return found

    def alike(self, texts: Collection[str]) -> Collection[str]:
        """All paths that contain one of the texts whatever the case of either, and a few others.

        The texts are as for ``holding``. What the small letter of a letter beyond ASCII is depends
        on who is asked, so paths with any are among the others.
        """
        if not all(text.isascii() for text in texts):
            return self.paths
        found = set(self._unusual)
        for text in {text.lower() for text in texts}:
            if text not in self._alike:
                self._alike[text] = self._found(*self._small, text)
            found |= self._alike[text]
        return found

    @cached_property
    def _unusual(self) -> list[str]:
        ascii_only = self._runs.isascii() and self._names.isascii() and not self._odd
        return [] if ascii_only else [path for path in self.paths if not path.isascii()]

    @cached_property
    def _small(self) -> tuple[str, str]:
        if self._unusual:
            return self._runs.translate(_SMALL), self._names.translate(_SMALL)  # as long as before
        return self._runs.lower(), self._names.lower()

    def _found(self, runs: str, names: str, text: str) -> set[str]:
        found = {self._sound[number] for number in self._lines(names, text)}
        at = runs.find(text)
        while at >= 0:
            found.update(self._run(runs.count("\n", 0, at) - 1))
            at = runs.find(text, runs.find("\n", at))
        return found

    def _lines(self, names: str, text: str) -> Iterator[int]:
        """The numbers of the names that contain a text."""
        at = names.find(text)
        while at >= 0:
            number = bisect(self._begins, at) - 1
            yield number
            at = names.find(text, self._begins[number + 1])

    @cached_property
    def _begins(self) -> list[int]:
        """Where each name begins, with its line feed and slash."""
        return list(accumulate((len(name) + 2 for name in self._names.split("\n/")[1:]), initial=0))

    def _run(self, number: int) -> list[str]:
        """The neighbours in one directory."""
        return self._sound[self._starts[number] : self._starts[number + 1]]
