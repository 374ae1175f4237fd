-- An approval is used when a deployment under it has succeeded, and not before. ENABLE ALWAYS.
-- Errors: P0G01 request.
create function releases_guard_used() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if not exists (
        select from releases_deployment d
        where d.approval_id = new.id and d.purpose = 'release' and d.state = 'succeeded')
    then
        raise exception 'approval request: nothing was deployed under it' using errcode = 'P0G01';
    end if;
    return new;
end $$;
revoke execute on function releases_guard_used() from public;
create trigger guard_used before update on governance_approvalrequest
    for each row when (new.state = 'used' and old.state <> 'used')
    execute function releases_guard_used();
alter table governance_approvalrequest enable always trigger guard_used;
