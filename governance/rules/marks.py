"""Risk marks: what about a change may ask for further approvals. Pure Python.

A policy's rule names a mark by its slug; the app that asks binds the marks of its subject to the
request when it opens it.
"""

from __future__ import annotations

ALWAYS = "always"
RISK_MARKS: dict[str, str] = {
    "destructive": "it deletes components",
    "permissions": "it changes who may see or do something",
    "sharing": "it changes which records people share",
    "connected_app": "it changes how other systems connect",
    "automation": "it changes what runs by itself",
    "org_settings": "it changes settings of the whole org",
    "widens_access": "it gives somebody more than before",
    "all_data": "it gives a permission that reaches all data",
    "busy_flow": "it adds to what runs on a busy object",
    "several_teams": "several teams change the same component",
}
"""Slug → how a sentence says it after "when". Slugs never change: policies store them."""
