"""The one event of the demo itself."""

from __future__ import annotations

from governance.audit import register_events

PLAYED = "demo.played"

register_events({PLAYED: "told the story of the demo company"})
