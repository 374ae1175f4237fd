"""Children inside a file, told apart by its text, for files as Salesforce's tools write them.

A delta only has to know which labels of thousands differ. Files with one element a line, indented
by four blanks, are compared by that, and labels, which hold no elements of their own name, however
they are indented. Any other file (``None`` here) is read as XML instead.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from metadata.children import separate
from metadata.components import ComponentKey
from metadata.types import ChildType, MetadataType

START = b"\n    <"
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_ENTITIES = ((b"&apos;", b"'"), (b"&quot;", b'"'), (b"&gt;", b">"))

Contents = Mapping[str, bytes]
Entries = dict[ComponentKey, bytes]


def compared(
    kind: MetadataType, name: str, old: Contents, new: Contents
) -> tuple[set[ComponentKey], set[ComponentKey]] | None:
    """What differs inside the files of a component: other or new keys, and keys that are gone."""
    before, after = dict(old), dict(new)
    for path in before.keys() & after.keys():
        for child in kind.children.values():
            before[path], after[path] = _without_equal(before[path], after[path], *_ends(child))
    one, two = _entries(kind, name, before.values()), _entries(kind, name, after.values())
    if one is None or two is None:
        return None
    changed = {
        key
        for key, content in two.items()
        if key not in one or (one[key] != content and not _same(one[key], content))
    }
    return changed, one.keys() - two.keys()


def keys(kind: MetadataType, name: str, content: bytes) -> Collection[ComponentKey] | None:
    """The children in a file, and the parent where the file says anything of its own."""
    found = _of_file(kind, name, content)
    return None if found is None else found.keys()


def differing(old: bytes, new: bytes) -> tuple[bytes, bytes]:
    """Both versions of a file without the elements below the root that both have byte by byte.

    A file in another form comes back whole.
    """
    if hides(old) or hides(new) or b"\r" in old or b"\r" in new:
        return old, new
    one, two = below_root(old), below_root(new)
    equal = set(one[1]).intersection(two[1])
    return rest(one, equal), rest(two, equal)


def rest(parts: tuple[bytes, list[bytes], bytes], equal: set[bytes]) -> bytes:
    """A file of ``below_root`` without some of its elements."""
    head, blocks, tail = parts
    return head + b"".join(block for block in blocks if block not in equal) + tail


def below_root(content: bytes) -> tuple[bytes, list[bytes], bytes]:
    """What stands before, the elements indented by four blanks, and what stands behind."""
    body, end, tail = content.rpartition(b"\n</")
    head, *pieces = body.split(START)
    blocks: list[bytes] = []
    for piece in pieces:
        if piece[:1] == b"/" and blocks:
            blocks[-1] += START + piece
        else:
            blocks.append(START + piece)
    return head, blocks, end + tail


def _ends(child: ChildType) -> tuple[bytes, bytes]:
    """What a child's element begins and ends with."""
    element = child.element.encode()
    if child.ignores_parent:
        return b"<%s>" % element, b"</%s>" % element
    return b"\n    <%s>\n" % element, b"\n    </%s>" % element


def _without_equal(old: bytes, new: bytes, start: bytes, end: bytes) -> tuple[bytes, bytes]:
    """Take out what stands in both byte by byte."""
    before, after = old.split(start), new.split(start)
    equal = _closed(set(before[1:]).intersection(after[1:]), end)
    if len(equal) < 2 or hides(old) or hides(new):
        return old, new
    equal.remove(min(equal))  # a file that had children keeps having some
    kept = [[piece for piece in pieces if piece not in equal] for pieces in (before, after)]
    return start.join(kept[0]), start.join(kept[1])


def _closed(pieces: set[bytes], end: bytes) -> set[bytes]:
    """The pieces that hold the end of their element once, with nothing behind it."""
    usual = end + START[:-1]
    found = {p for p in pieces if p.endswith(usual) or p.rstrip().endswith(end)}
    if b"".join(found).count(end) == len(found):
        return found
    return {piece for piece in found if not piece.partition(end)[2].strip()}


def _entries(kind: MetadataType, name: str, contents: Iterable[bytes]) -> Entries | None:
    """Children by key, and the rest under the parent's where it says anything."""
    found: Entries = {}
    for content in contents:
        held = _of_file(kind, name, content)
        if held is None or held.keys() & found.keys():
            return None
        found |= held
    return found


def _of_file(kind: MetadataType, name: str, content: bytes) -> Entries | None:
    rest = content.replace(b"\r\n", b"\n")
    if hides(rest):
        return None
    found: Entries = {}
    for child in kind.children.values():
        if not separate(kind, child):
            continue
        start, end = _ends(child)
        pieces = rest.split(start)
        named = _naming(child.unique or "fullName", own=child.ignores_parent)
        kept = [pieces[0]]
        for piece in pieces[1:]:
            body, closed, tail = piece.partition(end)
            names = named.findall(body)
            if not closed or len(names) != 1:
                return None
            own = names[0].decode("utf-8", "replace").strip()
            key = ComponentKey(child.name, own if child.ignores_parent else f"{name}.{own}")
            if key in found:
                return None
            found[key] = body
            kept.append(tail)
        rest = b"".join(kept)
        if re.search(rb"<%s[ />]" % child.element.encode(), rest):
            return None
    rest = _COMMENT.sub(b"", rest)
    frame = rest.count(b"<") - rest.count(b"<?")
    if frame < 2 or rest.count(b"</%s>" % kind.name.encode()) != 1:
        return None
    if frame > 2 or not found:
        found[ComponentKey(kind.name, name)] = rest
    return found


@lru_cache(maxsize=256)
def _naming(unique: str, *, own: bool) -> re.Pattern[bytes]:
    """What finds a child's name in its text; one that is its own name may stand anywhere."""
    before = "" if own else "^ {8}"
    return re.compile(rf"{before}<{unique}>([^<&]+)</{unique}>\s*$".encode(), re.MULTILINE)


def hides(content: bytes) -> bool:
    """Whether what looks like an element could stand in a comment or in literal text."""
    closed = 0  # where the last comment ended
    at = content.find(b"!")  # which is rare, so that this is quicker than to look for both signs
    while at >= 0:
        if content[at - 1 : at] == b"<":
            if content[at + 1 : at + 2] in (b"[", b"D"):
                return True
            if at > closed and content.startswith(b"--", at + 1):
                closed = content.find(b"-->", at + 3)
                if closed < 0:
                    closed = len(content)  # that is none, nor can there be another
                elif content.find(b"\n    <", at, closed) >= 0:
                    return True
        at = content.find(b"!", at + 1)
    return False


def _same(one: bytes, two: bytes) -> bool:
    """Whether two elements say the same; the lines that both have in one place need no look."""
    before, after = one.split(b"\n"), two.split(b"\n")
    if len(before) == len(after):
        pairs = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
        if len(pairs) == 1:
            return _written(pairs[0][0]) == _written(pairs[0][1])
        written = {_written(old) for old, _new in pairs}
        if written.isdisjoint(_written(new) for _old, new in pairs):
            return False
    return _said(one) == _said(two)


def _written(line: bytes) -> bytes:
    """A line without its indentation, with the signs that may be written in two ways in one."""
    if b"&" in line:
        for written, sign in _ENTITIES:
            line = line.replace(written, sign)
    return line.strip(b" \t")


def _said(content: bytes) -> list[bytes]:
    """The lines, whatever their order where each is an element of its own."""
    lines = [_written(line) for line in content.split(b"\n")]
    plain = all(line.count(b"<") == 2 and line.startswith(b"<") for line in lines)
    return sorted(lines) if plain else lines
