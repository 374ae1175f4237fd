"""Two teams that change the same things at the same time."""

from __future__ import annotations

from core.context import Actor, acting_as
from metadata.commits import CommitInfo
from metadata.components import ComponentKey
from metadata.touched import Touch
from releases.selectors import radar as tips
from releases.services import radar
from tests.support.company.rows import LONG_CLASS, Company, hex_of
from tests.support.databases import as_role

KEYS = (
    ComponentKey("PermissionSet", "Household_User"),
    ComponentKey("CustomField", "Account.Household_Renewal_Discount_Percentage__c"),
    ComponentKey("ApexClass", LONG_CLASS),
)


def _touch(company: Company, slug: str, key: ComponentKey, *names: ComponentKey) -> Touch:
    commit = company.commits[f"{slug} 3"]
    info = CommitInfo(
        sha=commit.sha,
        parents=(),
        author_name=commit.author_name,
        author_email=commit.author_email,
        authored_at=commit.authored_at,
        committer_name=commit.committer_name,
        committer_email=commit.committer_email,
        committed_at=commit.committed_at,
        co_authors=(),
        message=commit.message,
    )
    elements = ("fieldPermissions Account.Region__c",) if key.type == "PermissionSet" else ()
    return Touch(key, hex_of(f"{slug} {key}"), elements, names, (info,))


def collisions(company: Company) -> None:
    """Sales and Service meet at an element, at a component and by a reference."""
    rights, field, test = KEYS
    for slug, touched in (
        ("sales", (_touch(company, "sales", rights), _touch(company, "sales", field))),
        (
            "service",
            (
                _touch(company, "service", rights),
                _touch(company, "service", field),
                _touch(company, "service", test, field),
            ),
        ),
    ):
        repository = company.repositories[slug]
        with as_role("build"), acting_as(Actor("worker", None, "builder")):
            wanted = tips.tips_of(repository)
            radar.keep(repository, wanted, [radar.Seen(tip, touched) for tip in wanted])
