-- Seats, resets, delegations and tokens. Errors: P0G03 membership, P0G04 matter, P0G05 delegation,
-- P0G02 decision, P0G06 token.

-- ── Delegations ──────────────────────────────────────────────────────────────────────────────────
-- Written once, ended at most once. The delegator holds the role himself, so nothing is passed on;
-- the deputy does not, so no seat has two voices. Its time of writing is the database's: it counts
-- on requests that were opened after it.
create function governance_guard_delegation() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if tg_op = 'UPDATE' then
        if (new.id, new.uuid, new.created_at, new.delegator_id, new.deputy_id, new.role, new.reason,
            new.starts_at, new.ends_at)
           is distinct from
           (old.id, old.uuid, old.created_at, old.delegator_id, old.deputy_id, old.role, old.reason,
            old.starts_at, old.ends_at)
           or old.ended_at is not null or new.ended_at is null then
            raise exception 'delegation: may only be ended, once' using errcode = 'P0G05';
        end if;
        return new;
    end if;
    new.created_at := gatehouse_now();
    if new.role not in ('board_member', 'security_approver', 'emergency_approver',
                        'release_manager') then
        raise exception 'delegation: % is not lent', new.role using errcode = 'P0G05';
    end if;
    if new.ends_at <= new.created_at or new.ends_at > new.starts_at + interval '90 days' then
        raise exception 'delegation: must end in the future, after 90 days at most'
            using errcode = 'P0G05';
    end if;
    perform 1 from governance_membership m
        where m.user_id = new.delegator_id and m.role = new.role and m.revoked_at is null for share;
    if not found then
        raise exception 'delegation: only a holder of the role lends it' using errcode = 'P0G05';
    end if;
    if exists (select 1 from governance_membership m
               where m.user_id = new.deputy_id and m.role = new.role and m.revoked_at is null) then
        raise exception 'delegation: the deputy holds the role already' using errcode = 'P0G05';
    end if;
    perform 1 from governance_user u
        where u.id = new.deputy_id and u.is_active and u.kind = 'person' for share;
    if not found then
        raise exception 'delegation: only an active person stands in' using errcode = 'P0G05';
    end if;
    return new;
end $$;
create trigger guard_delegation before insert or update on governance_delegation
    for each row execute function governance_guard_delegation();
alter table governance_delegation enable always trigger guard_delegation;

-- Whom somebody stands in for at this moment, and since when that counts.
create function governance_stands_in(person bigint, wanted text, in_team bigint)
    returns table (delegator bigint, since timestamptz)
    language sql volatile set search_path = pg_catalog, public, pg_temp
    as $$
    select d.delegator_id,
           greatest(d.created_at, min(m.granted_at), max(holder.reset_at), max(deputy.reset_at))
    from governance_delegation d
    join governance_user holder on holder.id = d.delegator_id and holder.is_active
    join governance_user deputy on deputy.id = d.deputy_id and deputy.is_active
        and deputy.kind = 'person'
    join governance_membership m on m.user_id = d.delegator_id and m.role = d.role
        and m.revoked_at is null and (in_team is null or m.team_id = in_team)
    where d.deputy_id = person and d.role = wanted and d.ended_at is null
      and d.starts_at <= gatehouse_now() and d.ends_at > gatehouse_now()
    group by d.id, d.delegator_id, d.created_at
$$;

-- Since when a person holds a role: by a seat of his own or in somebody's place. A reset account
-- counts from its reset on.
create function governance_role_since(person bigint, wanted text, in_team bigint)
    returns timestamptz
    language sql volatile set search_path = pg_catalog, public, pg_temp
    as $$
    select min(held.since) from (
        select greatest(m.granted_at, u.reset_at) as since
        from governance_membership m join governance_user u on u.id = m.user_id
        where m.user_id = person and m.role = wanted and m.revoked_at is null
          and (m.ends_at is null or m.ends_at > gatehouse_now())
          and (in_team is null or m.team_id = in_team)
        union all
        select s.since from governance_stands_in(person, wanted, in_team) s
    ) held
$$;

-- Whether a person, with this role, fills a seat of a rule: holding the role (in the rule's team)
-- since before the request was opened.
create function governance_role_fills(person bigint, wanted text, team_slug text, since timestamptz)
    returns boolean
    language sql volatile set search_path = pg_catalog, public, pg_temp
    as $$
    select case when team_slug is null
        then coalesce(governance_role_since(person, wanted, null) <= since, false)
        else exists (select 1 from governance_team t
                     where t.slug = team_slug and t.retired_at is null
                       and governance_role_since(person, wanted, t.id) <= since)
    end
$$;

-- Deputies lose their role with the delegation or with its holder's membership: both are held.
create function governance_hold_roles(person bigint) returns void
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    perform 1 from governance_delegation d
        where d.deputy_id = person and d.ended_at is null order by d.id for share;
    perform 1 from governance_membership m
        where m.revoked_at is null
          and (m.user_id = person or m.user_id in (
              select d.delegator_id from governance_delegation d
              where d.deputy_id = person and d.ended_at is null))
        order by m.id for share;
end $$;

-- ── Decisions in somebody's place ────────────────────────────────────────────────────────────────
-- One seat, one vote: the deputy never approves beside the delegator, nor for one who asked or is
-- excluded. guard_decision (it comes first by name) holds the request's row, so that two of them
-- at once are seen.
create function governance_guard_seat_of_decision() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
declare
    asked governance_approvalrequest;
begin
    if new.verdict <> 'approve' then
        return new;
    end if;
    select * into asked from governance_approvalrequest where id = new.request_id;
    if exists (select 1 from governance_delegation d
               join governance_decision other on other.request_id = new.request_id
                   and other.person_id = d.deputy_id and other.role = d.role
                   and other.verdict = 'approve'
               where d.delegator_id = new.person_id and d.role = new.role and d.ended_at is null
                 and d.starts_at <= gatehouse_now() and d.ends_at > gatehouse_now()
                 and not exists (select 1 from governance_withdrawal w
                                 where w.decision_id = other.id)
                 and not exists (select 1 from governance_membership m
                                 where m.user_id = d.deputy_id and m.role = d.role
                                   and m.revoked_at is null)) then
        raise exception 'decision: the deputy decided for this seat' using errcode = 'P0G02';
    end if;
    if exists (select 1 from governance_membership m where m.user_id = new.person_id
               and m.role = new.role and m.revoked_at is null) then
        return new;
    end if;
    if not exists (select 1 from governance_stands_in(new.person_id, new.role, null) s
                   where s.since <= asked.opened_at and s.delegator <> asked.requester_id
                     and not exists (select 1 from governance_exclusion e
                                     where e.request_id = asked.id and e.user_id = s.delegator)
                     and not exists (select 1 from governance_decision own
                                     where own.request_id = asked.id
                                       and own.person_id = s.delegator
                                       and not exists (select 1 from governance_withdrawal w
                                                       where w.decision_id = own.id))) then
        raise exception 'decision: nobody whose seat is free lent the role' using errcode = 'P0G02';
    end if;
    return new;
end $$;
create trigger guard_seat before insert on governance_decision
    for each row execute function governance_guard_seat_of_decision();
alter table governance_decision enable always trigger guard_seat;

-- Whoever stands in for an excluded person without a seat of his own is excluded with him.
create function governance_exclude_deputies() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    insert into governance_exclusion (request_id, user_id, reason)
    select new.request_id, d.deputy_id, left('stands in for somebody who ' || new.reason, 200)
    from governance_delegation d
    where d.delegator_id = new.user_id and d.ended_at is null
      and d.starts_at <= gatehouse_now() and d.ends_at > gatehouse_now()
      and not exists (select 1 from governance_membership m where m.user_id = d.deputy_id
                      and m.role = d.role and m.revoked_at is null)
    on conflict do nothing;
    return null;
end $$;
create trigger exclude_deputies after insert on governance_exclusion
    for each row when (pg_trigger_depth() = 0) execute function governance_exclude_deputies();
alter table governance_exclusion enable always trigger exclude_deputies;

-- ── Matters: seats and resets ────────────────────────────────────────────────────────────────────
-- Who, what and why never change, a closed matter stays closed, and the delay never gets shorter.
create function governance_guard_matter() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if tg_op = 'INSERT' then
        if new.state <> 'asked' or new.effective_at is not null then
            raise exception 'matter: born %, not asked', new.state using errcode = 'P0G04';
        end if;
        return new;
    end if;
    if (new.id, new.uuid, new.created_at, new.kind, new.user_id, new.role, new.what, new.new_email,
        new.reason, new.asked_by_id)
       is distinct from
       (old.id, old.uuid, old.created_at, old.kind, old.user_id, old.role, old.what, old.new_email,
        old.reason, old.asked_by_id)
    then
        raise exception 'matter: the question never changes' using errcode = 'P0G04';
    end if;
    if old.state not in ('asked', 'approved') then
        raise exception 'matter: % is final', old.state using errcode = 'P0G04';
    end if;
    if new.state = 'approved' and old.state = 'approved'
       and new.effective_at < old.effective_at then
        raise exception 'matter: the delay never gets shorter' using errcode = 'P0G04';
    end if;
    if new.state = 'done' and (old.state <> 'approved' or old.effective_at > gatehouse_now()) then
        raise exception 'matter: the delay is not over' using errcode = 'P0G04';
    end if;
    return new;
end $$;
create trigger guard_matter before insert or update on governance_matter
    for each row execute function governance_guard_matter();
alter table governance_matter enable always trigger guard_matter;

-- Seats of approvers come from the board alone: while there is a policy in force, only the function
-- below (it runs as owner) inserts one. Founding comes before the first policy.
create function governance_guard_seat() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if new.role in ('board_member', 'security_approver', 'emergency_approver')
       and exists (select 1 from governance_policyversion)
       and not pg_has_role(current_user,
                           (select relowner from pg_class
                            where oid = 'public.governance_membership'::regclass), 'USAGE') then
        raise exception 'membership: the board gives the role %', new.role using errcode = 'P0G03';
    end if;
    return new;
end $$;
create trigger guard_seat before insert on governance_membership
    for each row execute function governance_guard_seat();
alter table governance_membership enable always trigger guard_seat;

grant execute on function governance_role_since(bigint, text, bigint),
    governance_role_fills(bigint, text, text, timestamptz), governance_hold_roles(bigint),
    governance_stands_in(bigint, text, bigint)
    to gatehouse_web, gatehouse_build, gatehouse_deploy, gatehouse_ticker;

-- A reset moves only forward, by the database's clock: it takes weight away from older requests.
create function governance_guard_reset() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if new.reset_at is distinct from old.reset_at then
        new.reset_at := gatehouse_now();
    end if;
    return new;
end $$;
create trigger guard_reset before update of reset_at on governance_user
    for each row execute function governance_guard_reset();
alter table governance_user enable always trigger guard_reset;

-- The address of an approver, where links to the account go, changes by a matter of the board only.
create function governance_guard_email() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if new.email is distinct from old.email
       and exists (select 1 from governance_membership m
                   where m.user_id = new.id and m.revoked_at is null
                     and m.role in ('board_member', 'security_approver', 'emergency_approver'))
       and not exists (select 1 from governance_matter t
                       where t.user_id = new.id and t.kind = 'account.reset' and t.what = 'email'
                         and t.new_email = new.email and t.state = 'approved'
                         and t.effective_at <= gatehouse_now()) then
        raise exception 'person: the board lets an approver change the address'
            using errcode = 'P0G04';
    end if;
    return new;
end $$;
create trigger guard_email before update of email on governance_user
    for each row execute function governance_guard_email();
alter table governance_user enable always trigger guard_email;

-- ── Tokens ───────────────────────────────────────────────────────────────────────────────────────
-- Only a service account has tokens, and a revoked one stays revoked.
create function governance_guard_token() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if tg_op = 'UPDATE' then
        if (new.id, new.uuid, new.created_at, new.user_id, new.label, new.prefix, new.hash,
            new.scopes, new.team_ids, new.created_by_id, new.expires_at)
           is distinct from
           (old.id, old.uuid, old.created_at, old.user_id, old.label, old.prefix, old.hash,
            old.scopes, old.team_ids, old.created_by_id, old.expires_at)
           or (old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at) then
            raise exception 'token: may only be used or revoked' using errcode = 'P0G06';
        end if;
        return new;
    end if;
    if not exists (select 1 from governance_user u where u.id = new.user_id and u.kind = 'service')
    then
        raise exception 'token: only a service account has tokens' using errcode = 'P0G06';
    end if;
    return new;
end $$;
create trigger guard_token before insert or update on governance_apitoken
    for each row execute function governance_guard_token();
alter table governance_apitoken enable always trigger guard_token;

-- Changes past the application are told by the database itself.
select governance_watch('governance_delegation', 'delegation:', array['ended_at', 'starts_at',
    'ends_at', 'role', 'deputy_id', 'delegator_id']);
select governance_watch('governance_matter', 'matter:', array['state', 'effective_at']);
select governance_watch('governance_apitoken', 'apitoken:', array['scopes', 'revoked_at',
    'expires_at']);
select governance_watch('governance_policyproposal', 'policyproposal:',
    array['policy_id', 'based_on_id', 'body', 'state', 'closed_by_id']);

-- ── Used approvals ───────────────────────────────────────────────────────────────────────────────
-- A matter is done when the seat was given, or the link of a reset was used.
create function gatehouse_used_seat_grant(asked governance_approvalrequest) returns boolean
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
    select exists (select from governance_matter m
                   where m.id = asked.subject_id and m.kind = asked.subject_kind
                     and m.state = 'done')
$$;
create function gatehouse_used_account_reset(asked governance_approvalrequest) returns boolean
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select gatehouse_used_seat_grant(asked) $$;
revoke execute on function gatehouse_used_seat_grant(governance_approvalrequest),
    gatehouse_used_account_reset(governance_approvalrequest) from public;
