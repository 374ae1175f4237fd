-- State machines. The tables below are those of <app>/states.py, one trigger each: a test reads them
-- back out of the catalogue and compares. ENABLE ALWAYS keeps them standing under
-- session_replication_role = replica. Error: P0S01.

-- Arguments: the states in which a row may be born, and the moves as JSON {state: [state, …]}.
create function gatehouse_guard_moves() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp
    as $$
begin
    if tg_op = 'INSERT' then
        if new.state <> all (string_to_array(tg_argv[0], ' ')) then
            raise exception '%: born %', tg_table_name, new.state using errcode = 'P0S01';
        end if;
    elsif new.state <> old.state
        and not coalesce((tg_argv[1]::jsonb -> old.state) ? new.state, false)
    then
        raise exception '%: % does not become %', tg_table_name, old.state, new.state
            using errcode = 'P0S01';
    end if;
    return new;
end $$;

-- The name sorts behind the tables' own guards, whose refusals say more.
create function gatehouse_make_machine(target regclass, births text, moves jsonb) returns void
    language plpgsql set search_path = pg_catalog, pg_temp
    as $$
begin
    execute format('create trigger moves before insert or update on %s for each row '
                   'execute function public.gatehouse_guard_moves(%L, %L)', target, births, moves);
    execute format('alter table %s enable always trigger moves', target);
end $$;
revoke execute on function gatehouse_make_machine(regclass, text, jsonb) from public;

-- Rows that others point at are never removed, by nobody.
create function gatehouse_make_lasting(target regclass) returns void
    language plpgsql set search_path = pg_catalog, pg_temp
    as $$
begin
    execute format('create trigger lasting before delete on %s for each statement '
                   'execute function public.gatehouse_refuse_change()', target);
    execute format('create trigger lasting_truncate before truncate on %s for each statement '
                   'execute function public.gatehouse_refuse_change()', target);
    execute format('alter table %s enable always trigger lasting', target);
    execute format('alter table %s enable always trigger lasting_truncate', target);
end $$;
revoke execute on function gatehouse_make_lasting(regclass) from public;

select gatehouse_make_machine('releases_release', 'draft', '{
    "draft": ["composing", "closed"],
    "composing": ["composed", "draft"],
    "composed": ["integrating", "submitted", "draft"],
    "integrating": ["integrated", "composed", "draft"],
    "integrated": ["rehearsing", "submitted", "draft"],
    "rehearsing": ["rehearsed", "composed", "draft"],
    "rehearsed": ["submitted", "draft"],
    "submitted": ["approved", "rehearsed", "composed", "draft"],
    "approved": ["scheduled", "deploying", "rehearsed", "composed", "draft"],
    "scheduled": ["deploying", "rehearsed", "composed", "draft"],
    "deploying": ["deployed", "failed", "rolled_back", "rehearsed", "composed", "draft"],
    "deployed": ["closed"],
    "failed": ["draft", "closed"],
    "rolled_back": ["draft", "closed"],
    "closed": []}');
select gatehouse_make_machine('releases_deployment', 'held queued', '{
    "held": ["queued", "running", "cancelled", "superseded", "failed"],
    "queued": ["held", "running", "cancelled", "superseded", "failed"],
    "running": ["succeeded", "failed", "cancelled", "unknown", "superseded"],
    "unknown": ["running", "succeeded", "failed", "cancelled"],
    "succeeded": [], "failed": [], "cancelled": [], "superseded": []}');
select gatehouse_make_machine('releases_step', 'pending', '{
    "pending": ["intended", "succeeded", "failed", "skipped", "cancelled"],
    "intended": ["started", "succeeded", "failed", "unknown", "cancelled"],
    "started": ["succeeded", "failed", "cancelled", "unknown"],
    "unknown": ["started", "succeeded", "failed", "cancelled"],
    "succeeded": [], "failed": [], "cancelled": [], "skipped": []}');
select gatehouse_make_machine('releases_candidate', 'building', '{
    "building": ["testing", "failed"],
    "testing": ["deployed", "failed"],
    "deployed": ["accepted", "rejected"],
    "accepted": ["offered", "rejected"],
    "offered": ["withdrawn"],
    "withdrawn": ["offered"],
    "failed": ["building"],
    "rejected": []}');
select gatehouse_make_machine('releases_build', 'queued', '{
    "queued": ["building", "superseded"],
    "building": ["deploying", "failed", "superseded"],
    "deploying": ["passed", "failed", "superseded"],
    "passed": [], "failed": [], "superseded": []}');
select gatehouse_make_machine('governance_approvalrequest', 'open', '{
    "open": ["satisfied", "rejected", "superseded", "expired", "withdrawn", "used"],
    "satisfied": ["open", "rejected", "superseded", "expired", "withdrawn", "used"],
    "rejected": [], "superseded": [], "expired": [], "withdrawn": [], "used": []}');
select gatehouse_make_machine('governance_policyproposal', 'open', '{
    "open": ["confirmed", "rejected", "withdrawn", "lapsed"],
    "confirmed": [], "rejected": [], "withdrawn": [], "lapsed": []}');
select gatehouse_make_machine('governance_matter', 'asked', '{
    "asked": ["approved", "refused", "cancelled"],
    "approved": ["asked", "done", "refused", "cancelled"],
    "done": [], "refused": [], "cancelled": []}');
select gatehouse_make_machine('environments_policyassignment', 'asked', '{
    "asked": ["applied", "rejected", "withdrawn", "lapsed"],
    "applied": [], "rejected": [], "withdrawn": [], "lapsed": []}');
select gatehouse_make_machine('environments_snapshot', 'requested', '{
    "requested": ["retrieving", "failed"],
    "retrieving": ["done", "failed"],
    "done": [], "failed": []}');
select gatehouse_make_machine('environments_calendarsource', 'requested', '{
    "requested": ["done", "failed"],
    "done": ["requested"],
    "failed": ["requested"]}');

select gatehouse_make_append_only('releases_artefact');
select gatehouse_make_append_only('releases_artefactcomponent');
select gatehouse_make_append_only('releases_releasechange');
select gatehouse_make_append_only('releases_stepmessage');
select gatehouse_make_lasting('releases_release');
select gatehouse_make_lasting('releases_releaseitem');
select gatehouse_make_lasting('releases_candidate');
select gatehouse_make_lasting('releases_build');
select gatehouse_make_lasting('releases_deployment');
select gatehouse_make_lasting('releases_step');
select gatehouse_make_lasting('governance_approvalrequest');
select gatehouse_make_lasting('governance_policyproposal');
