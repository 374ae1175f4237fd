"""Addresses of this app."""

from __future__ import annotations

from django.urls import URLPattern, path

from releases.views import (
    approval,
    candidates,
    deployments,
    emergencies,
    panels,
    release_actions,
    releases,
    sources,
)

app_name = "releases"

RELEASE = "releases/<ref_R:pk>"
TEAM = "teams/<slug:slug>"

urlpatterns: list[URLPattern] = [
    path("releases/", releases.index, name="list"),
    path("releases.csv", releases.index_csv, name="list_csv"),
    path("releases/new/", release_actions.new, name="new"),
    path(f"{RELEASE}/", releases.page, name="release"),
    path(f"{RELEASE}/changes.csv", releases.changes_csv, name="changes_csv"),
    path(f"{RELEASE}/edit/", release_actions.edit, name="release_edit"),
    path(f"{RELEASE}/candidates/add/", release_actions.add_candidate, name="release_add"),
    path(
        f"{RELEASE}/candidates/<ref_C:candidate_pk>/remove/",
        release_actions.remove_candidate,
        name="release_remove",
    ),
    path(f"{RELEASE}/compose/", release_actions.compose, name="release_compose"),
    path(f"{RELEASE}/integrate/", release_actions.integrate, name="release_integrate"),
    path(f"{RELEASE}/rehearse/", release_actions.rehearse, name="release_rehearse"),
    path(f"{RELEASE}/prepare/", release_actions.prepare, name="release_prepare"),
    path(f"{RELEASE}/submit/", release_actions.submit, name="release_submit"),
    path(f"{RELEASE}/withdraw/", release_actions.withdraw, name="release_withdraw"),
    path(f"{RELEASE}/reopen/", release_actions.reopen, name="release_reopen"),
    path(f"{RELEASE}/break-glass/", emergencies.declare, name="break_glass_new"),
    path("break-glass/", emergencies.index, name="break_glass_list"),
    path("break-glass/<ref_G:pk>/", emergencies.page, name="break_glass"),
    path("break-glass/<ref_G:pk>/review/", emergencies.review, name="break_glass_review"),
    path("rollback/", emergencies.rollback, name="rollback"),
    path("rollback/<ref_D:pk>/", emergencies.go_back, name="rollback_to"),
    path(f"{RELEASE}/close/", release_actions.close, name="release_close"),
    path(f"{RELEASE}/approval/", approval.page, name="approval"),
    path(f"{RELEASE}/approval/decide/", approval.decide, name="approval_decide"),
    path(f"{RELEASE}/approval/withdraw/", approval.withdraw, name="approval_withdraw"),
    path("deployments/", deployments.index, name="deployments"),
    path("deployments.csv", deployments.index_csv, name="deployments_csv"),
    path("deployments/<ref_D:pk>/", deployments.page, name="deployment"),
    path("deployments/<ref_D:pk>/cancel/", deployments.cancel, name="deployment_cancel"),
    path("deployments/<ref_D:pk>/settle/", deployments.settle, name="deployment_settle"),
    path("deployments/<ref_D:pk>/ask/", deployments.ask, name="deployment_ask"),
    path("builds/<ref_B:pk>/", sources.build, name="build"),
    path("candidates/<ref_C:pk>/", candidates.page, name="candidate"),
    path("candidates/<ref_C:pk>/pass/", candidates.pass_test, name="candidate_pass"),
    path("candidates/<ref_C:pk>/fail/", candidates.fail_test, name="candidate_fail"),
    path("candidates/<ref_C:pk>/offer/", candidates.offer, name="candidate_offer"),
    path("candidates/<ref_C:pk>/withdraw/", candidates.withdraw, name="candidate_withdraw"),
    path("candidates/<ref_C:pk>/retry/", candidates.retry, name="candidate_retry"),
    path(f"{TEAM}/repository/", sources.page, name="repository"),
    path(f"{TEAM}/repository/connect/", sources.connect, name="repository_connect"),
    path(f"{TEAM}/repository/edit/", sources.edit, name="repository_edit"),
    path(f"{TEAM}/repository/credential/", sources.credential, name="repository_credential"),
    path(
        f"{TEAM}/repository/credential/remove/",
        sources.forget_credential,
        name="repository_credential_remove",
    ),
    path(f"{TEAM}/repository/fetch/", sources.fetch, name="repository_fetch"),
    path(f"{TEAM}/repository/webhook/rotate/", sources.rotate_webhook, name="webhook_rotate"),
    path(f"{TEAM}/builds/", sources.build_list, name="builds"),
    path(f"{TEAM}/builds/start/", sources.start_build, name="build_start"),
    path(f"{TEAM}/candidates/", candidates.index, name="candidates"),
    path(f"{TEAM}/candidates/new/", candidates.new, name="candidate_new"),
    path(f"{TEAM}/releases-panel/", panels.team, name="team_panel"),
    path(
        "environments/<ref_E:pk>/deployments-panel/",
        panels.environment,
        name="environment_panel",
    ),
]
