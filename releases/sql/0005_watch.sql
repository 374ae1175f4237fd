-- Changes of releases and deployments past the application are recorded by the database
-- (governance/sql/0003_watch.sql). Counters and notes of running work are left out.
select governance_watch('releases_release', 'R-', array['state', 'version', 'change_class',
    'artefact_id', 'base_snapshot_id', 'restores_id', 'not_before', 'not_after', 'deployed_at']);
select governance_watch('releases_releaseitem', 'releaseitem:',
    array['release_id', 'candidate_id', 'removed_at']);
select governance_watch('releases_candidate', 'C-', array['state', 'sha', 'artefact_id']);
select governance_watch('releases_deployment', 'D-', array['state', 'artefact_id',
    'environment_id', 'subject_digest', 'approval_id', 'policy_version_id', 'settle_outcome']);
select governance_watch('releases_step', 'step:', array['state', 'effect', 'kind', 'remote_id']);
select governance_watch('releases_breakglass', 'G-', array['release_id', 'request_id', 'used_at',
    'review_due_at', 'reviewed_at', 'reviewed_by_id']);
