-- Shared functions. All belong to the owner; nobody else may replace them.

-- The clock of every decision. A function and not now(), so that tests can replace it as owner;
-- clock_timestamp(), because an expiry must also be seen in the middle of a transaction.
create function gatehouse_now() returns timestamptz
    language sql volatile set search_path = pg_catalog, pg_temp
    as $$ select clock_timestamp() $$;
grant execute on function gatehouse_now()
    to gatehouse_web, gatehouse_build, gatehouse_deploy, gatehouse_ticker;

-- Trigger function of append-only tables.
create function gatehouse_refuse_change() returns trigger
    language plpgsql set search_path = pg_catalog, pg_temp
    as $$
begin
    raise exception 'append_only: % on % is refused', tg_op, tg_table_name
        using errcode = 'P0A01', hint = 'Rows of this table are never changed or removed.';
end $$;

-- Puts the three guards on a table: per row, per statement (an UPDATE that meets no row must not
-- pass unseen) and TRUNCATE. ENABLE ALWAYS: session_replication_role = replica does not lift them.
create function gatehouse_make_append_only(target regclass) returns void
    language plpgsql set search_path = pg_catalog, pg_temp
    as $$
begin
    execute format('create trigger append_only_row before update or delete on %s '
                   'for each row execute function public.gatehouse_refuse_change()', target);
    execute format('create trigger append_only_statement before update or delete on %s '
                   'for each statement execute function public.gatehouse_refuse_change()', target);
    execute format('create trigger append_only_truncate before truncate on %s '
                   'for each statement execute function public.gatehouse_refuse_change()', target);
    execute format('alter table %s enable always trigger append_only_row', target);
    execute format('alter table %s enable always trigger append_only_statement', target);
    execute format('alter table %s enable always trigger append_only_truncate', target);
end $$;
revoke execute on function gatehouse_make_append_only(regclass) from public;

-- Reading one field of a stored JSON text. Immutable: generated columns are built from it. A body
-- that is read when the function is made needs no search path, and so is inlined where it is used.
create function gatehouse_json_text(body text, variadic path text[]) returns text
    language sql immutable parallel safe
    return body::jsonb #>> path;
create function gatehouse_json_bigint(body text, variadic path text[]) returns bigint
    language sql immutable parallel safe
    return (body::jsonb #>> path)::bigint;
-- Immutable although the cast is not: the text always carries its offset (Z).
create function gatehouse_json_moment(body text, variadic path text[]) returns timestamptz
    language sql immutable parallel safe set search_path = pg_catalog, pg_temp set timezone = 'UTC'
    as $$ select (body::jsonb #>> path)::timestamptz $$;
create function gatehouse_json_texts(body text, variadic path text[]) returns text[]
    language sql immutable parallel safe set search_path = pg_catalog, pg_temp
    as $$ select coalesce(array_agg(item order by place), '{}')
          from jsonb_array_elements_text(coalesce(body::jsonb #> path, '[]'))
               with ordinality as listed(item, place) $$;
grant execute on function gatehouse_json_text(text, text[]), gatehouse_json_bigint(text, text[]),
    gatehouse_json_moment(text, text[]), gatehouse_json_texts(text, text[])
    to gatehouse_web, gatehouse_build, gatehouse_deploy, gatehouse_ticker;
