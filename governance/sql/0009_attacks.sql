-- Whom a matter of the board is about never decides on it, whoever puts the question. ENABLE ALWAYS.
-- Errors: P0G01 request.

create function governance_exclude_whom_it_is_about() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    matter governance_matter;
begin
    select * into matter from governance_matter where id = new.subject_id;
    if matter.id is null or matter.kind <> new.subject_kind
        or matter.asked_by_id <> new.requester_id
    then
        raise exception 'approval request: somebody else asked, or about something else'
            using errcode = 'P0G01';
    end if;
    insert into governance_exclusion (request_id, user_id, reason)
        values (new.id, matter.user_id, 'is whom it is about') on conflict do nothing;
    return null;
end $$;
revoke execute on function governance_exclude_whom_it_is_about() from public;
create trigger exclude_whom_it_is_about after insert on governance_approvalrequest
    for each row when (new.subject_kind in ('seat.grant', 'account.reset'))
    execute function governance_exclude_whom_it_is_about();
alter table governance_approvalrequest enable always trigger exclude_whom_it_is_about;
