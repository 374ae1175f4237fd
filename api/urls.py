"""Addresses of the inbound edges."""

from __future__ import annotations

from django.urls import path

from api import views

app_name = "api"

urlpatterns = [
    path("hooks/git/<uuid:repository>/", views.git_webhook, name="git_webhook"),
]
