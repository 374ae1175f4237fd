"""The service team: cases and technicians' visits, in metadata format."""

from __future__ import annotations

from demo.content import access, objects
from demo.content.components import Component
from demo.content.people import CHLOE, DAVID, DAVID_AT_HOME, TOMAS
from demo.content.story import Branch, Commit, Story, Tag, When

README = """# Northwind Service

Cases and visits on our production org, in metadata format: `src/package.xml` names what we own.

Branches are named after the work item: `feature/NWC-52-reopen-on-reply`.
"""

CASE = (
    objects.picklist("Case.Severity__c", "Severity", ("Normal", "High", "Critical")),
    objects.moment("Case.Escalated_On__c", "Escalated On"),
    objects.moment("Case.Last_Customer_Reply__c", "Last Customer Reply"),
    objects.rule(
        "Case.Critical_Needs_Contact",
        'AND(ISPICKVAL(Severity__c, "Critical"), ISBLANK(ContactId))',
        "A critical case needs a contact whom we can call.",
        beside="ContactId",
    ),
    objects.list_view(
        "Case.Escalated",
        "Escalated Cases",
        ("CASES.CASE_NUMBER", "CASES.SUBJECT", "Severity__c", "Escalated_On__c"),
        ("CASES.ESCALATION_STATE", "equals", "1"),
    ),
)

VISIT = (
    objects.custom_object(
        "Service_Visit__c",
        "Service Visit",
        "Service Visits",
        about="A technician's visit at a customer.",
        number_format="SV-{000000}",
    ),
    objects.lookup("Service_Visit__c.Case__c", "Case", "Case", "Service_Visits"),
    objects.lookup("Service_Visit__c.Technician__c", "Technician", "User", "Service_Visits"),
    objects.date("Service_Visit__c.Planned_On__c", "Planned On"),
    objects.picklist(
        "Service_Visit__c.Status__c", "Status", ("Planned", "On Site", "Done", "Cancelled")
    ),
    objects.note("Service_Visit__c.Report__c", "Report"),
    objects.rule(
        "Service_Visit__c.Done_Needs_Report",
        'AND(ISPICKVAL(Status__c, "Done"), LEN(Report__c) = 0)',
        "Write what was done before the visit is closed.",
        beside="Report__c",
    ),
    objects.list_view(
        "Service_Visit__c.Planned",
        "Planned Visits",
        ("NAME", "Planned_On__c", "Technician__c", "Status__c"),
        ("Status__c", "equals", "Planned"),
    ),
    objects.record_type(
        "Service_Visit__c.Installation", "Installation", "Something new is set up."
    ),
    objects.record_type("Service_Visit__c.Repair", "Repair", "Something broken is mended."),
    access.tab("Service_Visit__c", "Custom41: Wrench"),
)


def _case_layout(*follow_up: str) -> Component:
    return access.layout(
        "Case",
        "Support Layout",
        (
            ("Case", ("ContactId", "Subject"), ("Status", "Severity__c")),
            ("Follow-up", ("Last_Customer_Reply__c",), ("Escalated_On__c", *follow_up)),
        ),
    )


def _visit_layout(*travel: str) -> Component:
    return access.layout(
        "Service_Visit__c",
        "Service Visit Layout",
        (
            ("Visit", ("Case__c", "Technician__c"), ("Planned_On__c", "Status__c")),
            ("Report", ("Report__c",), travel),
        ),
    )


def _agent(*fields: str) -> Component:
    return access.permission_set(
        "Service_Agent",
        "Service Agent",
        about="Work on cases and plan visits.",
        objects=("Case", "Service_Visit__c"),
        fields=(*objects.fields_of(CASE), *objects.fields_of(VISIT), *fields),
        tabs=("Service_Visit__c",),
    )


FOUNDATION: tuple[Component, ...] = (
    *CASE,
    *VISIT,
    _case_layout(),
    _visit_layout(),
    _agent(),
    access.app(
        "Northwind_Service",
        "Northwind Service",
        "Cases and visits.",
        ("standard-home", "standard-Case", "Service_Visit__c"),
    ),
    access.profile(
        "Northwind Service User",
        objects=("Account", "Contact", "Case", "Service_Visit__c"),
        apps=("Northwind_Service",),
    ),
    access.label("Case_Escalated", "This case is escalated: call the customer."),
)

REOPEN: tuple[Component, ...] = (
    objects.number("Case.Reopen_Count__c", "Reopen Count"),
    objects.moment("Case.Reopened_On__c", "Reopened On"),
    objects.list_view(
        "Case.Reopened",
        "Reopened Cases",
        ("CASES.CASE_NUMBER", "CASES.SUBJECT", "Reopen_Count__c", "Reopened_On__c"),
        ("Reopen_Count__c", "greaterThan", "0"),
    ),
    _case_layout("Reopen_Count__c", "Reopened_On__c"),
    _agent("Case.Reopen_Count__c", "Case.Reopened_On__c"),
    access.label("Case_Reopened", "The customer replied: this case is open again."),
)

VISITS: tuple[Component, ...] = (
    objects.number("Service_Visit__c.Distance_Km__c", "Distance in km", scale=1),
    objects.formula(
        "Service_Visit__c.Travel_Hours__c", "Travel Hours", "Number", "Distance_Km__c / 55"
    ),
    objects.record_type("Service_Visit__c.Inspection", "Inspection", "Something is looked after."),
    _visit_layout("Distance_Km__c"),
    access.permission_set(
        "Visit_Planner",
        "Visit Planner",
        about="Plan visits from the case.",
        objects=("Service_Visit__c",),
        fields=("Service_Visit__c.Distance_Km__c", "Service_Visit__c.Planned_On__c"),
        classes=("VisitPlannerController",),
        tabs=("Service_Visit__c",),
    ),
    access.label("Visit_Planned", "The visit is planned."),
)

CALLBACK: tuple[Component, ...] = (
    access.label("Callback_Promise", "We call you back within four hours."),
)

SERVICE = Story(
    team="service",
    packages=("src",),
    steps=(
        Commit(
            TOMAS,
            When(60, "08:30"),
            "Found the service project with cases and visits\n\nChange: NWC-31",
            folder="foundation",
            declares=FOUNDATION,
            plain={"README.md": README},
        ),
        Tag("v1.8.0", TOMAS, When(56, "12:00"), "Cases and visits"),
        Branch(
            "feature/NWC-52-reopen-on-reply",
            (
                Commit(
                    CHLOE,
                    When(26, "09:40"),
                    "Reopen cases when the customer replies\n\nChange: NWC-52",
                    folder="reopen",
                    declares=REOPEN,
                ),
            ),
            TOMAS,
            When(23, "14:12"),
        ),
        Tag("v1.9.0", TOMAS, When(18, "15:45"), "Cases reopen on reply"),
        Branch(
            "feature/NWC-58-visit-planner",
            (
                Commit(
                    DAVID,
                    When(10, "10:05"),
                    "Plan visits from the case\n\nChange: NWC-58\n"
                    f"Co-authored-by: {CHLOE.signature}",
                    folder="visits",
                    declares=VISITS,
                ),
            ),
            TOMAS,
            When(8, "16:25"),
        ),
        Tag("v1.10.0", TOMAS, When(5, "11:10"), "Visit planner"),
        Commit(
            CHLOE,
            When(2, "14:22"),
            "Know by when a case must be answered\n\nChange: NWC-63",
            folder="sla",
        ),
        Commit(
            CHLOE,
            When(2, "15:18"),
            "Promise to call back\n\nChange: NWC-66",
            declares=CALLBACK,
        ),
        Tag("v1.11.0", TOMAS, When(2, "16:30"), "Callbacks and answers in time"),
        Commit(
            DAVID_AT_HOME,
            When(1, "17:03"),
            "Tell missed service levels\n\nChange: NWC-64",
            folder="sla-broken",
        ),
    ),
)
