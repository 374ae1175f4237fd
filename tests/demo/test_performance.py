"""The demo's story, played once on real servers: what a newcomer finds at the first start."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo import performance
from demo.play import HOUSEHOLDS, RENEWALS, VISITS
from releases.models import Release
from tests.demo.stage import stage

pytestmark = [pytest.mark.django_db(transaction=True, databases=["default", "owner"])]


@pytest.mark.timeout(300)
def test_story_ends_with_three_releases_at_three_points(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        performance.perform(here.places, here.hands, print)

    states = dict(Release.objects.values_list("title", "state"))
    assert states == {
        RENEWALS.title: "deployed",
        HOUSEHOLDS.title: "submitted",
        VISITS.title: "integrated",
    }
