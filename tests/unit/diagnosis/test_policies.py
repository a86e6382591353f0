"""Whose connections a Conditional Access policy would stop."""

import pytest

from holdfast.diagnosis.policies import hit_of, policy_of
from holdfast.reading.sign_ins import SQL_APPLICATION
from tests.builders import a_connection, an_app_connection


def a_policy(users=None, grant=None, applications=None, session=None, **conditions):
    return policy_of(
        {
            "displayName": "Require things",
            "conditions": {
                "users": users or {"includeUsers": ["All"]},
                "applications": {"includeApplications": applications or ["All"]},
                **conditions,
            },
            "grantControls": grant or {"operator": "OR", "builtInControls": ["block"]},
            "sessionControls": session,
        }
    )


def hit(policy, connection=None):
    return hit_of(policy, connection or a_connection())


@pytest.mark.parametrize(
    ("users", "certain"),
    [
        ({"includeUsers": ["All"]}, True),
        ({"includeUsers": ["o1"]}, True),
        ({"includeUsers": ["O1"]}, True),
        ({"includeGroups": ["g"]}, False),
        ({"includeUsers": ["All"], "excludeGroups": ["break-glass"]}, False),
        ({"includeUsers": ["somebody-else"]}, None),
        ({"includeUsers": ["All"], "excludeUsers": ["o1"]}, None),
        ({"includeUsers": ["None"]}, None),
    ],
)
def test_a_policy_concerns_whom_it_selects(users, certain):
    found = hit(a_policy(users))

    assert (found.is_certain if found else None) is certain


@pytest.mark.parametrize(
    ("applications", "concerned"),
    [(["All"], True), ([SQL_APPLICATION], True), (["Office365"], False), ([], True)],
)
def test_a_policy_concerns_sql_if_it_names_it(applications, concerned):
    assert (hit(a_policy(applications=applications)) is not None) is concerned


@pytest.mark.parametrize(
    ("controls", "cause", "certain"),
    [
        (["block"], "conditional_access_blocked", True),
        (["mfa"], "mfa_required", False),
        (["compliantDevice"], "device_not_compliant", True),
        (["domainJoinedDevice"], "device_not_compliant", True),
        (["mfa", "compliantDevice"], "mfa_required", False),
    ],
)
def test_a_demand_that_no_connection_can_meet_stops_it(controls, cause, certain):
    found = hit(a_policy(grant={"operator": "OR", "builtInControls": controls}))

    assert (found.cause, found.is_certain) == (cause, certain)


def test_a_sign_in_frequency_is_possible_because_sources_conflict():
    found = hit(
        a_policy(grant={"builtInControls": []}, session={"signInFrequency": {"isEnabled": True, "value": 7}})
    )

    assert (found.cause, found.is_certain) == ("signin_frequency", False)


@pytest.mark.parametrize(
    "condition",
    [
        {"locations": {"includeLocations": ["office"]}},
        {"locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}},
        {"platforms": {"includePlatforms": ["iOS"]}},
        {"signInRiskLevels": ["high"]},
        {"devices": {"deviceFilter": {}, "x": 1}},
    ],
)
def test_what_is_out_of_sight_makes_it_possible_and_is_named(condition):
    found = hit(a_policy(**condition))

    assert not found.is_certain
    assert "not known here" in found.because


def test_a_policy_for_people_does_not_concern_an_application():
    assert hit(a_policy(), an_app_connection()) is None


def test_a_policy_for_applications_concerns_them_only():
    policy = a_policy(
        users={"includeUsers": ["None"]},
        clientApplications={"includeServicePrincipals": ["ServicePrincipalsInTenant"]},
    )

    assert hit(policy, an_app_connection()).is_certain
    assert hit(policy) is None


@pytest.mark.parametrize("document", [None, [], {}, {"conditions": "x"}, {"displayName": "y"}])
def test_what_is_no_policy_is_none(document):
    assert policy_of(document) is None
