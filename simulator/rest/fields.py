"""Columns by object: canonical spelling and type. Only what is modelled stands here."""

from collections.abc import Iterator

from simulator.catalogue import holdings, parts
from simulator.world import Org, World

_AUDIT = {
    "CreatedDate": "datetime", "CreatedById": "id", "LastModifiedDate": "datetime",
    "LastModifiedById": "id", "SystemModstamp": "datetime",
}  # fmt: skip
_APEX = {
    "Id": "id", "Name": "string", "NamespacePrefix": "string", "ApiVersion": "double",
    "Status": "string", "IsValid": "boolean", "Body": "string", "LengthWithoutComments": "int",
    "ManageableState": "string", **_AUDIT,
}  # fmt: skip
_SANDBOX = {
    "AutoActivate": "boolean", "ApexClassId": "id", "ActivationUserGroupId": "id",
    "TemplateId": "id", "SourceId": "id", "HistoryDays": "int", "CopyChatter": "boolean",
    "CopyArchivedActivities": "boolean", "Features": "string",
}  # fmt: skip
COLUMNS: dict[str, dict[str, str]] = {
    "Organization": {
        "Id": "id", "Name": "string", "IsSandbox": "boolean", "InstanceName": "string",
        "OrganizationType": "string", "TrialExpirationDate": "datetime",
        "NamespacePrefix": "string",
        "LanguageLocaleKey": "string", "DefaultLocaleSidKey": "string", "TimeZoneSidKey": "string",
        "PrimaryContact": "string", "CreatedDate": "datetime", "FiscalYearStartMonth": "int",
        "IsReadOnly": "boolean",
    },
    "User": {
        "Id": "id", "Username": "string", "Name": "string", "FirstName": "string",
        "LastName": "string", "Email": "string", "IsActive": "boolean", "ProfileId": "id",
        "UserType": "string", "LanguageLocaleKey": "string", "CreatedDate": "datetime",
    },
    "Profile": {"Id": "id", "Name": "string", "UserType": "string"},
    "UserLicense": {
        "Id": "id", "Name": "string", "MasterLabel": "string", "LicenseDefinitionKey": "string",
        "Status": "string", "TotalLicenses": "int", "UsedLicenses": "int",
    },
    "SetupAuditTrail": {
        "Id": "id", "Action": "string", "Section": "string", "Display": "string",
        "CreatedDate": "datetime", "CreatedById": "id", "DelegateUser": "string",
        "ResponsibleNamespacePrefix": "string", "CreatedByContext": "string",
        "CreatedByIssuer": "string",
    },
    "EntityDefinition": {
        "DurableId": "string", "QualifiedApiName": "string", "DeveloperName": "string",
        "Label": "string", "IsCustomizable": "boolean", "NamespacePrefix": "string",
    },
    "ApexClass": _APEX,
    "ApexTrigger": _APEX,
    "DeployRequest": {
        "Id": "id", "Status": "string", "StateDetail": "string", "Type": "string",
        "CheckOnly": "boolean", "AllowMissingFiles": "boolean", "IgnoreWarnings": "boolean",
        "PurgeOnDelete": "boolean", "RollbackOnError": "boolean", "SinglePackage": "boolean",
        "RunTestsEnabled": "boolean", "TestLevel": "string", "CreatedDate": "datetime",
        "CreatedById": "id", "StartDate": "datetime", "CompletedDate": "datetime",
        "LastModifiedDate": "datetime", "SystemModstamp": "datetime", "CanceledById": "id",
        "NumberComponentsTotal": "int", "NumberComponentErrors": "int",
        "NumberComponentsDeployed": "int", "NumberTestsTotal": "int", "NumberTestsCompleted": "int",
        "NumberTestErrors": "int", "ErrorMessage": "string", "ErrorStatusCode": "string",
    },
    "SourceMember": {
        "Id": "id", "MemberType": "string", "MemberName": "string", "MemberIdOrName": "string",
        "IsNameObsolete": "boolean", "IsNewMember": "boolean", "RevisionCounter": "int",
        "RevisionNum": "int", "ChangedBy": "string", "LastModifiedDate": "datetime",
    },
    "SandboxInfo": {
        "Id": "id", "SandboxName": "string", "LicenseType": "string", "Description": "string",
        **_SANDBOX, "IsDeleted": "boolean", **_AUDIT,
    },
    "SandboxProcess": {
        "Id": "id", "SandboxInfoId": "id", "SandboxName": "string", "LicenseType": "string",
        "SandboxOrganization": "id", "Status": "string", "CopyProgress": "int",
        "StartDate": "datetime", "EndDate": "datetime", "Description": "string",
        "RefreshAction": "string", "ActivatedById": "id", "ActivatedDate": "datetime",
        **_SANDBOX, **_AUDIT,
    },
    "MetadataPackage": {
        "Id": "id", "Name": "string", "NamespacePrefix": "string", "PackageCategory": "string",
    },
    "MetadataPackageVersion": {
        "Id": "id", "MetadataPackageId": "id", "Name": "string", "MajorVersion": "int",
        "MinorVersion": "int", "PatchVersion": "int", "BuildNumber": "int",
        "ReleaseState": "string", "IsDeprecated": "boolean",
    },
    "PackageSubscriber": {
        "Id": "id", "OrgKey": "id", "OrgName": "string", "OrgType": "string",
        "OrgStatus": "string", "InstalledStatus": "string", "InstanceName": "string",
        "MetadataPackageId": "id", "MetadataPackageVersionId": "id", "ParentOrg": "string",
    },
    "PackagePushRequest": {
        "Id": "id", "PackageVersionId": "id", "ScheduledStartTime": "datetime",
        "StartTime": "datetime", "EndTime": "datetime", "DurationSeconds": "int",
        "Status": "string", "IsMigration": "boolean", **_AUDIT,
    },
    "PackagePushJob": {
        "Id": "id", "PackagePushRequestId": "id", "SubscriberOrganizationKey": "id",
        "Status": "string", "StartTime": "datetime", "EndTime": "datetime",
        "DurationSeconds": "int", **_AUDIT,
    },
    "PackagePushError": {
        "Id": "id", "PackagePushJobId": "id", "ErrorSeverity": "string", "ErrorType": "string",
        "ErrorTitle": "string", "ErrorMessage": "string", "ErrorDetails": "string",
    },
    "InstalledSubscriberPackage": {
        "Id": "id", "SubscriberPackageId": "id", "SubscriberPackageVersionId": "id",
    },
    "PackageInstallRequest": {
        "Id": "id", "SubscriberPackageVersionKey": "id", "Status": "string", "Errors": "json",
        "Password": "string", "ApexCompileType": "string", "EnableRss": "boolean",
        "SecurityType": "string", "NameConflictResolution": "string",
        "PackageInstallSource": "string", "SkipHandlers": "string", "UpgradeType": "string",
        **_AUDIT,
    },
    "SubscriberPackageVersionUninstallRequest": {
        "Id": "id", "SubscriberPackageVersionId": "id", "Status": "string", "Errors": "json",
        **_AUDIT,
    },
    "FeedItem": {
        "Id": "id", "Body": "string", "ParentId": "id", "Type": "string", **_AUDIT,
    },
    "SourceTrackingSettings": {"Id": "id", "IsSourceTrackingSandboxesEnabled": "boolean"},
    "ScratchOrgInfo": {"Id": "id", "Status": "string", "ScratchOrg": "string", "OrgName": "string"},
}  # fmt: skip
TOOLING_ONLY = frozenset(
    {
        "DeployRequest",
        "InstalledSubscriberPackage",
        "PackageInstallRequest",
        "SubscriberPackageVersionUninstallRequest",
        "SourceMember",
        "SandboxInfo",
        "SandboxProcess",
        "SourceTrackingSettings",
    }
)
_STANDARD = {
    "Account": {"Name": "string", "Type": "string", "Industry": "string", "Phone": "string",
                "Website": "string", "Description": "string", "AccountNumber": "string",
                "ParentId": "id"},
    "Contact": {"FirstName": "string", "LastName": "string", "Name": "string", "Email": "string",
                "Phone": "string", "AccountId": "id", "Title": "string"},
    "Opportunity": {"Name": "string", "StageName": "string", "Amount": "double",
                    "CloseDate": "date", "AccountId": "id"},
    "Lead": {"FirstName": "string", "LastName": "string", "Name": "string", "Company": "string",
             "Email": "string", "Status": "string"},
    "Case": {"Subject": "string", "Status": "string", "Description": "string",
             "CaseNumber": "string", "AccountId": "id", "ContactId": "id"},
}  # fmt: skip
_FIELD_TYPES = {
    "Checkbox": "boolean", "Currency": "double", "Number": "double", "Percent": "double",
    "Date": "date", "DateTime": "datetime", "Lookup": "id", "MasterDetail": "id",
}  # fmt: skip


RELATIONS: dict[str, dict[str, tuple[str, str]]] = {
    "MetadataPackageVersion": {"MetadataPackage": ("MetadataPackage", "MetadataPackageId")},
    "PackageSubscriber": {
        "MetadataPackage": ("MetadataPackage", "MetadataPackageId"),
        "MetadataPackageVersion": ("MetadataPackageVersion", "MetadataPackageVersionId"),
    },
    "InstalledSubscriberPackage": {
        "SubscriberPackage": ("SubscriberPackage", "SubscriberPackageId"),
        "SubscriberPackageVersion": ("SubscriberPackageVersion", "SubscriberPackageVersionId"),
    },
    "PackagePushRequest": {"PackageVersion": ("MetadataPackageVersion", "PackageVersionId")},
    "PackagePushJob": {"PackagePushRequest": ("PackagePushRequest", "PackagePushRequestId")},
    "PackagePushError": {"PackagePushJob": ("PackagePushJob", "PackagePushJobId")},
}


CHILDREN: dict[str, dict[str, tuple[str, str]]] = {
    "Account": {
        "Contacts": ("Contact", "AccountId"), "Opportunities": ("Opportunity", "AccountId"),
        "Cases": ("Case", "AccountId"),
    },
    "Contact": {"Cases": ("Case", "ContactId")},
    "PackagePushRequest": {"PackagePushJobs": ("PackagePushJob", "PackagePushRequestId")},
    "PackagePushJob": {"PackagePushErrors": ("PackagePushError", "PackagePushJobId")},
}  # fmt: skip


def lookups(world: World, org: Org) -> Iterator[tuple[str, str, str, str]]:
    """Yield an org's lookup fields: object, field, target, name of the child relationship."""
    for field in holdings.of_type(world, org.id, "CustomField"):
        content = world.store.get(next(iter(field.files.values())))
        if b"<referenceTo>" not in content:
            continue
        element = parts.parse_fragment(content)
        entity, _, own = field.name.partition(".")
        for target in element.all("referenceTo"):
            yield entity, own, target.text.strip(), element.value("relationshipName")


def columns_of_object(world: World, org: Org, name: str) -> dict[str, str]:
    """Return the columns of an object with records: its own, the audit fields, custom fields."""
    if name in COLUMNS:
        return COLUMNS[name]
    found = {"Id": "id", "Name": "string", "OwnerId": "id", "IsDeleted": "boolean", **_AUDIT}
    found |= _STANDARD.get(name, {})
    for field in holdings.of_type(world, org.id, "CustomField"):
        entity, _, own = field.name.partition(".")
        if entity.lower() == name.lower():
            element = parts.parse_fragment(world.store.get(next(iter(field.files.values()))))
            found[own] = _FIELD_TYPES.get(element.value("type"), "string")
    return found
