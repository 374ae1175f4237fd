"""Decide what a deployment does: unpack, select by manifest, check, test, measure coverage."""

import json

from simulator import xmltree
from simulator.apex import testing
from simulator.apex.outline import Outline, outline
from simulator.catalogue import archive, holdings, parts, registry
from simulator.catalogue.archive import BadArchive, Manifest, Package
from simulator.catalogue.parts import Part
from simulator.deploys import apex_checks, checks, names, schema, usage
from simulator.deploys.options import Options
from simulator.deploys.plan import Message, Plan, Test
from simulator.deploys.problems import Problem
from simulator.deploys.view import View
from simulator.world import Org, World

COVERAGE_NEEDED = 75
_OWN_COVERAGE = ("RunSpecifiedTests", "RunRelevantTests")
_DELETES_AFTER = "destructiveChangesPost.xml"


def make(world: World, org: Org, options: Options, content: bytes) -> Plan:
    """Return the plan of a deployment of these bytes into this org as it is now."""
    try:
        files = archive.unzip(content)
    except BadArchive as bad:
        return Plan(error_code=bad.code, error_message=bad.message)
    packages = archive.packages(files, single=options.single_package)
    plan = Plan()
    if not packages:
        plan.messages.append(_manifest_error("package.xml", "No package.xml found"))
        return plan
    view = View(world, org, holdings.of_org(world, org.id))
    for package in packages:
        _Packing(world, plan, view, options).add(package)
    for note in view.notes:
        world.warn(org.id, note)
    if plan.component_errors and options.rollback_on_error:
        plan.writes, plan.deletes_before, plan.deletes_after = [], [], []
    else:
        _plan_tests(world, org, options, plan, view)
    return plan


def _manifest_error(name: str, problem: str, kind: str = "Error") -> Message:
    return Message("", name, name, success=False, problem=problem, problem_type=kind)


class _Packing:
    """Plan one package directory."""

    def __init__(self, world: World, plan: Plan, view: View, options: Options) -> None:
        self.world = world
        self.plan = plan
        self.view = view
        self.options = options
        self.prefix = ""

    def add(self, package: Package) -> None:
        self.prefix = package.prefix
        manifest = self.manifest(package, archive.MANIFEST)
        if manifest is None:
            return
        self.view.version = _version(manifest)
        self.plan.messages.append(Message("", "package.xml", f"{self.prefix}package.xml"))
        deletions = {
            name: self.manifest(package, name)
            for name in archive.DESTRUCTIVE
            if name in package.manifests
        }
        for name, listed in deletions.items():
            if name != _DELETES_AFTER and listed is not None:
                self.delete(name, listed)
        chosen = self.select(parts.split(package.files), manifest)
        self.check(chosen)
        if _DELETES_AFTER in deletions and (last := deletions[_DELETES_AFTER]) is not None:
            self.delete(_DELETES_AFTER, last)

    def manifest(self, package: Package, name: str) -> Manifest | None:
        try:
            manifest = archive.read_manifest(package.manifests[name])
        except xmltree.NotWellFormed as error:
            message = _manifest_error(self.prefix + name, f"Error parsing file: {error.message}")
            message.line, message.column = error.line, error.column
            self.plan.messages.append(message)
            return None
        for kind in manifest.types:
            if not registry.is_known(kind):
                problem = f"Unknown type name '{kind}' specified in {name}"
                self.plan.messages.append(_manifest_error(self.prefix + name, problem))
        return manifest

    def select(self, found: list[Part], manifest: Manifest) -> list[Part]:
        """Return the parts that the manifest lists; complain about both kinds of mismatch."""
        chosen = [part for part in found if _is_listed(part, manifest)]
        chosen_paths = {part.path for part in chosen}
        for part in found:
            if part.path not in chosen_paths and not part.parent:
                self.fail(part, Problem("Not in package.xml"))
        names = {
            (registry.manifest_type(p.type), name.lower()) for p in found for name in _names(p)
        }
        for kind, members in manifest.types.items():
            for member in members:
                plain = member.rstrip("/")
                if member == "*" or (kind, plain.lower()) in names or not registry.is_known(kind):
                    continue
                self.missing(kind, plain)
        return [part for part in chosen if self.is_whole(part)]

    def missing(self, kind: str, name: str) -> None:
        if self.options.allow_missing_files:
            return
        problem = (
            f"An object '{name}' of type {kind} was named in package.xml,"
            " but was not found in zipped directory"
        )
        message = _manifest_error(f"{self.prefix}package.xml", problem)
        message.name = name
        self.plan.messages.append(message)

    def is_whole(self, part: Part) -> bool:
        """Say whether a content file came with its -meta.xml and the other way round."""
        kind = registry.types().get(part.type)
        if kind is None or not kind.meta_file or kind.bundle:
            return True
        metas = [path for path in part.files if path.endswith(registry.META)]
        if metas and len(part.files) > len(metas):
            return True
        self.view.fail(part)
        self.missing(part.type, part.name)
        return False

    def check(self, chosen: list[Part]) -> None:
        for part, problem in names.twins(chosen):
            self.fail(part, problem)
        self.view.bring([*self.view.brought.values(), *chosen])
        sound = []
        for part in checks.in_order(chosen):
            problems = checks.problems_of(part, self.view)
            if problems:
                self.view.fail(part, problems[0].text)
                for problem in problems:
                    self.fail(part, problem)
            else:
                sound.append(part)
        for part, problem in apex_checks.dependents(chosen, self.view):
            self.fail(part, problem)
            sound.remove(part)
        for part in sound:
            self.succeed(part)

    def succeed(self, part: Part) -> None:
        held = self.view.held.get(part.key)
        files = {path: self.world.store.put(data) for path, data in part.files.items()}
        empty_parent = not any(part.files.values())
        changed = held is None or (held.files != files and not empty_parent)
        self.plan.messages.append(
            Message(
                part.type,
                part.name,
                self.prefix + part.path,
                created=held is None,
                changed=held is not None and changed,
                id=held.id if held else "",
                line=part.line,
                column=part.column,
            )
        )
        if changed:
            self.plan.writes.append((part.type, held.name if held else part.name, files))

    def fail(self, part: Part, problem: Problem) -> None:
        self.plan.messages.append(
            Message(
                part.type,
                part.name,
                self.prefix + (problem.path or part.path),
                success=False,
                problem=problem.text,
                problem_type="Error",
                line=problem.line,
                column=problem.column,
            )
        )

    def delete(self, manifest_name: str, listed: Manifest) -> None:
        target = (
            self.plan.deletes_after if manifest_name == _DELETES_AFTER else self.plan.deletes_before
        )
        going: list[tuple[str, str]] = []
        for kind, members in listed.types.items():
            for name in members:
                if name == "*":
                    problem = f"Wildcards are not supported in {manifest_name}"
                    self.plan.messages.append(_manifest_error(self.prefix + manifest_name, problem))
                elif not self.view.has(kind, name):
                    text = f"No {kind} named: {name} found"
                    warning = _manifest_error(self.prefix + manifest_name, text, "Warning")
                    # Without ignoreWarnings a warning counts like an error.
                    warning.success = self.options.ignore_warnings
                    self.plan.messages.append(warning)
                else:
                    going.append((kind, name))
        for kind, name in going:
            self.view.remove(kind, name)
        for kind, name in going:
            message = Message(kind, name, self.prefix + manifest_name, deleted=True)
            used = usage.in_use(self.view, kind, name)
            if used is None:
                target.append((kind, name))
            else:
                message.deleted = message.success = False
                message.problem, message.problem_type = used.text, "Error"
            self.plan.messages.append(message)


def _version(manifest: Manifest) -> float:
    try:
        return float(manifest.version)
    except ValueError:
        return schema.VERSION


def _names(part: Part) -> list[str]:
    """Return the names under which a manifest may list a part: documents also without suffix."""
    if part.type != "Document":
        return [part.name]
    return [part.name, part.name.rsplit(".", 1)[0]]


def _is_listed(part: Part, manifest: Manifest) -> bool:
    if part.unknown:
        return False
    kind = registry.manifest_type(part.type)
    if any(manifest.lists(kind, name) for name in _names(part)):
        return True
    if part.type == registry.CONTENT:
        return manifest.lists(registry.SPACE, part.name.partition(".")[0])
    if not part.parent:
        return False
    parent, _ = registry.parent_of()[part.type]
    return manifest.lists(parent.name, part.parent)


def _level(org: Org, options: Options, plan: Plan) -> str:
    if options.test_level:
        return options.test_level
    has_apex = any(kind in ("ApexClass", "ApexTrigger") for kind, _, _ in plan.writes)
    return "RunLocalTests" if has_apex and not org.is_sandbox else "NoTestRun"


def _plan_tests(world: World, org: Org, options: Options, plan: Plan, view: View) -> None:
    plan.test_level = _level(org, options, plan)
    if plan.test_level == "NoTestRun":
        return
    sources = sources_of(view)
    wanted = _wanted(options, plan, sources)
    run = testing.run(sources, wanted, test_rules(org))
    plan.run_tests = True
    for result in run.results:
        stack = f"Class.{result.class_name}.{result.method}: line {result.line}, column 1"
        plan.tests.append(
            Test(
                result.class_name,
                result.method,
                result.seconds,
                result.message,
                stack if result.message and result.method else "",
            )
        )
    plan.coverage = [
        {"name": c.name, "kind": c.kind, "lines": list(c.lines), "missed": list(c.missed)}
        for c in run.coverage
    ]
    shortfalls = _shortfalls(plan, run.coverage)
    plan.lacks_coverage = bool(shortfalls)
    if plan.test_level in _OWN_COVERAGE or not org.is_sandbox:
        plan.coverage_warnings = shortfalls


def _wanted(options: Options, plan: Plan, sources: dict[str, Outline]) -> set[str] | None:
    """Return the test classes to run; None for all of the org's own."""
    if plan.test_level == "RunSpecifiedTests":
        return set(options.run_tests)
    if plan.test_level != "RunRelevantTests":
        return None
    touched = {name.lower() for kind, name, _ in plan.writes if kind.startswith("Apex")}
    return {s.name.lower() for s in sources.values() if s.tests and s.words & touched}


def test_rules(org: Org) -> dict[str, testing.Rule]:
    """Return the operator's rules for the org's tests (POST /orgs/<name>/tests)."""
    listed = org.options.get("tests", {})
    return {name: testing.Rule(**rule) for name, rule in json.loads(json.dumps(listed)).items()}


def sources_of(view: View) -> dict[str, Outline]:
    """Return the outlines of all classes and triggers that will be there."""
    return {
        f"{kind}:{name.lower()}": outline(view.content(kind, name).decode("utf-8", "replace"))
        for kind in ("ApexClass", "ApexTrigger")
        for name in view.names(kind)
    }


def _shortfalls(plan: Plan, coverage: list[testing.Coverage]) -> list[dict[str, str]]:
    """Return what falls short of the platform's 75 % rule for this test level."""
    if plan.test_level in _OWN_COVERAGE:
        # Of every class and trigger in the package, also of those that do not change.
        own = {m.name.lower() for m in plan.messages if m.type in ("ApexClass", "ApexTrigger")}
        return [
            {
                "name": c.name,
                "message": f"Test coverage of selected Apex {c.kind} is {int(c.percent)}%,"
                f" at least {COVERAGE_NEEDED}% test coverage is required.",
            }
            for c in coverage
            if c.name.lower() in own and c.percent < COVERAGE_NEEDED
        ]
    warnings = [
        {
            "name": c.name,
            "message": "Test coverage of selected Apex Trigger is 0%,"
            " at least 1% test coverage is required.",
        }
        for c in coverage
        if c.kind == "Trigger" and c.lines and c.percent < 1
    ]
    lines = sum(len(c.lines) for c in coverage)
    missed = sum(len(c.missed) for c in coverage)
    percent = 100 * (lines - missed) // lines if lines else 100
    if percent < COVERAGE_NEEDED:
        warnings.append(
            {
                "name": "",
                "message": f"Average test coverage across all Apex Classes and Triggers is"
                f" {percent}%, at least {COVERAGE_NEEDED}% test coverage is required.",
            }
        )
    return warnings
