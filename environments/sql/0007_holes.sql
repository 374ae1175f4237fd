-- Which policy an environment obeys is what people decided, also for whoever writes rows. ENABLE
-- ALWAYS. Errors: P0E02 a fixed column changed, P0E03 no sign-offs, P0E04 no such policy there.

-- ── The policy of an environment or a stage ──────────────────────────────────────────────────────
-- Refuses a policy in the place of another (or of none) unless it demands no less in anything, or
-- people who must were asked exactly this and cover it now.
create function environments_policy_may_be(
    in_environment bigint, on_track text, on_stage text, follows boolean, followed boolean,
    old_policy bigint, new_policy bigint
) returns void
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    before governance_policyversion := governance_in_force(old_policy);
    wanted governance_policyversion := governance_in_force(new_policy);
    assignment record;
    refusal text := 'nobody was asked';
begin
    if wanted.id is null
        or exists (select from governance_policy p
                   where p.id = new_policy and p.retired_at is not null)
        or (on_stage = 'PRD' and not governance_always_asks(wanted.body))
    then
        raise exception 'policy: it is not in force, or asks nobody for production'
            using errcode = 'P0E04';
    end if;
    if before.id is not null
        and coalesce(governance_demands_no_less(wanted.body, before.body), false)
    then
        return;
    end if;
    for assignment in
        select q.id as request
        from environments_policyassignment a
        join governance_approvalrequest q on q.subject_kind = 'policy.assignment'
            and q.subject_id = a.id and q.requester_id = a.asked_by_id and q.state = 'satisfied'
        where a.state = 'asked' and a.policy_id = new_policy
          and a.track_kind = on_track and a.stage = on_stage
          and (a.environment_id is not distinct from in_environment
               and a.follows_stage = follows
               or a.environment_id is null and follows and followed)
          and a.new_version_id = wanted.id and a.old_version_id is not distinct from before.id
    loop
        refusal := governance_change_uncovered(assignment.request, before, wanted.body);
        exit when refusal is null;
    end loop;
    if refusal is not null then
        raise exception 'policy: people decide which one is obeyed here, %', refusal
            using errcode = 'P0E03';
    end if;
end $$;
revoke execute on function
    environments_policy_may_be(bigint, text, text, boolean, boolean, bigint, bigint) from public;

-- No policy is always in order: it allows nothing. A new environment has that of its stage; the
-- canary, which has no org, that of production. On the production track retiring sheds no rule: who
-- takes the place of an environment with a policy of its own, or with none, obeys what that one did.
create function environments_guard_policy() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    on_track text := (select t.kind from environments_track t where t.id = new.track_id);
    of_stage bigint := (select s.policy_id from environments_stagepolicy s
                        where s.track_kind = on_track and s.stage = new.stage);
    before environments_environment;
begin
    if new.policy_id is null then
        return new;
    end if;
    if tg_op = 'INSERT' then
        select e.* into before
            from environments_environment e join environments_track t on t.id = e.track_id
            where t.kind = 'production' and on_track = 'production'
              and e.stage = new.stage and e.stage <> 'CANARY'
            order by e.id desc limit 1;
        if before.policy_id is null and before.id is not null or not before.follows_stage then
            if (new.policy_id, new.follows_stage)
                is distinct from (before.policy_id, before.follows_stage)
            then
                raise exception 'environment: it obeys what the one before it did, or nothing'
                    using errcode = 'P0E03';
            end if;
            return new;
        end if;
        if new.stage = 'CANARY' then
            of_stage := (select e.policy_id from environments_environment e
                         where e.kind = 'production' and e.retired_at is null);
        end if;
        if new.policy_id is distinct from of_stage or not new.follows_stage then
            raise exception 'environment: a new one has the policy of its stage, or none'
                using errcode = 'P0E03';
        end if;
        return new;
    end if;
    if new.policy_id is distinct from old.policy_id then
        perform environments_policy_may_be(
            new.id, on_track, new.stage, new.follows_stage, old.follows_stage,
            old.policy_id, new.policy_id);
    elsif new.follows_stage and new.policy_id is distinct from of_stage then
        raise exception 'environment: its stage has another policy' using errcode = 'P0E03';
    end if;
    return new;
end $$;
revoke execute on function environments_guard_policy() from public;
create trigger guard_policy_of_new before insert on environments_environment
    for each row when (not governance_is_owner()) execute function environments_guard_policy();
create trigger guard_policy before update on environments_environment
    for each row
    when ((new.policy_id, new.follows_stage) is distinct from (old.policy_id, old.follows_stage)
          and not governance_is_owner())
    execute function environments_guard_policy();
alter table environments_environment enable always trigger guard_policy_of_new;
alter table environments_environment enable always trigger guard_policy;

-- Nor does it shed a freeze: one that lies on a protected environment alone is lifted by sign-offs.
-- Returns the first that still holds, or will; one that comes back lasts past its last day.
create function environments_frozen_by(the_environment bigint) returns bigint
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
    select f.id from environments_freeze f
    where f.scope = 'environment' and f.environment_id = the_environment and f.lifted_at is null
      and environments_freeze_protects(f.scope, f.track_id, f.environment_id)
      and (f.ends_at is null or f.ends_at > gatehouse_now()
           or f.every <> ''
              and (f.last_day is null
                   or f.last_day + interval '2 days' + (f.ends_at - f.starts_at) > gatehouse_now()))
    order by f.starts_at, f.id limit 1
$$;
revoke execute on function environments_frozen_by(bigint) from public;
grant execute on function environments_frozen_by(bigint) to gatehouse_web;
create function environments_guard_retirement() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if environments_frozen_by(new.id) is not null then
        raise exception 'environment: a freeze lies on it, and lifting that takes sign-offs'
            using errcode = 'P0E03';
    end if;
    return new;
end $$;
revoke execute on function environments_guard_retirement() from public;
create trigger guard_retirement before update on environments_environment
    for each row
    when (old.retired_at is null and new.retired_at is not null and not governance_is_owner())
    execute function environments_guard_retirement();
alter table environments_environment enable always trigger guard_retirement;

-- A stage on which nothing stands yet gets its first policy from one member of the board.
create function environments_guard_stage_policy() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    stands boolean;
begin
    if tg_op = 'UPDATE' and (new.id, new.uuid, new.created_at, new.track_kind, new.stage)
        is distinct from (old.id, old.uuid, old.created_at, old.track_kind, old.stage)
    then
        raise exception 'stage: only its policy may change' using errcode = 'P0E02';
    end if;
    stands := exists (
        select from environments_environment e join environments_track t on t.id = e.track_id
        where t.kind = new.track_kind and e.stage = new.stage and e.follows_stage
          and e.retired_at is null);
    if tg_op = 'INSERT' and not stands then
        if governance_in_force(new.policy_id) is null
            or (new.stage = 'PRD'
                and not governance_always_asks((governance_in_force(new.policy_id)).body))
        then
            raise exception 'policy: it is not in force, or asks nobody for production'
                using errcode = 'P0E04';
        end if;
        return new;
    end if;
    perform environments_policy_may_be(
        null, new.track_kind, new.stage, true, true,
        case when tg_op = 'UPDATE' then old.policy_id end, new.policy_id);
    return new;
end $$;
revoke execute on function environments_guard_stage_policy() from public;
create trigger guard_policy before insert or update on environments_stagepolicy
    for each row when (not governance_is_owner()) execute function environments_guard_stage_policy();
alter table environments_stagepolicy enable always trigger guard_policy;

-- The question itself never changes; its end is told by the machine of its states.
create function environments_guard_assignment() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if (to_jsonb(new) - 'state' - 'closed_at') is distinct from
       (to_jsonb(old) - 'state' - 'closed_at')
    then
        raise exception 'assignment: the question never changes' using errcode = 'P0E02';
    end if;
    return new;
end $$;
create trigger guard_assignment before update on environments_policyassignment
    for each row execute function environments_guard_assignment();
alter table environments_policyassignment enable always trigger guard_assignment;

-- ── Lifting a freeze ─────────────────────────────────────────────────────────────────────────────
-- Two different ends never carry one digest: an approval of one would lift by the other.
create function environments_guard_lift() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    perform 1 from environments_freeze where id = new.freeze_id for no key update;
    if exists (select from environments_freezelift l
               where l.digest = new.digest
                 and (l.freeze_id, l.wanted_end) is distinct from (new.freeze_id, new.wanted_end))
    then
        raise exception 'freeze: that digest asks for something else' using errcode = 'P0E03';
    end if;
    return new;
end $$;
revoke execute on function environments_guard_lift() from public;
create trigger guard_lift before insert on environments_freezelift
    for each row execute function environments_guard_lift();
alter table environments_freezelift enable always trigger guard_lift;

-- The approvals behind a lift are the board's, and are counted when it happens.
create function environments_guard_cover_of_lift() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    lifts boolean := old.lifted_at is null and new.lifted_at is not null;
    found_one boolean;
begin
    if not (lifts or new.ends_at < old.ends_at or (old.ends_at is null and new.ends_at is not null))
        or not environments_freeze_protects(old.scope, old.track_id, old.environment_id)
    then
        return new;
    end if;
    select bool_or(governance_uncovered(r.id) is null) into found_one
        from environments_freezelift l
        join governance_approvalrequest r
          on r.subject_kind = 'freeze.lift' and r.subject_id = l.freeze_id
         and r.digest = l.digest and r.state = 'satisfied'
         and r.requester_id = l.requested_by_id
         and r.policy_version_id = (governance_of_the_board()).id
        where l.freeze_id = old.id and (l.wanted_end is null) = lifts
          and (lifts or l.wanted_end = new.ends_at);
    if found_one is not true then
        raise exception 'freeze: it covers a protected environment, so this takes sign-offs'
            using errcode = 'P0E03';
    end if;
    return new;
end $$;
revoke execute on function environments_guard_cover_of_lift() from public;
create trigger guard_freeze_cover before update on environments_freeze
    for each row execute function environments_guard_cover_of_lift();
alter table environments_freeze enable always trigger guard_freeze_cover;

-- ── Changes past the application ─────────────────────────────────────────────────────────────────
select governance_watch('environments_stagepolicy', 'stagepolicy:',
    array['track_kind', 'stage', 'policy_id']);
select governance_watch('environments_policyassignment', 'policyassignment:', array['state']);
select governance_watch('environments_track', 'track:', array['kind', 'team_id']);
select governance_watch('environments_calendarsource', 'calendar:', array['url', 'retired_at']);
