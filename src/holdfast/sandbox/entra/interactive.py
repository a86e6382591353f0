"""A person at the sign-in page: password, second factor, terms of use, and what policies say to all that."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from holdfast.sandbox.entra import errors as say
from holdfast.sandbox.entra.administration import change_password
from holdfast.sandbox.entra.audits import note_account
from holdfast.sandbox.entra.conditional_access import Person, Unmet, policy_results, unmet_demands
from holdfast.sandbox.entra.errors import TokenError
from holdfast.sandbox.entra.judgement import refusals_of_assignment
from holdfast.sandbox.entra.policy_conditions import Circumstances
from holdfast.sandbox.entra.sign_ins import Attempt, note_user
from holdfast.sandbox.frame import Deed
from holdfast.sandbox.ready import password_text
from holdfast.sandbox.records.directory import Account, Application
from holdfast.sandbox.records.tokens import RefreshToken
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.world import World

REGISTERS_ON_DEMAND = Rule(
    "second_factor_is_registered_on_demand",
    "A person who is asked for a second factor and has none registers one on the spot.",
    Mark.DOCUMENTED,
    "entra-docs howto-registration-mfa-sspr-combined; AADSTS50072 and 50079 say so",
)
SMART_LOCKOUT = Rule(
    "ten_wrong_passwords_lock_for_a_minute",
    "After ten wrong passwords at the sign-in page the account is locked for a minute (AADSTS50053), also for the right "
    "one; what was signed in before is refreshed all the same.",
    Mark.DOCUMENTED,
    "entra-docs howto-password-smart-lockout; that refreshes go on is inferred: they carry no password",
)
RULES = (REGISTERS_ON_DEMAND, SMART_LOCKOUT)

LOCKOUT_AFTER = 10
LOCKOUT = timedelta(minutes=1)


class Answers(NamedTuple):
    """What the person gave. `device` is "none", "compliant" or "joined"."""

    username: str = ""
    password: str = ""
    gives_second_factor: bool = False
    accepts_terms: bool = False
    changes_password: bool = False
    device: str = "none"


class Proven(NamedTuple):
    """Who signed in, and how he proved it."""

    account: Account
    methods: list[str]


class SignInRefusedError(Exception):
    """The page comes again; `wants` names the answer that would help, None if none would."""

    def __init__(self, error: TokenError, wants: str | None = None) -> None:
        super().__init__(error.code)
        self.error = error
        self.wants = wants


def prove(world: World, now: datetime, answers: Answers, client_id: str, resource_id: str) -> Proven:
    """The person, if all that is asked of him is given; the attempt is logged either way.

    Raises:
        SignInRefusedError: it is not; or nobody of that name and password is here.
    """
    account = _named(world, answers)
    how = Circumstances(
        client_id, resource_id, account.ip_address, "browser", answers.device, is_interactive=True
    )
    methods = ["pwd", "mfa"] if answers.gives_second_factor else ["pwd"]
    person = Person(account, methods, now, is_confidential=False)
    rows = policy_results(world, person, how, now)
    attempt = Attempt(client_id, resource_id, world.fresh("correlation"), account.ip_address, policies=rows)
    try:
        _check_password(world, now, account, answers.password)
        _check_state(world, now, account, answers)
        _check_demands(world, now, person, how, answers)
    except SignInRefusedError as refused:
        note_user(world, now, attempt, account, refused.error, interactive=True)
        raise
    note_user(world, now, attempt, account, None, interactive=True)
    return Proven(account, methods)


def _named(world: World, answers: Answers) -> Account:
    try:
        return world.find_account(answers.username.strip())
    except LookupError:
        raise SignInRefusedError(say.no_account(world.display_name), "password") from None


def _check_password(world: World, now: datetime, account: Account, shown: str) -> None:
    if account.locked_until is not None and now < account.locked_until:
        raise SignInRefusedError(say.locked_account(), "password")
    if hmac.compare_digest(password_text(world, account).encode(), shown.encode()):
        account.wrong_passwords, account.locked_until = 0, None
        return
    account.wrong_passwords += 1
    if account.wrong_passwords % LOCKOUT_AFTER == 0:
        account.locked_until = now + LOCKOUT
    raise SignInRefusedError(say.wrong_password(), "password")


def _check_state(world: World, now: datetime, account: Account, answers: Answers) -> None:
    if account.deleted_at is not None:
        raise SignInRefusedError(say.no_account(world.display_name))
    if not account.enabled:
        raise SignInRefusedError(say.disabled_account())
    if account.password_expired_at is None:
        return
    if not answers.changes_password:
        raise SignInRefusedError(say.expired_password(), "new_password")
    change_password(Deed(world, now, account.object_id, {}))


def _check_demands(world: World, now: datetime, person: Person, how: Circumstances, answers: Answers) -> None:
    if answers.gives_second_factor and not person.account.mfa_methods:
        person.account.mfa_methods.append("authenticator")
        note_account(
            world, now, "User registered security info", person.account, logged_by="Authentication Methods"
        )
    for refused in refusals_of_assignment(world.applications.get(how.resource_id), person.account):
        raise SignInRefusedError(refused.error)
    for unmet in unmet_demands(world, person, how, now):
        if unmet.demand == "termsOfUse" and answers.accepts_terms:
            accept_terms(world, now, person.account, unmet)
        else:
            raise SignInRefusedError(
                unmet.error, {"mfa": "second_factor", "termsOfUse": "terms"}.get(unmet.demand)
            )


def accept_terms(world: World, now: datetime, account: Account, unmet: Unmet) -> None:
    """The person accepts the agreements that a policy demands."""
    controls = (unmet.policy.grant_controls or {}) if unmet.policy else {}
    for agreement in controls.get("termsOfUse", ()):
        account.accepted_terms[agreement] = now
    note_account(
        world, now, "Accept Terms Of Use", account, logged_by="Terms Of Use", actor_id=account.object_id
    )


def signed_in(
    world: World,
    now: datetime,
    proven: Proven,
    client: Application,
    scopes: Sequence[str],
    *,
    held_by: str | None = None,
) -> RefreshToken:
    """The refresh token that the sign-in leaves with the client."""
    token_class = "password" if client.is_public else "confidential"
    token = RefreshToken(
        id=world.fresh("refresh token"),
        account_id=proven.account.object_id,
        client_id=client.client_id,
        issued_at=now,
        signed_in_at=now,
        methods=list(proven.methods),
        token_class=token_class,
        is_spa=client.is_spa,
        scopes=list(scopes),
        held_by=held_by,
    )
    world.refresh_tokens[token.id] = token
    return token
