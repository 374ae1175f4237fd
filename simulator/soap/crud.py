"""Metadata read, created, updated, upserted, renamed and deleted one by one, without a deployment.

For the types whose whole content is XML; Apex and other files with content are not part of these
calls on the platform either. The same checks apply as in a deployment.
"""

from typing import Any

from simulator import xmltree
from simulator.catalogue import holdings, parts, registry
from simulator.catalogue.holdings import Component
from simulator.catalogue.parts import Part
from simulator.context import Context
from simulator.deploys import checks
from simulator.deploys.view import View
from simulator.soap import envelope
from simulator.soap.envelope import SoapFault
from simulator.transport.messages import Response
from simulator.xmltree import XSI, Element

MOST = 10
MOST_OF = {"CustomMetadata": 200, "CustomApplication": 200}
_TYPE = f"{XSI}|type"


def read(context: Context, call: Element) -> Response:
    """Answer readMetadata: a record per name; without a full name when there is none."""
    kind = call.value("type")
    names = [entry.text.strip() for entry in call.all("fullNames")]
    _check_kind(kind, len(names))
    org = context.caller.org.id
    records = "".join(_record(context, org, kind, name) for name in names)
    return envelope.write_raw("readMetadata", f"<result>{records}</result>")


def _record(context: Context, org: str, kind: str, name: str) -> str:
    component = holdings.one(context.world, org, kind, name)
    if component is None:
        return '<records xsi:nil="true"/>'
    children = _elements(context, org, component)
    full = Element("fullName", text=component.name)
    ordered = [_ordered(child) for child in children if child.name != "fullName"]
    ordered.sort(key=lambda child: child.name)
    inner = "".join(xmltree.render(child).strip() for child in (full, *ordered))
    return f'<records xsi:type="{kind}">{inner}</records>'


def _ordered(element: Element) -> Element:
    """Put children in the order of the WSDL: the full name, then by name."""
    children = [_ordered(child) for child in element.children]
    children.sort(key=lambda child: (child.name != "fullName", child.name))
    text = "" if children else element.text
    return Element(element.name, text=text, attributes=element.attributes, children=children)


def _elements(context: Context, org: str, component: Component) -> list[Element]:
    if component.type in registry.parent_of():
        content = context.world.store.get(next(iter(component.files.values())))
        return parts.parse_fragment(content).children
    files = holdings.file_of(context.world, org, component)
    return parts.parse_own(next(iter(files.values())))


def create(context: Context, call: Element) -> Response:
    """Answer createMetadata."""
    results = [_save(context, entry, _CREATE) for entry in _entries(call)]
    return envelope.write("createMetadata", results, effect=_effect("created", results))


def update(context: Context, call: Element) -> Response:
    """Answer updateMetadata."""
    results = [_save(context, entry, _UPDATE) for entry in _entries(call)]
    return envelope.write("updateMetadata", results, effect=_effect("updated", results))


def upsert(context: Context, call: Element) -> Response:
    """Answer upsertMetadata."""
    results = []
    for entry in _entries(call):
        known = _known(context, _kind(entry), entry.value("fullName"))
        result = _save(context, entry, _UPSERT)
        results.append({**result, "created": result["success"] and not known})
    return envelope.write("upsertMetadata", results, effect=_effect("upserted", results))


def delete(context: Context, call: Element) -> Response:
    """Answer deleteMetadata."""
    kind = call.value("type")
    names = [entry.text.strip() for entry in call.all("fullNames")]
    _check_kind(kind, len(names))
    session, results = context.caller, []
    for name in names:
        gone = holdings.delete(context.world, session.org.id, session.person.id, kind, name)
        if gone:
            _audit(context, f"deleted{kind}", kind, f"Deleted {kind} {name}")
        text = f"no {kind} named {name} found"
        error = [] if gone else [_error("INVALID_CROSS_REFERENCE_KEY", text)]
        results.append({"errors": error, "fullName": name, "success": gone})
    return envelope.write("deleteMetadata", results, effect=_effect("deleted", results))


_CREATE, _UPDATE, _UPSERT = "create", "update", "upsert"


def _entries(call: Element) -> list[Element]:
    entries = call.all("metadata")
    for entry in entries:
        _check_kind(_kind(entry), len(entries))
    return entries


def _kind(entry: Element) -> str:
    return entry.attributes.get(_TYPE, "").rpartition(":")[2]


def _check_kind(kind: str, count: int) -> None:
    known = registry.types().get(kind)
    if kind not in registry.parent_of() and (known is None or known.meta_file or known.bundle):
        raise SoapFault("INVALID_TYPE", f"{kind or 'This type'} is not supported by this call")
    most = MOST_OF.get(kind, MOST)
    if count > most:
        raise SoapFault("LIMIT_EXCEEDED", f"At most {most} components are allowed in one call")


def _known(context: Context, kind: str, name: str) -> bool:
    return holdings.one(context.world, context.caller.org.id, kind, name) is not None


def _save(context: Context, entry: Element, mode: str) -> dict[str, Any]:
    kind, name = _kind(entry), entry.value("fullName")
    known = bool(name) and _known(context, kind, name)
    errors = _refusals(kind, name, mode, known=known)
    if not errors:
        made = _parts(kind, name, entry)
        problems = _problems(context, made)
        errors = [_error("FIELD_INTEGRITY_EXCEPTION", text) for text in problems]
    if not errors:
        session = context.caller
        holdings.put(context.world, session.org.id, session.person.id, made)
        _audit(context, f"{'changed' if known else 'created'}{kind}", kind, f"{kind} {name}")
    return {"errors": errors, "fullName": name, "success": not errors}


def _refusals(kind: str, name: str, mode: str, *, known: bool) -> list[dict[str, Any]]:
    if not name:
        return [_error("REQUIRED_FIELD_MISSING", "Required field is missing: fullName")]
    if mode == _CREATE and known:
        return [_error("DUPLICATE_DEVELOPER_NAME", f"There is already a {kind} named {name}")]
    if mode == _UPDATE and not known:
        return [_error("INVALID_CROSS_REFERENCE_KEY", f"no {kind} named {name} found")]
    return []


def _parts(kind: str, name: str, entry: Element) -> list[Part]:
    """Write the file that a deployment would bring, and take it apart."""
    content = [child for child in entry.children if child.name != "fullName"]
    if kind in registry.parent_of():
        parent, child = registry.parent_of()[kind]
        holder, _, own = name.rpartition(".")
        own_name = Element("fullName", text=own)
        inside = [Element(child.element, children=[own_name, *content])]
        path = f"{parent.directory}/{holder or parent.name}.{parent.suffix}"
        found = parts.split({path: xmltree.document(parent.name, inside)})
        return [part for part in found if part.type == kind]
    type_ = registry.types()[kind]
    path = f"{type_.directory}/{name}.{type_.suffix}"
    return parts.split({path: xmltree.document(kind, content)})


def _problems(context: Context, made: list[Part]) -> list[str]:
    org = context.caller.org
    view = View(context.world, org, holdings.of_org(context.world, org.id))
    view.version = float(context.version)
    view.bring(made)
    return [problem.text for part in made for problem in checks.problems_of(part, view)]


def _error(code: str, message: str) -> dict[str, Any]:
    return {"message": message, "statusCode": code}


def _audit(context: Context, action: str, section: str, display: str) -> None:
    session = context.caller
    context.world.audit(session.org.id, session.person.id, action, section, display)


def _effect(word: str, results: list[dict[str, Any]]) -> str:
    done = [result["fullName"] for result in results if result["success"]]
    return f"{word} {', '.join(done)}" if done else ""
