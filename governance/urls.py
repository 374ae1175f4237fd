"""Addresses of people, teams, policies and history."""

from __future__ import annotations

from django.urls import path

from governance.views import (
    access,
    accounts,
    approvals,
    board,
    chain,
    history,
    own_access,
    people,
    policies,
    services,
    teams,
)

app_name = "governance"

urlpatterns = [
    path("sign-in/", accounts.sign_in, name="sign_in"),
    path("sign-in/code/", accounts.sign_in_code, name="sign_in_code"),
    path("forgotten/", accounts.forgotten, name="forgotten"),
    path("sign-out/", accounts.sign_out, name="sign_out"),
    path("found/<str:token>/", accounts.join, name="join"),
    path("account/", accounts.account, name="account"),
    path("account/password/", accounts.change_password, name="password"),
    path("account/prove/", own_access.prove, name="prove"),
    path("account/second-factor/", own_access.second_factor, name="second_factor"),
    path(
        "account/second-factor/remove/",
        own_access.second_factor_remove,
        name="second_factor_remove",
    ),
    path("account/recovery-codes/", own_access.recovery_codes, name="recovery_codes"),
    path("account/email/", own_access.email, name="own_email"),
    path("account/sessions/end/", own_access.end_sessions, name="sessions_end"),
    path("account/standing-in/new/", own_access.delegation_new, name="delegation_new"),
    path("account/standing-in/<int:pk>/end/", own_access.delegation_end, name="delegation_end"),
    path("service-accounts/", services.index, name="services"),
    path("service-accounts/new/", services.new, name="service_new"),
    path("service-accounts/<int:pk>/", services.detail, name="service"),
    path("service-accounts/<int:pk>/close/", services.close, name="service_close"),
    path(
        "service-accounts/<int:pk>/tokens/<int:token_id>/revoke/",
        services.revoke,
        name="token_revoke",
    ),
    path("people/access/", access.index, name="access"),
    path("teams/", teams.index, name="teams"),
    path("teams/new/", teams.new, name="team_new"),
    path("teams/<slug:slug>/", teams.detail, name="team"),
    path("teams/<slug:slug>/rename/", teams.rename, name="team_rename"),
    path("teams/<slug:slug>/retire/", teams.retire, name="team_retire"),
    path("teams/<slug:slug>/members/add/", teams.add_member, name="member_add"),
    path(
        "teams/<slug:slug>/members/<int:membership_id>/revoke/", teams.revoke, name="member_revoke"
    ),
    path("people/", people.index, name="people"),
    path("people/invite/", people.invite, name="invite"),
    path("people/match/", people.match, name="match"),
    path("people/<int:pk>/", people.detail, name="person"),
    path("people/matters/<int:pk>/", board.matter, name="matter"),
    path("people/matters/<int:pk>/decide/", board.decide, name="matter_decide"),
    path("people/matters/<int:pk>/take-back/", board.take_back, name="matter_take_back"),
    path("people/matters/<int:pk>/stop/", board.stop, name="matter_stop"),
    path("people/<int:pk>/seat/", board.ask_seat, name="seat_ask"),
    path("people/<int:pk>/reset/", board.reset, name="person_reset"),
    path("people/<int:pk>/invite/", people.invite_again, name="invite_again"),
    path("people/<int:pk>/close/", people.deactivate, name="deactivate"),
    path("people/<int:pk>/reopen/", people.reactivate, name="reactivate"),
    path("people/<int:pk>/addresses/<int:identity_id>/end/", people.end_match, name="end_match"),
    path("policies/", policies.index, name="policies"),
    path("policies/new/", policies.new, name="policy_new"),
    path("policies/confirm/", policies.confirm, name="confirm_policies"),
    path("policies/<ref_P:pk>/", policies.detail, name="policy"),
    path("policies/<ref_P:pk>/propose/", policies.propose, name="policy_propose"),
    path(
        "policies/<ref_P:pk>/proposals/<int:proposal_id>/withdraw/",
        policies.withdraw,
        name="policy_withdraw",
    ),
    path("approvals/<ref_A:pk>/", approvals.detail, name="approval"),
    path("history/", history.index, name="history"),
    path("history/chain/", chain.index, name="chain"),
    path("history/chain/verify/", chain.verify, name="chain_verify"),
    path("history/chain/checkpoint/", chain.checkpoint, name="chain_checkpoint"),
    path("history/history.jsonl", history.as_jsonl, name="history_jsonl"),
    path("history/history.csv", history.as_csv, name="history_csv"),
    path("history/<ref_H:pk>/", history.detail, name="event"),
]
