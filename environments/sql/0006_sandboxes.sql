-- Guards of requests about sandboxes. ENABLE ALWAYS keeps them standing under
-- session_replication_role = replica. That people have agreed is guarded by 0008_refresh.sql.
-- Errors: P0E01 written by the wrong hand, P0E02 a fixed column or a forbidden move.

create function environments_guard_sandbox_request() returns trigger
    language plpgsql set search_path = pg_catalog, public, pg_temp
    as $$
declare
    is_worker boolean :=
        has_column_privilege('public.environments_sandboxrequest', 'intended_at', 'UPDATE');
begin
    if tg_op = 'INSERT' then
        if new.state <> 'asked'
           or (new.info_id, new.known_copy_id, new.copy_id, new.new_organization_id, new.progress)
              is distinct from ('', '', '', '', 0)
           or coalesce(new.intended_at, new.started_at, new.finished_at) is not null
        then
            raise exception 'sandbox request: born %', new.state using errcode = 'P0E01';
        end if;
        return new;
    end if;
    if tg_op <> 'UPDATE' then
        raise exception 'sandbox request: it is never removed' using errcode = 'P0E02';
    end if;
    if (new.id, new.uuid, new.created_at, new.production_id, new.action, new.name,
        new.licence_type, new.sandbox_id, new.environment_id, new.team_id, new.source_id,
        new.template_id, new.apex_class_id, new.auto_activate, new.start, new.not_before,
        new.reason, new.shown, new.digest, new.needs_nobody, new.requested_by_id)
       is distinct from
       (old.id, old.uuid, old.created_at, old.production_id, old.action, old.name,
        old.licence_type, old.sandbox_id, old.environment_id, old.team_id, old.source_id,
        old.template_id, old.apex_class_id, old.auto_activate, old.start, old.not_before,
        old.reason, old.shown, old.digest, old.needs_nobody, old.requested_by_id)
    then
        raise exception 'sandbox request: what was asked never changes' using errcode = 'P0E02';
    end if;
    if old.intended_at is not null and new.state = 'starting' and old.state = 'starting'
       and new.intended_at is distinct from old.intended_at
    then
        raise exception 'sandbox request: it is started once' using errcode = 'P0E02';
    end if;
    if new.state = old.state then
        return new;
    end if;
    if not is_worker and new.state not in
        ('asked', 'approved', 'rejected', 'withdrawn', 'lapsed')
    then
        raise exception 'sandbox request: only a deploy worker makes it %', new.state
            using errcode = 'P0E01';
    end if;
    if new.state = 'starting' and new.intended_at is null then
        raise exception 'sandbox request: started without an intention' using errcode = 'P0E02';
    end if;
    return new;
end $$;
create trigger guard_sandbox_request before insert or update or delete
    on environments_sandboxrequest
    for each row execute function environments_guard_sandbox_request();
alter table environments_sandboxrequest enable always trigger guard_sandbox_request;
create trigger guard_sandbox_request_truncate before truncate on environments_sandboxrequest
    for each statement execute function environments_guard_sandbox_request();
alter table environments_sandboxrequest enable always trigger guard_sandbox_request_truncate;
select gatehouse_make_machine('environments_sandboxrequest', 'asked', '{
    "asked": ["approved", "rejected", "withdrawn", "lapsed"],
    "approved": ["asked", "starting", "failed", "rejected", "withdrawn", "lapsed"],
    "starting": ["approved", "copying", "unknown", "failed"],
    "unknown": ["copying", "failed"],
    "copying": ["to_activate", "activating", "unknown", "reconnect", "done", "failed"],
    "to_activate": ["activating", "unknown", "reconnect", "done", "failed"],
    "activating": ["to_activate", "unknown", "reconnect", "done", "failed"],
    "reconnect": ["done"],
    "done": [], "failed": [], "rejected": [], "withdrawn": [], "lapsed": []}');

-- A refreshed or deleted sandbox is another organisation, or none: in the statement that says so
-- its environment loses its credential and everything that was seen, and is used by nobody until
-- somebody has connected it anew. SECURITY DEFINER: nobody but the owner may delete a credential.
create function environments_forget_copied() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp
    as $$
begin
    update environments_environment
       set organization_id = null, is_sandbox = null, organization_name = '',
           organization_type = '', instance_url = '', instance_name = '',
           newest_api_version = '', limits = '{}', checked_at = null,
           check_requested_at = null,
           connection = 'reconnect',
           connection_code = case new.action when 'delete' then 'sandbox.deleted'
                                             else 'sandbox.reconnect' end,
           connection_message = case new.action
               when 'delete' then 'Its sandbox was deleted, so there is no org behind it. '
                   'Retire it, or ask for a new sandbox and connect that.'
               else 'Its sandbox was refreshed and is another organisation now. Nothing is sent '
                    'to it until it is connected anew.' end,
           holds_digest = '', holds_label = '', holds_ref = '', holds_since = null,
           hold_state = 'empty', hold_note = ''
     where id = new.environment_id;
    delete from environments_credential where environment_id = new.environment_id;
    return null;
end $$;
revoke execute on function environments_forget_copied() from public;
create trigger forget_copied after update on environments_sandboxrequest
    for each row
    when (new.environment_id is not null and new.state <> old.state
          and (new.state = 'reconnect' or (new.state = 'done' and new.action = 'delete')))
    execute function environments_forget_copied();
alter table environments_sandboxrequest enable always trigger forget_copied;

-- What workers see of a copy at every look (copy_id, status, progress) is left out.
select governance_watch('environments_sandboxrequest', 'Q-', array['state', 'settle_wish',
    'intended_at', 'info_id', 'new_organization_id']);
select governance_watch('environments_sandbox', 'sandbox:', array['environment_id'], 'id');
select governance_watch('environments_sandboxlicence', 'sandboxlicence:', array['total']);
