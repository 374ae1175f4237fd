"""Django settings of Gatehouse; what differs between installations comes from ``config.env``."""

import os
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF

from config.databases import databases
from config.env import Env

BASE_DIR = Path(__file__).resolve().parent.parent
GATEHOUSE = Env.read(os.environ)

SECRET_KEY = GATEHOUSE.secret_key
DEBUG = False
ALLOWED_HOSTS = list(GATEHOUSE.host_names)
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "governance.User"

INSTALLED_APPS = [
    "core",
    "jobs",
    "governance",
    "environments",
    "releases",
    "api",
    "dashboard",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    # The demo company exists only in a demo installation.
    *(["demo"] if GATEHOUSE.mode == "demo" else []),
]

MIDDLEWARE = [
    "core.middleware.ProxyMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "core.middleware.ActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "core.middleware.RefusalMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "core.context_processors.frame",
                "environments.context_processors.emergency",
            ],
        },
    },
]

# PostgreSQL: one connection in the role of this process; the schema is changed by its owner alone.
DATABASES = databases(GATEHOUSE)
DATABASE_ROUTERS = ["config.routers.OwnerMigrates"]

# The queue is a bell, not a store: jobs/ is its only user and the ticker its only writer.
RQ_QUEUES: dict[str, dict[str, Any]] = {
    name: {"URL": GATEHOUSE.redis_url, "DEFAULT_TIMEOUT": 900, "DEFAULT_RESULT_TTL": 0}
    for name in ("build", "deploy")
}
RQ = {"COMMIT_MODE": "auto"}
RQ_SHOW_ADMIN_LINK = False

SEALING_PUBLIC_KEYS = GATEHOUSE.public_keys
SEALING_PRIVATE_KEYS = GATEHOUSE.private_keys

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static-collected"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    "blobs": {
        "BACKEND": "core.blobs.BlobDirectory",
        "OPTIONS": {"location": GATEHOUSE.blobs_dir},
    },
}

# Nothing inline, nothing from elsewhere.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = GATEHOUSE.secure and GATEHOUSE.production
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 31_536_000 if GATEHOUSE.secure and GATEHOUSE.production else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if GATEHOUSE.trust_proxy else None

SESSION_COOKIE_NAME = "__Host-gatehouse" if GATEHOUSE.secure else "gatehouse"
SESSION_COOKIE_SECURE = GATEHOUSE.secure
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 12
CSRF_COOKIE_NAME = "__Host-gatehouse-csrf" if GATEHOUSE.secure else "gatehouse-csrf"
CSRF_COOKIE_SECURE = GATEHOUSE.secure
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [GATEHOUSE.base_url]

LOGIN_URL = "governance:sign_in"
LOGIN_REDIRECT_URL = "dashboard:home"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 60 * 60 * 24

EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if GATEHOUSE.mail.host
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST = GATEHOUSE.mail.host
EMAIL_PORT = GATEHOUSE.mail.port
EMAIL_HOST_USER = GATEHOUSE.mail.user
EMAIL_HOST_PASSWORD = GATEHOUSE.mail.password
EMAIL_USE_TLS = GATEHOUSE.mail.use_tls
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = GATEHOUSE.mail.sender

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request": {"()": "config.logs.RequestId"}},
    "formatters": {
        "line": {
            "format": "{asctime} {levelname} {name} [{request_id}] {message}",
            "style": "{",
        },
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["request"],
            "formatter": "line",
        },
    },
    "root": {"handlers": ["stderr"], "level": GATEHOUSE.log_level},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        "rq": {"handlers": [], "level": "WARNING", "propagate": True},
    },
}
