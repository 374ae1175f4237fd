-- The chain over the history. Errors: P0A02 isolation, P0A03 too many events, P0A04 details.
--
-- An event of a transaction is linked when that transaction commits, in two hops. Hop 1, deferred,
-- only leaves a row; hop 2, deferred on that row, is queued behind every other deferred trigger of
-- the transaction (Django's foreign keys among them), takes the chain's lock and links. With one
-- hop a foreign key check waited for another transaction while holding the chain: a deadlock.
-- Therefore no other deferred trigger may queue a further one that locks rows of others.

insert into governance_installation (id, uuid) values (1, gen_random_uuid());

select gatehouse_make_append_only('governance_installation');
select gatehouse_make_append_only('governance_auditlink');
select gatehouse_make_append_only('governance_checkpoint');
select gatehouse_make_append_only('governance_checkpointcopy');
select gatehouse_make_append_only('governance_verification');
select gatehouse_make_append_only('governance_guardmanifest');

-- By transaction: hop 2 and the watch below ask for the events of their own.
create index audit_by_transaction on governance_auditevent (tx);

create function governance_chain_hop1() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    -- Elsewhere the end of the chain would be read from an old snapshot.
    if current_setting('transaction_isolation') <> 'read committed' then
        raise exception 'history: events are written under READ COMMITTED, not under %',
            upper(current_setting('transaction_isolation')) using errcode = 'P0A02';
    end if;
    insert into governance_auditcommit (tx) values (pg_current_xact_id()::text::bigint)
        on conflict do nothing;
    return null;
end $$;

create function governance_chain_hop2() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
declare
    ids bigint[];
    digests bytea[];
    last_position bigint;
    last_hash bytea;
begin
    -- "Without a link" and not "of this row": after SET CONSTRAINTS a transaction comes twice.
    select array_agg(v.id order by v.id),
           array_agg(sha256(convert_to(v.body, 'UTF8')) order by v.id)
        into ids, digests
        from governance_auditevent v
        where v.tx = new.tx::text::xid8
          and not exists (select 1 from governance_auditlink k where k.event_id = v.id);
    -- The chain is held while it is written: one transaction must not keep all others waiting.
    if cardinality(ids) > 10000 then
        raise exception 'history: more than 10000 events in one transaction'
            using errcode = 'P0A03', hint = 'Commit in smaller portions.';
    end if;
    delete from governance_auditcommit where tx = new.tx;
    perform pg_advisory_xact_lock(7004, 1);
    -- A new statement: under READ COMMITTED it sees what the former holder of the lock committed.
    select position, hash into last_position, last_hash
        from governance_auditlink order by position desc limit 1;
    if not found then
        last_position := 0;
        last_hash := decode(repeat('00', 32), 'hex');
    end if;
    for place in 1 .. coalesce(cardinality(ids), 0) loop
        last_position := last_position + 1;
        insert into governance_auditlink (position, event_id, previous, hash)
            values (last_position, ids[place], last_hash,
                    sha256(last_hash || int8send(last_position) || int8send(ids[place])
                           || digests[place]))
            returning hash into last_hash;
    end loop;
    return null;
end $$;

create constraint trigger chain_hop1 after insert on governance_auditevent
    deferrable initially deferred for each row execute function governance_chain_hop1();
alter table governance_auditevent enable always trigger chain_hop1;
create constraint trigger chain_hop2 after insert on governance_auditcommit
    deferrable initially deferred for each row execute function governance_chain_hop2();
alter table governance_auditcommit enable always trigger chain_hop2;

-- ── Personal details ─────────────────────────────────────────────────────────────────────────────
-- They may be erased (by the owner), never altered.
create function governance_refuse_other_details() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
begin
    raise exception 'details: % is refused; a row may only be erased', tg_op using errcode = 'P0A04';
end $$;
create trigger only_erase before update on governance_auditdetail
    for each statement execute function governance_refuse_other_details();
alter table governance_auditdetail enable always trigger only_erase;
create trigger never_truncate before truncate on governance_auditdetail
    for each statement execute function governance_refuse_other_details();
alter table governance_auditdetail enable always trigger never_truncate;
