"""Work of this app by kind; the runner finds it by name, nobody imports it."""

from __future__ import annotations

from jobs import periodic
from jobs.registry import register
from releases.engine import canary, executor, observing
from releases.services import (
    builds,
    candidates,
    deployments,
    evidence,
    observation,
    radar,
    releases,
    repositories,
)
from releases.services import canary as canaries
from releases.workers import canary as canary_worker
from releases.workers import composing, fetching, packing, voiding
from releases.workers import evidence as packs
from releases.workers import radar as radar_worker

register(repositories.KIND, "build", fetching.fetch)
register(radar.KIND, "build", radar_worker.look)
register(builds.KIND, "build", packing.build)
register(candidates.KIND, "build", packing.candidate)
register(voiding.KIND, "build", voiding.voided)
register(releases.COMPOSE_KIND, "build", composing.compose)
register(evidence.KIND, "build", packs.make)
register(observation.KIND, "deploy", observing.look)
register(observation.SWEEP_KIND, "deploy", observing.sweep)
periodic.register(
    "releases.observation",
    observation.EVERY_SECONDS,
    observation.SWEEP_KIND,
    observation.SWEEP_SUBJECT,
)
register(deployments.KIND, "deploy", executor.advance)
register(canaries.REACH_KIND, "deploy", canary.reach)
register(canaries.PLAN_KIND, "build", canary_worker.plan)
register(canaries.TRY_KIND, "deploy", canary.attempt)
register(canaries.WATCH_KIND, "build", canary_worker.watch)
periodic.register("releases.canary", canaries.DAILY, canaries.REACH_KIND, canaries.SUBJECT)
periodic.register("releases.canary_watch", canaries.HOURLY, canaries.WATCH_KIND, canaries.SUBJECT)
