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

-- ── Decisions ────────────────────────────────────────────────────────────────────────────────────
-- Every decision, withdrawal and exclusion takes the request's row, so that whoever counts them
-- under that lock counts all of them. Without it two connections defeat any count.
create function governance_lock_request_of_decision() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
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
    language plpgsql set search_path = pg_catalog, public, pg_temp
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
    language plpgsql set search_path = pg_catalog, public, pg_temp
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
