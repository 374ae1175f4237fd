-- Changes of releases past the application that nobody told (governance/sql/0003_watch.sql).
select governance_watch('releases_repository', 'repository:', array['team_id', 'url',
    'main_branch', 'access', 'credential_ciphertext', 'webhook_generation']);
select governance_watch('releases_checkresult', 'checkresult:', array['result', 'name', 'sha']);
select governance_watch('releases_runbookitem', 'runbookitem:', array['release_id', 'text', 'phase',
    'owner_id', 'critical', 'removed_at', 'rehearsed_at', 'done_at']);
