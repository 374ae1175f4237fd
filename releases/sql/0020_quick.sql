-- Quick deploys (design 5): they send no bytes, so what they rest on is checked here. A validation
-- counts only when a step of ours made it, of the same artefact, organisation and options. When the
-- org refuses one, the package goes with an intent of its own, and guard_step asks the floor again.
-- Errors: P0F01 a step written against its nature.
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
