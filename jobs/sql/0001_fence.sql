-- A fence only ever grows, whoever writes: a smaller one would let a dead worker write again.
create function jobs_fence_grows() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp
    as $$
begin
    if new.fence < old.fence or new.kind <> old.kind or new.subject_id <> old.subject_id then
        raise exception 'work % %: the fence only grows and the subject stays', old.kind, old.subject_id
            using errcode = 'P0J01';
    end if;
    return new;
end $$;
create trigger fence_grows before update on jobs_work
    for each row execute function jobs_fence_grows();
alter table jobs_work enable always trigger fence_grows;
