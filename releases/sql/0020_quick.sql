-- Quick deploys (design 5): they send no bytes, so what they rest on is checked here. A validation
-- counts only when a step of ours made it, of the same artefact, organisation and options. Errors:
-- P0F01 a step written against its nature, P0F02 no cover.
create function releases_guard_quick_deploy() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if new.effect <> 'write' or not exists (
        select from releases_deployment sent
        join releases_deployment d on d.artefact_id = sent.artefact_id
            and d.environment_id = sent.environment_id
            and d.organization_id = sent.organization_id
            and d.plan - 'steps' = sent.plan - 'steps'
        join releases_step v on v.deployment_id = d.id
            and v.kind = 'validate' and v.state = 'succeeded'
        where sent.id = new.deployment_id and v.remote_id <> ''
            and v.remote_id = new.facts ->> 'validated')
    then
        raise exception 'step: a quick deploy rests on a validation of ours, of the same package'
            using errcode = 'P0F01';
    end if;
    return new;
end $$;
revoke execute on function releases_guard_quick_deploy() from public;
-- Sorts behind guard_step, which takes the locks.
create trigger guard_quick before update on releases_step
    for each row
    when (new.facts ? 'validated' and new.facts is distinct from old.facts)
    execute function releases_guard_quick_deploy();
alter table releases_step enable always trigger guard_quick;

-- When the org refuses the quick deploy the package is sent instead. That is another call, so the
-- floor is asked again.
create function releases_guard_intended_again() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    refusal text := coalesce(releases_floor(new.deployment_id),
                             releases_tests_short(new.deployment_id));
begin
    if refusal is not null then
        raise exception 'floor: deployment % may not write: %', new.deployment_id, refusal
            using errcode = 'P0F02';
    end if;
    return new;
end $$;
revoke execute on function releases_guard_intended_again() from public;
create trigger guard_again before update on releases_step
    for each row
    when (new.effect = 'write' and old.state = 'intended' and new.state = 'intended'
          and new.intended_at is distinct from old.intended_at)
    execute function releases_guard_intended_again();
alter table releases_step enable always trigger guard_again;
