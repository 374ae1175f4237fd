-- Guards of environments. ENABLE ALWAYS keeps them standing under session_replication_role =
-- replica. Errors: P0E01 a worker's column written by somebody else, P0E02 a fixed column changed.

-- ── What workers saw is not typed ────────────────────────────────────────────────────────────────
-- Column grants keep web from updating these columns; an INSERT names every column, so the same
-- rule is asked here: whoever may not update a fact may not be born with it either.
create function environments_guard_birth() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if (new.organization_id, new.is_sandbox, new.checked_at, new.holds_since) is distinct from
       (null::text, null::boolean, null::timestamptz, null::timestamptz)
       or new.connection <> 'unchecked' or new.hold_state <> 'empty' or new.holds_digest <> ''
    then
        if not has_column_privilege('public.environments_environment', 'organization_id', 'UPDATE')
        then
            raise exception 'environment: only a worker writes what an org says'
                using errcode = 'P0E01';
        end if;
    end if;
    return new;
end $$;
create trigger guard_birth before insert on environments_environment
    for each row execute function environments_guard_birth();
alter table environments_environment enable always trigger guard_birth;

-- ── An address and what was seen there belong together ───────────────────────────────────────────
-- Another login host or another expected organisation: nothing that was seen counts any more, and
-- the credential, entered for the old address, is gone in the same statement.
create function environments_forget_organization() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if (new.id, new.uuid, new.created_at, new.track_id, new.stage, new.kind) is distinct from
       (old.id, old.uuid, old.created_at, old.track_id, old.stage, old.kind)
    then
        raise exception 'environment: its place on the track never changes' using errcode = 'P0E02';
    end if;
    if old.retired_at is not null and new.retired_at is distinct from old.retired_at then
        raise exception 'environment: it stays retired' using errcode = 'P0E02';
    end if;
    if (new.login_host, new.expected_organization_id) is distinct from
       (old.login_host, old.expected_organization_id)
    then
        new.organization_id := null;
        new.is_sandbox := null;
        new.organization_name := '';
        new.organization_type := '';
        new.instance_url := '';
        new.instance_name := '';
        new.newest_api_version := '';
        new.limits := '{}';
        new.checked_at := null;
        new.connection := 'unchecked';
        new.connection_code := '';
        new.connection_message := '';
        new.holds_digest := '';
        new.holds_label := '';
        new.holds_ref := '';
        new.holds_since := null;
        new.hold_state := 'empty';
        new.hold_note := '';
    end if;
    return new;
end $$;
create trigger forget_organization before update on environments_environment
    for each row execute function environments_forget_organization();
alter table environments_environment enable always trigger forget_organization;

-- SECURITY DEFINER: nobody but the owner may delete a credential, and only this way.
create function environments_discard_credential() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    delete from environments_credential where environment_id = new.id;
    return null;
end $$;
revoke execute on function environments_discard_credential() from public;
create trigger discard_credential after update on environments_environment
    for each row
    when ((new.login_host, new.expected_organization_id) is distinct from
          (old.login_host, old.expected_organization_id)
          or (old.retired_at is null and new.retired_at is not null))
    execute function environments_discard_credential();
alter table environments_environment enable always trigger discard_credential;

-- ── Snapshots ────────────────────────────────────────────────────────────────────────────────────
-- What was retrieved never changes once the snapshot is settled; only its place in the history
-- repository is added later, once.
create function environments_guard_snapshot() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if tg_op = 'INSERT' then
        if new.state <> 'requested' or new.blob <> '' or new.history_commit <> '' then
            raise exception 'snapshot: born %, not requested', new.state using errcode = 'P0E01';
        end if;
        return new;
    end if;
    if (new.id, new.uuid, new.created_at, new.environment_id, new.purpose, new.manifest,
        new.requested_by, new.wake_kind, new.wake_subject_id)
       is distinct from
       (old.id, old.uuid, old.created_at, old.environment_id, old.purpose, old.manifest,
        old.requested_by, old.wake_kind, old.wake_subject_id)
    then
        raise exception 'snapshot: the request never changes' using errcode = 'P0E02';
    end if;
    if old.state in ('done', 'failed') and
       (new.state, new.remote_id, new.started_at, new.taken_at, new.organization_id, new.blob,
        new.component_count, new.content_digest, new.messages, new.message)
       is distinct from
       (old.state, old.remote_id, old.started_at, old.taken_at, old.organization_id, old.blob,
        old.component_count, old.content_digest, old.messages, old.message)
    then
        raise exception 'snapshot: % is final', old.state using errcode = 'P0E02';
    end if;
    if old.history_commit <> '' and new.history_commit is distinct from old.history_commit then
        raise exception 'snapshot: its commit never changes' using errcode = 'P0E02';
    end if;
    return new;
end $$;
create trigger guard_snapshot before insert or update on environments_snapshot
    for each row execute function environments_guard_snapshot();
alter table environments_snapshot enable always trigger guard_snapshot;
