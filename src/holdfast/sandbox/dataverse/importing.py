"""Importing a solution: staged, started, carried out while an operation is polled, and its result read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.responses import Response

from holdfast.sandbox.dataverse.frame import User, bad_request, need, no_row, user
from holdfast.sandbox.dataverse.packages import FlowPart, Package, PackageError, package_of
from holdfast.sandbox.dataverse.rows import instant
from holdfast.sandbox.dataverse.solutions import named, publisher_named
from holdfast.sandbox.flows import clientdata
from holdfast.sandbox.flows.definitions import DefinitionError
from holdfast.sandbox.frame import Call, answer
from holdfast.sandbox.powerplatform.activation import refusals, turn_on
from holdfast.sandbox.records.platform import ConnectionReference, Flow
from holdfast.sandbox.records.solutions import Publisher, Solution, SolutionImport, StagedSolution
from holdfast.sandbox.rules import Mark, Rule

TAKES = timedelta(seconds=20)
REFERENCE = "Microsoft.Dynamics.CRM.connectionreference"

ARRIVES_OFF = Rule(
    "imported_flows_arrive_off_without_their_connections",
    "A flow that was on when exported is turned on by the import if the importer may use its connections, else it is off.",
    Mark.DOCUMENTED,
    "power-automate-docs import-flow-solution; manage-flows-with-code",
)
PARTLY_PLAYED = Rule(
    "solutions_hold_flows_and_references_only",
    "Solutions of flows and connection references can be imported; other components are refused, and exports are not there.",
    Mark.ABSENT,
    "terraform-provider-power-platform internal/services/solution",
)
STAGED_AND_POLLED = Rule(
    "imports_are_staged_and_polled",
    "StageSolution answers Passed or Failed; ImportSolutionAsync gives an operation that completes, and a job whose result"
    " is read.",
    Mark.CODE,
    "terraform-provider-power-platform internal/services/solution/api_solution.go; what a failed one says is assumed",
)
IMPORT_LASTS = Rule(
    "an_import_lasts_twenty_seconds",
    "An import is under way for twenty seconds, and what it brings is there at their end.",
    Mark.ASSUMED,
    "real ones last from seconds to many minutes",
)
RULES = (ARRIVES_OFF, PARTLY_PLAYED, STAGED_AND_POLLED, IMPORT_LASTS)

IMPORT_KEYS = frozenset(
    {
        "PublishWorkflows",
        "OverwriteUnmanagedCustomizations",
        "SkipProductUpdateDependencies",
        "SolutionParameters",
        "ComponentParameters",
        "CustomizationFile",
        "ConvertToManaged",
        "HoldingSolution",
    }
)
PARAMETER_KEYS = frozenset(
    {
        "@odata.type",
        "connectionreferencelogicalname",
        "connectionreferencedisplayname",
        "description",
        "connectorid",
        "connectionid",
    }
)


def stage(call: Call) -> Response:
    """Hand in a solution file; whether it could be imported."""
    caller = user(call)
    need(caller.writes_all or "Environment Maker" in caller.roles, caller, "prvImportCustomization")
    body = _object(call, frozenset({"CustomizationFile"}))
    package, faults = None, []
    try:
        package = package_of(body.get("CustomizationFile"))
    except PackageError as error:
        faults = [{"SolutionValidationResultType": "Error", "Message": str(error), "ErrorCode": -2147188684}]
    staged = StagedSolution(
        id=call.world.fresh("staged solution"),
        environment_id=caller.environment.id,
        content=str(body.get("CustomizationFile")),
        staged_at=call.now,
    )
    if package is not None:
        call.world.staged_solutions[staged.id] = staged
    told = {
        "StageSolutionUploadId": staged.id,
        "StageSolutionStatus": "Passed" if package else "Failed",
        "SolutionValidationResults": faults,
        "MissingDependencies": [],
        "SolutionDetails": _details(package) if package else None,
    }
    return _told(call, "StageSolutionResponse", {"StageSolutionResults": told})


def _details(package: Package) -> dict[str, Any]:
    return {
        "SolutionUniqueName": package.unique_name,
        "SolutionFriendlyName": package.display_name,
        "SolutionVersion": package.version,
        "IsManaged": package.is_managed,
    }


def start(call: Call) -> Response:
    """Start the import of a staged solution, or of one in the body."""
    caller = user(call)
    need(caller.writes_all or "Environment Maker" in caller.roles, caller, "prvImportCustomization")
    body = _object(call, IMPORT_KEYS)
    parameters = _parameters(body.get("ComponentParameters"))
    content = body.get("CustomizationFile")
    if content is None:
        staged = call.world.staged_solutions.get(
            str((body.get("SolutionParameters") or {}).get("StageSolutionUploadId"))
        )
        if staged is None or staged.environment_id != caller.environment.id:
            raise bad_request("No staged solution of that StageSolutionUploadId was found.", "0x80048541")
        content = staged.content
    job = SolutionImport(
        id=call.world.fresh("import job"),
        operation_id=call.world.fresh("async operation"),
        environment_id=caller.environment.id,
        started_at=call.now,
        ends_at=call.now + TAKES,
    )
    try:
        _carry_out(call, caller, package_of(content), parameters)
    except (PackageError, DefinitionError) as error:
        job.error = str(error)
    call.world.imports[job.id] = job
    call.world.changed()
    return _told(
        call, "ImportSolutionAsyncResponse", {"ImportJobKey": job.id, "AsyncOperationId": job.operation_id}
    )


def _parameters(told: Any) -> dict[str, str]:
    """The connection of each connection reference, by its logical name in lower case."""
    found: dict[str, str] = {}
    if told is not None and not isinstance(told, list):
        raise bad_request("ComponentParameters must be a list.", "0x80048d19")
    for one in told or ():
        if not isinstance(one, dict) or one.get("@odata.type") not in (REFERENCE, f"#{REFERENCE}"):
            raise bad_request("Only component parameters of connection references are played.", "0x80048d19")
        if unknown := sorted(set(one) - PARAMETER_KEYS):
            raise bad_request(
                f"The property '{unknown[0]}' does not exist on type '{REFERENCE}'.", "0x80048d19"
            )
        if one.get("connectionid"):
            found[str(one.get("connectionreferencelogicalname")).lower()] = str(one["connectionid"])
    return found


def _carry_out(call: Call, caller: User, package: Package, parameters: dict[str, str]) -> None:
    if package.is_managed:
        raise PackageError("Managed solutions are not played by this sandbox.")
    read = [(part, clientdata.read(part.clientdata)) for part in package.flows]
    here = call.world.connections
    for logical_name, connection_id in parameters.items():
        connection = here.get(connection_id)
        if connection is None or connection.environment_id != caller.environment.id:
            raise PackageError(f"The connection {connection_id} for {logical_name} was not found.")
    for part, _ in read:
        known = next((one for one in call.world.flows.values() if one.workflow_id == part.workflow_id), None)
        if known is not None and known.environment_id != caller.environment.id:
            raise PackageError(f"A flow with the id {part.workflow_id} is in another environment.")
    solution = _solution(call, caller, package)
    for reference in package.references:
        solution.components.append(_reference(call, caller, reference, parameters).id)
    for part, said in read:
        solution.components.append(_flow(call, caller, part, said).id)


def _solution(call: Call, caller: User, package: Package) -> Solution:
    world, place = call.world, caller.environment.id
    publisher = publisher_named(world, place, package.publisher)
    if publisher is None:
        publisher = Publisher(
            id=world.fresh("publisher"),
            environment_id=place,
            unique_name=package.publisher,
            display_name=package.publisher_name,
            prefix=package.prefix,
            option_prefix=package.option_prefix,
            created_at=call.now,
        )
        world.publishers[publisher.id] = publisher
    solution = named(world, place, package.unique_name)
    if solution is None:
        solution = Solution(
            id=world.fresh("solution"),
            environment_id=place,
            unique_name=package.unique_name,
            display_name=package.display_name,
            version=package.version,
            publisher_id=publisher.id,
            created_at=call.now,
        )
        world.solutions[solution.id] = solution
    solution.version, solution.components = package.version, []
    return solution


def _reference(call: Call, caller: User, part: Any, parameters: dict[str, str]) -> ConnectionReference:
    known = next(
        (
            one
            for one in call.world.references.values()
            if one.environment_id == caller.environment.id
            and one.logical_name.lower() == part.logical_name.lower()
        ),
        None,
    )
    if known is None:
        known = ConnectionReference(
            id=call.world.fresh("reference"),
            environment_id=caller.environment.id,
            logical_name=part.logical_name,
            display_name=part.display_name,
            connector=part.connector,
            connection_id=None,
            owner_id=caller.principal_id,
            modified_at=call.now,
        )
        call.world.references[known.id] = known
    known.connection_id = parameters.get(part.logical_name.lower(), known.connection_id)
    known.modified_at = call.now
    return known


def _flow(call: Call, caller: User, part: FlowPart, said: clientdata.ClientData) -> Flow:
    flow = next((one for one in call.world.flows.values() if one.workflow_id == part.workflow_id), None)
    if flow is None:
        flow = Flow(
            id=call.world.fresh("flow"),
            environment_id=caller.environment.id,
            display_name=part.name,
            owner_id=caller.principal_id,
            created_at=call.now,
            modified_at=call.now,
            definition=said.definition,
            state="Stopped",
            workflow_id=part.workflow_id,
        )
        call.world.flows[flow.id] = flow
    flow.definition, flow.connections = said.definition, said.connections
    flow.display_name, flow.description, flow.modified_at = part.name, part.description, call.now
    if part.is_on and next(refusals(call.world, flow, caller.principal_id), None) is None:
        turn_on(call.world, flow, call.now)
    return flow


def operation(call: Call) -> Response:
    """How far an import is."""
    caller = user(call)
    job = _job(call, caller, "operation_id", "asyncoperation")
    is_over = call.now >= job.ends_at
    told = {
        "asyncoperationid": job.operation_id,
        "name": "Import solution",
        "statecode": 3 if is_over else 2,
        "statuscode": (31 if job.error else 30) if is_over else 20,
        "message": job.error if is_over else None,
        "friendlymessage": job.error if is_over else None,
        "startedon": instant(job.started_at),
        "completedon": instant(job.ends_at) if is_over else None,
    }
    return _told(call, "asyncoperations/$entity", told)


def result(call: Call) -> Response:
    """What came of an import."""
    caller = user(call)
    job = _job(call, caller, "id", "importjob")
    if call.now < job.ends_at:
        raise bad_request("The import job is not completed.", "0x80048540")
    told = {
        "Type": "Import",
        "Status": "Failed" if job.error else "Passed",
        "WarningMessages": [],
        "ErrorMessages": [{"ErrorCode": -2147188684, "Message": job.error}] if job.error else [],
    }
    return _told(call, "RetrieveSolutionImportResultResponse", {"SolutionOperationResult": told})


def _job(call: Call, caller: User, key: str, entity: str) -> SolutionImport:
    wanted = call.params["id"].lower()
    found = next((one for one in call.world.imports.values() if getattr(one, key) == wanted), None)
    if found is None or found.environment_id != caller.environment.id:
        raise no_row(entity, call.params["id"])
    return found


def _object(call: Call, known: frozenset[str]) -> dict[str, Any]:
    body = call.json()
    if not isinstance(body, dict):
        raise bad_request("The request body must be a JSON object.", "0x80048d19")
    if unknown := sorted(set(body) - known):
        raise bad_request(
            f"The parameter '{unknown[0]}' is not a valid parameter of the action.", "0x80048d19"
        )
    return body


def _told(call: Call, fragment: str, told: dict[str, Any]) -> Response:
    base = f"{call.tenant.dataverse_url(call.params['org'])}/api/data/{call.params['version']}"
    context = {"@odata.context": f"{base}/$metadata#Microsoft.Dynamics.CRM.{fragment}"}
    return answer({**context, **told}, 200, {"OData-Version": "4.0"})
