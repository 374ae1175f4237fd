-- What stands behind a decision stays what people saw, and what was done stays done: an emergency is
-- used and reviewed once, the contents of what was asked and of what was deployed never change, a
-- pack of evidence is what a worker made. ENABLE ALWAYS. Errors: P0R01 a fixed column changed, P0R02
-- a word that is not theirs, P0R03 an emergency without its ingredients.

-- ── Break-glass ──────────────────────────────────────────────────────────────────────────────────
create function releases_guard_break_glass() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if tg_op = 'INSERT' then
        if coalesce(new.used_at, new.review_due_at, new.reviewed_at) is not null
            or new.request_id is not null
        then
            raise exception 'break-glass: nothing has happened when it is declared'
                using errcode = 'P0R01';
        elsif exists (select from releases_breakglass
                      where used_at is not null and reviewed_at is null
                        and review_due_at < gatehouse_now())
        then
            raise exception 'break-glass: the review of an earlier one is overdue'
                using errcode = 'P0R03';
        end if;
        return new;
    end if;
    if (new.id, new.uuid, new.created_at, new.asked_by_id) is distinct from
       (old.id, old.uuid, old.created_at, old.asked_by_id)
       or (old.request_id is not null and new.request_id is distinct from old.request_id)
       or (old.used_at is not null and
           (new.release_id, new.reason, new.incident, new.used_at, new.review_due_at)
           is distinct from
           (old.release_id, old.reason, old.incident, old.used_at, old.review_due_at))
       or (old.reviewed_at is not null and
           (new.reviewed_at, new.reviewed_by_id, new.review) is distinct from
           (old.reviewed_at, old.reviewed_by_id, old.review))
    then
        raise exception 'break-glass: it is asked, used and reviewed once' using errcode = 'P0R01';
    end if;
    if old.used_at is null and new.used_at is not null then
        new.used_at := gatehouse_now();
        new.review_due_at := least(new.review_due_at, new.used_at + interval '3 days');
    end if;
    if old.reviewed_at is null and new.reviewed_at is not null then
        if new.reviewed_by_id = new.asked_by_id then
            raise exception 'break-glass: somebody else reviews it' using errcode = 'P0R02';
        end if;
        new.reviewed_at := gatehouse_now();
    end if;
    return new;
end $$;
revoke execute on function releases_guard_break_glass() from public;
create trigger guard_break_glass before insert or update on releases_breakglass
    for each row when (not governance_is_owner()) execute function releases_guard_break_glass();
alter table releases_breakglass enable always trigger guard_break_glass;

-- ── Floor ────────────────────────────────────────────────────────────────────────────────────────
-- What an emergency and a rollback need besides (releases/sql/0002_floor.sql): two people whatever
-- the policy says, the words of the emergency and a day at most; an artefact that was approved for
-- this organisation and ran there before.
create function releases_unfit(sent releases_deployment, people bigint[]) returns text
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    change_class text := (select r.change_class from releases_release r where r.id = sent.release_id);
begin
    if change_class = 'emergency' and cardinality(people) < 2 then
        return 'an emergency takes two people';
    elsif change_class = 'emergency' and not exists (
        select from releases_breakglass g
        join governance_approvalrequest r on r.id = g.request_id
        where g.request_id = sent.approval_id and g.release_id = sent.release_id
          and r.expires_at <= r.opened_at + interval '1 day')
    then
        return 'an emergency says why, and lasts a day at most';
    elsif change_class = 'rollback' and not exists (
        select 1 from releases_deployment d
        where d.environment_id = sent.environment_id and d.organization_id = sent.organization_id
          and d.artefact_id = sent.artefact_id and d.purpose = 'release' and d.state = 'succeeded'
          and d.approval_id is not null)
    then
        return 'this artefact was never approved for and deployed to this organisation';
    end if;
    return null;
end $$;
revoke execute on function releases_unfit(releases_deployment, bigint[]) from public;

-- ── What people were shown ───────────────────────────────────────────────────────────────────────
-- The components of an artefact are written before anything uses it; the changes that a release
-- makes, before people are asked about them. Statements, so that rows which were there already
-- (on conflict do nothing) are no attempt.
create function releases_guard_components() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if exists (
        select from (select distinct artefact_id from added) a
        where exists (select from releases_deployment d where d.artefact_id = a.artefact_id)
           or exists (select from releases_release r where r.artefact_id = a.artefact_id)
           or exists (select from releases_candidate c where c.artefact_id = a.artefact_id)
           or exists (select from releases_build b where b.artefact_id = a.artefact_id))
    then
        raise exception 'artefact: what it holds is written when it is made' using errcode = 'P0R01';
    end if;
    return null;
end $$;
revoke execute on function releases_guard_components() from public;
create trigger guard_components after insert on releases_artefactcomponent
    referencing new table as added for each statement when (not governance_is_owner())
    execute function releases_guard_components();
alter table releases_artefactcomponent enable always trigger guard_components;

create function releases_guard_shown() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if exists (
        select from (select distinct release_id, artefact_id from added) a
        join releases_deployment d
          on d.release_id = a.release_id and d.artefact_id = a.artefact_id
        join governance_approvalrequest r on r.id = d.approval_id
        where r.state in ('open', 'satisfied') or d.state in ('running', 'unknown', 'succeeded'))
    then
        raise exception 'release: people were asked about other changes' using errcode = 'P0R01';
    end if;
    return null;
end $$;
revoke execute on function releases_guard_shown() from public;
create trigger guard_shown after insert on releases_releasechange
    referencing new table as added for each statement when (not governance_is_owner())
    execute function releases_guard_shown();
alter table releases_releasechange enable always trigger guard_shown;
create trigger guard_shown after insert on releases_dependency
    referencing new table as added for each statement when (not governance_is_owner())
    execute function releases_guard_shown();
alter table releases_dependency enable always trigger guard_shown;

-- ── Releases ─────────────────────────────────────────────────────────────────────────────────────
-- That something went to production is a deploy worker's word; what went there stays written.
create function releases_guard_release() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if (new.id, new.uuid, new.created_at, new.composed_by_id) is distinct from
       (old.id, old.uuid, old.created_at, old.composed_by_id)
    then
        raise exception 'release: who began it and when never changes' using errcode = 'P0R01';
    end if;
    if old.deployed_at is not null and
       (new.deployed_at, new.version, new.title, new.change_class, new.scope, new.artefact_id,
        new.base_snapshot_id, new.restores_id, new.integration_commit, new.not_before,
        new.not_after)
       is distinct from
       (old.deployed_at, old.version, old.title, old.change_class, old.scope, old.artefact_id,
        old.base_snapshot_id, old.restores_id, old.integration_commit, old.not_before,
        old.not_after)
    then
        raise exception 'release: it was deployed, and stays what it was' using errcode = 'P0R01';
    end if;
    if ((new.state <> old.state and new.state in ('deploying', 'deployed', 'failed', 'rolled_back'))
        or new.deployed_at is distinct from old.deployed_at)
        and not has_table_privilege('public.releases_step', 'UPDATE')
    then
        raise exception 'release: only a deploy worker makes it %', new.state using errcode = 'P0R02';
    end if;
    return new;
end $$;
create trigger guard_release before update on releases_release
    for each row execute function releases_guard_release();
alter table releases_release enable always trigger guard_release;

create function releases_guard_contents() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if exists (
        select from releases_release r
        where r.id in (new.release_id,
                       case when tg_op = 'UPDATE' then old.release_id else new.release_id end)
          and r.deployed_at is not null)
    then
        raise exception 'release: it was deployed, and holds what it held' using errcode = 'P0R01';
    end if;
    return new;
end $$;
revoke execute on function releases_guard_contents() from public;
create trigger guard_contents_of_new before insert on releases_releaseitem
    for each row when (not governance_is_owner()) execute function releases_guard_contents();
create trigger guard_contents before update on releases_releaseitem
    for each row when (not governance_is_owner()) execute function releases_guard_contents();
create trigger guard_contents_of_new before insert on releases_runbookitem
    for each row when (not governance_is_owner()) execute function releases_guard_contents();
create trigger guard_contents before update on releases_runbookitem
    for each row
    when ((new.release_id, new.text, new.phase, new.owner_id, new.critical, new.removed_at,
           new.rehearsed_at, new.rehearsed_by_id)
          is distinct from
          (old.release_id, old.text, old.phase, old.owner_id, old.critical, old.removed_at,
           old.rehearsed_at, old.rehearsed_by_id))
    execute function releases_guard_contents();
create trigger guard_contents_of_new before insert on releases_resolution
    for each row when (not governance_is_owner()) execute function releases_guard_contents();
alter table releases_releaseitem enable always trigger guard_contents;
alter table releases_releaseitem enable always trigger guard_contents_of_new;
alter table releases_runbookitem enable always trigger guard_contents;
alter table releases_runbookitem enable always trigger guard_contents_of_new;
alter table releases_resolution enable always trigger guard_contents_of_new;

-- ── Evidence ─────────────────────────────────────────────────────────────────────────────────────
create function releases_guard_evidence_pack() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if tg_op = 'INSERT' then
        if (new.blob, new.manifest_digest, new.size, new.done) is distinct from ('', '', 0, 0)
            or new.finished_at is not null
        then
            raise exception 'evidence pack: a worker makes it' using errcode = 'P0R02';
        end if;
    elsif old.state in ('ready', 'failed') and new is distinct from old then
        raise exception 'evidence pack: % is final', old.state using errcode = 'P0R01';
    end if;
    return new;
end $$;
create trigger guard_evidence_pack before insert or update on releases_evidencepack
    for each row when (not governance_is_owner()) execute function releases_guard_evidence_pack();
alter table releases_evidencepack enable always trigger guard_evidence_pack;

-- What somebody said about a deployment that Gatehouse did not send is said once.
create function releases_guard_explanation() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    if old.explained_at is not null then
        raise exception 'org deployment: it was explained already' using errcode = 'P0R01';
    end if;
    new.explained_at := gatehouse_now();
    return new;
end $$;
create trigger guard_explanation before update on releases_orgdeployment
    for each row
    when ((new.explanation, new.explained_at, new.explained_by_id) is distinct from
          (old.explanation, old.explained_at, old.explained_by_id))
    execute function releases_guard_explanation();
alter table releases_orgdeployment enable always trigger guard_explanation;
