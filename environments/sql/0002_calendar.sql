-- Guards of the calendar. A freeze only ever lasts longer; lifting or shortening one that covers a
-- protected environment needs sign-offs, which 0007_holes.sql counts. ENABLE ALWAYS keeps them
-- standing under session_replication_role = replica. Errors: P0E02 a fixed column changed.

-- Whether a freeze keeps anything from a protected environment. What a team contributes may be part
-- of any release, so a freeze of a team does.
create function environments_freeze_protects(
    in_scope text, on_track bigint, on_environment bigint
) returns boolean
    language sql stable set search_path = pg_catalog, public, pg_temp
    as $$
    select in_scope in ('everything', 'protected', 'team')
        or exists (
            select from environments_environment e
                   join environments_track t on t.id = e.track_id
             where (in_scope = 'track' and t.id = on_track
                    or in_scope = 'environment' and e.id = on_environment)
               and (t.kind = 'production' or e.is_sandbox = false))
        or exists (
            select from environments_track t
             where in_scope = 'track' and t.id = on_track and t.kind = 'production')
$$;
grant execute on function environments_freeze_protects(text, bigint, bigint)
    to gatehouse_web, gatehouse_build, gatehouse_deploy, gatehouse_ticker;

create function environments_guard_freeze() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if tg_op <> 'UPDATE' then
        if tg_op = 'INSERT' then
            if new.lifted_at is not null then
                raise exception 'freeze: born lifted' using errcode = 'P0E02';
            end if;
            return new;
        end if;
        raise exception 'freeze: it stays in the calendar' using errcode = 'P0E02';
    end if;
    if (new.id, new.uuid, new.created_at, new.kind, new.scope, new.track_id, new.environment_id,
        new.team_id, new.name, new.reason, new.zone, new.starts_at, new.every, new.step,
        new.last_day, new.source, new.source_key, new.maintenance_id, new.created_by_id)
       is distinct from
       (old.id, old.uuid, old.created_at, old.kind, old.scope, old.track_id, old.environment_id,
        old.team_id, old.name, old.reason, old.zone, old.starts_at, old.every, old.step,
        old.last_day, old.source, old.source_key, old.maintenance_id, old.created_by_id)
    then
        raise exception 'freeze: only its end may change' using errcode = 'P0E02';
    end if;
    if old.lifted_at is not null and
       (new.lifted_at, new.lifted_by_id, new.lift_reason, new.ends_at) is distinct from
       (old.lifted_at, old.lifted_by_id, old.lift_reason, old.ends_at)
    then
        raise exception 'freeze: it stays lifted' using errcode = 'P0E02';
    end if;
    return new;
end $$;
create trigger guard_freeze before insert or update or delete on environments_freeze
    for each row execute function environments_guard_freeze();
alter table environments_freeze enable always trigger guard_freeze;
create trigger guard_freeze_truncate before truncate on environments_freeze
    for each statement execute function environments_guard_freeze();
alter table environments_freeze enable always trigger guard_freeze_truncate;

select gatehouse_make_append_only('environments_freezelift');

-- An imported calendar keeps its owner; a worker says how reading it went, people where it lies.
create function environments_guard_calendar() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if (new.id, new.uuid, new.created_at, new.name, new.created_by_id) is distinct from
       (old.id, old.uuid, old.created_at, old.name, old.created_by_id)
    then
        raise exception 'calendar: its name and owner never change' using errcode = 'P0E02';
    end if;
    return new;
end $$;
create trigger guard_calendar before update on environments_calendarsource
    for each row execute function environments_guard_calendar();
alter table environments_calendarsource enable always trigger guard_calendar;
