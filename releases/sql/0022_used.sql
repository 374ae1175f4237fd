-- The approval of a release, or of an emergency, is used when a deployment under it has succeeded.
create function gatehouse_used_release(asked governance_approvalrequest) returns boolean
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$
    select exists (
        select from releases_deployment d
        where d.approval_id = asked.id and d.purpose = 'release' and d.state = 'succeeded')
$$;
create function gatehouse_used_break_glass(asked governance_approvalrequest) returns boolean
    language sql stable security definer set search_path = pg_catalog, public, pg_temp
    as $$ select gatehouse_used_release(asked) $$;
revoke execute on function gatehouse_used_release(governance_approvalrequest),
    gatehouse_used_break_glass(governance_approvalrequest) from public;
