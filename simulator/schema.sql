-- State of all orgs. Times are epoch seconds of the simulated clock; contents are shared by hash.
create table if not exists setting (name text primary key, value text not null);
create table if not exists serial (prefix text primary key, last integer not null);
create table if not exists blob (sha text primary key, content blob not null) without rowid;

create table if not exists org (
    id text primary key, name text not null unique collate nocase, organization_name text not null,
    is_sandbox integer not null, organization_type text not null, instance_name text not null,
    parent text, trial_ends_at real, active integer not null default 1, created_at real not null,
    options text not null default '{}', revision integer not null default 0
);
create table if not exists person (
    id text primary key, org text not null references org (id), username text not null unique collate nocase,
    full_name text not null, email text not null, profile text not null, active integer not null default 1,
    password text
);
create index if not exists person_org on person (org);
create table if not exists app (
    org text not null references org (id), client_id text not null, client_secret text,
    certificate text, run_as text, usernames text, primary key (org, client_id)
);
create table if not exists token (
    token text primary key, org text not null, person text not null, client_id text not null,
    kind text not null, issued_at real not null, expires_at real
);
create table if not exists component (
    org text not null, type text not null, name text not null collate nocase, id text not null,
    files text not null, created_at real not null, created_by text not null,
    modified_at real not null, modified_by text not null, revision integer not null,
    deleted integer not null default 0, primary key (org, type, name)
) without rowid;
create table if not exists deploy (
    id text primary key, org text not null, kind text not null, options text not null, zip text,
    status text not null, created_by text not null, created_at real not null, started_at real,
    components_end_at real, finish_at real, completed_at real, modified_at real not null, plan text,
    canceled_by text, cancel_at real, validated text, voided_at real, error_code text, error_message text,
    api_version text not null, number integer not null
);
create index if not exists deploy_org on deploy (org, number);
create index if not exists deploy_status on deploy (status);
create table if not exists retrieve (
    id text primary key, org text not null, request text not null, person text not null,
    created_at real not null, finish_at real not null, result text, zip text
);
create table if not exists record (
    id text primary key, org text not null, sobject text not null, fields text not null,
    created_at real not null, modified_at real not null, modified_by text not null
);
create index if not exists record_kind on record (org, sobject);
create index if not exists record_sobject on record (sobject);
create table if not exists audit (
    id text primary key, org text not null, at real not null, person text not null,
    action text not null, section text not null, display text not null
);
create index if not exists audit_org on audit (org, at);
create table if not exists fault (
    number integer primary key, org text, call text not null, kind text not null, arguments text not null,
    skip integer not null, remaining integer, probability real not null, seed integer not null,
    seen integer not null default 0
);
create table if not exists journal (
    number integer primary key, at real not null, org text, method text not null, path text not null,
    call text not null, status integer not null, effect text not null, fault text not null, took real not null
);
create table if not exists warning (
    number integer primary key, at real not null, org text, message text not null
);
