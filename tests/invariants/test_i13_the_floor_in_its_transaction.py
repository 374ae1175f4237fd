"""I-13: the floor counts what others have just committed, in the transaction of the intent."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import IsolationLevel

from tests.invariants.test_i09_cover_under_races import INTENT, Login, state_of
from tests.support.attacks import drop
from tests.support.company import Company
from tests.support.cover import asked, execute
from tests.support.databases import as_role, role_connection
from tests.support.moves import reach

BIND = "UPDATE releases_deployment SET approval_id = %s WHERE id = %s"


@pytest.mark.parametrize("level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE])
def test_i13_the_floor_refuses_to_count_in_an_old_picture(
    committed: Company, level: IsolationLevel
) -> None:
    case = asked(committed, "ana", "ben")
    with role_connection("deploy") as deploy:
        deploy.isolation_level = level
        with pytest.raises(psycopg.Error, match="only READ COMMITTED sees what others"):
            deploy.execute(INTENT, [case.write.pk])
        deploy.rollback()
        deploy.isolation_level = IsolationLevel.READ_COMMITTED
        deploy.execute(INTENT, [case.write.pk])
        deploy.rollback()
    assert state_of(case.write) == "pending"


def test_i13_a_request_that_is_bound_while_the_floor_reads_is_no_cover_yet(
    committed: Company,
) -> None:
    """The floor locks the request before the deployment; this one it could not know to lock."""
    case = asked(committed, "ana", "ben", run=False)
    drop("releases_deployment", "guard_deployment")
    execute("owner", BIND, None, case.deployment.pk)
    with as_role("deploy"):
        reach(case.deployment, "running")
    with role_connection("web") as web, role_connection("deploy") as deploy:
        binding, intending = Login(web), Login(deploy)
        assert binding.begin(BIND, case.request.pk, case.deployment.pk)
        assert not intending.begin(INTENT, case.write.pk), "the intent waits for the binding"
        assert binding.finish() == ""
        assert intending.finish() == "P0F02"
        assert "it is bound to a request just now" in str(intending.error)
    with role_connection("deploy") as deploy:
        deploy.execute(INTENT, [case.write.pk])
    assert state_of(case.write) == "intended"
