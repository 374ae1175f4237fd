"""I-38: no GET changes anything. The harness answers every GET of every test while reading only."""

from __future__ import annotations

from tests.architecture.test_access import all_addresses


def test_i38_only_the_records_of_evidence_keep_who_looked() -> None:
    kept = {each.name for each in all_addresses() if getattr(each.view, "keeps_a_look", False)}
    assert kept == {"walkthrough", "record_json", "record_pdf"}
