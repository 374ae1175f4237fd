-- Since when a person holds a role (in a team, or in any team when that is null); null when not.
-- The floor under the gate and the guard of decisions both ask this one function.
create function governance_role_since(person bigint, wanted text, in_team bigint)
    returns timestamptz
    language sql volatile set search_path = pg_catalog, public
    as $$
    select min(m.granted_at) from governance_membership m
    where m.user_id = person and m.role = wanted and m.revoked_at is null
      and (in_team is null or m.team_id = in_team)
$$;
