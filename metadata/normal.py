"""The normal form: one entry per component, whatever layout its repository has.

Whole components keep their metadata-format files (``classes/Foo.cls``); children of custom objects
and custom labels are entries of their own, so that two teams that add two fields to one object
never touch the same entry.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, unquote

from core.digests import listing_digest
from metadata.components import ComponentKey

Files = dict[str, bytes]
CHILD = ""
"""Path of the single file of a child entry."""


class NormalForm(Mapping[ComponentKey, Files]):
    """Components with their files; equal contents give equal digests."""

    def __init__(self, entries: Mapping[ComponentKey, Files]) -> None:
        self._entries = {key: dict(sorted(entries[key].items())) for key in sorted(entries)}

    def __getitem__(self, key: ComponentKey) -> Files:
        return self._entries[key]

    def __iter__(self) -> Iterator[ComponentKey]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def component_digests(self) -> dict[ComponentKey, str]:
        """SHA-256 (64 hex characters) of each component."""
        return {key: _digest(files) for key, files in self._entries.items()}

    def digest(self, keys: Iterable[ComponentKey] | None = None) -> str:
        """``sha256:…`` over all components or the named ones; an absent one counts as absent."""
        wanted = self._entries if keys is None else sorted(keys)
        rows = ((str(key), 0, _digest(self._entries.get(key, {}))) for key in wanted)
        return listing_digest(rows)

    def files(self) -> Files:
        """Paths of a Git tree, one folder per type, with their contents."""
        tree: Files = {}
        for key, files in self._entries.items():
            folder = f"{key.type}/{quote(key.name, safe=' .-_()')}"
            for path, content in files.items():
                tree[f"{folder}.xml" if path == CHILD else f"{folder}/{path}"] = content
        return tree

    @classmethod
    def from_files(cls, tree: Files) -> NormalForm:
        """Read back what ``files`` wrote."""
        entries: dict[ComponentKey, Files] = {}
        for path, content in tree.items():
            type_name, _, rest = path.partition("/")
            name, slash, inner = rest.partition("/")
            if not slash:
                key = ComponentKey(type_name, unquote(name.removesuffix(".xml")))
                entries.setdefault(key, {})[CHILD] = content
            else:
                entries.setdefault(ComponentKey(type_name, unquote(name)), {})[inner] = content
        return cls(entries)


def _digest(files: Files) -> str:
    whole = hashlib.sha256()
    for path, content in files.items():
        whole.update(f"{path}\0{len(content)}\0".encode())
        whole.update(hashlib.sha256(content).digest())
    return whole.hexdigest()
