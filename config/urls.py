"""Root of all addresses: each app brings its own."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from config.health import healthz

APPS = ("dashboard", "governance", "environments", "releases")

urlpatterns: list[URLPattern | URLResolver] = [path("healthz", healthz, name="healthz")]
if find_spec("api.urls"):
    urlpatterns.append(path("api/", include("api.urls")))
urlpatterns += [path("", include(f"{app}.urls")) for app in APPS if find_spec(f"{app}.urls")]
