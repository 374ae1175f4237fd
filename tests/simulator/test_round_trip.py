"""What is packaged from a commit comes back from an org as it went: no drift; deltas lead there."""

from __future__ import annotations

from pathlib import Path

from metadata import delta, layout, manifest, package
from metadata.components import ComponentKey
from metadata.convert import assembly
from metadata.inner import files_of
from metadata.mirrors import Mirror
from metadata.normal import Files, NormalForm
from metadata.sides import pair
from metadata.source import read_commit
from metadata.types import MetadataType, standard
from metadata.zips import write
from simulator.catalogue import archive, holdings
from simulator.catalogue.retrieval import retrieve
from simulator.deploys import planning
from simulator.identity import orgs
from tests.metadata.differential.test_matrix import component
from tests.metadata.repositories import BASE, CLASS_META, HEAD, NS, PROJECT, Repo, field
from tests.simulator.test_content import OPTIONS, Scratch

TRIP = f"{BASE}/objects/Trip__c"
START: dict[str, str | bytes | None] = {
    "sfdx-project.json": PROJECT,
    f"{BASE}/classes/Foo.cls": "public class Foo {\r\n}\r\n",
    f"{BASE}/classes/Foo.cls-meta.xml": CLASS_META,
    f"{TRIP}/Trip__c.object-meta.xml": (
        f"{HEAD}<CustomObject {NS}><deploymentStatus>Deployed</deploymentStatus><label>Fährt &amp;"
        "</label><nameField><label>N</label><type>Text</type></nameField><pluralLabel>T</pluralLabel>"
        "<sharingModel>ReadWrite</sharingModel></CustomObject>"
    ),
    f"{TRIP}/fields/A__c.field-meta.xml": field("A__c"),
    f"{TRIP}/fields/B__c.field-meta.xml": field("B__c", "  with blanks&#13;\n  "),
    f"{TRIP}/listViews/All.listView-meta.xml": (
        f"{HEAD}<ListView {NS}><fullName>All</fullName><columns>NAME</columns>"
        "<filterScope>Everything</filterScope><label>All</label></ListView>"
    ),
    f"{BASE}/labels/CustomLabels.labels-meta.xml": (
        f"{HEAD}<CustomLabels {NS}>"
        + "".join(
            f"<labels><fullName>{name}</fullName><language>en_US</language>"
            f"<protected>false</protected><shortDescription>{name}</shortDescription>"
            f"<value>{name} </value></labels>"
            for name in ("One", "Two")
        )
        + "</CustomLabels>"
    ),
    f"{BASE}/lwc/tile/tile.js": "export default class Tile {}\n",
    f"{BASE}/lwc/tile/tile.js-meta.xml": (
        f"{HEAD}<LightningComponentBundle {NS}><apiVersion>64.0</apiVersion>"
        "<isExposed>false</isExposed></LightningComponentBundle>"
    ),
    f"{BASE}/staticresources/Many.resource-meta.xml": (
        f"{HEAD}<StaticResource {NS}><cacheControl>Public</cacheControl>"
        "<contentType>application/zip</contentType></StaticResource>"
    ),
    f"{BASE}/staticresources/Many/a/b.txt": "b",
    f"{BASE}/workflows/Trip__c.workflow-meta.xml": f"{HEAD}<Workflow {NS}/>",
}
CHANGE: dict[str, str | bytes | None] = {
    f"{BASE}/classes/Foo.cls": None,
    f"{BASE}/classes/Foo.cls-meta.xml": None,
    f"{TRIP}/fields/A__c.field-meta.xml": None,
    f"{TRIP}/fields/B__c.field-meta.xml": field("B__c", "New"),
    f"{BASE}/lwc/tile/tile.html": "<template></template>\n",
    f"{BASE}/staticresources/Many/c.txt": "c",
}


def deploy(scratch: Scratch, zip_bytes: bytes) -> None:
    """Deploy to the org; the package has to be without a fault."""
    plan = planning.make(scratch.world, scratch.org, OPTIONS, zip_bytes)
    assert [message.problem for message in plan.component_errors] == []
    world, org = scratch.world, scratch.org.id
    stamp = (org, "005", world.clock.now(), holdings.next_revision(world, org))
    for kind, name, files in plan.writes:
        holdings.put_hashes(world, stamp, kind, name, files)
    for kind, name in (*plan.deletes_before, *plan.deletes_after):
        holdings.delete(world, org, "005", kind, name)


def held(scratch: Scratch, form: NormalForm) -> NormalForm:
    """What the org gives back of the components."""
    asked = archive.Manifest(package.build(form, "64.0").manifest, "64.0")
    found = retrieve(scratch.world, scratch.org.id, asked)
    assert found.messages == []
    return package.read_zip(write({f"unpackaged/{path}": c for path, c in found.files.items()}))


def test_package_and_then_its_delta_come_back_without_drift(tmp_path: Path) -> None:
    repo, scratch = Repo(tmp_path / "repo"), Scratch(tmp_path / "org")
    old, new = repo.commit(START), repo.commit(CHANGE)
    mirror = Mirror(repo.path / ".git")
    before, after = read_commit(mirror, old), read_commit(mirror, new)
    deploy(scratch, package.build(before, "64.0").zip_bytes)
    assert held(scratch, before).component_digests() == before.component_digests()
    assert delta.against(held(scratch, before).component_digests(), after).changed

    both = pair(mirror, old, new)
    found = delta.of_pair(both)
    files = files_of(both.after, found.changed)
    files["package.xml"] = manifest.write(found.manifest, "64.0")
    files["destructiveChangesPost.xml"] = manifest.write(found.destructive, "64.0")
    deploy(scratch, write(files))
    assert held(scratch, after).component_digests() == after.component_digests()
    kinds = {str(key) for key in found.removed}
    assert kinds == {"ApexClass:Foo", "CustomField:Trip__c.A__c"}
    assert delta.against(held(scratch, after).component_digests(), after).changed == ()


UNPLACED = {"EmailTemplateFolder"}
"""What the published registry names without telling which files are it: no conversion makes one."""


def sample(kind: MetadataType) -> NormalForm:
    """A component of a type with one of each of its children, as a project in source format."""
    contents = {f"main/{path}": text.encode() for path, text in component(kind).items()}
    made = assembly.assemble(contents, assembly.find(contents, standard()), standard())
    return layout.read(made.files, made.origins)


def put(scratch: Scratch, form: NormalForm) -> None:
    """Have the org hold a package that it does not check, since samples name nothing real."""
    person = orgs.first_person(scratch.world, scratch.org).id
    holdings.load_files(scratch.world, scratch.org.id, person, package.package_files(form))


def test_every_type_of_the_registry_comes_back_without_drift(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    kinds = [kind for kind in standard().by_id.values() if kind.name not in UNPLACED]
    drift: list[str] = []
    for some in (kinds[start::40] for start in range(40)):
        forms: dict[ComponentKey, Files] = {}
        for kind in some:
            forms |= sample(kind)
        whole = NormalForm(forms)
        put(scratch, whole)
        found = held(scratch, whole).component_digests()
        drift += [str(key) for key, own in whole.component_digests().items() if found[key] != own]
    assert drift == []


def test_contents_of_an_enhanced_site_come_and_go_one_by_one_and_with_it(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    site = sample(standard().by_name["DigitalExperienceBundle"])
    space, home = (
        ComponentKey("DigitalExperienceBundle", "site/Shop"),
        ComponentKey("DigitalExperience", "site/Shop.sfdc_cms__view/home"),
    )
    about = ComponentKey(home.type, home.name.replace("home", "about"))
    other = {path.replace("home", "about"): text for path, text in site[home].items()}
    both = NormalForm({**site, about: other})
    deploy(scratch, package.build(both, "64.0").zip_bytes)
    asked = archive.Manifest({space.type: [space.name]}, "64.0")
    assert len(retrieve(scratch.world, scratch.org.id, asked).files) == 6
    changed = dict.fromkeys(site[home], b'{"title": "Home"}')
    part = NormalForm({home: changed})
    deploy(scratch, package.build(part, "64.0", [about]).zip_bytes)
    now = NormalForm({**site, home: changed})
    assert held(scratch, now).component_digests() == now.component_digests()
    deploy(scratch, package.build(NormalForm({}), "64.0", [space]).zip_bytes)
    assert retrieve(scratch.world, scratch.org.id, asked).messages != []
    left = [key for key in holdings.of_org(scratch.world, scratch.org.id) if key[0] == home.type]
    assert left == []
