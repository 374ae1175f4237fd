"""The loyalty team: members, points and tiers, in source format with two package directories."""

from __future__ import annotations

from demo.content import access, objects
from demo.content.components import API_VERSION, Component
from demo.content.people import HANA, MATEO, YUKI
from demo.content.story import Branch, Commit, Story, Tag, When

README = """# Northwind Loyalty

Members, points and tiers. `core` holds data and rules, `portal` what people see.

Branches are named after the work item: `feature/NWL-77-tiers`.
"""
PROJECT = f"""{{
    "packageDirectories": [
        {{ "path": "core", "default": true }},
        {{ "path": "portal" }}
    ],
    "name": "northwind-loyalty",
    "namespace": "",
    "sourceApiVersion": "{API_VERSION}"
}}
"""

MEMBER = (
    objects.custom_object(
        "Loyalty_Member__c", "Loyalty Member", "Loyalty Members", about="Somebody who collects."
    ),
    objects.text("Loyalty_Member__c.Member_Number__c", "Member Number", 20, required=True),
    objects.lookup("Loyalty_Member__c.Account__c", "Account", "Account", "Loyalty_Members"),
    objects.number("Loyalty_Member__c.Balance__c", "Balance"),
    objects.date("Loyalty_Member__c.Joined_On__c", "Joined On"),
    objects.rule(
        "Loyalty_Member__c.Balance_Not_Negative",
        "Balance__c < 0",
        "A member cannot spend more points than the balance.",
        beside="Balance__c",
    ),
    objects.list_view(
        "Loyalty_Member__c.All", "All Members", ("NAME", "Member_Number__c", "Balance__c")
    ),
    access.tab("Loyalty_Member__c", "Custom25: Alarm clock"),
)

TRANSACTION = (
    objects.custom_object(
        "Loyalty_Transaction__c",
        "Loyalty Transaction",
        "Loyalty Transactions",
        about="Points that a member earned or spent.",
        number_format="LT-{0000000}",
    ),
    objects.master(
        "Loyalty_Transaction__c.Member__c", "Member", "Loyalty_Member__c", "Transactions"
    ),
    objects.currency("Loyalty_Transaction__c.Amount__c", "Amount"),
    objects.number("Loyalty_Transaction__c.Points__c", "Points"),
    objects.picklist(
        "Loyalty_Transaction__c.Kind__c", "Kind", ("Purchase", "Return", "Redemption", "Gift")
    ),
    access.layout(
        "Loyalty_Transaction__c",
        "Loyalty Transaction Layout",
        (("Transaction", ("Member__c", "Kind__c"), ("Amount__c", "Points__c")),),
    ),
)

PROMOTION = (
    objects.custom_object(
        "Loyalty_Promotion__c",
        "Loyalty Promotion",
        "Loyalty Promotions",
        about="Days on which purchases earn more points.",
    ),
    objects.date("Loyalty_Promotion__c.Starts_On__c", "Starts On"),
    objects.date("Loyalty_Promotion__c.Ends_On__c", "Ends On"),
    objects.number("Loyalty_Promotion__c.Factor__c", "Factor", scale=1),
    objects.rule(
        "Loyalty_Promotion__c.Ends_After_Start",
        "Ends_On__c < Starts_On__c",
        "A promotion ends on or after the day on which it starts.",
        beside="Ends_On__c",
    ),
    objects.list_view(
        "Loyalty_Promotion__c.All", "All Promotions", ("NAME", "Starts_On__c", "Ends_On__c")
    ),
    access.tab("Loyalty_Promotion__c", "Custom53: Bell"),
    access.layout(
        "Loyalty_Promotion__c",
        "Loyalty Promotion Layout",
        (("Promotion", ("Name", "Factor__c"), ("Starts_On__c", "Ends_On__c")),),
    ),
)


def _member_layout(*tier: str) -> Component:
    return access.layout(
        "Loyalty_Member__c",
        "Loyalty Member Layout",
        (
            ("Member", ("Name", "Account__c"), ("Member_Number__c", "Joined_On__c")),
            ("Points", ("Balance__c",), tier),
        ),
    )


def _app(*tabs: str) -> Component:
    return access.app(
        "Northwind_Loyalty",
        "Northwind Loyalty",
        "Members, points and tiers.",
        ("standard-home", "standard-Account", *tabs),
    )


def _agent(*fields: str) -> Component:
    return access.permission_set(
        "Loyalty_Agent",
        "Loyalty Agent",
        about="See members and post transactions.",
        objects=("Loyalty_Member__c", "Loyalty_Transaction__c"),
        fields=("Loyalty_Member__c.Account__c", "Loyalty_Member__c.Balance__c", *fields),
        classes=("MemberController",),
        tabs=("Loyalty_Member__c",),
    )


FOUNDATION: tuple[Component, ...] = (
    *MEMBER,
    *TRANSACTION,
    _member_layout(),
    _app("Loyalty_Member__c"),
    _agent(),
    access.profile(
        "Northwind Loyalty User",
        objects=("Account", "Contact", "Loyalty_Member__c", "Loyalty_Transaction__c"),
        apps=("Northwind_Loyalty",),
    ),
    access.label("Member_Card_Empty", "This account has no loyalty members."),
)

PROMOTIONS: tuple[Component, ...] = (
    *PROMOTION,
    _app("Loyalty_Member__c", "Loyalty_Promotion__c"),
    access.permission_set(
        "Loyalty_Promoter",
        "Loyalty Promoter",
        about="Plan promotions.",
        objects=("Loyalty_Promotion__c",),
        fields=objects.fields_of(PROMOTION),
        classes=("PromotionController",),
        tabs=("Loyalty_Promotion__c",),
    ),
    access.label("Promotion_Running", "A promotion is running today."),
)

TIERS: tuple[Component, ...] = (
    objects.picklist("Loyalty_Member__c.Tier__c", "Tier", ("Bronze", "Silver", "Gold")),
    objects.number("Loyalty_Member__c.Points_12_Months__c", "Points in 12 Months"),
    objects.text("Account.Loyalty_Contact__c", "Loyalty Contact", 120),
    objects.list_view(
        "Loyalty_Member__c.Gold",
        "Gold Members",
        ("NAME", "Member_Number__c", "Points_12_Months__c"),
        ("Tier__c", "equals", "Gold"),
    ),
    objects.compact_layout("Loyalty_Member__c.Summary", "Summary", ("Name", "Tier__c")),
    _member_layout("Tier__c", "Points_12_Months__c"),
    _agent("Loyalty_Member__c.Tier__c", "Loyalty_Member__c.Points_12_Months__c"),
    access.label("Tier_Recalculated", "Tiers are recalculated every night."),
)

EXPIRY: tuple[Component, ...] = (
    objects.date("Loyalty_Transaction__c.Lapses_On__c", "Lapses On"),
    access.label("Points_Lapse", "These points lapse at the end of the year."),
)

LOYALTY = Story(
    team="loyalty",
    packages=("core", "portal"),
    steps=(
        Commit(
            YUKI,
            When(61, "07:50"),
            "Found the loyalty project\n\nChange: NWL-60",
            plain={"README.md": README, "sfdx-project.json": PROJECT},
        ),
        Commit(
            HANA,
            When(57, "06:35"),
            "Collect points with every purchase\n\nChange: NWL-61",
            folder="foundation",
            declares=FOUNDATION,
        ),
        Tag("v0.6.0", YUKI, When(54, "10:00"), "Members and points"),
        Branch(
            "feature/NWL-71-promotions",
            (
                Commit(
                    MATEO,
                    When(28, "17:28"),
                    "Earn more points while a promotion runs\n\nChange: NWL-71",
                    folder="promotions",
                    declares=PROMOTIONS,
                ),
            ),
            YUKI,
            When(25, "08:15"),
        ),
        Tag("v0.7.0", YUKI, When(20, "09:30"), "Promotions"),
        Branch(
            "feature/NWL-77-tiers",
            (
                Commit(
                    HANA,
                    When(10, "05:44"),
                    "Recalculate tiers every night\n\nChange: NWL-77\n"
                    f"Co-authored-by: {MATEO.signature}",
                    folder="tiers",
                    declares=TIERS,
                ),
            ),
            YUKI,
            When(7, "09:02"),
        ),
        Tag("v0.8.0", YUKI, When(4, "11:02"), "Tiers"),
        Commit(
            HANA,
            When(1, "06:12"),
            "Say when points lapse\n\nChange: NWL-81",
            folder="expiry",
            declares=EXPIRY,
        ),
        Branch(
            "feature/NWL-83-partners",
            (
                Commit(
                    MATEO,
                    When(1, "18:20"),
                    "Convert points of partner programmes\n\nChange: NWL-83",
                    folder="partners",
                ),
            ),
        ),
    ),
)
