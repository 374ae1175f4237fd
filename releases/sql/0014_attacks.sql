-- Who had a hand in a release, and which marks it bears, is derived here from what build workers
-- wrote, never from what web says when it asks. ENABLE ALWAYS. Errors: P0R01 a fixed column changed,
-- P0R02 a word that is not theirs, P0R04 a question that leaves something out.

-- ── The release ──────────────────────────────────────────────────────────────────────────────────
create trigger void_approval after update on releases_release
    for each row
    when ((new.artefact_id, new.change_class, new.restores_id, new.not_before, new.not_after)
          is distinct from
          (old.artefact_id, old.change_class, old.restores_id, old.not_before, old.not_after))
    execute function releases_void_of_release();
alter table releases_release enable always trigger void_approval;

-- What it carries is chosen in draft, and what came of that is a build worker's word; a rollback
-- carries what the release that it goes back to brought.
create function releases_guard_cargo() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if tg_op = 'UPDATE' and new.scope <> old.scope and old.state <> 'draft' then
        raise exception 'release: what it carries was settled when it was composed'
            using errcode = 'P0R01';
    end if;
    if new.artefact_id is not null
        and (tg_op = 'INSERT' or new.artefact_id is distinct from old.artefact_id)
        and not has_table_privilege('public.releases_releasechange', 'INSERT')
        and new.artefact_id is distinct from (
            select r.artefact_id from releases_release r where r.id = new.restores_id)
    then
        raise exception 'release: only a build worker says what it is made of'
            using errcode = 'P0R02';
    end if;
    return new;
end $$;
create trigger guard_cargo before insert or update on releases_release
    for each row execute function releases_guard_cargo();
alter table releases_release enable always trigger guard_cargo;

-- ── Candidates ───────────────────────────────────────────────────────────────────────────────────
-- Web may not update these columns; so it may not be born with them either. They are written when
-- the tag is packaged, and stay.
create function releases_guard_authors() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if tg_op = 'INSERT' then
        if (new.artefact_id, new.commit_count, new.oldest_commit_at, new.contributors)
            is distinct from (null::bigint, 0, null::timestamptz, '[]'::jsonb)
            and not has_column_privilege('public.releases_candidate', 'contributors', 'UPDATE')
        then
            raise exception 'candidate: only a build worker says who wrote it'
                using errcode = 'P0R02';
        end if;
    elsif old.state <> 'building' then
        raise exception 'candidate: who wrote it is written when it is packaged'
            using errcode = 'P0R01';
    end if;
    return new;
end $$;
create trigger guard_authors_of_new before insert on releases_candidate
    for each row execute function releases_guard_authors();
create trigger guard_authors before update on releases_candidate
    for each row
    when ((new.artefact_id, new.commit_count, new.oldest_commit_at, new.contributors)
          is distinct from
          (old.artefact_id, old.commit_count, old.oldest_commit_at, old.contributors))
    execute function releases_guard_authors();
alter table releases_candidate enable always trigger guard_authors_of_new;
alter table releases_candidate enable always trigger guard_authors;

-- ── The contents ─────────────────────────────────────────────────────────────────────────────────
-- An item stays what it is and says truly when it was taken out: what was taken out after the
-- artefact was made is in it still, and so are its authors.
create function releases_guard_item() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if (new.id, new.release_id, new.candidate_id, new.added_by_id, new.added_at) is distinct from
       (old.id, old.release_id, old.candidate_id, old.added_by_id, old.added_at)
    then
        raise exception 'release item: it is taken out and another one put in'
            using errcode = 'P0R01';
    elsif new.removed_at is distinct from old.removed_at and new.removed_at is not null then
        new.removed_at := gatehouse_now();
    end if;
    return new;
end $$;
create trigger guard_item before update on releases_releaseitem
    for each row when (not governance_is_owner()) execute function releases_guard_item();
alter table releases_releaseitem enable always trigger guard_item;

create function releases_stamp_artefact() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    new.created_at := gatehouse_now();
    return new;
end $$;
create trigger stamp before insert on releases_artefact
    for each row when (not governance_is_owner()) execute function releases_stamp_artefact();
alter table releases_artefact enable always trigger stamp;

-- Whether the release's artefact carries the item: it was not taken out before that was made.
create function releases_carries(item releases_releaseitem) returns boolean
    language sql stable
    return item.removed_at is null or item.removed_at > (
        select a.created_at from releases_release r join releases_artefact a on a.id = r.artefact_id
        where r.id = item.release_id);
revoke execute on function releases_carries(releases_releaseitem) from public;

-- ── Who had a hand in it ─────────────────────────────────────────────────────────────────────────
-- Everybody who may not decide on a release, each with the first reason, and every address in its
-- commits that is nobody's yet. Authors write the dates of their commits: without any, every former
-- member had a hand in it, and none of them makes that later than the candidate. releases.selectors.segregation asks this too, so there is one rule.
create function releases_hands(of_release bigint)
    returns table (person bigint, reason text, email text, name text)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
    with asked as (
        select r.*, coalesce(r.restores_id, r.id) as carrying
        from releases_release r where r.id = of_release
    ), item as (
        select i.added_by_id, c.*, t.name as team_name
        from asked
        join releases_releaseitem i on i.release_id = asked.carrying and releases_carries(i)
        join releases_candidate c on c.id = i.candidate_id
        join governance_team t on t.id = c.team_id
    ), wrote as (
        select item.team_name, author.email, author.name, coalesce(matched.id, own.id) as person
        from item
        cross join lateral (
            select lower(btrim(each ->> 'email')) as email, each ->> 'name' as name
            from jsonb_array_elements(item.contributors) as each) as author
        left join governance_gitidentity g on g.email = author.email and g.ended_at is null
        left join governance_user matched on matched.id = g.user_id and matched.kind = 'person'
        left join governance_user own on own.email = author.email and own.kind = 'person'
    ), told (rank, person, reason) as (
        select 1, composed_by_id, 'composed this release' from asked
        union all
        select 2, edited_by_id, 'changed this release last' from asked
        union all
        select 3, added_by_id, 'added a candidate to this release' from item
        union all
        select 4, offered_by_id, format('offered %s of %s', tag, team_name) from item
        union all
        select 5, created_by_id, format('picked %s of %s', tag, team_name) from item
        union all
        select 6, tested_by_id, format('signed the user testing of %s', tag) from item
        union all
        select 7, m.user_id, format('is a member of %s, which contributes', item.team_name)
        from item join governance_membership m on m.team_id = item.team_id
            and (m.revoked_at is null or m.revoked_at
                 >= least(coalesce(item.oldest_commit_at, '-infinity'), item.created_at))
        union all
        select 8, wrote.person, format('wrote commits of %s', wrote.team_name) from wrote
        union all
        select 9, d.made_by_id, 'decided between candidates of this release'
        from asked join releases_resolution d on d.release_id = asked.carrying
        union all
        select 10, s.added_by_id, 'wrote a step of its runbook'
        from asked join releases_runbookitem s on s.release_id = asked.id and s.removed_at is null
        union all
        select 11, g.asked_by_id, 'declared the emergency'
        from asked join releases_breakglass g on g.release_id = asked.id
        where asked.change_class = 'emergency'
    )
    (select distinct on (told.person) told.person, left(told.reason, 200), null::text, null::text
     from told where told.person is not null order by told.person, told.rank)
    union all
    (select null, null, left(wrote.email, 254), left(min(wrote.name), 200)
     from wrote where wrote.person is null group by wrote.email order by wrote.email)
$$;

-- The risk marks of what an artefact changes in production stand in 0018_compositions.sql.

-- ── The question ─────────────────────────────────────────────────────────────────────────────────
-- When a request gets its deployment nobody has decided yet (releases_guard_deployment): whoever web
-- left out is excluded now, and a mark that it left out refuses the question, since marks say who
-- is asked.
create function releases_complete_question() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    question governance_approvalrequest;
    planned releases_release;
begin
    select * into question from governance_approvalrequest where id = new.approval_id;
    select * into planned from releases_release where id = new.release_id;
    if new.artefact_id is distinct from planned.artefact_id
        or new.requester_id is distinct from question.requester_id
        or (planned.change_class = 'rollback' and planned.restores_id is null)
        or (new.preparation_id is not null and not exists (
            select from releases_deployment p
            where p.id = new.preparation_id and p.purpose = 'prepare' and p.state = 'succeeded'
              and p.release_id = new.release_id and p.artefact_id = new.artefact_id
              and p.environment_id = new.environment_id
              and p.organization_id = new.organization_id))
    then
        raise exception 'deployment: the question is about another release or of somebody else'
            using errcode = 'P0R04';
    elsif not releases_marks(new.release_id, new.artefact_id) <@ question.marks then
        raise exception 'deployment: the question leaves out a risk mark' using errcode = 'P0R04';
    elsif exists (
        select from releases_releaseitem i join releases_candidate c on c.id = i.candidate_id
        where i.release_id = coalesce(planned.restores_id, planned.id) and releases_carries(i)
          and c.artefact_id is null)
    then
        raise exception 'deployment: nobody knows who wrote one of the candidates'
            using errcode = 'P0R04';
    end if;
    insert into governance_exclusion (request_id, user_id, reason)
        select new.approval_id, h.person, h.reason from releases_hands(new.release_id) h
        where h.person is not null order by h.person
        on conflict do nothing;
    insert into governance_unmappedidentity (request_id, email, name)
        select new.approval_id, h.email, h.name from releases_hands(new.release_id) h
        where h.person is null order by h.email
        on conflict do nothing;
    return null;
end $$;
revoke execute on function releases_complete_question() from public;
create trigger complete_question after update on releases_deployment
    for each row when (new.approval_id is not null and old.approval_id is null)
    execute function releases_complete_question();
alter table releases_deployment enable always trigger complete_question;

-- Who joins a contributing team while people are asked is excluded from then on. The exclusion takes
-- the request's row, so a count and this never pass each other.
create function releases_exclude_newcomer() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    insert into governance_exclusion (request_id, user_id, reason)
        select distinct q.id, new.user_id,
               left(format('is a member of %s, which contributes', t.name), 200)
        from releases_candidate c
        join governance_team t on t.id = c.team_id
        join releases_releaseitem i on i.candidate_id = c.id and releases_carries(i)
        join releases_release r on coalesce(r.restores_id, r.id) = i.release_id
        join releases_deployment d on d.release_id = r.id
        join governance_approvalrequest q on q.id = d.approval_id
            and q.state in ('open', 'satisfied')
        where c.team_id = new.team_id
        order by q.id
        on conflict do nothing;
    return null;
end $$;
revoke execute on function releases_exclude_newcomer() from public;
create trigger exclude_newcomer after insert on governance_membership
    for each row execute function releases_exclude_newcomer();
alter table governance_membership enable always trigger exclude_newcomer;

-- Whom a question has come to leave out since; null when nobody. The gate asks it at claim and right
-- before the call, the floor when the write is intended: an approval of somebody who had a hand in it
-- after all carries nothing.
create function releases_left_out(of_request bigint, of_release bigint) returns text
    language sql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
    select case when h.person is null
        then format('%s <%s> wrote commits and is not matched with a person', h.name, h.email)
        else format('%s approved it and %s', u.full_name, h.reason) end
    from releases_hands(of_release) h
    left join governance_user u on u.id = h.person
    where case when h.person is null
        then not exists (select from governance_unmappedidentity k
                         where k.request_id = of_request and k.email = h.email)
        else exists (select from governance_decision d
                     where d.request_id = of_request and d.person_id = h.person
                       and d.verdict = 'approve'
                       and not exists (select from governance_withdrawal w
                                       where w.decision_id = d.id))
            and not exists (select from governance_exclusion e
                            where e.request_id = of_request and e.user_id = h.person) end
    order by h.person, h.email limit 1
$$;
grant execute on function releases_hands(bigint), releases_left_out(bigint, bigint)
    to gatehouse_web, gatehouse_build, gatehouse_deploy, gatehouse_ticker;

-- ── Changes past the application ─────────────────────────────────────────────────────────────────
select governance_watch('releases_componentconflict', 'conflict:', array['settled_at']);

-- ── What only workers say ────────────────────────────────────────────────────────────────────────
-- Whether a commit builds and a tag runs in TEST is no word of web's: it asks for both.
create function releases_guard_word_of_workers() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if has_table_privilege('public.governance_decision', 'INSERT') then
        raise exception '%: only a worker makes it %', tg_table_name, new.state
            using errcode = 'P0R02';
    end if;
    return new;
end $$;
create trigger guard_word_of_workers before update on releases_build
    for each row
    when (new.state <> old.state and new.state in ('building', 'deploying', 'passed', 'failed')
          and not governance_is_owner())
    execute function releases_guard_word_of_workers();
create trigger guard_word_of_workers before update on releases_candidate
    for each row
    when (new.state <> old.state and new.state in ('testing', 'deployed', 'failed')
          and not governance_is_owner())
    execute function releases_guard_word_of_workers();
alter table releases_build enable always trigger guard_word_of_workers;
alter table releases_candidate enable always trigger guard_word_of_workers;

-- Nor is what gate, floor and org answered: the history has that from a deploy worker, so silence of
-- the canary cannot be papered over.
create function releases_guard_event() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if not has_table_privilege('public.releases_step', 'UPDATE') then
        raise exception 'event: only a deploy worker tells %', new.event using errcode = 'P0R02';
    end if;
    return new;
end $$;
-- Sorts behind read_event, which reads the name of the event out of its text.
create trigger told_by before insert on governance_auditevent
    for each row
    when (new.event in ('canary.refused', 'canary.allowed', 'step.intended', 'step.succeeded',
                        'deployment.succeeded', 'release.deployed'))
    execute function releases_guard_event();
alter table governance_auditevent enable always trigger told_by;

-- A team keeps its repository, and a tag is its team's: whose work it is says who may not decide.
create function releases_guard_owner_of_work() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if tg_table_name = 'releases_repository' then
        raise exception 'repository: it stays its team''s' using errcode = 'P0R01';
    elsif new.team_id is distinct from (
        select r.team_id from releases_repository r where r.id = new.repository_id)
    then
        raise exception 'candidate: it is of the team whose repository it comes from'
            using errcode = 'P0R01';
    end if;
    return new;
end $$;
create trigger guard_owner_of_work before update on releases_repository
    for each row when (new.team_id <> old.team_id) execute function releases_guard_owner_of_work();
create trigger guard_owner_of_work before insert on releases_candidate
    for each row execute function releases_guard_owner_of_work();
alter table releases_repository enable always trigger guard_owner_of_work;
alter table releases_candidate enable always trigger guard_owner_of_work;

-- ── What an org reports ──────────────────────────────────────────────────────────────────────────
-- "Ours" is said of a deployment that one of our steps got its id for, in that very environment.
create function releases_guard_report() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if new.step_id is null or not exists (
        select from releases_step s join releases_deployment d on d.id = s.deployment_id
        where s.id = new.step_id and s.remote_id = new.remote_id
          and d.environment_id = new.environment_id)
    then
        raise exception 'org deployment: no step of ours got this id there'
            using errcode = 'P0R01';
    end if;
    return new;
end $$;
create trigger guard_report before insert or update on releases_orgdeployment
    for each row
    when ((new.step_id is not null or new.standing = 'matched') and not governance_is_owner())
    execute function releases_guard_report();
alter table releases_orgdeployment enable always trigger guard_report;
