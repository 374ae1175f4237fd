"""README.txt of a pack: what the files are, how to verify them, which control each one answers."""

from __future__ import annotations

from typing import Any

TEXT = """\
EVIDENCE PACK {pack}
{subject}
Made {made_at} for {made_for}

WHAT THIS IS
Every attempt to change a protected Salesforce environment in this scope, with the approvals,
rules and people behind it, written by Gatehouse from its own history. Nothing in it was typed
for this purpose. Moments are in UTC; columns marked "local" show the same moment in {zone}.
"not recorded" means that Gatehouse holds no such fact; an empty place or null means that it did
not happen.

HOW TO VERIFY IT
    python3 verify.py
needs Python 3.9 or later and nothing else: no network, no packages, no access to Gatehouse. It
checks the signature of the manifest, computes every digest again, walks the chain of the history
event by event against the signed checkpoints, compares the tables with the records and prints
PASS, or FAIL with the first file or row that does not match.

Whoever could rewrite the whole database could also make up a whole pack. Two things that you
hold yourself rule that out; give them both:
    python3 verify.py --key <base64> --checkpoints <folder>
--key          the public key that was handed to you when the installation was founded; this pack
               was signed with one of
    {key}
--checkpoints  the checkpoints that you received at the time (e-mail, directory, Git); lines of
               checkpoints.jsonl say where copies were put ("anchored")
A careful auditor also runs a verify.py obtained earlier or from the public source.

THE FILES
manifest.json        every file with its SHA-256, the scope, the counts, who asked; row digests
manifest.json.sig    Ed25519 signature over the line "gatehouse-manifest" and the bytes of
                     manifest.json, in base64, and the id of its key
public_keys.json     the public keys of both signatures
population.csv       ALL attempts in scope: failed, unknown, cancelled, break-glass, rollbacks too.
                     An attempt belongs to the moment it started, or was planned if it never did.
                     "reached the org" = no: stopped before anything was sent.
reconciliation.csv   what the orgs themselves list against the population, from both sides:
                     matched    a call of Gatehouse, and of which change
                     unapproved changed the org and was not sent by Gatehouse
                     missing    sent by Gatehouse, and the org does not list it
                     The manifest says how often and how far back each org was asked; outside of
                     that nothing is claimed ("org not asked since").
requests.csv         every question put to people: approved, rejected, expired, withdrawn,
                     superseded. In a pack of one release: those about it.
exceptions.csv       break-glass, late reviews, segregation conflicts, outcomes settled by a
                     person, changes past Gatehouse
access.csv           who could approve, deploy or change the rules at the start, at the end, and
                     each change between
policies/            each version of each policy with its own approvals
changes/             one record per attempt: JSON with eleven groups of facts, and the same as PDF
events.jsonl         the chained history, one event a line, from the first event that any record
                     names to the covering checkpoint. Other events in that range are included:
                     leaving some out would break the chain.
checkpoints.jsonl    signed checkpoints over the chain and where copies were put
verify.py            verifies this folder; verify_history.py is its part for the chain

HOW TO TEST A SAMPLE
1. Take the population: {population} attempts in population.csv. Its completeness is shown by
   reconciliation.csv (the org's own list) and by the chain (no event can be taken out).
2. Pick items yourself, or let the sample picker draw with a seed you choose: each id is hashed as
   SHA-256("<seed>:<id>") and the smallest digests win, so you can draw again on any machine.
3. Per item read changes/<id>.pdf from ticket to running digest; changes/<id>.json has the same
   with every id; events.jsonl has the words as they were written at the time.

WHICH CONTROL IT ANSWERS
SOC 2 CC8.1            change is authorised, tested, approved, implemented: changes/, requests.csv
SOC 2 CC6.1-6.3        who may: access.csv, policies/
ISO 27001 A 8.32       change management: population.csv, changes/, exceptions.csv
ISO 27001 A 5.3        segregation of duties: group "segregation" of each record, exceptions.csv
ISO 27001 A 8.15       logging protected against change: events.jsonl, checkpoints.jsonl
PCI DSS 6.5.1          documented, approved, tested, with back-out: groups 3 to 5 and 10
ITGC change management population (completeness), sample (accuracy), migration rights (access.csv)

WHAT IT DOES NOT PROVE
Until approvers sign with keys of their own, Gatehouse's web process is trusted for who decided.
Setup changes made by hand in the org are outside of Gatehouse: the org's Setup Audit Trail has
them. Facts that a record calls "not recorded" must be asked for elsewhere.
"""


def readme(facts: dict[str, Any]) -> str:
    """Fill the text in for one pack."""
    return TEXT.format(**facts)
