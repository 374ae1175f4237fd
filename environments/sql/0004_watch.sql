-- Changes of environments and credentials past the application are recorded by the database
-- (governance/sql/0003_watch.sql). What workers see in an org at every look is left out.
select governance_watch('environments_environment', 'E-', array['name', 'track_id', 'stage', 'kind',
    'licence_type', 'login_host', 'expected_organization_id', 'policy_id', 'api_version',
    'retired_at', 'organization_id', 'is_sandbox', 'holds_digest', 'holds_ref', 'hold_state']);
select governance_watch('environments_credential', 'E-',
    array['flow', 'purpose', 'key_id', 'ciphertext', 'client_id', 'username'], 'environment_id');
select governance_watch('environments_freeze', 'F-', array['kind', 'scope', 'track_id',
    'environment_id', 'team_id', 'starts_at', 'ends_at', 'every', 'step', 'last_day', 'zone',
    'lifted_at']);
select governance_watch('environments_freezelift', 'freezelift:',
    array['freeze_id', 'wanted_end', 'requested_by_id']);
