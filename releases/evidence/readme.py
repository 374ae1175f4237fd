"""README.txt of a pack: what the files are, how to verify them, which control each one answers."""

from __future__ import annotations

from typing import Any

TEXT = """\
EVIDENCE PACK {pack}
{subject}
{scope}
Made {made_at} for {made_for}

WHAT THIS IS
Every attempt to change a protected Salesforce environment in this scope, with the approvals,
rules and people behind it, written by Gatehouse from its own history. Nothing in it was typed
for this purpose. Moments are in UTC; columns marked "local" show the same moment in {zone}.
"not recorded" means that Gatehouse holds no such fact; an empty place, a dash or null means that
it did not happen. A cell that a spreadsheet would run as a formula begins with an apostrophe.

HOW TO VERIFY IT
    python3 verify.py
needs Python 3.9 or later and nothing else: no network, no packages, no access to Gatehouse. It
checks the signature of the manifest, computes every digest again, walks the chain of the history
event by event against the signed checkpoints, holds every record and table against that history
(each attempt and how it ended, each question and answer, each role given or taken, each refusal)
and prints PASS, or FAIL with the first file or row that does not match. Lines that begin with
NOT SHOWN say what a PASS does not tell you yet.

WHAT THE PACK ALONE CANNOT SHOW, AND HOW TO SHOW IT
Whoever holds the signing key, or puts a key of his own here, can make up a pack that agrees with
itself. Two things that did not come with this pack rule that out; give both:
    python3 verify.py --key <base64> --checkpoints <file or folder>
--key          the public key, from somebody other than whoever gave you this pack: from the
               minutes of the founding, an e-mail with a checkpoint, or a pack of last year. This
               pack was signed with one of
    {key}
--checkpoints  checkpoints as they were put outside at the time: the e-mails to the people who
               receive them, the Git repository, the directory. "anchored" in checkpoints.jsonl
               says where each one went and when; ask for them there, and not from Gatehouse.
What each deceit looks like:
    a byte, a row, a file changed, added, taken out    found with the pack alone
    an event changed, moved, taken out, renumbered     found with the pack alone
    an attempt left out of tables and records          found with the pack alone (its events)
    an attempt left out with its events, chain redone  found by --checkpoints
    the whole signed anew with another key             found by --key
    the newest events cut off before the pack was made found by a later checkpoint of your own
    a deployment that Gatehouse never knew of          reconciliation.csv: the org's own list
    what was bent before the first checkpoint went out not found
    this program bent too                              take it from the public source or an
                                                       earlier pack; all three verify*.py

WHERE IS THE ANSWER TO
Is the population complete?      population.csv; verify.py counts the attempts in the history;
                                 reconciliation.csv compares with the orgs' own lists
Who asked, wrote, tested?        changes/<id>: groups 6 and 4
Who approved, when, with what    group 5: role that counted, roles held at that moment, how the
right, signed in how?            person was signed in, event of the history
Did somebody approve his own?    group 6: conflicts; exceptions.csv
Which rule held then?            group 5 names the policy version; policies/ has its words, who
                                 proposed it and who agreed
What exactly was deployed?       group 2: digest, commits, every component that differs
Which tests, with what result?   group 4: the artefact's runs with the org's own counters
Freezes, windows?                group 7: what the gate consulted, freezes over the environment
Who carried it out?              group 8: worker, times, the org's id of each call
What ran afterwards?             groups 8 and 10: what was read back from the org
Emergencies, late reviews?       exceptions.csv, group 9
Who could approve on a day?      access.csv: lines "at the start", then every change up to the day
What was refused?                refusals.csv; the canary is tried daily and must be refused

THE FILES
manifest.json        every file with its SHA-256, the scope, the counts, who asked; row digests
manifest.json.sig    Ed25519 signature over the line "gatehouse-manifest" and the bytes of
                     manifest.json, in base64, and the id of its key
public_keys.json     the public keys of both signatures
environments.csv     the protected environments of this scope and the policy of each
population.csv       ALL attempts in scope: failed, unknown, cancelled, break-glass, rollbacks too.
                     An attempt belongs to the moment it started, or was planned if it never did.
                     "reached the org" = no: stopped before anything was sent. Class "canary":
                     not a change; a daily attempt that must be refused.
reconciliation.csv   what the orgs themselves list against the population, from both sides:
                     matched    a call of Gatehouse, and of which change
                     unapproved changed the org and was not sent by Gatehouse
                     missing    sent by Gatehouse, and the org does not list it
                     The manifest says how often and how far back each org was asked; outside of
                     that nothing is claimed ("org not asked since").
requests.csv         every question put to people: approved, rejected, expired, withdrawn,
                     superseded, and what was carried out under it. In a pack of one release:
                     those about it. Kinds: release, break_glass, policy.version, seat (a place on
                     the board), reset, sandbox.request and others.
exceptions.csv       break-glass, late reviews, segregation conflicts, testers who wrote the code,
                     outcomes settled by a person, changes past Gatehouse, a canary not refused.
                     Only a head: there were none
refusals.csv         every attempt that was refused or held, with the reason
access.csv           who could approve, deploy or change the rules at the start, at the end, and
                     each change between. "may approve under" names the policies whose approvals
                     that role could give at that moment
policies/            each version of each policy with its own approvals
changes/             one record per attempt: JSON with eleven groups of facts, and the same as PDF
events.jsonl         the chained history, one event a line, from the first event that any record
                     names to the covering checkpoint. Other events in that range are included:
                     leaving some out would break the chain. "position" counts without a gap;
                     the numbers H-... may have gaps, where a transaction was undone
checkpoints.jsonl    signed checkpoints over the chain and where copies were put
verify.py            verifies this folder, with its parts verify_stories.py (records against
                     history) and verify_history.py (the chain)

HOW TO TEST A SAMPLE
1. Take the population: {population} attempts in population.csv.
2. Pick items yourself, or let the sample picker draw with a seed you choose: each id is hashed as
   SHA-256("<seed>:<id>") and the smallest digests win, so you can draw again on any machine.
3. Per item read changes/<id>.pdf from ticket to running digest; changes/<id>.json has the same
   with every id; events.jsonl has the words as they were written at the time.

WORDS
artefact         the zip that was sent, known by its digest; the same one in every environment
subject digest   what people agreed to: artefact, environment, plan, tests, window, policy version
                 together; a change of any of them voids the approval
gate             the rules asked before an attempt begins and again right before the call
floor            the same, asked once more by the database itself
fence            number of a worker's claim: an older worker cannot write any more
intended         the moment before a call to the org was made; kept even if the answer was lost
integration, rehearsal, preparation
                 the same artefact deployed to the integration org, to PRE-PRD, and checked
                 against production without a change
settled          a person found out in the org what became of a call whose answer was lost

WHICH CONTROL IT ANSWERS
SOC 2 CC8.1            change is authorised, tested, approved, implemented: changes/, requests.csv
SOC 2 CC6.1-6.3        who may: access.csv, policies/
SOC 2 CC7.2-7.4        exceptions.csv, refusals.csv
ISO 27001 A 8.32       change management: population.csv, changes/, exceptions.csv
ISO 27001 A 5.3        segregation of duties: group "segregation" of each record, exceptions.csv
ISO 27001 A 8.15       logging protected against change: events.jsonl, checkpoints.jsonl
PCI DSS 6.5.1          documented, approved, tested, with back-out: groups 3 to 5 and 10
ITGC change management population (completeness), sample (accuracy), migration rights (access.csv)

HOW LONG IT IS KEPT
Decisions, events and versions of policies have no age at which they go: Gatehouse has no way to
delete them, and the database refuses it to every role that the application has. A position
missing from the chain would be named by verify.py. How long backups are kept is for whoever
runs the installation to show.

WHAT IT DOES NOT PROVE
Until approvers sign with keys of their own, Gatehouse's web process is trusted for who decided.
Setup changes made by hand in the org are outside of Gatehouse: the org's Setup Audit Trail has
them. Facts that a record calls "not recorded" must be asked for elsewhere.
"""


def readme(facts: dict[str, Any]) -> str:
    """Fill the text in for one pack."""
    return TEXT.format(**facts)
