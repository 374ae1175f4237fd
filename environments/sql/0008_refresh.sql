-- A request about a sandbox starts on approvals that are counted when it starts, asked under the
-- policy that decides on this very sandbox; never on a mark that says they once sufficed.
-- ENABLE ALWAYS. Errors: P0E03 no sign-offs.

-- Which policy decides, as environments.services.sandboxes.policies says it: by the name of the
-- environment, by its stage, then the default of the place. `leads` is the team whose lead decides
-- about its own DEV; nobody else is asked there.
create function environments_sandbox_rule(asked environments_sandboxrequest,
                                          out version bigint, out leads bigint)
    language plpgsql stable set search_path = pg_catalog, public, pg_temp
    as $$
declare
    place record;
    developer governance_policyversion;
begin
    select e.name, e.stage, e.is_sandbox, t.team_id into place
        from environments_environment e join environments_track t on t.id = e.track_id
        where e.id = asked.environment_id;
    if found then
        select (governance_in_force(p.id)).id into version
            from (values (1, 'sandboxes ' || lower(place.name)),
                         (2, 'sandboxes ' || lower(place.stage))) as wanted (rank, name)
            join governance_policy p on lower(p.name) = wanted.name and p.retired_at is null
            where (governance_in_force(p.id)).id is not null
            order by wanted.rank limit 1;
        if version is not null then
            return;
        end if;
        if place.stage = 'PRE-PRD' or place.is_sandbox is false then
            version := (governance_of_the_board()).id;
            return;
        end if;
        if place.stage = 'DEV' and place.team_id is not null then
            select v.* into developer from governance_policy p, governance_in_force(p.id) v
                where lower(p.name) = 'developer' and p.retired_at is null;
            if developer.body -> 'approvals' = '[]'::jsonb then
                version := developer.id;
                leads := place.team_id;
                return;
            end if;
        end if;
    end if;
    select (governance_in_force(p.id)).id into version
        from governance_policy p where lower(p.name) = 'sandboxes' and p.retired_at is null;
    version := coalesce(version, (governance_of_the_board()).id);
end $$;
revoke execute on function environments_sandbox_rule(environments_sandboxrequest) from public;

-- Why people have not agreed to a request; null when they have. Takes the lock of the approval.
create function environments_sandbox_uncovered(asked environments_sandboxrequest) returns text
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    decided record := environments_sandbox_rule(asked);
    question governance_approvalrequest;
begin
    -- The platform knows a sandbox by its name alone: the environment that it fills says who decides.
    if exists (
        select from environments_sandbox s
        join environments_environment e on e.retired_at is null
            and left(e.expected_organization_id, 15) = left(s.organization_id, 15)
        where s.production_id = asked.production_id and lower(s.name) = lower(asked.name)
          and s.gone_at is null and e.id is distinct from asked.environment_id)
    then
        return 'its sandbox fills another environment';
    end if;
    if asked.needs_nobody then
        perform from governance_membership m
            join governance_user u on u.id = m.user_id and u.is_active and u.kind = 'person'
            where m.team_id = decided.leads and m.role = 'team_lead' and m.revoked_at is null
              and m.user_id = asked.requested_by_id;
        return case when not found then 'who asked does not decide alone' end;
    end if;
    select r.* into question from governance_approvalrequest r
        where r.subject_kind = 'sandbox.request' and r.subject_id = asked.id
          and r.digest = asked.digest and r.state = 'satisfied'
          and r.requester_id = asked.requested_by_id
        order by r.id desc limit 1;
    if question.id is null then
        return 'no approval stands';
    elsif question.policy_version_id is distinct from decided.version then
        return 'it was asked under another policy';
    elsif decided.leads is not null and question.also_body -> 'approvals' is distinct from
        jsonb_build_array(jsonb_build_object(
            'number', 1, 'roles', jsonb_build_array('team_lead'), 'when', 'always',
            'team', (select t.slug from governance_team t where t.id = decided.leads)))
    then
        return 'the lead of its team was not asked';
    end if;
    return governance_uncovered(question.id);
end $$;
revoke execute on function environments_sandbox_uncovered(environments_sandboxrequest) from public;

-- Fires after guard_sandbox_request, which says who may write what.
create function environments_guard_sandbox_request_cover() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    refusal text := environments_sandbox_uncovered(new);
begin
    if refusal is not null then
        raise exception 'sandbox request: nobody has agreed to it, %', refusal
            using errcode = 'P0E03';
    end if;
    return new;
end $$;
revoke execute on function environments_guard_sandbox_request_cover() from public;
create trigger guard_sandbox_request_cover before update on environments_sandboxrequest
    for each row when (new.state <> old.state and old.state <> 'starting'
                       and new.state in ('approved', 'starting'))
    execute function environments_guard_sandbox_request_cover();
alter table environments_sandboxrequest enable always trigger guard_sandbox_request_cover;
