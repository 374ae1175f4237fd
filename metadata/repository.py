"""A bare repository on this host, read without a work tree.

Everything that comes from a repository is named by object id once it is inside: a branch or tag is
resolved first, so that a name can never be read as an option and a moving ref never changes what
was looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING

from core.errors import ExternalFault, NotFound
from metadata import objects
from metadata.objects import Reader, Tree
from metadata.runner import Runner

if TYPE_CHECKING:
    from metadata.projects import Layout
    from metadata.refs import Refs

SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SHORT = r"[0-9a-f]{7,64}"
_NO_NAME = r"\x00-\x20\x7f:?*\[\\"
_REVISION = re.compile(rf"[^{_NO_NAME}-][^{_NO_NAME}]{{0,250}}")
"""What Git forbids in names of branches is in none of them either."""


class Repository:
    """Reads one repository."""

    def __init__(self, path: str | PathLike[str]) -> None:
        self.run = Runner(path)
        self._reader: Reader | None = None

    @contextmanager
    def session(self) -> Iterator[Reader]:
        """One git that answers all that asks for little, while the block lasts."""
        if self._reader is not None:
            yield self._reader
            return
        with objects.reader(self.run) as reader:
            self._reader = reader
            try:
                yield reader
            finally:
                self._reader = None

    def refs(self) -> Refs:
        """Every branch and every tag that names a commit."""
        from metadata.refs import parse_refs  # full object ids, the usual case, need none

        return parse_refs(self.run)

    def resolve(self, ref: str) -> str:
        """The commit that a branch, tag, abbreviated or full object id names.

        Raises NotFound ``git.unknown_ref``; a branch wins over a tag of the same name.
        """
        if not SHA.fullmatch(ref):
            refs = self.refs()
            known = refs.branches.get(ref) or refs.tags.get(ref)
            if known:
                return known
        if re.fullmatch(_SHORT, ref):
            try:
                return self.run.text(
                    "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"
                ).strip()
            except ExternalFault:
                pass
        raise NotFound(
            "git.unknown_ref", f"The repository has no branch, tag or commit “{ref[:80]}”."
        )

    def revisions(self, *texts: str) -> list[str]:
        """The commits that a person at a command line means: also ``HEAD``, ``HEAD~5``, ``v1^``.

        Raises NotFound ``git.unknown_ref``. What comes from outside goes through ``resolve``.
        """
        for text in texts:
            if not _REVISION.fullmatch(text):
                raise _no_commit(text)
        if self._reader is None:
            with self.session():
                return self.revisions(*texts)
        found = self._reader.commits(texts)
        for text, sha in zip(texts, found, strict=True):
            if sha is None:
                cut = os.path.exists(os.path.join(self.run.path, "shallow"))
                raise _no_commit(text, is_cut=cut)
        return [sha for sha in found if sha]

    def tree(self, rev: str, *under: str) -> Tree:
        """Every file of a commit by path, or those below the named directories."""
        return objects.tree(self.run, self.resolve(rev), under)

    def blobs(self, blobs: Iterable[str]) -> Iterator[bytes]:
        """Yield contents of blobs in the order asked, by one ``cat-file --batch``."""
        listed, reader = list(blobs), self._reader
        if reader is not None and len(listed) <= objects.FEW:
            return reader.contents(listed)
        return objects.contents(self.run, listed)

    def begin(self, blobs: Collection[str]) -> None:
        """Let git read what ``blobs`` will be asked for, where that is little."""
        if self._reader is not None and len(blobs) <= objects.FEW:
            self._reader.begin([*blobs])

    def file(self, rev: str, path: str) -> bytes | None:
        """The content of one file of a commit, or None when the commit has no such file."""
        entry = self.tree(rev, path).get(path)
        if entry is None or entry.mode in (objects.LINK, objects.SUBMODULE):
            return None
        return next(self.blobs([entry.blob]))

    def format(self, rev: str) -> Layout:
        """Whether a commit is in source or metadata format, and where its metadata lies.

        Raises InvalidInput with the codes of ``projects.detect``.
        """
        from metadata import projects  # the registry, which is read while git works elsewhere

        tree = self.tree(rev)
        return projects.detect(tree, lambda path: next(self.blobs([tree[path].blob])))


def _no_commit(text: str, *, is_cut: bool = False) -> NotFound:
    why = " It is a shallow clone: fetch more of its history." if is_cut else ""
    return NotFound("git.unknown_ref", f"The repository has no commit “{text[:80]}”.{why}")
