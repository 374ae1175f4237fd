-- An order to the platform is under way from the intention until the platform has taken it or not.
create function gatehouse_under_way_sandbox_request(asked governance_approvalrequest)
    returns boolean
    language sql volatile security definer set search_path = pg_catalog, public, pg_temp
    as $$
    select exists (select from environments_sandboxrequest r
                   where r.id = asked.subject_id and r.digest = asked.digest
                     and r.state in ('starting', 'unknown'))
$$;
revoke execute on function gatehouse_under_way_sandbox_request(governance_approvalrequest)
    from public;
