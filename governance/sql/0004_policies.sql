-- Policies of several rules. A request is decided by the rules that its risk marks ask for, of the
-- policy version that it was asked under and of a second body where old and new decide together.
-- Errors: P0G01 request, P0G02 decision.

-- The rules of approval that hold for a request: body 1 is the policy version's, body 2 the second.
-- The floor under the gate reads them here too. A body that cannot be read has no rules; whoever
-- counts must ask governance_policy_readable first.
create function governance_asked_rules(request bigint)
    returns table (body smallint, rule bigint, number integer, roles jsonb, team text)
    language sql volatile set search_path = pg_catalog, public, pg_temp
    as $$
    select b.nr::smallint, r.nr, (r.item ->> 'number')::integer, r.item -> 'roles', r.item ->> 'team'
    from governance_approvalrequest q
    join governance_policyversion v on v.id = q.policy_version_id
    cross join lateral (values (1, v.body), (2, q.also_body)) as b (nr, content)
    cross join lateral jsonb_array_elements(
        case jsonb_typeof(b.content -> 'approvals') when 'array' then b.content -> 'approvals'
             else '[]'::jsonb end) with ordinality as r (item, nr)
    where q.id = request
      and (r.item ->> 'when' = 'always' or r.item ->> 'when' = any (q.marks))
$$;

-- Whether every body that decides on a request names its rules at all.
create function governance_policy_readable(request bigint) returns boolean
    language sql volatile set search_path = pg_catalog, public, pg_temp
    as $$
    select coalesce(bool_and(jsonb_typeof(b.content -> 'approvals') is not distinct from 'array'),
                    false)
    from governance_approvalrequest q
    join governance_policyversion v on v.id = q.policy_version_id
    cross join lateral (values (v.body), (q.also_body)) as b (content)
    where q.id = request and b.content is not null
$$;

-- ── Approval requests ────────────────────────────────────────────────────────────────────────────
create function governance_guard_request() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
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
        new.related, new.marks, new.also_body)
       is distinct from
       (old.id, old.uuid, old.created_at, old.subject_kind, old.subject_id, old.digest,
        old.policy_version_id, old.requester_id, old.opened_at, old.expires_at, old.label, old.url,
        old.related, old.marks, old.also_body)
    then
        raise exception 'approval request: the question never changes' using errcode = 'P0G01';
    end if;
    if new.state = old.state then
        return new;
    end if;
    if old.state not in ('open', 'satisfied') then
        raise exception 'approval request: % is final', old.state using errcode = 'P0G01';
    end if;
    if new.state not in ('superseded', 'expired', 'used')
       and not has_table_privilege('public.governance_decision', 'INSERT') then
        raise exception 'approval request: % may not make it %', current_user, new.state
            using errcode = 'P0G01';
    end if;
    return new;
end $$;
create trigger guard_request before insert or update on governance_approvalrequest
    for each row execute function governance_guard_request();
alter table governance_approvalrequest enable always trigger guard_request;

-- An approval is used when what it asked for has happened, and not before. Each kind of subject says
-- so with a function of its own, gatehouse_used_KIND(request); one that has none is never used.
create function governance_guard_used() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    judge text := 'gatehouse_used_' || replace(new.subject_kind, '.', '_');
    happened boolean;
begin
    if to_regprocedure(format('public.%I(public.governance_approvalrequest)', judge)) is not null then
        execute format('select public.%I($1)', judge) into happened using new;
    end if;
    if happened is not true then
        raise exception 'approval request: nothing was carried out under it'
            using errcode = 'P0G01';
    end if;
    return new;
end $$;
revoke execute on function governance_guard_used() from public;
create trigger guard_used before update on governance_approvalrequest
    for each row when (new.state = 'used' and old.state <> 'used')
    execute function governance_guard_used();
alter table governance_approvalrequest enable always trigger guard_used;

create function gatehouse_used_policy_version(asked governance_approvalrequest) returns boolean
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    return exists (select from governance_policyversion v where v.request_id = asked.id);
end $$;
revoke execute on function gatehouse_used_policy_version(governance_approvalrequest) from public;

-- ── Decisions ────────────────────────────────────────────────────────────────────────────────────
create function governance_guard_decision() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
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
    if new.policy_version_id is distinct from asked.policy_version_id
       or new.policy_digest is distinct from (select v.digest from governance_policyversion v
                                              where v.id = asked.policy_version_id) then
        raise exception 'decision: another policy than asked' using errcode = 'P0G02';
    end if;
    if new.person_id = asked.requester_id then
        raise exception 'decision: the requester may not decide' using errcode = 'P0G02';
    end if;
    if exists (select 1 from governance_exclusion e
               where e.request_id = new.request_id and e.user_id = new.person_id) then
        raise exception 'decision: this person is excluded' using errcode = 'P0G02';
    end if;
    if exists (select 1 from governance_user u
               where u.id = new.person_id and u.same_as_id is not null) then
        raise exception 'decision: this is another account of somebody' using errcode = 'P0G02';
    end if;
    if not exists (select 1 from governance_asked_rules(new.request_id) r
                   where r.roles ? new.role) then
        raise exception 'decision: the policy does not count this role' using errcode = 'P0G02';
    end if;
    perform governance_hold_roles(new.person_id);
    if not exists (select 1 from governance_asked_rules(new.request_id) r
                   where r.roles ? new.role
                     and governance_role_fills(new.person_id, new.role, r.team, asked.opened_at))
    then
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

grant execute on function governance_asked_rules(bigint), governance_policy_readable(bigint)
    to gatehouse_web, gatehouse_build, gatehouse_deploy, gatehouse_ticker;
