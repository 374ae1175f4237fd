"""Addresses of the inbound edges."""

from __future__ import annotations

from django.urls import path

from api import checks, views

app_name = "api"

urlpatterns = [
    path("checks/", checks.report, name="checks"),
    path("hooks/git/<uuid:repository>/", views.git_webhook, name="git_webhook"),
]
