-- The floor under the gate (design 5). Not a second engine: it knows no windows, checks or freezes.
-- It says one thing, in the transaction that writes the intent: no write step on a protected
-- environment is intended unless the people whom the policy in force asks approved this very
-- digest. ENABLE ALWAYS. Errors: P0F01 a step written against its nature, P0F02 no cover.
--
-- Who counts is told by governance (governance/sql/0006_holes.sql), as for every other question.
-- What it counts cannot change before the commit: the request's row is taken by every decision,
-- withdrawal, exclusion and by everything that voids; the deciders' memberships and accounts, the
-- policy's row and the environment's are held FOR SHARE. Lock order: (environment, if locked
-- before), request, deployment, memberships, accounts, policy, environment.

-- ── The floor ────────────────────────────────────────────────────────────────────────────────────
-- The policy that a deployment obeys: an emergency and a rollback of production have their own.
create function releases_policy_of(sent releases_deployment, of_environment bigint) returns bigint
    language sql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
    select case
        when sent.purpose = 'release' and r.change_class = 'emergency'
            then (select id from governance_policy where name = 'Break-glass')
        when sent.purpose = 'release' and r.change_class = 'rollback'
            then (select id from governance_policy where name = 'Rollback')
        else of_environment end
    from (select 1) as one left join releases_release r on r.id = sent.release_id
$$;
revoke execute on function releases_policy_of(releases_deployment, bigint) from public;

-- Why a deployment may not write now; null when it may.
create function releases_floor(the_deployment bigint) returns text
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    sent releases_deployment;
    target environments_environment;
    asked governance_approvalrequest;
    version governance_policyversion;
    people bigint[];
    steps jsonb;
begin
    if current_setting('transaction_isolation') <> 'read committed' then
        return 'only READ COMMITTED sees what others have just committed';
    end if;
    select * into sent from releases_deployment where id = the_deployment;
    select * into asked from governance_approvalrequest where id = sent.approval_id
        for no key update;
    select * into sent from releases_deployment where id = the_deployment for no key update;
    select * into target from environments_environment where id = sent.environment_id for share;
    if sent.state <> 'running' then
        return 'it is not running';
    elsif sent.approval_id is distinct from asked.id then
        return 'it is bound to a request just now';
    elsif target.retired_at is not null
        or target.organization_id is distinct from sent.organization_id
    then
        return 'the environment is not the one that it was planned for';
    elsif target.is_sandbox is true and not exists (
        select 1 from environments_track t where t.id = target.track_id and t.kind = 'production')
    then
        return null;
    end if;
    select jsonb_agg(s.kind order by s.position) into steps
        from releases_step s where s.deployment_id = sent.id;
    if steps is distinct from sent.plan -> 'steps' then
        return 'steps of its plan are missing';
    elsif (steps ->> 0, steps ->> 1) is distinct from ('gate', 'snapshot') then
        return 'its plan does not read the org before it writes';
    end if;
    people := governance_counted(asked);
    select v.* into version from governance_policy p
        join lateral (select * from governance_policyversion own where own.policy_id = p.id
                      order by own.number desc limit 1) v on true
        where p.id = releases_policy_of(sent, target.policy_id);
    perform 1 from governance_policy where id = version.policy_id for share;
    if version.id is null or exists (select 1 from governance_policyversion newer
        where newer.policy_id = version.policy_id and newer.number > version.number)
    then
        return 'no policy is in force, or a new version is just being put in force';
    elsif target.kind = 'production' and not governance_always_asks(version.body) then
        return 'production takes no policy that asks nobody';
    elsif asked.id is null then
        return case when version.body -> 'approvals' = '[]' then null
            else 'nobody was asked' end;
    elsif asked.state not in ('open', 'satisfied') then
        return format('the request is %s', asked.state);
    elsif asked.expires_at <= gatehouse_now() then
        return 'the approval has expired';
    elsif asked.digest <> sent.subject_digest then
        return 'the request asks about another digest';
    elsif asked.policy_version_id <> version.id then
        return 'the request was asked under another policy';
    elsif asked.expires_at > asked.opened_at
        + make_interval(hours => (version.body ->> 'expires_hours')::integer)
    then
        return 'the request lasts longer than the policy lets it';
    end if;
    return coalesce(governance_against(asked), releases_left_out(asked.id, sent.release_id),
                    governance_short(asked, people), releases_unfit(sent, people));
end $$;
revoke execute on function releases_floor(bigint) from public;

-- ── Steps ────────────────────────────────────────────────────────────────────────────────────────
-- The effect follows from the kind, so no write goes by another name; a write is always intended
-- before it is anything else; what is settled stays.
create function releases_guard_step() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    refusal text;
begin
    if new.effect is distinct from (
        '{"gate": "read", "snapshot": "read", "validate": "check", "deploy": "write",
          "verify": "read"}'::jsonb ->> new.kind)
    then
        raise exception 'step: a % is no %', new.kind, new.effect using errcode = 'P0F01';
    end if;
    if tg_op = 'INSERT' then
        if (new.remote_id, new.intended_at, new.started_at, new.finished_at)
            is distinct from ('', null::timestamptz, null::timestamptz, null::timestamptz)
        then
            raise exception 'step: nothing has happened when it is planned' using errcode = 'P0F01';
        elsif new.kind is distinct from (
            select d.plan -> 'steps' ->> (new.position - 1)::integer
            from releases_deployment d where d.id = new.deployment_id)
        then
            raise exception 'step: the plan names no % there', new.kind using errcode = 'P0F01';
        end if;
        return new;
    end if;
    if (new.id, new.deployment_id, new.position, new.kind, new.effect) is distinct from
       (old.id, old.deployment_id, old.position, old.kind, old.effect)
    then
        raise exception 'step: what it does never changes' using errcode = 'P0F01';
    end if;
    if old.state in ('succeeded', 'failed', 'cancelled', 'skipped') and new is distinct from old then
        raise exception 'step: % is final', old.state using errcode = 'P0F01';
    end if;
    if old.remote_id <> '' and new.remote_id <> old.remote_id then
        raise exception 'step: the org gave it one id' using errcode = 'P0F01';
    end if;
    if new.effect = 'write' and new.state = 'intended'
        and (old.state = 'pending' or new.intended_at is distinct from old.intended_at)
    then
        refusal := releases_floor(new.deployment_id);
        if refusal is not null then
            raise exception 'floor: deployment % may not write: %', new.deployment_id, refusal
                using errcode = 'P0F02';
        end if;
    elsif new.effect = 'write' and old.state = 'pending' and new.state = 'succeeded' then
        raise exception 'step: a write is intended first' using errcode = 'P0F01';
    end if;
    return new;
end $$;
create trigger guard_step before insert or update on releases_step
    for each row execute function releases_guard_step();
alter table releases_step enable always trigger guard_step;
