"""The tables that queries see: organization, people, set-up, Apex, deployments, records."""

import json
from collections.abc import Callable
from typing import Any

from simulator import ids
from simulator.catalogue import holdings, registry
from simulator.catalogue.standard import CANONICAL_OBJECTS, is_custom
from simulator.clock import rest_time
from simulator.deploys import rows as deploys
from simulator.deploys.rows import Deploy
from simulator.packages import tables as packages
from simulator.rest import fields
from simulator.rest.select import Record, Table
from simulator.sandboxes import states
from simulator.testruns import tables as testruns
from simulator.world import Org, World

#: What the data API shows too; the rest of it is known to Tooling only.
_TEST_ROWS_IN_REST = ("apextestqueueitem", "apextestresult", "apextestrunresult", "asyncapexjob")
Rows = Callable[[], list[Record]]


class Tables:
    """Find tables for one org; tooling queries see the tooling tables first."""

    def __init__(self, world: World, org: Org, *, tooling: bool) -> None:
        self._world = world
        self._org = org
        self._tooling = tooling
        self._made: dict[str, Table | None] = {}

    def find(self, name: str) -> Table | None:
        """Return the table of an object by its name in any case."""
        key = name.lower()
        if key not in self._made:
            self._made[key] = self._make(key)
        return self._made[key]

    def _make(self, key: str) -> Table | None:
        makers: dict[str, Callable[[], Table]] = {
            "organization": self._organization,
            "user": self._user,
            "profile": self._profile,
            "userlicense": self._user_license,
            "setupaudittrail": self._audit,
            "entitydefinition": self._entities,
        }
        tooling: dict[str, Callable[[], Table]] = {
            "apexclass": lambda: self._apex("ApexClass"),
            "apextrigger": lambda: self._apex("ApexTrigger"),
            "deployrequest": self._deploy_request,
            "sourcemember": self._source_member,
            "sandboxprocess": self._sandbox_process,
            "sourcetrackingsettings": self._source_tracking,
        }
        if key == "sourcemember" and not self._org.options.get("source_tracking", False):
            return None  # orgs without source tracking do not know it
        if key in makers:
            return makers[key]()
        if key in tooling and (self._tooling or key.startswith("apex")):
            return tooling[key]()
        about_tests = testruns.find(self._world, self._org, key)
        if about_tests is not None and (self._tooling or key in _TEST_ROWS_IN_REST):
            return about_tests
        about_packages = packages.find(self._world, self._org, key)
        if about_packages is not None and about_packages.tooling in (False, self._tooling):
            return about_packages
        return self._records(key)

    def _table(
        self, name: str, rows: Rows, relations: dict[str, tuple[str, str]] | None = None
    ) -> Table:
        columns = fields.COLUMNS[name]
        return Table(name, columns, rows, relations or {}, tooling=self._tooling)

    def _organization(self) -> Table:
        org = self._org
        row: Record = {
            "Id": org.id,
            "Name": org.organization_name,
            "IsSandbox": org.is_sandbox,
            "InstanceName": org.instance_name,
            "OrganizationType": org.organization_type,
            "TrialExpirationDate": rest_time(org.trial_ends_at),
            "NamespacePrefix": org.options.get("namespace"),
            "LanguageLocaleKey": org.options.get("language", "en_US"),
            "DefaultLocaleSidKey": "en_US",
            "TimeZoneSidKey": "GMT",
            "PrimaryContact": None,
            "CreatedDate": rest_time(org.created_at),
            "FiscalYearStartMonth": 1,
            "IsReadOnly": False,
        }
        return self._table("Organization", lambda: [row])

    def _user(self) -> Table:
        def rows() -> list[Record]:
            return [
                {
                    "Id": p.id,
                    "Username": p.username,
                    "Name": p.full_name,
                    "FirstName": p.full_name.partition(" ")[0],
                    "LastName": p.full_name.rpartition(" ")[2],
                    "Email": p.email,
                    "IsActive": p.active,
                    "ProfileId": _profile_id(p.profile),
                    "UserType": "Standard",
                    "LanguageLocaleKey": "en_US",
                    "CreatedDate": rest_time(self._org.created_at),
                }
                for p in self._world.people(self._org.id)
            ]

        return self._table("User", rows, {"Profile": ("Profile", "ProfileId")})

    def _profile(self) -> Table:
        def rows() -> list[Record]:
            names = {p.profile for p in self._world.people(self._org.id)}
            names |= {c.name for c in holdings.of_type(self._world, self._org.id, "Profile")}
            return [
                {"Id": _profile_id(n), "Name": n, "UserType": "Standard"} for n in sorted(names)
            ]

        return self._table("Profile", rows)

    def _user_license(self) -> Table:
        total = int(self._org.options.get("user_licenses", 100))
        used = sum(1 for person in self._world.people(self._org.id) if person.active)
        row: Record = {
            "Id": ids.numbered("100", 1),
            "Name": "Salesforce",
            "MasterLabel": "Salesforce",
            "LicenseDefinitionKey": "SFDC",
            "Status": "Active",
            "TotalLicenses": total,
            "UsedLicenses": used,
        }
        return self._table("UserLicense", lambda: [row])

    def _audit(self) -> Table:
        def rows() -> list[Record]:
            sql = "select * from audit where org = ? order by at desc"
            return [
                {
                    "Id": row["id"],
                    "Action": row["action"],
                    "Section": row["section"],
                    "Display": row["display"],
                    "CreatedDate": rest_time(row["at"]),
                    "CreatedById": row["person"],
                    "DelegateUser": None,
                    "ResponsibleNamespacePrefix": None,
                    "CreatedByContext": None,
                    "CreatedByIssuer": None,
                }
                for row in self._world.store.rows(sql, self._org.id)
            ]

        return self._table("SetupAuditTrail", rows, {"CreatedBy": ("User", "CreatedById")})

    def _entities(self) -> Table:
        def rows() -> list[Record]:
            held = holdings.of_type(self._world, self._org.id, "CustomObject")
            names = {*CANONICAL_OBJECTS.values(), *(c.name for c in held)}
            return [
                {
                    "DurableId": name,
                    "QualifiedApiName": name,
                    "DeveloperName": name.rsplit("__", 1)[0],
                    "Label": name,
                    "IsCustomizable": True,
                    "NamespacePrefix": None,
                }
                for name in sorted(names)
            ]

        return self._table("EntityDefinition", rows)

    def _apex(self, kind: str) -> Table:
        def rows() -> list[Record]:
            return [self._apex_row(c) for c in holdings.of_type(self._world, self._org.id, kind)]

        return self._table(kind, rows)

    def _apex_row(self, component: holdings.Component) -> Record:
        body = self._world.store.get(component.files[holdings.path_of(component)])
        meta = next(
            (
                self._world.store.get(s)
                for p, s in component.files.items()
                if p.endswith(registry.META)
            ),
            b"",
        )
        version = meta.partition(b"<apiVersion>")[2].partition(b"<")[0].decode() or "0"
        active = b"<status>Inactive" not in meta and b"<status>Deleted" not in meta
        return {
            **common(component),
            "Name": component.name,
            "NamespacePrefix": None,
            "ApiVersion": float(version),
            "Status": "Active" if active else "Inactive",
            "IsValid": True,
            "Body": body.decode("utf-8", "replace"),
            "LengthWithoutComments": len(body),
            "ManageableState": "unmanaged",
        }

    def _deploy_request(self) -> Table:
        def rows() -> list[Record]:
            return [
                deploy_row(self._world, deploy)
                for deploy in deploys.of_org(self._world, self._org.id)
            ]

        relations = {"CreatedBy": ("User", "CreatedById"), "CanceledBy": ("User", "CanceledById")}
        return self._table("DeployRequest", rows, relations)

    def _source_member(self) -> Table:
        def rows() -> list[Record]:
            sql = "select * from component where org = ? order by revision, type, name"
            return [
                {
                    "Id": ids.with_checksum("0MZ" + str(row["id"])[3:15]),
                    "MemberType": row["type"],
                    "MemberName": row["name"],
                    "MemberIdOrName": row["id"],
                    "IsNameObsolete": bool(row["deleted"]),
                    "IsNewMember": row["created_at"] == row["modified_at"],
                    "RevisionCounter": row["revision"],
                    "RevisionNum": row["revision"],
                    "ChangedBy": row["modified_by"],
                    "LastModifiedDate": rest_time(row["modified_at"]),
                }
                for row in self._world.store.rows(sql, self._org.id)
            ]

        return self._table("SourceMember", rows)

    def _sandbox_process(self) -> Table:
        """Processes show their status in the org's language and take codes in conditions."""
        language = str(self._org.options.get("language", "en_US"))
        return Table(
            "SandboxProcess",
            fields.COLUMNS["SandboxProcess"],
            lambda: records(self._world, self._org.id, "SandboxProcess"),
            tooling=True,
            labels={"Status": states.labels(language)},
        )

    def _source_tracking(self) -> Table:
        on = bool(self._org.options.get("source_tracking", False))
        row: Record = {"Id": ids.numbered("0Sg", 1), "IsSourceTrackingSandboxesEnabled": on}
        return self._table("SourceTrackingSettings", lambda: [row])

    def _records(self, key: str) -> Table | None:
        name = self._canonical(key)
        if name is None:
            return None
        columns = dict(fields.columns_of_object(self._world, self._org, name))
        relations = {
            "CreatedBy": ("User", "CreatedById"),
            "Owner": ("User", "OwnerId"),
            "LastModifiedBy": ("User", "LastModifiedById"),
            **fields.RELATIONS.get(name, {}),
        }
        children = dict(fields.CHILDREN.get(name, {}))
        for entity, column, target, relation in fields.lookups(self._world, self._org):
            if entity.lower() == name.lower():
                relations[column[:-1] + "r"] = (target, column)
            if target.lower() == name.lower() and relation:
                children[f"{relation}__r"] = (entity, column)
        return Table(
            name,
            columns,
            lambda: records(self._world, self._org.id, name),
            relations,
            tooling=self._tooling,
            children=children,
        )

    def _canonical(self, key: str) -> str | None:
        special = {name.lower(): name for name in fields.COLUMNS}
        tooling_only = fields.TOOLING_ONLY
        if key in special and (self._tooling or special[key] not in tooling_only):
            return special[key]
        if key in CANONICAL_OBJECTS:
            return CANONICAL_OBJECTS[key]
        if not is_custom(key):
            return None
        held = holdings.one(self._world, self._org.id, "CustomObject", key)
        return None if held is None else held.name


def records(world: World, org: str, sobject: str) -> list[Record]:
    """Return an org's records of an object, the oldest first."""
    sql = "select * from record where org = ? and sobject = ? order by created_at, id"
    return [
        {
            "CreatedDate": rest_time(row["created_at"]),
            "LastModifiedDate": rest_time(row["modified_at"]),
            "SystemModstamp": rest_time(row["modified_at"]),
            "CreatedById": row["modified_by"],
            "LastModifiedById": row["modified_by"],
            "OwnerId": row["modified_by"],
            "IsDeleted": False,
            **json.loads(row["fields"]),
            "Id": row["id"],
        }
        for row in world.store.rows(sql, org, sobject)
    ]


def common(component: holdings.Component) -> dict[str, Any]:
    """Return the columns that all Tooling components share."""
    return {
        "Id": component.id,
        "CreatedDate": rest_time(component.created_at),
        "CreatedById": component.created_by,
        "LastModifiedDate": rest_time(component.modified_at),
        "LastModifiedById": component.modified_by,
        "SystemModstamp": rest_time(component.modified_at),
    }


def deploy_row(world: World, deploy: Deploy) -> Record:
    """Return a deployment as Tooling DeployRequest shows it."""
    progress = deploys.progress(world, deploy)
    return {
        "Id": deploy.id,
        "Status": deploy.status,
        "StateDetail": progress.state_detail or None,
        "Type": "REST" if deploy.kind == deploys.ORDINARY else "QuickDeploy",
        "CheckOnly": deploy.options.check_only,
        "AllowMissingFiles": deploy.options.allow_missing_files,
        "IgnoreWarnings": deploy.options.ignore_warnings,
        "PurgeOnDelete": deploy.options.purge_on_delete,
        "RollbackOnError": deploy.options.rollback_on_error,
        "SinglePackage": deploy.options.single_package,
        "RunTestsEnabled": progress.plan.run_tests,
        "TestLevel": deploy.options.test_level or None,
        "CreatedDate": rest_time(deploy.created_at),
        "CreatedById": deploy.created_by,
        "StartDate": rest_time(deploy.started_at),
        "CompletedDate": rest_time(deploy.completed_at),
        "LastModifiedDate": rest_time(deploy.modified_at),
        "SystemModstamp": rest_time(deploy.modified_at),
        "CanceledById": deploy.canceled_by,
        "NumberComponentsTotal": len(progress.plan.counted),
        "NumberComponentErrors": progress.errors,
        "NumberComponentsDeployed": progress.deployed,
        "NumberTestsTotal": len(progress.plan.tests),
        "NumberTestsCompleted": sum(1 for t in progress.tested if not t.message),
        "NumberTestErrors": sum(1 for t in progress.tested if t.message),
        "ErrorMessage": deploy.error_message,
        "ErrorStatusCode": deploy.error_code,
    }


def _profile_id(name: str) -> str:
    number = int.from_bytes(name.encode()[:6].ljust(6, b"\0"), "big")
    return ids.numbered(ids.PROFILE, number)
