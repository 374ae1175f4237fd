-- The rows that came after 0002: what a runbook, a break-glass and a rollback bind.

create trigger void_approval_of_restored after update on releases_release
    for each row when (new.restores_id is distinct from old.restores_id)
    execute function releases_void_of_release();
alter table releases_release enable always trigger void_approval_of_restored;

create trigger void_approval_of_new after insert on releases_runbookitem
    for each row execute function releases_void_of_item();
create trigger void_approval after update on releases_runbookitem
    for each row
    when ((new.release_id, new.text, new.phase, new.owner_id, new.critical, new.removed_at)
          is distinct from
          (old.release_id, old.text, old.phase, old.owner_id, old.critical, old.removed_at))
    execute function releases_void_of_item();
alter table releases_runbookitem enable always trigger void_approval;
alter table releases_runbookitem enable always trigger void_approval_of_new;

create trigger void_approval_of_new after insert on releases_breakglass
    for each row execute function releases_void_of_item();
create trigger void_approval after update on releases_breakglass
    for each row
    when ((new.release_id, new.reason, new.incident) is distinct from
          (old.release_id, old.reason, old.incident))
    execute function releases_void_of_item();
alter table releases_breakglass enable always trigger void_approval;
alter table releases_breakglass enable always trigger void_approval_of_new;

select gatehouse_make_lasting('releases_runbookitem');
select gatehouse_make_lasting('releases_breakglass');
select gatehouse_make_lasting('releases_evidencepack');
select gatehouse_make_append_only('releases_checkresult');
select gatehouse_make_machine('releases_evidencepack', 'queued', '{
    "queued": ["making", "failed"],
    "making": ["ready", "failed"],
    "ready": [], "failed": []}');
