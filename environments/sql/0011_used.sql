-- When the approval of a lifted freeze, of a policy's assignment and of a sandbox's copy is used.

-- The freeze was lifted, or ends when that question wanted it to.
create function gatehouse_used_freeze_lift(asked governance_approvalrequest) returns boolean
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
    select exists (
        select from environments_freezelift l join environments_freeze f on f.id = l.freeze_id
        where l.freeze_id = asked.subject_id and l.digest = asked.digest
          and case when l.wanted_end is null then f.lifted_at is not null
                   else f.ends_at = l.wanted_end end)
$$;
create function gatehouse_used_policy_assignment(asked governance_approvalrequest) returns boolean
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
    select exists (select from environments_policyassignment a
                   where a.id = asked.subject_id and a.state = 'applied')
$$;
-- The platform took the order, which cannot be called back; only a deploy worker writes that.
create function gatehouse_used_sandbox_request(asked governance_approvalrequest) returns boolean
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
    select exists (select from environments_sandboxrequest r
                   where r.id = asked.subject_id and r.digest = asked.digest
                     and r.started_at is not null)
$$;
revoke execute on function gatehouse_used_freeze_lift(governance_approvalrequest),
    gatehouse_used_policy_assignment(governance_approvalrequest),
    gatehouse_used_sandbox_request(governance_approvalrequest) from public;
