-- What web could still write about people's acts that nobody did: times of its own, an answer that
-- lasts for ever, a code or a link that works twice. ENABLE ALWAYS. Errors: P0G08 a mark is taken
-- back.

-- ── Times ────────────────────────────────────────────────────────────────────────────────────────
-- When somebody decided, withdrew or put a version in force is said by the database's clock.
create function governance_stamp() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if tg_table_name = 'governance_decision' then
        new.created_at := gatehouse_now();
        new.decided_at := new.created_at;
    elsif tg_table_name = 'governance_withdrawal' then
        new.at := gatehouse_now();
    else
        new.created_at := gatehouse_now();
        new.published_at := new.created_at;
    end if;
    return new;
end $$;
create trigger stamp before insert on governance_decision
    for each row when (not governance_is_owner()) execute function governance_stamp();
create trigger stamp before insert on governance_withdrawal
    for each row when (not governance_is_owner()) execute function governance_stamp();
create trigger stamp before insert on governance_policyversion
    for each row when (not governance_is_owner()) execute function governance_stamp();
alter table governance_decision enable always trigger stamp;
alter table governance_withdrawal enable always trigger stamp;
alter table governance_policyversion enable always trigger stamp;

-- ── The life of an answer ────────────────────────────────────────────────────────────────────────
-- No longer than the policy says, from when it was asked. The board's delay of a matter comes on
-- top, 30 days at most (config/env.py), and the wait for a sandbox's start, 90 days at most. Sorts
-- behind guard_satisfied, which never lets the beginning lie ahead.
create function governance_limit_life() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    new.expires_at := least(new.expires_at, new.opened_at
        + case new.subject_kind
            when 'seat.grant' then interval '30 days'
            when 'account.reset' then interval '30 days'
            when 'sandbox.request' then interval '90 days'
            else interval '0' end
        + (select make_interval(hours => (v.body ->> 'expires_hours')::integer)
           from governance_policyversion v where v.id = new.policy_version_id));
    return new;
end $$;
revoke execute on function governance_limit_life() from public;
create trigger limit_life before insert on governance_approvalrequest
    for each row execute function governance_limit_life();
alter table governance_approvalrequest enable always trigger limit_life;

-- ── Codes and links work once ────────────────────────────────────────────────────────────────────
create function governance_guard_used_once() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp
    as $$
begin
    if old.used_at is not null and new.used_at is distinct from old.used_at then
        raise exception '%: it was used already', tg_table_name using errcode = 'P0G08';
    end if;
    return new;
end $$;
create trigger guard_used_once before update on governance_recoverycode
    for each row execute function governance_guard_used_once();
create trigger guard_used_once before update on governance_invitation
    for each row execute function governance_guard_used_once();
alter table governance_recoverycode enable always trigger guard_used_once;
alter table governance_invitation enable always trigger guard_used_once;

create function governance_guard_last_step() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp
    as $$
begin
    if new.secret = old.secret and new.last_step < old.last_step then
        raise exception 'second factor: a code works once' using errcode = 'P0G08';
    end if;
    return new;
end $$;
create trigger guard_last_step before update on governance_secondfactor
    for each row execute function governance_guard_last_step();
alter table governance_secondfactor enable always trigger guard_last_step;

