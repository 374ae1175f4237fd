"""Check Lightning web components: their imports, their script's syntax, their template's tags."""

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser

from tree_sitter import Language, Node, Parser
from tree_sitter_language_pack import get_language

from simulator.catalogue.parts import Part
from simulator.deploys.problems import Problem
from simulator.deploys.view import View

_APEX_IMPORT = re.compile(r"@salesforce/apex(?:Continuation)?/([\w.]+?)\.\w+['\"]")
_SCHEMA_IMPORT = re.compile(r"@salesforce/schema/([\w.]+)['\"]")
_LABEL_IMPORT = re.compile(r"@salesforce/label/c\.(\w+)['\"]")
_MODULE_IMPORT = re.compile(r"""\bfrom\s*['"]c/(\w+)['"]""")
_VOID = frozenset(
    "area base br col embed hr img input link meta param source track wbr".split()  # noqa: SIM905
)
_INSIDE_SVG = frozenset({"svg", "math"})


def check(part: Part, view: View) -> list[Problem]:
    """Return what is wrong with a component's files."""
    found = []
    for path in sorted(part.files):
        if "/__" in path:
            continue
        text = part.files[path].decode("utf-8", "replace")
        if path.endswith(".js"):
            for problem, at in _imports(text, path.rsplit("/", 1)[-1], view):
                found.append(Problem(problem, text.count("\n", 0, at) + 1, 1, path))
            for match in _MODULE_IMPORT.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                found += _missing(match.group(1), (line, 1, path), part.name, view)
            found += _script(text, path)
        elif path.endswith(".html"):
            found += _template(text, path) or _unknown_tags(text, path, part.name, view)
    if not any(path.endswith(".js-meta.xml") for path in part.files):
        found.append(Problem(f"Cannot find Lightning Component Bundle {part.name}"))
    return found


def _imports(text: str, file: str, view: View) -> Iterator[tuple[str, int]]:
    for match in _APEX_IMPORT.finditer(text):
        name = match.group(1)
        if not view.has("ApexClass", name) and not view.is_packaged(name):
            yield f"Unable to find Apex action class referenced as '{name}'.", match.start()
    for match in _SCHEMA_IMPORT.finditer(text):
        kind = _unknown_kind(match.group(1), view)
        if kind:
            yield f"Invalid reference {match.group(1)} of type {kind} in file {file}", match.start()
    for match in _LABEL_IMPORT.finditer(text):
        name = match.group(1)
        if not view.has("CustomLabel", name):
            yield f"Invalid reference c.{name} of type label in file {file}", match.start()


def _unknown_kind(reference: str, view: View) -> str:
    """Say what is unknown of an imported object or field, or nothing."""
    entity, _, field = reference.partition(".")
    if not view.has_object(entity):
        return "sobject"
    if (
        field
        and "." not in field
        and not field.endswith("__r")
        and not view.has_field(entity, field)
    ):
        return "sobjectField"
    return ""


def _missing(name: str, place: tuple[int, int, str], user: str, view: View) -> list[Problem]:
    """Complain about a component of this org that is not there."""
    if view.has("LightningComponentBundle", name):
        return []
    text = f"No MODULE named markup://c:{name} found : [markup://c:{user}]"
    return [Problem(text, *place)]


def _unknown_tags(text: str, path: str, user: str, view: View) -> list[Problem]:
    reader = _Tags()
    reader.feed(text)
    found = []
    for tag, line, column in reader.own:
        name = re.sub(r"-(\w)", lambda match: match.group(1).upper(), tag.removeprefix("c-"))
        found += _missing(name, (line, column, path), user, view)
    return found


@cache
def _grammar() -> Parser:
    language: Language = get_language("javascript")
    return Parser(language)


def _script(text: str, path: str) -> list[Problem]:
    root = _grammar().parse(text.encode()).root_node
    if not root.has_error:
        return []
    node = _fault(root)
    if node is None:
        return []
    line, column = node.start_point.row + 1, node.start_point.column
    what = f"Missing '{node.type}'." if node.is_missing else "Unexpected token"
    text = f"LWC1503: Parsing error: {what} ({line}:{column})"
    return [Problem(text, line, column + 1, path)]


def _fault(root: Node) -> Node | None:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.is_error or node.is_missing:
            return node
        if node.has_error:
            waiting += reversed(node.children)
    return None


class _Tags(HTMLParser):
    """Keep the open tags; the first one that does not close is the problem."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, int, int]] = []
        self.roots: list[tuple[str, int, int]] = []
        self.own: list[tuple[str, int, int]] = []
        self.problem: tuple[str, int, int] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line, column = self.getpos()
        if tag.startswith("c-"):
            self.own.append((tag, line, column + 1))
        if not self.open:
            self.roots.append((tag, line, column + 1))
        if tag not in _VOID:
            self.open.append((tag, line, column + 1))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        inside = any(name in _INSIDE_SVG for name, _, _ in self.open)
        if tag not in _VOID and inside:
            self.open.pop()  # elsewhere a slash closes nothing

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1][0] == tag:
            self.open.pop()
            return
        if self.problem is None and tag not in _VOID:
            line, column = self.getpos()
            name, *at = self.open[-1] if self.open else (tag, line, column + 1)
            self.problem = (name, at[0], at[1])


def _template(text: str, path: str) -> list[Problem]:
    reader = _Tags()
    reader.feed(text)
    reader.close()
    if reader.problem is None and reader.open:
        reader.problem = reader.open[-1]
    if reader.problem is not None:
        name, line, column = reader.problem
        words = f"LWC1078: <{name}> has no matching closing tag."
        return [Problem(words, line, column, path)]
    if not reader.roots:
        return [Problem("LWC1072: Missing root template tag", 1, 1, path)]
    name, line, column = reader.roots[0]
    if name != "template":
        words = f"LWC1079: Expected root tag to be template, found {name}"
        return [Problem(words, line, column, path)]
    return []
