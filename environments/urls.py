"""Addresses of environments."""

from __future__ import annotations

from django.urls import path

from environments import (
    views,
    views_calendar,
    views_imports,
    views_policies,
    views_sandbox_requests,
    views_sandboxes,
)

app_name = "environments"

urlpatterns = [
    path("environments/", views.board, name="board"),
    path("environments/new/", views.new, name="new"),
    path("environments/<ref_E:pk>/", views.detail, name="detail"),
    path("environments/<ref_E:pk>/edit/", views.edit, name="edit"),
    path("environments/<ref_E:pk>/credential/", views.credential, name="credential"),
    path("environments/<ref_E:pk>/check/", views.check, name="check"),
    path("environments/<ref_E:pk>/policy/", views_policies.environment, name="policy"),
    path("environments/stages/", views_policies.stages, name="stages"),
    path(
        "environments/stages/<slug:track_kind>/<slug:stage>/",
        views_policies.stage,
        name="stage_policy",
    ),
    path("environments/assignments/<int:pk>/", views_policies.assignment, name="assignment"),
    path(
        "environments/assignments/<int:pk>/decide/",
        views_policies.decide,
        name="assignment_decide",
    ),
    path(
        "environments/assignments/<int:pk>/withdraw/",
        views_policies.withdraw,
        name="assignment_withdraw",
    ),
    path("environments/sandboxes/", views_sandboxes.listing, name="sandboxes"),
    path("environments/sandboxes/read/", views_sandboxes.read, name="sandboxes_read"),
    path("environments/sandboxes/licences/", views_sandboxes.licences, name="sandbox_licences"),
    path("environments/sandboxes/<int:pk>/adopt/", views_sandboxes.adopt, name="sandbox_adopt"),
    path("environments/sandboxes/new/", views_sandbox_requests.create, name="sandbox_create"),
    path("environments/<ref_E:pk>/refresh/", views_sandbox_requests.refresh, name="refresh"),
    path(
        "environments/<ref_E:pk>/delete-sandbox/",
        views_sandbox_requests.delete,
        name="sandbox_delete",
    ),
    path("environments/<ref_E:pk>/reconnect/", views_sandbox_requests.reconnect, name="reconnect"),
    path("sandbox-requests/<ref_Q:pk>/", views_sandbox_requests.detail, name="sandbox_request"),
    path(
        "sandbox-requests/<ref_Q:pk>/decide/",
        views_sandbox_requests.decide,
        name="sandbox_decide",
    ),
    path(
        "sandbox-requests/<ref_Q:pk>/withdraw/",
        views_sandbox_requests.withdraw,
        name="sandbox_withdraw",
    ),
    path(
        "sandbox-requests/<ref_Q:pk>/settle/",
        views_sandbox_requests.settle,
        name="sandbox_settle",
    ),
    path("environments/<ref_E:pk>/retire/", views.retire, name="retire"),
    path("environments/<ref_E:pk>/snapshots/", views.snapshot_list, name="snapshots"),
    path("environments/<ref_E:pk>/snapshots/take/", views.snapshot_take, name="snapshot_take"),
    path("snapshots/<ref_S:pk>/", views.snapshot, name="snapshot"),
    path("calendar/freezes/new/", views_calendar.freeze_new, name="freeze_new"),
    path("calendar/imports/", views_imports.listing, name="imports"),
    path("calendar/imports/new/", views_imports.add, name="import_add"),
    path("calendar/imports/<int:pk>/again/", views_imports.again, name="import_again"),
    path("calendar/imports/<int:pk>/remove/", views_imports.remove, name="import_remove"),
    path("calendar/holidays/", views_imports.holidays, name="holidays"),
    path("calendar/stop/", views_calendar.stop, name="stop"),
    path("calendar/<ref_F:pk>/", views_calendar.freeze, name="freeze"),
    path("calendar/<ref_F:pk>/extend/", views_calendar.extend, name="freeze_extend"),
    path("calendar/<ref_F:pk>/lift/", views_calendar.lift, name="freeze_lift"),
    path("calendar/<ref_F:pk>/decide/", views_calendar.decide, name="freeze_decide"),
    path("calendar/<ref_F:pk>/take-back/", views_calendar.take_back, name="freeze_take_back"),
    path("calendar/<ref_M:pk>/", views_calendar.maintenance, name="maintenance"),
]
