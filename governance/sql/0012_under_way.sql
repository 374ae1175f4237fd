-- A question does not expire while what it let begin is under way: it was used in time. Each kind of
-- subject says so with a function of its own, gatehouse_under_way_KIND(request), as it does for
-- gatehouse_used_KIND; one that has none is never under way. ENABLE ALWAYS. Error: P0G01.

create function governance_under_way(request bigint) returns boolean
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    asked governance_approvalrequest;
    judge text;
    begun boolean;
begin
    select * into asked from governance_approvalrequest where id = request;
    judge := 'gatehouse_under_way_' || replace(asked.subject_kind, '.', '_');
    if to_regprocedure(format('public.%I(public.governance_approvalrequest)', judge)) is not null then
        execute format('select public.%I($1)', judge) into begun using asked;
    end if;
    return coalesce(begun, false);
end $$;

create function governance_guard_expired() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if governance_under_way(new.id) then
        raise exception 'approval request: what it let begin is under way' using errcode = 'P0G01';
    end if;
    return new;
end $$;
revoke execute on function governance_guard_expired() from public;
create trigger guard_expired before update on governance_approvalrequest
    for each row when (new.state = 'expired' and old.state <> 'expired')
    execute function governance_guard_expired();
alter table governance_approvalrequest enable always trigger guard_expired;

grant execute on function governance_under_way(bigint)
    to gatehouse_web, gatehouse_build, gatehouse_deploy;
