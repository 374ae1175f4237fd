-- The tests that a deployment runs: what is proposed never changes once people are asked, what
-- people chose voids what was decided on anything else, and no write runs fewer than the policy in
-- force asks. ENABLE ALWAYS. Errors: P0R01 a fixed column changed, P0F02 the floor.

-- ── What is proposed ─────────────────────────────────────────────────────────────────────────────
select gatehouse_make_append_only('releases_knowntest');
create trigger guard_shown after insert on releases_knowntest
    referencing new table as added for each statement when (not governance_is_owner())
    execute function releases_guard_shown();
alter table releases_knowntest enable always trigger guard_shown;

-- ── What people chose ────────────────────────────────────────────────────────────────────────────
create trigger void_approval_of_tests after update on releases_release
    for each row
    when ((new.test_level, new.tests_added, new.tests_removed) is distinct from
          (old.test_level, old.tests_added, old.tests_removed))
    execute function releases_void_of_release();
alter table releases_release enable always trigger void_approval_of_tests;

create function releases_guard_tests() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    raise exception 'release: it was deployed, and the tests it ran stay' using errcode = 'P0R01';
end $$;
create trigger guard_tests before update on releases_release
    for each row
    when (old.deployed_at is not null
          and (new.test_level, new.tests_added, new.tests_removed) is distinct from
              (old.test_level, old.tests_added, old.tests_removed))
    execute function releases_guard_tests();
alter table releases_release enable always trigger guard_tests;

create constraint trigger watch_update_of_tests after update on releases_release
    deferrable initially deferred for each row
    when ((new.test_level, new.tests_added, new.tests_removed) is distinct from
          (old.test_level, old.tests_added, old.tests_removed))
    execute function governance_record_change('R-', 'id');
alter table releases_release enable always trigger watch_update_of_tests;

-- ── Never fewer than the policy asks ─────────────────────────────────────────────────────────────
-- The levels from weakest to strongest (governance/rules/policy.py); an unknown one is none.
create function releases_test_rank(level text) returns integer
    language sql immutable set search_path = pg_catalog, pg_temp
    as $$
    select coalesce(array_position(
        array['NoTestRun', 'RunSpecifiedTests', 'RunLocalTests', 'RunAllTestsInOrg'], level), 0)
$$;

-- Why a deployment's tests do not do stands in 0018_compositions.sql, which knows the composition.
create function releases_guard_tests_of_step() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    refusal text := releases_tests_short(new.deployment_id);
begin
    if refusal is not null then
        raise exception 'floor: deployment % may not write: %', new.deployment_id, refusal
            using errcode = 'P0F02';
    end if;
    return new;
end $$;
revoke execute on function releases_guard_tests_of_step() from public;
-- Sorts behind guard_step, which holds the policy's row, and is asked whenever that asks the floor.
create trigger guard_tests before update on releases_step
    for each row
    when (new.effect = 'write' and new.state = 'intended'
          and (old.state = 'pending' or new.intended_at is distinct from old.intended_at))
    execute function releases_guard_tests_of_step();
alter table releases_step enable always trigger guard_tests;
