"""Settings of a worker that dies at a place: the product's, with the app that kills it."""

from config.settings import *  # noqa: F403
from config.settings import INSTALLED_APPS as PRODUCT_APPS

INSTALLED_APPS = [*PRODUCT_APPS, "tests.journeys.dying"]
"""The product's apps come first: what is wrapped has been loaded by then."""
