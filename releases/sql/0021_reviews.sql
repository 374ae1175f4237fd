-- A review says what a person found when a release had run: one row each, never changed.
select gatehouse_make_append_only('releases_releasereview');
select governance_watch('releases_releasereview', 'releasereview:',
    array['release_id', 'outcome', 'review', 'incidents', 'reviewed_by_id']);
