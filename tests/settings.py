"""Settings of the tests: the product's own, told by an environment made here."""

import os
import tempfile

RUN_DIR = os.environ.setdefault(
    "GATEHOUSE_TEST_RUN_DIR", os.path.join(tempfile.gettempdir(), f"gatehouse-test-{os.getpid()}")
)
# Addresses without a server: the harness (tests/support/databases.py) fills them in when it has
# one.
NOWHERE = "postgresql://gatehouse_test:test@127.0.0.1:1/none"

os.environ.update(
    {
        "GATEHOUSE_ENV": "test",
        "GATEHOUSE_MODE": "real",
        "GATEHOUSE_ROLE": "web",
        "GATEHOUSE_SECRET_KEY": "only-for-tests-" * 5,
        "GATEHOUSE_BASE_URL": "http://testserver",
        "GATEHOUSE_HOST": "testserver,localhost,127.0.0.1",
        "GATEHOUSE_BLOBS_DIR": os.path.join(RUN_DIR, "blobs"),
        "GATEHOUSE_MIRRORS_DIR": os.path.join(RUN_DIR, "mirrors"),
        "REPOSITORY_ROOTS": os.path.realpath(tempfile.gettempdir()),
        "DATABASE_URL": NOWHERE,
        "GATEHOUSE_OWNER_DATABASE_URL": NOWHERE,
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
)

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES, STORAGES  # noqa: E402

# The test login is a member of web, build and deploy and starts as web
# (tests/support/databases.py).
DATABASES["default"]["OPTIONS"]["assume_role"] = "gatehouse_web"
DATABASES["default"]["CONN_MAX_AGE"] = 0
DATABASES["owner"]["CONN_MAX_AGE"] = 0

STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Quick hashing: passwords of tests protect nothing.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Static files straight from the sources, without collectstatic.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
