"""The guards of the database, compared with what the last migration left.

An owner or superuser can lift a guard, act and put it back. What stays lifted, replaced or granted
is found here by every verification; what was put back is found by the chain.
"""

from __future__ import annotations

import json

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from core.digests import canonical_json, sha256_text
from governance.models import GuardManifest

Guards = dict[str, str]
"""What a guard is ("trigger governance_decision.guard_decision") → how it stands."""

_LOGINS = (
    "('gatehouse_owner', 'gatehouse_web', 'gatehouse_build', "
    "'gatehouse_deploy', 'gatehouse_ticker')"
)

_READ = f"""
    SELECT 'trigger ' || c.relname || '.' || t.tgname,
           t.tgenabled::text || ' ' || md5(pg_get_triggerdef(t.oid))
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal
    UNION ALL
    SELECT 'function ' || p.oid::regprocedure::text,
           p.proowner::regrole::text || ' ' || md5(pg_get_functiondef(p.oid))
    FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND p.prokind = 'f'
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'rights on ' || c.relname, c.relowner::regrole::text || ' '
           || array_to_string(ARRAY(SELECT unnest(c.relacl)::text ORDER BY 1), ' ')
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
    UNION ALL
    SELECT 'rights on ' || c.relname || '.' || a.attname,
           array_to_string(ARRAY(SELECT unnest(a.attacl)::text ORDER BY 1), ' ')
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'public'::regnamespace AND a.attacl IS NOT NULL
    UNION ALL
    SELECT 'derived column ' || c.relname || '.' || a.attname,
           md5(pg_get_expr(d.adbin, d.adrelid))
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND a.attgenerated <> ''
    UNION ALL
    SELECT 'constraint ' || c.relname || '.' || k.conname,
           md5(pg_get_constraintdef(k.oid)) || CASE WHEN k.convalidated THEN '' ELSE ' open' END
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE c.relnamespace = 'public'::regnamespace AND k.contype IN ('c', 'u', 'x', 'p', 'f')
    UNION ALL
    SELECT 'index ' || c.relname, md5(pg_get_indexdef(i.indexrelid)) || i.indisvalid::text
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = 'public'::regnamespace AND i.indisunique
    UNION ALL
    SELECT 'setting of ' || CASE setrole WHEN 0 THEN 'everybody' ELSE setrole::regrole::text END,
           array_to_string(ARRAY(SELECT unnest(setconfig) ORDER BY 1), ' ')
    FROM pg_db_role_setting
    WHERE (setrole = 0 OR setrole::regrole::text IN {_LOGINS})
      AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
    UNION ALL
    SELECT 'setting in every database of ' || setrole::regrole::text,
           array_to_string(ARRAY(SELECT unnest(setconfig) ORDER BY 1), ' ')
    FROM pg_db_role_setting WHERE setdatabase = 0 AND setrole::regrole::text IN {_LOGINS}
    UNION ALL
    SELECT 'rule ' || tablename || '.' || rulename, md5(definition)
    FROM pg_rules WHERE schemaname = 'public'
    UNION ALL
    SELECT 'event trigger ' || evtname, evtenabled::text FROM pg_event_trigger
    UNION ALL
    SELECT 'login ' || rolname, concat_ws(' ', rolsuper, rolcreaterole, rolcreatedb, rolbypassrls,
           rolreplication)
    FROM pg_roles WHERE rolname IN {_LOGINS}
    UNION ALL
    SELECT 'membership of ' || member::regrole::text || ' in ' || roleid::regrole::text, 'given'
    FROM pg_auth_members WHERE member::regrole::text IN {_LOGINS}
"""  # noqa: S608 - our own words


def read(using: str = DEFAULT_DB_ALIAS) -> Guards:
    """Read how every guard stands now; any role may."""
    with connections[using].cursor() as cursor:
        cursor.execute(_READ)
        return dict(cursor.fetchall())


def write_manifest(using: str) -> None:
    """Keep how the guards stand after a migration; nothing when that is what was kept before."""
    text = canonical_json(read(using))
    digest = sha256_text(text)
    kept = GuardManifest.objects.using(using)
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        if kept.values_list("digest", flat=True).first() == digest:
            return
        cursor.execute(
            "INSERT INTO governance_guardmanifest (body, digest, written_at)"
            " VALUES (%s, %s, gatehouse_now())",
            [text.decode("utf-8"), digest],
        )


def drift() -> list[str]:
    """Return in words what stands otherwise than the last migration left it."""
    manifest = GuardManifest.objects.first()
    if manifest is None:
        return ["there is no manifest of the guards; run the migrations"]
    if sha256_text(manifest.body.encode("utf-8")) != manifest.digest:
        return ["the manifest of the guards was altered"]
    wanted: Guards = json.loads(manifest.body)
    found = read()
    words = [f"{name} is gone" for name in wanted.keys() - found.keys()]
    words += [f"{name} was added" for name in found.keys() - wanted.keys()]
    words += [
        f"{name} was changed ({wanted[name]} → {found[name]})"
        for name in wanted.keys() & found.keys()
        if wanted[name] != found[name]
    ]
    return sorted(words)
