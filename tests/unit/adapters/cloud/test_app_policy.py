"""What an app management policy forbids one application, by its documented form."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from holdfast.adapters.cloud.policies import app_policy
from holdfast.core.making import AppPolicy
from holdfast.wire.graph import AppManagementPolicy

MADE = datetime(2024, 5, 1, tzinfo=UTC)


def told(*rules: dict[str, Any], of: str = "applicationRestrictions", **more: Any) -> AppManagementPolicy:
    """Password restrictions, and others under `keys`."""
    keys = more.pop("keys", [])
    restrictions = {"passwordCredentials": list(rules), "keyCredentials": keys}
    return AppManagementPolicy.model_validate({"isEnabled": True, of: restrictions, **more})


NO_SECRETS = {"restrictionType": "passwordAddition", "maxLifetime": None}

CASES = {
    "nothing": (told(), None, AppPolicy()),
    "no secrets": (told(NO_SECRETS), None, AppPolicy(allows_secrets=False)),
    "switched off": (told(NO_SECRETS, isEnabled=False), None, AppPolicy()),
    "a restriction that is off": (told({**NO_SECRETS, "state": "disabled"}), None, AppPolicy()),
    "short secrets": (
        told({"restrictionType": "passwordLifetime", "maxLifetime": "P90D"}),
        None,
        AppPolicy(longest_secret=timedelta(days=90)),
    ),
    "short certificates": (
        told(keys=[{"restrictionType": "asymmetricKeyLifetime", "maxLifetime": "P180D"}]),
        None,
        AppPolicy(longest_certificate=timedelta(days=180)),
    ),
    "certificates of named authorities": (
        told(keys=[{"restrictionType": "trustedCertificateAuthority"}]),
        None,
        AppPolicy(allows_self_signed=False),
    ),
    "for newer applications": (
        told({**NO_SECRETS, "restrictForAppsCreatedAfterDateTime": "2025-01-01T00:00:00Z"}),
        MADE,
        AppPolicy(),
    ),
    "for older ones too": (
        told({**NO_SECRETS, "restrictForAppsCreatedAfterDateTime": "2020-01-01T00:00:00Z"}),
        MADE,
        AppPolicy(allows_secrets=False),
    ),
    "a new application": (
        told({**NO_SECRETS, "restrictForAppsCreatedAfterDateTime": "2025-01-01T00:00:00Z"}),
        None,
        AppPolicy(allows_secrets=False),
    ),
    "its own": (told(NO_SECRETS, of="restrictions"), MADE, AppPolicy(allows_secrets=False)),
}


@pytest.mark.parametrize(("policy", "made_at", "wanted"), CASES.values(), ids=CASES.keys())
def test_a_policy_is_read_as_it_counts_for_the_application(policy, made_at, wanted):
    assert app_policy(policy, made_at) == wanted
