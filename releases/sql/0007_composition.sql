-- What people decided between candidates: bound by the approval, and never changed.
create trigger void_approval_of_new after insert on releases_resolution
    for each row execute function releases_void_of_item();
alter table releases_resolution enable always trigger void_approval_of_new;

select gatehouse_make_append_only('releases_resolution');
select gatehouse_make_append_only('releases_dependency');
select gatehouse_make_lasting('releases_componentconflict');
select governance_watch('releases_resolution', 'resolution:',
    array['release_id', 'type', 'name', 'conflict_digest', 'pick', 'made_by_id']);
