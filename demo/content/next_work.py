"""What the teams work on next: small rules in Apex, each with its test, for new demo commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

RULE = """/** {about} */
public with sharing class {name} {{
    private static final Decimal FROM_AMOUNT = {threshold};
    private static final Decimal PERCENT = {percent};

    public static Decimal of(Decimal amount) {{
        if (amount == null || amount < FROM_AMOUNT) {{
            return 0;
        }}
        return (amount * PERCENT / 100).setScale(2);
    }}
}}
"""
#: The same class as somebody in a hurry commits it: the block of the condition is never closed.
BROKEN_RULE = RULE.replace("            return 0;\n        }}\n", "            return 0;\n")
TEST = """@IsTest
private class {name}Test {{
    @IsTest
    static void smallAmountGivesNothing() {{
        System.assertEquals(0, {name}.of({threshold} - 1), 'below the threshold');
        System.assertEquals(0, {name}.of(null), 'no amount');
    }}

    @IsTest
    static void thresholdIsIncluded() {{
        System.assertEquals({result}, {name}.of({threshold}), '{percent} percent');
    }}
}}
"""


@dataclass(frozen=True)
class Work:
    """A rule that a team adds: its class, what it is for, its threshold and percentage."""

    name: str
    about: str
    threshold: int
    percent: int

    @property
    def message(self) -> str:
        """The first line of the commit."""
        words = "".join(
            f" {letter.lower()}" if letter.isupper() else letter for letter in self.name
        )
        return f"Add the{words}"

    def rule(self) -> str:
        """Write the class."""
        return RULE.format(**self._facts())

    def broken_rule(self) -> str:
        """Write the class so that it does not compile."""
        return BROKEN_RULE.format(**self._facts())

    def test(self) -> str:
        """Write its test class."""
        return TEST.format(**self._facts())

    def _facts(self) -> dict[str, object]:
        result = f"{self.threshold * self.percent / 100:.2f}"
        return {
            "name": self.name,
            "about": self.about,
            "threshold": self.threshold,
            "percent": self.percent,
            "result": result,
        }


@dataclass(frozen=True)
class Plan:
    """A team's next work and how it counts its work items: `NWS-141`, `NWS-142` and so on."""

    key: str
    first: int
    works: Sequence[Work]


PLANS: Mapping[str, Plan] = {
    "sales": Plan(
        "NWS",
        141,
        (
            Work("EarlyRenewalBonus", "Rewards customers who renew before they must.", 5000, 2),
            Work("BundleDiscount", "Gives a discount on several products at once.", 10000, 4),
            Work("FreightSurcharge", "Adds the freight of heavy deliveries.", 2000, 3),
            Work("VolumeRebate", "Pays back a part of large yearly volumes.", 50000, 5),
            Work("PartnerCommission", "Pays partners for what they bring.", 1000, 8),
        ),
    ),
    "service": Plan(
        "NWC",
        65,
        (
            Work("GoodwillCredit", "Credits customers who waited too long.", 200, 10),
            Work("VisitTravelFee", "Charges the way to a customer far away.", 100, 15),
            Work("SparePartMargin", "Adds the margin on spare parts.", 50, 20),
            Work("WarrantyReserve", "Sets money aside for warranty cases.", 1000, 3),
            Work("EmergencySurcharge", "Charges visits outside working hours.", 80, 50),
        ),
    ),
    "loyalty": Plan(
        "NWL",
        84,
        (
            Work("BirthdayBonus", "Gives points for purchases on a birthday.", 20, 100),
            Work("FirstOrderGift", "Gives points for the first order.", 50, 25),
            Work("ReferralReward", "Rewards members who bring somebody.", 100, 10),
            Work("SeasonMultiplier", "Gives more points in quiet months.", 30, 50),
            Work("PointsDonation", "Matches points that are given to charity.", 10, 20),
        ),
    ),
}
