-- What the guards of people and policies still let by: a count that nobody made, a question asked
-- under a policy of one's own, times of one's own, an author who is given to somebody else.
-- ENABLE ALWAYS. Errors: P0G01 request, P0G03 membership, P0G04 matter and policy version, P0G07
-- Git address.

-- Migrations, and whoever is the owner anyway: seen by the checkpoints outside, not stopped here.
create function governance_is_owner() returns boolean
    language sql stable set search_path = pg_catalog, public, pg_temp
    as $$
    select pg_has_role(current_user, c.relowner, 'USAGE')
    from pg_class c where c.oid = 'public.governance_policyversion'::regclass
$$;

-- ── Counting ─────────────────────────────────────────────────────────────────────────────────────
-- Whether these people fill every seat of the rules that a body asks for on a request. One person
-- fills one seat of one rule, whatever roles they hold; by Hall's theorem everybody can be seated
-- exactly when every set of rules has at least as many people as seats.
create function governance_seats_are_filled(asked governance_approvalrequest, of_body integer,
                                            people bigint[])
    returns boolean
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    seats integer[] := '{}';
    fits jsonb[] := '{}';
    needed integer;
    there integer;
    rule record;
begin
    for rule in select * from governance_asked_rules(asked.id) where body = of_body loop
        seats := seats || rule.number;
        fits := fits || (
            select coalesce(jsonb_agg(person), '[]') from unnest(people) as person
            where exists (
                select 1 from jsonb_array_elements_text(rule.roles) as wanted(role)
                where governance_role_fills(person, wanted.role, rule.team, asked.opened_at)));
    end loop;
    if cardinality(seats) > 12 then
        return false;
    end if;
    for subset in 1 .. (1 << cardinality(seats)) - 1 loop
        select sum(seats[i]) into needed
            from generate_subscripts(seats, 1) as i where (subset >> (i - 1)) & 1 = 1;
        select count(distinct person) into there
            from generate_subscripts(fits, 1) as i, jsonb_array_elements(fits[i]) as person
            where (subset >> (i - 1)) & 1 = 1;
        if there < needed then
            return false;
        end if;
    end loop;
    return true;
end $$;
revoke execute on function governance_seats_are_filled(governance_approvalrequest, integer, bigint[])
    from public;

-- Approvers who count, what gives them their roles held.
create function governance_counted(asked governance_approvalrequest) returns bigint[]
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    approvers bigint[];
begin
    select coalesce(array_agg(distinct d.person_id), '{}') into approvers
        from governance_decision d
        where d.request_id = asked.id and d.digest = asked.digest and d.verdict = 'approve'
          and d.person_id <> asked.requester_id
          and not exists (select 1 from governance_withdrawal w where w.decision_id = d.id)
          and not exists (select 1 from governance_exclusion e
                          where e.request_id = asked.id and e.user_id = d.person_id)
          and not exists (
              select 1 from governance_unmappedidentity u
              left join governance_gitidentity g on g.email = u.email and g.ended_at is null
              left join governance_user p on p.email = u.email and p.kind = 'person'
                  and g.id is null
              where u.request_id = asked.id and coalesce(g.user_id, p.id) = d.person_id);
    perform governance_hold_roles(person) from (
        select person from unnest(approvers) as person order by person) as ordered;
    perform 1 from governance_user p where p.id = any (approvers) order by p.id for share;
    select coalesce(array_agg(p.id), '{}') into approvers from governance_user p
        where p.id = any (approvers) and p.is_active and p.kind = 'person'
          and p.same_as_id is null;
    return approvers;
end $$;
revoke execute on function governance_counted(governance_approvalrequest) from public;

-- What stands against a request: somebody rejects it, or an author of the work is unknown.
create function governance_against(asked governance_approvalrequest) returns text
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if exists (
        select 1 from governance_decision d
        where d.request_id = asked.id and d.verdict <> 'approve'
          and not exists (select 1 from governance_withdrawal w where w.decision_id = d.id))
    then
        return 'somebody rejects it';
    elsif exists (select 1 from governance_asked_rules(asked.id)) and exists (
        select 1 from governance_unmappedidentity u
        where u.request_id = asked.id
          and not exists (select 1 from governance_gitidentity g
                          where g.email = u.email and g.ended_at is null)
          and not exists (select 1 from governance_user p
                          where p.email = u.email and p.kind = 'person'))
    then
        return 'an author is unknown';
    end if;
    return null;
end $$;
revoke execute on function governance_against(governance_approvalrequest) from public;

-- Why the approvers do not suffice; null when they do.
create function governance_short(asked governance_approvalrequest, people bigint[]) returns text
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if not governance_policy_readable(asked.id) then
        return 'the policy cannot be read';
    elsif not governance_seats_are_filled(asked, 1, people) then
        return 'too few of the people whom the policy asks approved it';
    elsif not governance_seats_are_filled(asked, 2, people) then
        return 'too few of the people whom the second policy asks approved it';
    end if;
    return null;
end $$;
revoke execute on function governance_short(governance_approvalrequest, bigint[]) from public;

-- Why a request does not cover anything now, counted anew under its lock; null when it does.
create function governance_uncovered(request bigint) returns text
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    asked governance_approvalrequest;
    people bigint[];
begin
    select * into asked from governance_approvalrequest where id = request for no key update;
    if asked.id is null then
        return 'nobody was asked';
    elsif asked.state not in ('open', 'satisfied') then
        return format('the request is %s', asked.state);
    elsif asked.expires_at <= gatehouse_now() then
        return 'the approval has expired';
    end if;
    people := governance_counted(asked);
    return coalesce(governance_against(asked), governance_short(asked, people));
end $$;
revoke execute on function governance_uncovered(bigint) from public;

-- ── What a policy says ───────────────────────────────────────────────────────────────────────────
create function governance_in_force(of_policy bigint) returns governance_policyversion
    language sql stable set search_path = pg_catalog, public, pg_temp
    as $$
    select v from governance_policyversion v where v.policy_id = of_policy
    order by v.number desc limit 1
$$;

-- The version that governs the board's own acts.
create function governance_of_the_board() returns governance_policyversion
    language sql stable set search_path = pg_catalog, public, pg_temp
    as $$
    select governance_in_force(p.id) from governance_policy p where p.governs_board
$$;

-- Whether a body can be read as rules of approval, each with number, roles and case.
create function governance_body_is_whole(body jsonb) returns boolean
    language sql immutable set search_path = pg_catalog, pg_temp
    as $$
    select jsonb_typeof(body -> 'approvals') is not distinct from 'array' and not exists (
        select from jsonb_array_elements(
            case jsonb_typeof(body -> 'approvals') when 'array' then body -> 'approvals'
                 else '[]'::jsonb end) as rule
        where jsonb_typeof(rule -> 'number') is distinct from 'number'
           or (rule ->> 'number')::numeric < 1
           or jsonb_typeof(rule -> 'roles') is distinct from 'array'
           or rule -> 'roles' = '[]'::jsonb
           or jsonb_typeof(rule -> 'when') is distinct from 'string')
$$;

-- Whether people are asked whatever the change is.
create function governance_always_asks(body jsonb) returns boolean
    language sql immutable set search_path = pg_catalog, pg_temp
    as $$
    select exists (
        select from jsonb_array_elements(
            case jsonb_typeof(body -> 'approvals') when 'array' then body -> 'approvals'
                 else '[]'::jsonb end) as rule
        where rule ->> 'when' = 'always')
$$;

-- Whether everybody who satisfies the new rules of approval satisfies the old, for all risk marks.
-- The same decision as governance.rules.policy_lattice.approvals_at_least, and tested against it:
-- for every set of old rules, the new ones that help it surely must bring as many people.
create function governance_asks_no_less(wanted jsonb, than jsonb) returns boolean
    language plpgsql immutable set search_path = pg_catalog, pg_temp
    as $$
declare
    before jsonb := than -> 'approvals';
    rules integer := jsonb_array_length(than -> 'approvals');
    needed integer;
    marks text[];
    chosen jsonb;
    sure integer;
begin
    if rules > 12 then
        return false;
    end if;
    for subset in 1 .. (1 << rules) - 1 loop
        select sum((before -> i ->> 'number')::integer), array_agg(before -> i ->> 'when'),
               jsonb_agg(before -> i)
            into needed, marks, chosen
            from generate_series(0, rules - 1) as i where (subset >> i) & 1 = 1;
        select coalesce(sum((rule ->> 'number')::integer), 0) into sure
            from jsonb_array_elements(wanted -> 'approvals') as rule
            where (rule ->> 'when' = 'always' or rule ->> 'when' = any (marks))
              and not exists (
                  select from jsonb_array_elements_text(rule -> 'roles') as held(role)
                  where not exists (
                      select from jsonb_array_elements(chosen) as old_rule
                      where old_rule -> 'roles' ? held.role
                        and (old_rule ->> 'team' is null
                             or old_rule ->> 'team' = rule ->> 'team')));
        if sure < needed then
            return false;
        end if;
    end loop;
    return true;
end $$;

-- Whether a version demands at least what another does: approvals, checks, windows, tests and all. In
-- doubt it says no, and people decide: windows count as fewer only when each lies in one of before.
create function governance_demands_no_less(wanted jsonb, than jsonb) returns boolean
    language sql immutable set search_path = pg_catalog, public, pg_temp
    as $$
    select governance_asks_no_less(wanted, than)
        and coalesce(wanted -> 'checks', '[]') @> coalesce(than -> 'checks', '[]')
        and coalesce(wanted -> 'external_checks', '[]') @> coalesce(than -> 'external_checks', '[]')
        and coalesce(
            wanted -> 'min_coverage' is not distinct from than -> 'min_coverage'
            or (wanted ->> 'min_coverage')::integer >= (than ->> 'min_coverage')::integer
            or not coalesce(than -> 'checks' ? 'coverage', false), false)
        and coalesce(
            wanted -> 'backup_max_hours' is not distinct from than -> 'backup_max_hours'
            or (wanted ->> 'backup_max_hours')::integer <= (than ->> 'backup_max_hours')::integer
            or not coalesce(than -> 'checks' ? 'backup', false), false)
        and (coalesce(than -> 'windows', '[]') = '[]'
             or coalesce(wanted -> 'windows', '[]') <> '[]'
                and than -> 'windows' @> (wanted -> 'windows'))
        and (coalesce(than -> 'start_roles', '[]') = '[]'
             or coalesce(wanted -> 'start_roles', '[]') <> '[]'
                and than -> 'start_roles' @> (wanted -> 'start_roles'))
        and (wanted ->> 'expires_hours')::integer <= (than ->> 'expires_hours')::integer
        and array_position(level.names, wanted ->> 'test_level')
            >= array_position(level.names, than ->> 'test_level')
    from (values (array['NoTestRun', 'RunSpecifiedTests', 'RunLocalTests', 'RunAllTestsInOrg']))
        as level (names)
$$;

-- Why a request about putting one version in the place of another (or of none) does not cover that;
-- null when it does. Asked under the version before, or under the board's own when that one asks
-- nobody; under every mark that either names; with the new one as well where it asks for less.
create function governance_change_uncovered(
    request bigint, before governance_policyversion, wanted jsonb
) returns text
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    asked governance_approvalrequest;
    under governance_policyversion := before;
begin
    select * into asked from governance_approvalrequest where id = request for no key update;
    if before.id is null or not governance_always_asks(before.body) then
        under := governance_of_the_board();
    end if;
    if asked.policy_version_id is distinct from under.id then
        return 'it was asked under another policy';
    elsif exists (
        select from (values (under.body), (wanted)) as b (body),
            jsonb_array_elements(b.body -> 'approvals') as rule
        where rule ->> 'when' <> 'always' and rule ->> 'when' <> all (asked.marks))
    then
        return 'it was not asked under every mark';
    elsif before.id is not null and not governance_asks_no_less(wanted, before.body)
        and asked.also_body -> 'approvals' is distinct from wanted -> 'approvals'
    then
        return 'it asks for less, so old and new decide together';
    end if;
    return governance_uncovered(request);
end $$;
revoke execute on function
    governance_change_uncovered(bigint, governance_policyversion, jsonb) from public;

-- ── Requests ─────────────────────────────────────────────────────────────────────────────────────
-- Satisfied is what the people made it, not what somebody writes. A role counts that was held when
-- the question was put, so that moment never lies ahead.
create function governance_guard_satisfied() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    refusal text;
begin
    if tg_op = 'INSERT' then
        new.opened_at := least(new.opened_at, gatehouse_now());
    elsif new.state = 'satisfied' and old.state <> 'satisfied' then
        refusal := coalesce(governance_against(new),
                            governance_short(new, governance_counted(new)));
        if refusal is not null then
            raise exception 'approval request: not satisfied, %', refusal using errcode = 'P0G01';
        end if;
    end if;
    return new;
end $$;
create trigger guard_satisfied before insert or update on governance_approvalrequest
    for each row execute function governance_guard_satisfied();
alter table governance_approvalrequest enable always trigger guard_satisfied;

-- ── Policies and versions ────────────────────────────────────────────────────────────────────────
-- A policy of the founding is one that was made before any version was in force.
create function governance_guard_policy() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if tg_op = 'INSERT' then
        new.founding := not exists (select from governance_policyversion);
    elsif (new.id, new.uuid, new.created_at, new.name, new.governs_board, new.founding)
        is distinct from
        (old.id, old.uuid, old.created_at, old.name, old.governs_board, old.founding)
        or old.retired_at is not null
    then
        raise exception 'policy: it may only be retired, once' using errcode = 'P0G04';
    end if;
    return new;
end $$;
create trigger guard_policy before insert or update on governance_policy
    for each row execute function governance_guard_policy();
alter table governance_policy enable always trigger guard_policy;

create function governance_guard_policy_version() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    before governance_policyversion := governance_in_force(new.policy_id);
    refusal text;
begin
    if not governance_body_is_whole(new.body) then
        raise exception 'policy version: its rules cannot be read' using errcode = 'P0G04';
    end if;
    if new.number <> coalesce(before.number, 0) + 1 then
        raise exception 'policy version: the next number is %', coalesce(before.number, 0) + 1
            using errcode = 'P0G04';
    end if;
    if new.number = 1 and new.request_id is null
        and (select p.founding from governance_policy p where p.id = new.policy_id)
        and new.proposed_by_id <> new.confirmed_by_id
    then
        return new;
    end if;
    perform 1 from governance_approvalrequest q
        join governance_policyproposal p on p.id = q.subject_id
        where q.id = new.request_id and q.subject_kind = 'policy.version' and q.state = 'satisfied'
          and q.requester_id = new.proposed_by_id and p.proposed_by_id = new.proposed_by_id
          and p.policy_id = new.policy_id and p.body = new.body and p.state = 'open'
          and p.based_on_id is not distinct from before.id
          and exists (select 1 from governance_decision d
                      where d.request_id = q.id and d.person_id = new.confirmed_by_id
                        and d.verdict = 'approve')
        for no key update of q;
    if not found then
        raise exception 'policy version: people have not decided on it' using errcode = 'P0G04';
    end if;
    refusal := governance_change_uncovered(new.request_id, before, new.body);
    if refusal is not null then
        raise exception 'policy version: people have not decided on it, %', refusal
            using errcode = 'P0G04';
    end if;
    return new;
end $$;
revoke execute on function governance_guard_policy_version() from public;
create trigger guard_version before insert on governance_policyversion
    for each row when (not governance_is_owner())
    execute function governance_guard_policy_version();
alter table governance_policyversion enable always trigger guard_version;

-- ── Memberships ──────────────────────────────────────────────────────────────────────────────────
-- Since when a role is held decides whether it counts, so the database writes that moment.
create function governance_stamp_membership() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if tg_op = 'UPDATE' then
        new.revoked_at := gatehouse_now();
        return new;
    end if;
    new.created_at := gatehouse_now();
    new.granted_at := gatehouse_now();
    if new.revoked_at is not null then
        raise exception 'membership: born revoked' using errcode = 'P0G03';
    end if;
    if not exists (select from governance_user u
                   where u.id = new.user_id and u.kind = 'person' and u.is_active) then
        raise exception 'membership: only an active person holds a role' using errcode = 'P0G03';
    end if;
    return new;
end $$;
create trigger stamp before insert or update on governance_membership
    for each row when (not governance_is_owner()) execute function governance_stamp_membership();
alter table governance_membership enable always trigger stamp;

-- ── Matters ──────────────────────────────────────────────────────────────────────────────────────
-- The delay begins when the board has approved, not when somebody writes so, and never lies behind.
create function governance_guard_approved_matter() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    asked governance_approvalrequest;
    refusal text;
begin
    if new.state = 'approved' and old.state <> 'approved' then
        select * into asked from governance_approvalrequest
            where subject_kind = new.kind and subject_id = new.id
              and state in ('open', 'satisfied') for no key update;
        refusal := governance_uncovered(asked.id);
        if refusal is null
            and asked.policy_version_id is distinct from (governance_of_the_board()).id then
            refusal := 'it was asked under another policy';
        end if;
        if refusal is not null then
            raise exception 'matter: the board has not approved it, %', refusal
                using errcode = 'P0G04';
        end if;
        new.effective_at := greatest(new.effective_at, gatehouse_now());
    end if;
    return new;
end $$;
revoke execute on function governance_guard_approved_matter() from public;
create trigger guard_approved before update on governance_matter
    for each row execute function governance_guard_approved_matter();
alter table governance_matter enable always trigger guard_approved;

-- ── Git addresses ────────────────────────────────────────────────────────────────────────────────
-- Whose an address is decides who may not approve. Only a person writes commits; the address of an
-- account is that person's; an ended match stays ended. Whoever was ever matched with an unknown
-- author of a live request stays excluded from it, also when the match is ended or given to another.
create function governance_guard_identity() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if tg_op = 'UPDATE' then
        if (new.id, new.uuid, new.created_at, new.email, new.user_id, new.mapped_by_id)
           is distinct from
           (old.id, old.uuid, old.created_at, old.email, old.user_id, old.mapped_by_id)
           or old.ended_at is not null or new.ended_at is null
        then
            raise exception 'git address: a match may only be ended, once' using errcode = 'P0G07';
        end if;
        return new;
    end if;
    new.created_at := gatehouse_now();
    if new.ended_at is not null or new.email <> lower(btrim(new.email)) then
        raise exception 'git address: not as it stands in commits' using errcode = 'P0G07';
    end if;
    if not exists (select from governance_user u where u.id = new.user_id and u.kind = 'person') then
        raise exception 'git address: only a person writes commits' using errcode = 'P0G07';
    end if;
    if exists (select from governance_user u where u.email = new.email and u.id <> new.user_id) then
        raise exception 'git address: it is the address of another account' using errcode = 'P0G07';
    end if;
    return new;
end $$;
revoke execute on function governance_guard_identity() from public;
create trigger guard_identity before insert or update on governance_gitidentity
    for each row when (not governance_is_owner()) execute function governance_guard_identity();
alter table governance_gitidentity enable always trigger guard_identity;

create function governance_exclude_author() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    insert into governance_exclusion (request_id, user_id, reason)
        select u.request_id, new.user_id, left('wrote commits as ' || new.email, 200)
        from governance_unmappedidentity u
        join governance_approvalrequest r on r.id = u.request_id and r.state in ('open', 'satisfied')
        where u.email = new.email
        order by u.request_id
        on conflict do nothing;
    return null;
end $$;
revoke execute on function governance_exclude_author() from public;
create trigger exclude_author after insert on governance_gitidentity
    for each row execute function governance_exclude_author();
alter table governance_gitidentity enable always trigger exclude_author;

-- Their deputies too, whoever inserts the exclusion (before: not when a trigger did).
drop trigger exclude_deputies on governance_exclusion;
create trigger exclude_deputies after insert on governance_exclusion
    for each row when (new.reason not like 'stands in for somebody who %')
    execute function governance_exclude_deputies();
alter table governance_exclusion enable always trigger exclude_deputies;

grant execute on function governance_is_owner(), governance_in_force(bigint),
    governance_of_the_board(), governance_body_is_whole(jsonb), governance_always_asks(jsonb),
    governance_asks_no_less(jsonb, jsonb), governance_demands_no_less(jsonb, jsonb)
    to gatehouse_web, gatehouse_build, gatehouse_deploy, gatehouse_ticker;

-- ── Seats ────────────────────────────────────────────────────────────────────────────────────────
-- Gives the seat of an approved matter whose delay is over, when the board's approvals still cover
-- it: counted here once more, under the request's lock.
create function governance_give_seat(matter bigint) returns bigint
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    asked governance_approvalrequest;
    wanted governance_matter;
    given bigint;
begin
    select * into asked from governance_approvalrequest
        where subject_kind = 'seat.grant' and subject_id = matter and state = 'satisfied'
        for no key update;
    if not found or asked.policy_version_id is distinct from (governance_of_the_board()).id
        or governance_uncovered(asked.id) is not null
    then
        raise exception 'seat: the board has not approved it' using errcode = 'P0G04';
    end if;
    select * into wanted from governance_matter where id = matter for no key update;
    if wanted.state <> 'approved' or wanted.effective_at > gatehouse_now() then
        raise exception 'seat: not yet, or not any more' using errcode = 'P0G04';
    end if;
    insert into governance_membership
        (uuid, created_at, user_id, team_id, role, granted_by_id, granted_at)
    select gen_random_uuid(), gatehouse_now(), wanted.user_id, t.id, wanted.role,
           wanted.asked_by_id, gatehouse_now()
    from governance_team t
    where t.owns_production
      and exists (select 1 from governance_user u
                  where u.id = wanted.user_id and u.is_active and u.kind = 'person')
    returning id into given;
    if given is null then
        raise exception 'seat: only an active person takes it' using errcode = 'P0G04';
    end if;
    update governance_delegation set ended_at = gatehouse_now()
        where deputy_id = wanted.user_id and role = wanted.role and ended_at is null;
    update governance_matter set state = 'done', closed_at = gatehouse_now() where id = matter;
    return given;
end $$;
grant execute on function governance_give_seat(bigint)
    to gatehouse_web, gatehouse_build, gatehouse_deploy, gatehouse_ticker;

-- ── Erasable details ─────────────────────────────────────────────────────────────────────────────
-- HMAC-SHA-256 under a key of 32 bytes; there is no pgcrypto everywhere. Words of 64 bits, because
-- PostgreSQL has no exclusive or of bytea.
create function governance_details_mac(key bytea, body text) returns text
    language sql immutable parallel safe set search_path = pg_catalog, pg_temp
    as $$
    with word as (
        select nr, ('x' || substr(encode(key, 'hex'), nr * 16 + 1, 16))::bit(64)::bigint as bits
        from generate_series(0, 3) as nr
    ), padded as (
        select string_agg(int8send(bits # x'3636363636363636'::bigint), '' order by nr)
                   || decode(repeat('36', 32), 'hex') as inside,
               string_agg(int8send(bits # x'5c5c5c5c5c5c5c5c'::bigint), '' order by nr)
                   || decode(repeat('5c', 32), 'hex') as outside
        from word
    )
    select encode(sha256(outside || sha256(inside || convert_to(body, 'UTF8'))), 'hex') from padded
$$;
revoke execute on function governance_details_mac(bytea, text) from public;

-- The first event whose address and browser are not those that its text was tied to. Runs as owner,
-- so that a build worker compares what it may not read.
create function governance_wrong_details() returns bigint
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
    select min(d.event_id)
    from governance_auditdetail d left join governance_auditevent e on e.id = d.event_id
    where octet_length(d.key) <> 32
       or case when e.body is json object
               then e.body::jsonb #>> '{origin,details}' is distinct from
                    'hmac-sha256:' || governance_details_mac(d.key, d.body)
               else true end
$$;
grant execute on function governance_wrong_details()
    to gatehouse_web, gatehouse_build, gatehouse_deploy, gatehouse_ticker;

-- ── Changes past the application ─────────────────────────────────────────────────────────────────
-- What a table holds that says who may do what is watched; the tests say of every other table why
-- it is not (tests/architecture/test_watched.py).
create function governance_watch_more(target regclass, prefix text, columns text[],
                                      number_column text default 'id')
    returns void
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    execute format('drop trigger watch_insert on %s', target);
    execute format('drop trigger watch_update on %s', target);
    execute format('drop trigger watch_delete on %s', target);
    perform governance_watch(target, prefix, columns, number_column);
end $$;
revoke execute on function governance_watch_more(regclass, text, text[], text) from public;

select governance_watch_more('governance_policy', 'P-',
    array['name', 'governs_board', 'retired_at', 'founding']);
select governance_watch_more('governance_user', 'user:',
    array['email', 'full_name', 'is_active', 'kind', 'zone', 'reset_at']);
select governance_watch_more('governance_password', 'user:', array['hash', 'epoch'], 'user_id');
select governance_watch('governance_secondfactor', 'user:', array['secret', 'confirmed_at'],
    'user_id');
select governance_watch('governance_unmappedidentity', 'unmapped:', array['request_id', 'email']);
