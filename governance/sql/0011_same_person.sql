-- One human, one approval (I-8). An account that is another account of somebody never counts, which
-- governance_counted and guard_decision hold to; whoever stands behind both is kept out by both.
-- ENABLE ALWAYS. Errors: P0G07 person.

-- One mailbox has one account: what stands behind a plus only sorts the mail.
create unique index user_one_per_mailbox
    on governance_user (regexp_replace(email, '\+[^@]*@', '@')) where kind = 'person';

-- Two accounts of one person, neither of which is another one's. The mark takes its weight at once;
-- without it the account counts on requests that are opened from then on.
create function governance_guard_same_person() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if new.same_as_id is null then
        new.reset_at := gatehouse_now();
        return new;
    end if;
    perform from governance_user u where u.id = new.same_as_id for no key update;
    if old.same_as_id is not null or new.kind <> 'person'
        or exists (select from governance_user u where u.same_as_id = new.id)
        or not exists (select from governance_user u where u.id = new.same_as_id
                       and u.kind = 'person' and u.same_as_id is null)
    then
        raise exception 'person: another account is of somebody who has no other'
            using errcode = 'P0G07';
    end if;
    return new;
end $$;
revoke execute on function governance_guard_same_person() from public;
create trigger guard_same_person before update on governance_user
    for each row when (new.same_as_id is distinct from old.same_as_id)
    execute function governance_guard_same_person();
alter table governance_user enable always trigger guard_same_person;

-- Nobody is born as somebody's other account.
create function governance_guard_born_alone() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    raise exception 'person: an account is made before it is said whose it is'
        using errcode = 'P0G07';
end $$;
create trigger guard_born_alone before insert on governance_user
    for each row when (new.same_as_id is not null) execute function governance_guard_born_alone();
alter table governance_user enable always trigger guard_born_alone;

-- Whom a request keeps out, it keeps out with their first account as well.
create function governance_exclude_first_account(request bigint, account bigint, why text)
    returns void
    language sql security definer set search_path = pg_catalog, public, pg_temp
    as $$
    insert into governance_exclusion (request_id, user_id, reason)
    select request, u.same_as_id, left(format('%s with the account %s', why, u.email), 200)
    from governance_user u where u.id = account and u.same_as_id is not null
    on conflict do nothing
$$;
revoke execute on function governance_exclude_first_account(bigint, bigint, text) from public;

create function governance_exclude_same_person() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    perform governance_exclude_first_account(new.request_id, new.user_id, new.reason);
    return null;
end $$;
revoke execute on function governance_exclude_same_person() from public;
create trigger exclude_same_person after insert on governance_exclusion
    for each row execute function governance_exclude_same_person();
alter table governance_exclusion enable always trigger exclude_same_person;

create function governance_exclude_who_asks() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    perform governance_exclude_first_account(new.id, new.requester_id, 'asked for this');
    return null;
end $$;
revoke execute on function governance_exclude_who_asks() from public;
create trigger exclude_who_asks after insert on governance_approvalrequest
    for each row execute function governance_exclude_who_asks();
alter table governance_approvalrequest enable always trigger exclude_who_asks;

create function governance_exclude_from_live() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    perform governance_exclude_first_account(r.id, new.id, coalesce(e.reason, 'asked for this'))
    from (select * from governance_approvalrequest
          where state in ('open', 'satisfied') order by id) r
    left join governance_exclusion e on e.request_id = r.id and e.user_id = new.id
    where r.requester_id = new.id or e.user_id is not null;
    return null;
end $$;
revoke execute on function governance_exclude_from_live() from public;
create trigger exclude_same_person after update on governance_user
    for each row when (new.same_as_id is not null and old.same_as_id is null)
    execute function governance_exclude_from_live();
alter table governance_user enable always trigger exclude_same_person;

select governance_watch_more('governance_user', 'user:',
    array['email', 'full_name', 'is_active', 'kind', 'zone', 'reset_at', 'same_as_id']);
