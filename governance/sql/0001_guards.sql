-- Guards of governance. They hold for every role; ENABLE ALWAYS keeps them standing under
-- session_replication_role = replica. Errors: P0A01 append-only, P0G01 request, P0G02 decision,
-- P0G03 membership.

select gatehouse_make_append_only('governance_auditevent');
select gatehouse_make_append_only('governance_decision');
select gatehouse_make_append_only('governance_withdrawal');
select gatehouse_make_append_only('governance_exclusion');
select gatehouse_make_append_only('governance_unmappedidentity');
select gatehouse_make_append_only('governance_policyversion');

-- Which transaction wrote an event. Nobody but the default sets it: the roles may insert body only.
alter table governance_auditevent add column tx xid8 not null default pg_current_xact_id();

-- ── Approval requests ────────────────────────────────────────────────────────────────────────────
-- What the question is about never changes, and its state moves by the table in governance/states.py.
-- Only somebody who may insert decisions may satisfy, reopen, reject or withdraw; workers may stop
-- a request (supersede, expire) and nothing else.
create function governance_guard_request() returns trigger
    language plpgsql set search_path = pg_catalog, public
    as $$
begin
    if tg_op = 'INSERT' then
        if new.state <> 'open' then
            raise exception 'approval request: born %, not open', new.state using errcode = 'P0G01';
        end if;
        return new;
    end if;
    if (new.id, new.uuid, new.created_at, new.subject_kind, new.subject_id, new.digest,
        new.policy_version_id, new.requester_id, new.opened_at, new.expires_at, new.label, new.url,
        new.related)
       is distinct from
       (old.id, old.uuid, old.created_at, old.subject_kind, old.subject_id, old.digest,
        old.policy_version_id, old.requester_id, old.opened_at, old.expires_at, old.label, old.url,
        old.related)
    then
        raise exception 'approval request: the question never changes' using errcode = 'P0G01';
    end if;
    if new.state = old.state then
        return new;
    end if;
    if old.state not in ('open', 'satisfied') then
        raise exception 'approval request: % is final', old.state using errcode = 'P0G01';
    end if;
    if new.state not in ('superseded', 'expired')
       and not has_table_privilege('public.governance_decision', 'INSERT') then
        raise exception 'approval request: % may not make it %', current_user, new.state
            using errcode = 'P0G01';
    end if;
    return new;
end $$;
create trigger guard_request before insert or update on governance_approvalrequest
    for each row execute function governance_guard_request();
alter table governance_approvalrequest enable always trigger guard_request;

-- ── Decisions ────────────────────────────────────────────────────────────────────────────────────
-- Every decision, withdrawal and exclusion takes the request's row, so that whoever counts them
-- under that lock counts all of them. Without it two connections defeat any count.
create function governance_guard_decision() returns trigger
    language plpgsql set search_path = pg_catalog, public
    as $$
declare
    asked governance_approvalrequest;
begin
    select * into asked from governance_approvalrequest where id = new.request_id
        for no key update;
    if asked.state not in ('open', 'satisfied') or asked.expires_at <= gatehouse_now() then
        raise exception 'decision: the request is not open' using errcode = 'P0G02';
    end if;
    if new.digest <> asked.digest then
        raise exception 'decision: another digest than asked' using errcode = 'P0G02';
    end if;
    if new.person_id = asked.requester_id then
        raise exception 'decision: the requester may not decide' using errcode = 'P0G02';
    end if;
    if exists (select 1 from governance_exclusion e
               where e.request_id = new.request_id and e.user_id = new.person_id) then
        raise exception 'decision: this person is excluded' using errcode = 'P0G02';
    end if;
    if not exists (select 1 from governance_policyversion v
                   where v.id = asked.policy_version_id and v.body -> 'roles' ? new.role) then
        raise exception 'decision: the policy does not count this role' using errcode = 'P0G02';
    end if;
    -- FOR SHARE: a revocation that runs at the same time waits, or is seen here.
    perform 1 from governance_membership m
        where m.user_id = new.person_id and m.role = new.role and m.revoked_at is null for share;
    if not found then
        raise exception 'decision: this person does not hold the role' using errcode = 'P0G02';
    end if;
    perform 1 from governance_user u
        where u.id = new.person_id and u.is_active and u.kind = 'person' for share;
    if not found then
        raise exception 'decision: only an active person decides' using errcode = 'P0G02';
    end if;
    return new;
end $$;
create trigger guard_decision before insert on governance_decision
    for each row execute function governance_guard_decision();
alter table governance_decision enable always trigger guard_decision;

create function governance_lock_request_of_decision() returns trigger
    language plpgsql set search_path = pg_catalog, public
    as $$
begin
    perform 1 from governance_approvalrequest r
        join governance_decision d on d.request_id = r.id
        where d.id = new.decision_id for no key update of r;
    return new;
end $$;
create trigger lock_request before insert on governance_withdrawal
    for each row execute function governance_lock_request_of_decision();
alter table governance_withdrawal enable always trigger lock_request;

create function governance_lock_request() returns trigger
    language plpgsql set search_path = pg_catalog, public
    as $$
begin
    perform 1 from governance_approvalrequest where id = new.request_id for no key update;
    return new;
end $$;
create trigger lock_request before insert on governance_exclusion
    for each row execute function governance_lock_request();
alter table governance_exclusion enable always trigger lock_request;
create trigger lock_request before insert on governance_unmappedidentity
    for each row execute function governance_lock_request();
alter table governance_unmappedidentity enable always trigger lock_request;

-- ── Memberships ──────────────────────────────────────────────────────────────────────────────────
-- Roles that span the installation exist only in the team that owns production. A membership is
-- revoked once and otherwise never changes; being given the role again is a new row.
create function governance_guard_membership() returns trigger
    language plpgsql set search_path = pg_catalog, public
    as $$
begin
    if tg_op = 'UPDATE' then
        if (new.id, new.uuid, new.created_at, new.user_id, new.team_id, new.role, new.granted_by_id,
            new.granted_at)
           is distinct from
           (old.id, old.uuid, old.created_at, old.user_id, old.team_id, old.role, old.granted_by_id,
            old.granted_at)
           or old.revoked_at is not null or new.revoked_at is null then
            raise exception 'membership: may only be revoked, once' using errcode = 'P0G03';
        end if;
        return new;
    end if;
    if new.role not in ('developer', 'team_lead') and not exists (
        select 1 from governance_team t where t.id = new.team_id and t.owns_production)
    then
        raise exception 'membership: % belongs to the team that owns production', new.role
            using errcode = 'P0G03';
    end if;
    return new;
end $$;
create trigger guard_membership before insert or update on governance_membership
    for each row execute function governance_guard_membership();
alter table governance_membership enable always trigger guard_membership;
