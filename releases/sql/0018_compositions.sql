-- What a release changes is of one composition: against the snapshot that it was composed over. A
-- rollback bears the marks of everything that it brings back. ENABLE ALWAYS. Errors: P0R01 a fixed
-- column changed, P0R04 a question that leaves something out, P0F02 the floor.

-- ── The snapshot ─────────────────────────────────────────────────────────────────────────────────
create function releases_guard_base() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    raise exception 'release: what it is composed over is chosen when it is composed'
        using errcode = 'P0R01';
end $$;
create trigger guard_base before update on releases_release
    for each row
    when (new.base_snapshot_id is distinct from old.base_snapshot_id
          and (old.state <> 'draft' or new.state <> 'composing' or new.base_snapshot_id is null)
          and not governance_is_owner())
    execute function releases_guard_base();
alter table releases_release enable always trigger guard_base;

-- ── Marks ────────────────────────────────────────────────────────────────────────────────────────
-- The same as releases.selectors.marks, and tested against it.
create function releases_marks(of_release bigint, of_artefact bigint) returns text[]
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
    with asked as (
        select r.* from releases_release r where r.id = of_release
    ), held as (
        select d.baseline from releases_deployment d
        where d.release_id = of_release and d.artefact_id = of_artefact
          and d.purpose = 'prepare' and d.state = 'succeeded'
        order by d.id desc limit 1
    ), restored (type, name, removed) as (
        select p.type, p.name, false
        from asked join releases_artefactcomponent p on p.artefact_id = of_artefact
        where asked.restores_id is not null
          and p.digest is distinct from
              (select held.baseline ->> format('%s:%s', p.type, p.name) from held)
        union all
        select gone.key ->> 0, gone.key ->> 1, true
        from asked join releases_artefact a on a.id = of_artefact
        cross join lateral jsonb_array_elements(a.removes) as gone (key)
        where asked.restores_id is not null
          and coalesce((select held.baseline ->> format('%s:%s', gone.key ->> 0, gone.key ->> 1)
                        from held), 'unknown') <> ''
    ), change (type, removed, teams, marks) as (
        select c.type, c.kind = 'removed', jsonb_array_length(c.teams), c.marks
        from asked join releases_releasechange c
          on c.release_id = asked.id and c.artefact_id = of_artefact
             and c.base_snapshot_id is not distinct from asked.base_snapshot_id
        where asked.restores_id is null and c.kind <> 'same'
        union all
        select b.type, b.removed,
               (select max(jsonb_array_length(c.teams)) from releases_releasechange c
                where c.release_id = asked.restores_id and c.artefact_id = of_artefact
                  and c.type = b.type and c.name = b.name),
               case
                   when b.removed then '[]'::jsonb
                   when b.type in ('PermissionSet', 'PermissionSetGroup', 'Profile')
                       then '["all_data", "widens_access"]'
                   when b.type in ('ConnectedApp', 'ExternalClientApplication',
                                   'ExtlClntAppConfigurablePolicies',
                                   'ExtlClntAppGlobalOauthSettings',
                                   'ExtlClntAppOauthConfigurablePolicies',
                                   'ExtlClntAppOauthSettings')
                       then '["connected_app"]'
                   when b.type = 'CustomObject' then '["sharing", "widens_access"]'
                   when b.type in ('ApexTrigger', 'Flow') then '["busy_flow"]'
                   else '[]' end
        from asked cross join restored b
    )
    select coalesce(array_agg(distinct mark.slug order by mark.slug), '{}')
    from change c
    cross join lateral (
        select jsonb_array_elements_text(c.marks)
        union all
        select own.slug from (values
            ('destructive', c.removed),
            ('permissions', c.type in ('CustomPermission', 'MutingPermissionSet', 'PermissionSet',
                                       'PermissionSetGroup', 'Profile')),
            ('sharing', c.type in ('Role', 'SharingRules', 'SharingCriteriaRule',
                                   'SharingOwnerRule')),
            ('connected_app', c.type in ('ConnectedApp', 'ExternalCredential', 'NamedCredential',
                                         'RemoteSiteSetting')),
            ('automation', c.type in ('ApexTrigger', 'ApprovalProcess', 'AssignmentRule',
                                      'AssignmentRules', 'AutoResponseRules', 'EscalationRules',
                                      'Flow', 'FlowDefinition', 'Workflow', 'WorkflowFieldUpdate',
                                      'WorkflowRule')),
            ('org_settings', c.type like '%Settings'),
            ('several_teams', c.teams > 1)
        ) as own (slug, holds) where own.holds
    ) as mark (slug)
$$;
grant execute on function releases_marks(bigint, bigint)
    to gatehouse_web, gatehouse_build, gatehouse_deploy, gatehouse_ticker;

-- ── The question ─────────────────────────────────────────────────────────────────────────────────
-- Sorts before complete_question: what people are asked about was composed over one look at
-- production, and prepared against that very look.
create function releases_guard_composition() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    planned releases_release;
begin
    select * into planned from releases_release where id = new.release_id;
    if planned.restores_id is null and not exists (
        select from releases_releasechange c
        where c.release_id = planned.id and c.artefact_id = new.artefact_id
          and c.base_snapshot_id is not distinct from planned.base_snapshot_id)
    then
        raise exception 'deployment: nobody composed this over what production held'
            using errcode = 'P0R04';
    elsif planned.base_snapshot_id is not null and new.preparation_id is not null and not exists (
        select from releases_step s
        where s.deployment_id = new.preparation_id and s.kind = 'snapshot'
          and s.facts -> 'composed_against' = to_jsonb(planned.base_snapshot_id))
    then
        raise exception 'deployment: it was prepared before it was composed the last time'
            using errcode = 'P0R04';
    end if;
    return null;
end $$;
revoke execute on function releases_guard_composition() from public;
create trigger complete_composition after update on releases_deployment
    for each row when (new.approval_id is not null and old.approval_id is null)
    execute function releases_guard_composition();
alter table releases_deployment enable always trigger complete_composition;

-- ── Tests ────────────────────────────────────────────────────────────────────────────────────────
-- Why a deployment's tests do not do under the policy in force; null when they do.
create function releases_tests_short(the_deployment bigint) returns text
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    sent releases_deployment;
    target environments_environment;
    asked text;
    runs text;
begin
    select * into sent from releases_deployment where id = the_deployment;
    select * into target from environments_environment where id = sent.environment_id;
    if target.is_sandbox is true and not exists (
        select 1 from environments_track t where t.id = target.track_id and t.kind = 'production')
    then
        return null;
    end if;
    select v.body ->> 'test_level' into asked from governance_policyversion v
        where v.policy_id = releases_policy_of(sent, target.policy_id)
        order by v.number desc limit 1;
    runs := sent.plan ->> 'test_level';
    if releases_test_rank(runs) < releases_test_rank(asked) then
        return 'it runs fewer tests than the policy asks';
    elsif runs <> 'RunSpecifiedTests' or releases_test_rank(asked) < releases_test_rank(runs) then
        return null;
    elsif exists (
        select 1 from releases_knowntest k
        join releases_release r on r.id = sent.release_id
        where k.artefact_id = sent.artefact_id and k.kind = 'proposed'
          and (r.restores_id is not null
               or (k.release_id = r.id
                   and k.base_snapshot_id is not distinct from r.base_snapshot_id))
          and not exists (select 1 from jsonb_array_elements_text(sent.plan -> 'run_tests') named
                          where lower(named) = lower(k.name)))
    then
        return 'it leaves out a test that is proposed';
    end if;
    return null;
end $$;
revoke execute on function releases_tests_short(bigint) from public;
