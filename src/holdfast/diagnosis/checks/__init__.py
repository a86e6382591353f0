"""The checks that a connection is put through, in the order in which the cloud would answer.

Each looks at one `Case` and says what it finds, with a reason and a message; each finding is independent of the
others. The order: the sign-in's own age, the account, revocations, the application, consent, policies (assumed:
no recorded answer shows two causes at once), then the platform and the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from holdfast.core.coverage import (
    ACCESS_POLICIES,
    ACCOUNTS,
    AUDITS,
    DATA_POLICIES,
    PRINCIPALS,
    RUNS,
    SERVICE_PRINCIPALS,
)
from holdfast.core.finding import Finding
from holdfast.core.inventory import SignIn
from holdfast.diagnosis.case import Case
from holdfast.diagnosis.checks.account import (
    account_deleted,
    account_disabled,
    lay_idle,
    mfa_of_account,
    sign_in_revoked,
)
from holdfast.diagnosis.checks.application import (
    application_unusable,
    credential_expired,
    credential_removed,
)
from holdfast.diagnosis.checks.policy import consent_taken, data_policy_blocks, policies_refuse
from holdfast.diagnosis.checks.use import failed_in_use

_PEOPLE: Final = frozenset({SignIn.USER})
_APPLICATIONS: Final = frozenset({SignIn.SERVICE_PRINCIPAL, SignIn.CERTIFICATE})
_ENTRA: Final = _PEOPLE | _APPLICATIONS
_ALL: Final = frozenset(SignIn)


class Check(NamedTuple):
    """One of them.

    Attributes:
        asks: the question that it answers.
        of: kinds of connection that it is about.
        parts: of the scan that it stands on; without them it was not looked at.
    """

    name: str
    asks: str
    of: frozenset[SignIn]
    parts: tuple[str, ...]
    look: Callable[[Case], Iterator[Finding]]


CHECKS: Final = (
    Check("lay_idle", "Was it used within 90 days?", _PEOPLE, (), lay_idle),
    Check("account_deleted", "Is its account there?", _PEOPLE, (ACCOUNTS,), account_deleted),
    Check("account_disabled", "Is its account enabled?", _PEOPLE, (ACCOUNTS,), account_disabled),
    Check(
        "sign_in_revoked",
        "Are sign-ins of its age still taken?",
        _PEOPLE,
        (ACCOUNTS, AUDITS),
        sign_in_revoked,
    ),
    Check(
        "application_unusable",
        "Is its application there and enabled?",
        _APPLICATIONS,
        (PRINCIPALS,),
        application_unusable,
    ),
    Check("consent_taken", "Does consent still stand?", _PEOPLE, (AUDITS, PRINCIPALS), consent_taken),
    Check(
        "credential_removed",
        "Is its secret still registered?",
        _APPLICATIONS,
        (SERVICE_PRINCIPALS, AUDITS),
        credential_removed,
    ),
    Check(
        "credential_expired",
        "Is its secret still valid?",
        _APPLICATIONS,
        (SERVICE_PRINCIPALS,),
        credential_expired,
    ),
    Check(
        "policies_refuse",
        "Does every access policy let it through?",
        _ENTRA,
        (ACCESS_POLICIES,),
        policies_refuse,
    ),
    Check("mfa_of_account", "Is its account asked for a second factor?", _PEOPLE, (AUDITS,), mfa_of_account),
    Check(
        "data_policy_blocks", "Do data policies allow it here?", _ALL, (DATA_POLICIES,), data_policy_blocks
    ),
    Check("failed_in_use", "Do the runs that use it succeed?", _ALL, (RUNS,), failed_in_use),
)


_LOOKS: Final = {each: tuple(check.look for check in CHECKS if each in check.of) for each in SignIn}


def findings(case: Case) -> tuple[Finding, ...]:
    """What they find, in their order."""
    return tuple([found for look in _LOOKS[case.connection.sign_in] for found in look(case)])
