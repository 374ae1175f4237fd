"""The sales team: opportunities, renewals and households, in source format."""

from __future__ import annotations

from demo.content import access, objects
from demo.content.components import API_VERSION, Component
from demo.content.people import LENA, OSKAR, PRIYA
from demo.content.story import Branch, Commit, Story, Tag, When

README = """# Northwind Sales

Opportunities, renewals and households on our production org.

Branches are named after the work item: `feature/NWS-118-renewal-quotes`. `main` goes to the
team's CI org with every commit; a tag such as `v4.2.0` goes to TEST and is offered to a release.
"""
PROJECT = f"""{{
    "packageDirectories": [{{ "path": "force-app", "default": true }}],
    "name": "northwind-sales",
    "namespace": "",
    "sfdcLoginUrl": "https://login.salesforce.com",
    "sourceApiVersion": "{API_VERSION}"
}}
"""
FORCEIGNORE = """# What the local tools need and an org does not.
package.xml
**/jsconfig.json
**/.eslintrc.json
**/__tests__/**
"""
SCRATCH = """{
    "orgName": "Northwind Sales",
    "edition": "Enterprise",
    "features": ["EnableSetPasswordInApi"]
}
"""

HOUSEHOLD = (
    objects.custom_object(
        "Household__c", "Household", "Households", about="People and accounts that buy together."
    ),
    objects.picklist("Household__c.Segment__c", "Segment", ("Bronze", "Silver", "Gold")),
    objects.number("Household__c.Member_Count__c", "Member Count"),
    objects.currency("Household__c.Annual_Spend__c", "Annual Spend"),
    objects.percent("Household__c.Discount_Percent__c", "Discount Percent"),
    objects.lookup(
        "Household__c.Primary_Account__c", "Primary Account", "Account", "Led_Households"
    ),
    objects.rule(
        "Household__c.Discount_Ceiling",
        "Discount_Percent__c > 0.15",
        "A household discount is at most 15 percent.",
        beside="Discount_Percent__c",
    ),
    objects.list_view(
        "Household__c.All", "All Households", ("NAME", "Segment__c", "Member_Count__c")
    ),
    objects.compact_layout("Household__c.Summary", "Summary", ("Name", "Segment__c")),
    access.tab("Household__c", "Custom15: People"),
    access.layout(
        "Household__c",
        "Household Layout",
        (
            ("Household", ("Name", "Primary_Account__c"), ("Segment__c", "Discount_Percent__c")),
            ("Figures", ("Member_Count__c",), ("Annual_Spend__c",)),
        ),
    ),
)

OPPORTUNITY = (
    objects.date("Opportunity.Next_Step_Due__c", "Next Step Due"),
    objects.date("Opportunity.Renewal_Due__c", "Renewal Due"),
    objects.checkbox("Opportunity.Renewal_Opened__c", "Renewal Opened"),
    objects.lookup("Opportunity.Renewal_Of__c", "Renewal Of", "Opportunity", "Renewals"),
    objects.rule(
        "Opportunity.Renewal_Needs_Date",
        'AND(ISPICKVAL(StageName, "Closed Won"), Renewal_Opened__c, ISBLANK(Renewal_Due__c))',
        "Give the date on which the term ends before the renewal is opened.",
        beside="Renewal_Due__c",
    ),
    objects.list_view(
        "Opportunity.Renewals_This_Quarter",
        "Renewals This Quarter",
        ("OPPORTUNITY.NAME", "ACCOUNT.NAME", "OPPORTUNITY.AMOUNT", "Renewal_Due__c"),
        ("Renewal_Due__c", "equals", "THIS_QUARTER"),
    ),
)


def _opportunity_layout(*renewal: str) -> Component:
    return access.layout(
        "Opportunity",
        "Sales Layout",
        (
            ("Opportunity", ("Name", "AccountId", "Amount"), ("StageName", "CloseDate")),
            ("Next step", ("NextStep",), ("Next_Step_Due__c",)),
            ("Renewal", ("Renewal_Of__c", "Renewal_Due__c"), renewal),
        ),
    )


def _app(*tabs: str) -> Component:
    return access.app(
        "Northwind_Sales",
        "Northwind Sales",
        "Opportunities, renewals and households.",
        ("standard-home", "standard-Account", "standard-Opportunity", *tabs),
    )


FOUNDATION: tuple[Component, ...] = (
    *HOUSEHOLD,
    *OPPORTUNITY,
    _opportunity_layout("Renewal_Opened__c"),
    _app("Household__c"),
    access.permission_set(
        "Sales_Renewals",
        "Sales Renewals",
        about="Plan and open renewals.",
        objects=("Opportunity",),
        fields=objects.fields_of(OPPORTUNITY),
        classes=("RenewalListController",),
    ),
    access.permission_set(
        "Sales_Household_User",
        "Sales Household User",
        about="See and edit households.",
        objects=("Household__c",),
        fields=objects.fields_of(HOUSEHOLD),
        tabs=("Household__c",),
    ),
    access.profile(
        "Northwind Sales User",
        objects=("Account", "Contact", "Opportunity", "Household__c"),
        apps=("Northwind_Sales",),
    ),
    access.label("Renewal_List_Empty", "No contract ends in this period."),
)

QUOTES: tuple[Component, ...] = (
    objects.custom_object(
        "Renewal_Quote__c",
        "Renewal Quote",
        "Renewal Quotes",
        about="A price offered for the renewal of a contract.",
        number_format="RQ-{000000}",
    ),
    objects.master("Renewal_Quote__c.Opportunity__c", "Opportunity", "Opportunity", "Quotes"),
    objects.currency("Renewal_Quote__c.Price__c", "Price"),
    objects.percent("Renewal_Quote__c.Discount_Percent__c", "Discount Percent"),
    objects.date("Renewal_Quote__c.Valid_Until__c", "Valid Until"),
    objects.picklist(
        "Renewal_Quote__c.Status__c", "Status", ("Draft", "Sent", "Accepted", "Expired")
    ),
    objects.rule(
        "Renewal_Quote__c.Sent_Needs_Date",
        'AND(ISPICKVAL(Status__c, "Sent"), ISBLANK(Valid_Until__c))',
        "A quote that is sent needs the last day on which it counts.",
        beside="Valid_Until__c",
    ),
    objects.list_view(
        "Renewal_Quote__c.Open",
        "Open Quotes",
        ("NAME", "Price__c", "Valid_Until__c", "Status__c"),
        ("Status__c", "equals", "Draft,Sent"),
    ),
    access.tab("Renewal_Quote__c", "Custom18: Form"),
    access.layout(
        "Renewal_Quote__c",
        "Renewal Quote Layout",
        (("Quote", ("Opportunity__c", "Price__c"), ("Discount_Percent__c", "Status__c")),),
    ),
    objects.percent("Opportunity.Renewal_Discount__c", "Renewal Discount"),
    _opportunity_layout("Renewal_Opened__c", "Renewal_Discount__c"),
    access.permission_set(
        "Sales_Quotes",
        "Sales Quotes",
        about="Make and send renewal quotes.",
        objects=("Renewal_Quote__c", "Opportunity"),
        fields=("Opportunity.Renewal_Discount__c", "Renewal_Quote__c.Price__c"),
        classes=("RenewalQuoteController", "RenewalQuoteService"),
        tabs=("Renewal_Quote__c",),
    ),
    _app("Household__c", "Renewal_Quote__c"),
)

ACCOUNT_HOUSEHOLDS: tuple[Component, ...] = (
    objects.lookup("Account.Household__c", "Household", "Household__c", "Accounts"),
    objects.picklist("Account.Household_Role__c", "Household Role", ("Member", "Head", "Guest")),
    objects.rule(
        "Account.Household_Role_Needs_Household",
        'AND(ISPICKVAL(Household_Role__c, "Head"), ISBLANK(Household__c))',
        "Choose the household that this account leads.",
        beside="Household__c",
    ),
    objects.list_view(
        "Household__c.Large",
        "Large Households",
        ("NAME", "Segment__c", "Annual_Spend__c"),
        ("Member_Count__c", "greaterOrEqual", "4"),
    ),
    access.permission_set(
        "Sales_Household_User",
        "Sales Household User",
        about="See and edit households and put accounts into them.",
        objects=("Account", "Household__c"),
        fields=(
            *objects.fields_of(HOUSEHOLD),
            "Account.Household__c",
            "Account.Household_Role__c",
        ),
        classes=("HouseholdController", "HouseholdRollup"),
        tabs=("Household__c",),
    ),
    access.label("Household_Card_Empty", "This account belongs to no household."),
)

DISCOUNT: tuple[Component, ...] = (
    objects.percent("Opportunity.Household_Discount__c", "Household Discount"),
    _opportunity_layout("Renewal_Opened__c", "Renewal_Discount__c", "Household_Discount__c"),
    access.label("Household_Discount_Help", "The better of both discounts counts."),
)

REASONS: tuple[Component, ...] = (
    objects.picklist(
        "Opportunity.Win_Loss_Reason__c",
        "Win or Loss Reason",
        ("Price", "Service", "Delivery", "Relationship", "Other"),
    ),
    objects.rule(
        "Opportunity.Loss_Needs_Reason",
        'AND(ISPICKVAL(StageName, "Closed Lost"), ISBLANK(TEXT(Win_Loss_Reason__c)))',
        "Say why this opportunity was lost.",
        beside="Win_Loss_Reason__c",
    ),
)

CALLBACK: tuple[Component, ...] = (
    access.label("Callback_Promise", "We call you back within one working day."),
)

SALES = Story(
    team="sales",
    packages=("force-app",),
    steps=(
        Commit(
            PRIYA,
            When(62, "09:12"),
            "Found the sales project\n\nChange: NWS-101",
            plain={
                "README.md": README,
                "sfdx-project.json": PROJECT,
                ".forceignore": FORCEIGNORE,
                "config/project-scratch-def.json": SCRATCH,
            },
        ),
        Commit(
            LENA,
            When(58, "14:40"),
            "Plan renewals ninety days ahead\n\nChange: NWS-104",
            folder="foundation",
            declares=FOUNDATION,
        ),
        Tag("v4.0.0", PRIYA, When(55, "16:05"), "Renewal list"),
        Branch(
            "feature/NWS-118-renewal-quotes",
            (
                Commit(
                    LENA,
                    When(27, "10:21"),
                    "Quote renewals from the opportunity\n\nChange: NWS-118\n"
                    f"Co-authored-by: {OSKAR.signature}",
                    folder="renewal-quotes",
                    declares=QUOTES,
                ),
                Commit(
                    OSKAR,
                    When(24, "15:02"),
                    "Round prices half up, as the invoice does\n\nChange: NWS-121",
                    folder="quote-rounding",
                ),
            ),
            PRIYA,
            When(22, "08:47"),
        ),
        Tag("v4.1.0", PRIYA, When(19, "11:30"), "Renewal quotes"),
        Branch(
            "feature/NWS-127-households",
            (
                Commit(
                    OSKAR,
                    When(11, "13:18"),
                    "Put accounts into households\n\nChange: NWS-127",
                    folder="households",
                    declares=ACCOUNT_HOUSEHOLDS,
                ),
            ),
            PRIYA,
            When(9, "16:33"),
        ),
        Branch(
            "feature/NWS-130-household-discount",
            (
                Commit(
                    LENA,
                    When(6, "09:55"),
                    "Give households the discount they earned\n\nChange: NWS-130",
                    folder="household-discount",
                    declares=DISCOUNT,
                ),
            ),
            PRIYA,
            When(5, "10:14"),
        ),
        Tag("v4.2.0", PRIYA, When(4, "17:20"), "Households on accounts"),
        Commit(
            LENA,
            When(3, "09:36"),
            "Promise to call back\n\nChange: NWS-132",
            declares=CALLBACK,
        ),
        Tag("v4.3.0", PRIYA, When(2, "10:45"), "A promise to call back"),
        Commit(
            OSKAR,
            When(1, "15:41"),
            "Ask why opportunities are lost\n\nChange: NWS-134",
            folder="win-reasons",
            declares=REASONS,
        ),
        Branch(
            "feature/NWS-138-territory-split",
            (
                Commit(
                    LENA,
                    When(1, "16:58"),
                    "Split amounts between territories\n\nChange: NWS-138",
                    folder="territories",
                ),
            ),
        ),
    ),
)
