"""Registers the sample with Django."""

from django.apps import AppConfig


class SampleConfig(AppConfig):
    """Brings ``tasks`` into the registry."""

    name = "tests.jobs.sample"
    label = "sample"
