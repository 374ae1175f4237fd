"""Addresses of environments."""

from __future__ import annotations

from django.urls import path

from environments import views

app_name = "environments"

urlpatterns = [
    path("environments/", views.board, name="board"),
    path("environments/new/", views.new, name="new"),
    path("environments/<ref_E:pk>/", views.detail, name="detail"),
    path("environments/<ref_E:pk>/edit/", views.edit, name="edit"),
    path("environments/<ref_E:pk>/credential/", views.credential, name="credential"),
    path("environments/<ref_E:pk>/check/", views.check, name="check"),
    path("environments/<ref_E:pk>/policy/", views.policy, name="policy"),
    path("environments/<ref_E:pk>/retire/", views.retire, name="retire"),
    path("environments/<ref_E:pk>/snapshots/", views.snapshot_list, name="snapshots"),
    path("environments/<ref_E:pk>/snapshots/take/", views.snapshot_take, name="snapshot_take"),
    path("snapshots/<ref_S:pk>/", views.snapshot, name="snapshot"),
]
