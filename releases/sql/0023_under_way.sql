-- A deployment is under way from its intent to write until somebody knows how it ended.
create function gatehouse_under_way_release(asked governance_approvalrequest) returns boolean
    language sql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
    select exists (
        select from releases_deployment d
        join releases_step s on s.deployment_id = d.id
        where d.approval_id = asked.id and d.state in ('running', 'unknown')
          and s.effect = 'write' and s.state <> 'pending')
$$;
create function gatehouse_under_way_break_glass(asked governance_approvalrequest) returns boolean
    language sql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$ select gatehouse_under_way_release(asked) $$;
revoke execute on function gatehouse_under_way_release(governance_approvalrequest),
    gatehouse_under_way_break_glass(governance_approvalrequest) from public;
