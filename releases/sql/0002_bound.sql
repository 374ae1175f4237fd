-- What an approval is bound to. Bound columns of a deployment never change; a change of any other
-- bound row supersedes the request at once, whoever makes it and however. SQL computes no digest.
-- ENABLE ALWAYS throughout. Errors: P0R01 a fixed column changed, P0R02 a word that is not theirs.

-- ── Deployments ──────────────────────────────────────────────────────────────────────────────────
create function releases_guard_deployment() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if tg_op = 'INSERT' then
        if new.approval_id is not null then
            raise exception 'deployment: a request is bound after planning' using errcode = 'P0R01';
        end if;
        return new;
    end if;
    if (new.id, new.uuid, new.created_at, new.purpose, new.environment_id, new.artefact_id,
        new.build_id, new.candidate_id, new.release_id, new.preparation_id, new.requester_id,
        new.plan, new.organization_id, new.subject_digest, new.policy_version_id, new.not_before,
        new.not_after)
       is distinct from
       (old.id, old.uuid, old.created_at, old.purpose, old.environment_id, old.artefact_id,
        old.build_id, old.candidate_id, old.release_id, old.preparation_id, old.requester_id,
        old.plan, old.organization_id, old.subject_digest, old.policy_version_id, old.not_before,
        old.not_after)
    then
        raise exception 'deployment: what it carries and where to never changes'
            using errcode = 'P0R01';
    end if;
    if new.approval_id is distinct from old.approval_id then
        if old.approval_id is not null or old.state not in ('held', 'queued') then
            raise exception 'deployment: it is bound to one request, once' using errcode = 'P0R01';
        end if;
        -- Nobody has decided yet, and nothing else is bound to it: whatever people say afterwards,
        -- they say about this row, of which nothing changes any more. Without that one approval
        -- would carry a second deployment with the same digest written on it.
        perform 1 from governance_approvalrequest r
            where r.id = new.approval_id and r.digest = new.subject_digest
              and r.subject_id = new.release_id
              and r.subject_kind = (
                  select case rel.change_class when 'emergency' then 'break_glass' else 'release' end
                  from releases_release rel where rel.id = new.release_id)
              and not exists (select 1 from governance_decision d where d.request_id = r.id)
              and not exists (select 1 from releases_deployment o where o.approval_id = r.id)
            for no key update of r;
        if not found then
            raise exception 'deployment: that request asks about something else'
                using errcode = 'P0R01';
        end if;
    end if;
    if old.baseline_digest <> '' and (new.baseline_digest, new.baseline)
        is distinct from (old.baseline_digest, old.baseline)
    then
        raise exception 'deployment: its baseline is written once' using errcode = 'P0R01';
    end if;
    if new.state <> old.state and new.state <> 'superseded'
        and not has_table_privilege('public.releases_step', 'UPDATE')
    then
        raise exception 'deployment: only a deploy worker makes it %', new.state
            using errcode = 'P0R02';
    end if;
    return new;
end $$;
create trigger guard_deployment before insert or update on releases_deployment
    for each row execute function releases_guard_deployment();
alter table releases_deployment enable always trigger guard_deployment;

-- ── A tag and a commit stay what they were resolved to ───────────────────────────────────────────
create function releases_guard_candidate() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if (new.id, new.uuid, new.created_at, new.repository_id, new.team_id, new.tag, new.sha,
        new.created_by_id)
       is distinct from
       (old.id, old.uuid, old.created_at, old.repository_id, old.team_id, old.tag, old.sha,
        old.created_by_id)
    then
        raise exception 'candidate: its tag and commit never change' using errcode = 'P0R01';
    end if;
    return new;
end $$;
create trigger guard_candidate before update on releases_candidate
    for each row execute function releases_guard_candidate();
alter table releases_candidate enable always trigger guard_candidate;

create function releases_guard_build() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if (new.id, new.uuid, new.created_at, new.repository_id, new.sha) is distinct from
       (old.id, old.uuid, old.created_at, old.repository_id, old.sha)
    then
        raise exception 'build: its commit never changes' using errcode = 'P0R01';
    end if;
    return new;
end $$;
create trigger guard_build before update on releases_build
    for each row execute function releases_guard_build();
alter table releases_build enable always trigger guard_build;

-- ── Voiding ──────────────────────────────────────────────────────────────────────────────────────
-- SECURITY DEFINER: whoever may change a bound row also voids, also a role that may not touch
-- requests. The application voids before it writes, so that this finds nothing to do; for a change
-- behind its back a worker is woken, which writes the event and moves the release.
create function releases_void(bound bigint[], why text) returns void
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    voided bigint;
begin
    for voided in
        select r.id from governance_approvalrequest r
        where r.id = any (bound) and r.state in ('open', 'satisfied')
        order by r.id for no key update
    loop
        update governance_approvalrequest
            set state = 'superseded', closed_at = gatehouse_now(), note = why where id = voided;
        insert into jobs_work as w (kind, subject_id, queue, wake_at)
            values ('releases.voided', voided, 'build', gatehouse_now())
            on conflict (kind, subject_id) do update
                set wake_at = least(w.wake_at, excluded.wake_at);
        perform pg_notify('gatehouse_work', '');
    end loop;
end $$;
revoke execute on function releases_void(bigint[], text) from public;

create function releases_void_of_release() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    perform releases_void(
        array(select d.approval_id from releases_deployment d where d.release_id = new.id),
        'the release was changed');
    return null;
end $$;

create function releases_void_of_item() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    perform releases_void(
        array(select d.approval_id from releases_deployment d
              where d.release_id = new.release_id
                 or (tg_op = 'UPDATE' and d.release_id = old.release_id)),
        'the contents of the release were changed');
    return null;
end $$;
create trigger void_approval_of_new after insert on releases_releaseitem
    for each row execute function releases_void_of_item();
create trigger void_approval after update on releases_releaseitem
    for each row
    when ((new.release_id, new.candidate_id, new.removed_at) is distinct from
          (old.release_id, old.candidate_id, old.removed_at))
    execute function releases_void_of_item();
alter table releases_releaseitem enable always trigger void_approval;
alter table releases_releaseitem enable always trigger void_approval_of_new;

create function releases_void_of_environment() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    perform releases_void(
        array(select d.approval_id from releases_deployment d where d.environment_id = new.id),
        'the environment, its organisation or policy was changed');
    return null;
end $$;
create trigger void_approval after update on environments_environment
    for each row
    when ((new.policy_id, new.organization_id, new.is_sandbox, new.retired_at) is distinct from
          (old.policy_id, old.organization_id, old.is_sandbox, old.retired_at))
    execute function releases_void_of_environment();
alter table environments_environment enable always trigger void_approval;

-- ── A new policy version ─────────────────────────────────────────────────────────────────────────
-- Takes the requests asked under the older ones and then the policy's row, which an intention holds
-- FOR SHARE: a version and an intention never pass each other.
create function releases_void_of_policy() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    perform releases_void(
        array(select r.id from governance_approvalrequest r
              join governance_policyversion v on v.id = r.policy_version_id
              join releases_deployment d on d.approval_id = r.id
              where v.policy_id = new.policy_id),
        format('version %s of its policy', new.number));
    perform 1 from governance_policy where id = new.policy_id for no key update;
    return new;
end $$;
create trigger void_approval before insert on governance_policyversion
    for each row execute function releases_void_of_policy();
alter table governance_policyversion enable always trigger void_approval;

-- ── A Git address gets or loses its person ───────────────────────────────────────────────────────
-- Who counts on a request depends on whose its authors are, so the request's row is taken.
create function releases_hold_requests_of_identity() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    perform 1 from governance_approvalrequest r
        where r.state in ('open', 'satisfied') and exists (
            select 1 from governance_unmappedidentity u
            where u.request_id = r.id and u.email = new.email)
        order by r.id for no key update;
    return new;
end $$;
create trigger hold_requests before insert or update on governance_gitidentity
    for each row execute function releases_hold_requests_of_identity();
alter table governance_gitidentity enable always trigger hold_requests;
