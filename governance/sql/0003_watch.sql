-- Changes behind the application's back.
--
-- A row of a watched table that changes in a transaction without an event of its own is recorded by
-- the database itself, at commit, as "database.changed" in the name of the login. The application
-- records every change it makes, so there this trigger finds an event and does nothing.
-- Arguments of the trigger: prefix of the row's name in history, column with its number.

create function governance_record_change() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    before jsonb := case when tg_op = 'INSERT' then null else to_jsonb(old) end;
    after jsonb := case when tg_op = 'DELETE' then null else to_jsonb(new) end;
    line jsonb := coalesce(after, before);
    number text := line ->> tg_argv[1];
    ref text := tg_argv[0] || number;
    changed text[];
    described text;
    related text[] := array[ref];
begin
    -- recorded_at: transaction numbers start again when a dump is restored elsewhere.
    if exists (select 1 from governance_auditevent v
               where v.tx = pg_current_xact_id() and v.recorded_at >= transaction_timestamp()
                 and v.event <> 'database.changed') then
        return null;
    end if;
    select coalesce(array_agg(key order by key), '{}') into changed
        from jsonb_each(line) where tg_op = 'UPDATE' and before -> key is distinct from after -> key;
    described := case when tg_op = 'UPDATE' then array_to_string(changed, ', ') else 'a row' end;
    if line ? 'user_id' then
        related := related || ('user:' || (line ->> 'user_id'));
    end if;
    if line ? 'policy_id' and line ->> 'policy_id' is not null then
        related := related || ('P-' || (line ->> 'policy_id'));
    end if;
    insert into governance_auditevent (body) values (format(
        '{"actor":{"id":null,"kind":"system","name":%s},"at":%s,"event":"database.changed",'
        '"facts":{"application":%s,"columns":%s,"login":%s,"operation":%s,"row":%s,"table":%s},'
        '"origin":{"via":"database"},"related":%s,"request":null,"sentence":%s,'
        '"subject":{"id":%s,"kind":%s,"label":%s,"ref":%s},"team":null,"v":1}',
        to_json('the login ' || session_user),
        to_json(to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')),
        to_json(current_setting('application_name')),
        to_json(described),
        to_json(session_user::text),
        to_json(lower(tg_op)),
        to_json(number),
        to_json(tg_table_name::text),
        to_json(related),
        to_json(format('The login %s changed %s past Gatehouse (%s of %s in %s)', session_user, ref,
                       lower(tg_op), described, tg_table_name)),
        case when number ~ '^[0-9]+$' then number else 'null' end,
        to_json(tg_table_name::text),
        to_json(ref),
        to_json(ref)));
    return null;
end $$;

-- Watches inserts and deletes, and updates that alter one of the columns.
create function governance_watch(target regclass, prefix text, columns text[],
                                 number_column text default 'id')
    returns void
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
declare
    old_values text;
    new_values text;
    event text;
begin
    select string_agg(format('old.%I', c), ', '), string_agg(format('new.%I', c), ', ')
        into old_values, new_values from unnest(columns) c;
    foreach event in array array['insert', 'update', 'delete'] loop
        execute format(
            'create constraint trigger watch_%1$s after %1$s on %2$s '
            'deferrable initially deferred for each row %3$s '
            'execute function public.governance_record_change(%4$L, %5$L)',
            event, target,
            case when event = 'update'
                 then format('when ((%s) is distinct from (%s))', old_values, new_values) end,
            prefix, number_column);
        execute format('alter table %s enable always trigger watch_%s', target, event);
    end loop;
end $$;
revoke execute on function governance_watch(regclass, text, text[], text) from public;

select governance_watch('governance_policy', 'P-', array['name']);
select governance_watch('governance_policyversion', 'policyversion:',
    array['policy_id', 'number', 'body', 'digest', 'published_at', 'proposed_by_id', 'confirmed_by_id']);
select governance_watch('governance_membership', 'membership:',
    array['user_id', 'team_id', 'role', 'granted_by_id', 'granted_at', 'revoked_by_id', 'revoked_at']);
select governance_watch('governance_approvalrequest', 'A-', array['state', 'closed_at', 'note',
    'subject_kind', 'subject_id', 'digest', 'policy_version_id', 'requester_id', 'expires_at']);
select governance_watch('governance_decision', 'decision:',
    array['request_id', 'person_id', 'digest', 'verdict', 'role', 'decided_at']);
select governance_watch('governance_withdrawal', 'withdrawal:', array['at', 'reason'], 'decision_id');
select governance_watch('governance_exclusion', 'exclusion:', array['request_id', 'user_id']);
select governance_watch('governance_user', 'user:',
    array['email', 'full_name', 'is_active', 'kind', 'zone']);
select governance_watch('governance_password', 'user:', array['hash'], 'user_id');
select governance_watch('governance_team', 'team:',
    array['slug', 'name', 'owns_production', 'retired_at'], 'slug');
select governance_watch('governance_gitidentity', 'gitidentity:',
    array['email', 'user_id', 'ended_at']);
select governance_watch('governance_auditdetail', 'H-', array['event_id'], 'event_id');
