"""A large Salesforce project as a Git repository, made in a second or two, for ``script/bench``."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
BASE = "force-app/main/default"
LANGUAGES = ("de", "en_GB", "es", "fr", "ja", "nl_NL", "pt_BR")
Files = Iterator[tuple[str, str]]


def git(repository: Path, *arguments: str, given: bytes | None = None) -> str:
    """Run git in a repository and return what it prints."""
    command = ["git", f"--git-dir={repository}", *arguments]
    done = subprocess.run(command, input=given, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().strip()


def repository(path: Path, history: int, branches: int = 0) -> tuple[Path, str, str]:
    """A bare repository with two versions of a project, commits between them, and branches."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)
    parts = [_commit("main", "one", files("one"))]
    parts += [_commit("main", f"change {n}", [("notes.txt", str(n))]) for n in range(history)]
    parts.append(b"reset refs/tags/base\nfrom refs/heads/main\n\n")
    for number in range(branches):
        name = f"team-{number}"
        parts.append(f"reset refs/heads/{name}\nfrom refs/tags/base\n\n".encode())
        parts.append(_commit(name, name, _work_of(number)))
    parts.append(_commit("main", "two", files("two")))
    git(path, "fast-import", "--quiet", given=b"".join(parts))
    return path, git(path, "rev-parse", "base"), git(path, "rev-parse", "main")


def huge(path: Path, count: int) -> Path:
    """A bare repository with more files than a Salesforce project has; one blob is all of them."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)
    named = "".join(
        f"M 100644 :1 {BASE}/d{n // 1000}/classes/C{n}.cls\n" for n in range(count)
    ).encode()
    head = b"blob\nmark :1\ndata 2\n{}\ncommit refs/heads/main\n"
    who = b"committer Bench <bench@localhost> 0 +0000\ndata 1\na\n"
    git(path, "fast-import", "--quiet", given=head + who + named + b"\n")
    return path


def files(mark: str) -> Files:
    """Some 14,000 files; two thirds of them hold the mark."""
    yield "sfdx-project.json", '{"packageDirectories": [{"path": "force-app"}]}'
    yield ".forceignore", "**/jsconfig.json\n**/__tests__/**\n"
    meta = f"{HEAD}<ApexClass {NS}>\n    <apiVersion>60.0</apiVersion>\n</ApexClass>\n"
    for n in range(1_000):
        body = "    Integer a = 1; // a line of code as long as they are\n" * 120
        yield f"{BASE}/classes/C{n}.cls", f"public class C{n} {{ // {mark}\n{body}}}\n"
        yield f"{BASE}/classes/C{n}.cls-meta.xml", meta
    yield from _objects(mark)
    labels = "".join(_label(n, mark if n % 5 == 0 else "") for n in range(2_000))
    path = f"{BASE}/labels/CustomLabels.labels-meta.xml"
    yield path, f"{HEAD}<CustomLabels {NS}>\n{labels}</CustomLabels>\n"
    for n in range(300):
        for name in (f"c{n}.js", f"c{n}.html", f"c{n}.css", "helper.js", "__tests__/c.test.js"):
            yield f"{BASE}/lwc/c{n}/{name}", f"// {mark} {name}\n" * 30


def _objects(mark: str) -> Files:
    for n in range(100):
        base = f"{BASE}/objects/O{n}__c"
        yield f"{base}/O{n}__c.object-meta.xml", _file("CustomObject", {"label": f"O{n}"})
        for m in range(35):
            own = {"fullName": f"F{m}__c", "label": f"F {m}", "type": "Text", "length": "80"}
            yield f"{base}/fields/F{m}__c.field-meta.xml", _file("CustomField", own)
        for language in LANGUAGES:
            at = f"{BASE}/objectTranslations/O{n}__c-{language}"
            frame = _file("CustomObjectTranslation", {"nameFieldLabel": mark})
            yield f"{at}/O{n}__c-{language}.objectTranslation-meta.xml", frame
            for m in range(8):
                text = _file("CustomFieldTranslation", {"label": mark, "name": f"F{m}__c"})
                yield f"{at}/F{m}__c.fieldTranslation-meta.xml", text


def _file(name: str, elements: dict[str, str]) -> str:
    lines = "".join(f"    <{key}>{text}</{key}>\n" for key, text in elements.items())
    return f"{HEAD}<{name} {NS}>\n{lines}</{name}>\n"


def _label(number: int, text: str) -> str:
    return (
        f"    <labels>\n        <fullName>L{number}</fullName>\n"
        f"        <language>en_US</language>\n        <protected>true</protected>\n"
        f"        <shortDescription>A label for tests</shortDescription>\n"
        f"        <value>{text} as people read it on a page of the application</value>\n"
        "    </labels>\n"
    )


def _work_of(team: int) -> list[tuple[str, str]]:
    """What one team changes: classes, some of them its neighbours' too, a field and labels."""
    found = [
        (f"{BASE}/classes/C{team * 20 + n}.cls", f"public class C {{ // {team}\n}}")
        for n in range(30)
    ]
    field = {"fullName": "F1__c", "label": str(team), "type": "Text", "length": "80"}
    path = f"{BASE}/objects/O{team // 2}__c/fields/F1__c.field-meta.xml"
    found.append((path, _file("CustomField", field)))
    labels = "".join(_label(n, "" if n // 20 != team else str(team)) for n in range(2_000))
    path = f"{BASE}/labels/CustomLabels.labels-meta.xml"
    found.append((path, f"{HEAD}<CustomLabels {NS}>\n{labels}</CustomLabels>\n"))
    return found


def _commit(branch: str, message: str, changed: Files | list[tuple[str, str]]) -> bytes:
    who = f"committer Bench <bench@localhost> 0 +0000\ndata {len(message)}\n{message}\n"
    parts = [f"commit refs/heads/{branch}\n{who}".encode()]
    for path, text in changed:
        content = text.encode()
        parts.append(f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content + b"\n")
    return b"".join([*parts, b"\n"])
