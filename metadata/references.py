"""Who names whom: a best-effort index over the components of a package.

Apex is read as words without its comments, XML as the texts of elements that hold names, web
components by their imports and tags. A name counts only when the package holds a component of that
name, so words that mean something else do little harm. What is named by computed texts is not
found: the index proposes, it never proves that something is unused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property

from metadata.components import ComponentKey
from metadata.normal import NormalForm

References = Mapping[ComponentKey, frozenset[ComponentKey]]

APEX = frozenset({"ApexClass", "ApexTrigger"})
_CODE = frozenset({*APEX, "ApexPage", "ApexComponent", "AuraDefinitionBundle"})
_COMMENTS = re.compile(rb"/\*.*?\*/|//[^\n]*", re.DOTALL)
_STRINGS = re.compile(rb"'(?:[^'\\\n]|\\.)*'")
_WORD = re.compile(rb"[A-Za-z]\w*")
_CUSTOM = re.compile(rb"\b[A-Za-z]\w*?__(?:c|mdt|e|b|x|r)\b")
_LABEL = re.compile(rb"\b[Ll]abel\.(?:c\.)?(\w+)")
_IMPORT = re.compile(
    rb"@salesforce/(apex|schema|label|resourceUrl|customPermission|messageChannel)/([\w./]+)"
)
_MODULE = re.compile(rb"from\s+['\"]c/(\w+)['\"]")
_TAG = re.compile(rb"<c[-:]([\w-]+)")
_TEXT = re.compile(rb"<(\w+)>([^<>]+)</\1>")
_IMPORTED = {
    b"label": "CustomLabel",
    b"resourceUrl": "StaticResource",
    b"customPermission": "CustomPermission",
    b"messageChannel": "LightningMessageChannel",
}

ELEMENTS: dict[bytes, tuple[str, ...]] = {
    b"actionName": ("ApexClass", "Flow", "QuickAction", "WorkflowAlert"),
    b"apexClass": ("ApexClass",),
    b"apexPage": ("ApexPage",),
    b"application": ("CustomApplication",),
    b"componentName": ("LightningComponentBundle", "AuraDefinitionBundle"),
    b"customPermission": ("CustomPermission",),
    b"field": ("CustomField",),
    b"flow": ("Flow",),
    b"flowName": ("Flow",),
    b"layout": ("Layout",),
    b"lightningComponent": ("AuraDefinitionBundle",),
    b"lightningWebComponent": ("LightningComponentBundle",),
    b"object": ("CustomObject",),
    b"page": ("ApexPage",),
    b"quickActionName": ("QuickAction",),
    b"recordType": ("RecordType",),
    b"referenceTo": ("CustomObject",),
    b"tab": ("CustomTab",),
    b"template": ("EmailTemplate",),
}
"""Elements that hold a component's name, and the types that it can be of."""


def index(form: NormalForm) -> References:
    """Every component with those of the same package that it names."""
    return of(form, form)


def of(form: NormalForm, known: Collection[ComponentKey]) -> References:
    """Every component of the form with those among ``known`` that it names."""
    names = _Names(known)
    found = {key: frozenset(names.named_by(key, files) - {key}) for key, files in form.items()}
    return {key: named for key, named in found.items() if named}


def inverted(references: References) -> References:
    """Every component with those that name it."""
    found: dict[ComponentKey, set[ComponentKey]] = {}
    for key, named in references.items():
        for other in named:
            found.setdefault(other, set()).add(key)
    return {key: frozenset(own) for key, own in found.items()}


def bare(code: bytes) -> bytes:
    """Apex without comments and without the insides of texts."""
    return _STRINGS.sub(b"''", _COMMENTS.sub(b" ", code))


class _Names:
    """Names of components, ready to be looked up."""

    def __init__(self, known: Collection[ComponentKey]) -> None:
        self._known = known

    @cached_property
    def _classes(self) -> dict[bytes, ComponentKey]:
        return {key.name.lower().encode(): key for key in self._known if key.type == "ApexClass"}

    @cached_property
    def _objects(self) -> dict[bytes, ComponentKey]:
        return {key.name.lower().encode(): key for key in self._known if key.type == "CustomObject"}

    @cached_property
    def _fields(self) -> dict[bytes, list[ComponentKey]]:
        found: dict[bytes, list[ComponentKey]] = {}
        for key in self._known:
            if key.type == "CustomField":
                name = key.name.partition(".")[2].lower().encode()
                found.setdefault(name, []).append(key)
        return found

    def named_by(self, key: ComponentKey, files: Mapping[str, bytes]) -> set[ComponentKey]:
        """Everything that the files of one component name."""
        found: set[ComponentKey] = set()
        for path, content in files.items():
            if content[:5] == b"<?xml":
                found |= self._in_xml(key, content)
            elif key.type in _CODE:
                found |= self._in_code(content)
            elif key.type == "LightningComponentBundle" and path.endswith((".js", ".html", ".ts")):
                found |= self._in_module(content)
        return found

    def _in_code(self, content: bytes) -> set[ComponentKey]:
        code = _COMMENTS.sub(b" ", content)
        words = {word.lower() for word in set(_WORD.findall(_STRINGS.sub(b"''", code)))}
        found = {self._classes[word] for word in words & self._classes.keys()}
        found |= {self._objects[word] for word in words & self._objects.keys()}
        found |= self._custom({name.lower() for name in set(_CUSTOM.findall(code))}, words)
        found |= self._of("CustomLabel", _LABEL.findall(code))
        return found | self._bundles(_TAG.findall(code))

    def _custom(self, names: set[bytes], words: Iterable[bytes]) -> set[ComponentKey]:
        """Objects by name; fields where the name is of one object, or the object is named too."""
        found = {self._objects[name] for name in names & self._objects.keys()}
        around = {*words, *names}
        for name in names & self._fields.keys():
            keys = self._fields[name]
            own = [k for k in keys if k.name.partition(".")[0].lower().encode() in around]
            found.update(own or (keys if len(keys) == 1 else ()))
        return found

    def _in_module(self, content: bytes) -> set[ComponentKey]:
        found: set[ComponentKey] = set()
        for kind, name in _IMPORT.findall(content):
            if kind == b"apex":
                own = self._classes.get(name.split(b".")[0].lower())
                found |= {own} if own else set()
            elif kind == b"schema":
                found |= self._of("CustomObject", [name.split(b".")[0]])
                found |= self._of("CustomField", [name])
            else:
                found |= self._of(_IMPORTED[kind], [name.removeprefix(b"c.")])
        found |= self._of("LightningComponentBundle", _MODULE.findall(content))
        return found | self._bundles(_TAG.findall(content))

    def _in_xml(self, key: ComponentKey, content: bytes) -> set[ComponentKey]:
        found: set[ComponentKey] = set()
        for element, text in set(_TEXT.findall(content)):
            for kind in ELEMENTS.get(element, ()):
                found |= self._of(kind, [text.strip()])
        around = {key.name.split(".")[0].split("-")[0].lower().encode()}
        around |= {text.lower() for element, text in _TEXT.findall(content) if element == b"object"}
        return found | self._custom({name.lower() for name in _CUSTOM.findall(content)}, around)

    def _of(self, kind: str, names: Iterable[bytes]) -> set[ComponentKey]:
        keys = {ComponentKey(kind, name.decode("utf-8", "replace")) for name in names}
        return {key for key in keys if key in self._entries}

    def _bundles(self, tags: Iterable[bytes]) -> set[ComponentKey]:
        """``<c-case-tile>`` and ``<c:CaseTile>``."""
        names = [re.sub(rb"-(\w)", lambda match: match[1].upper(), tag) for tag in tags]
        return self._of("LightningComponentBundle", names) | self._of("AuraDefinitionBundle", names)

    @cached_property
    def _entries(self) -> frozenset[ComponentKey]:
        return frozenset(self._known)
