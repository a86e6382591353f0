"""What is no broken connection: data, definitions, licences, programs."""

from __future__ import annotations

from typing import Final

from holdfast.reading.wordings.hints.pair import GRAMMAR, Pair, clear, loose, pair

DATA: Final[tuple[Pair, ...]] = (
    # no broken connection
    loose(
        "a piece of the flow or of the data",
        "not_connection",
        "column columns table tables property properties parameter parameters expression json xml html schema variable field"
        " object type types file item items action template syntax query conversion convert value string integer decimal boolean array"
        " body site folder drive document record row rows key page view form sheet worksheet workbook cell recipient attachment"
        " calendar event channel team chat task plan bucket list loop condition trigger formula step steps statement cursor batch"
        " index argument keyword identifier id class assembly library module package dll element entity attribute lookup"
        " component layer publisher solution statement resultset message text size delegated driver drivers header headers payload content format"
        " date number enum function operator script cmdlet command method member instance reference url uri path link run runs"
        " version etag job resource request connection_string connectionstring dsn",
        "found invalid missing required type expected support* valid allowed exists exist pars* match initialized duplicate"
        " converted cast unexpected none empty null specified requires unsupported unknown ambiguous incompatible truncated locked"
        " undefined undone exceed* large long range format* illegal update updated aborted skipped satisfied maximum minimum known need"
        " malformed loaded load primary only installed conflict read-only already deleted recognized recognised unrecogni* small"
        " overflow negative executed contain mismatch*",
        0.55,
    ),
    clear(
        "a desktop session that does not suit",
        "not_connection",
        "session sessions",
        "active locked existing already maximum disconnected unlocked",
        0.65,
        "machine attended unattended rdp windows",
    ),
    clear(
        "values that are encrypted",
        "not_connection",
        "ciphertext encrypted decrypt* encryption",
        "column columns key keys algorithm signature cipher value values length",
        0.65,
    ),
    clear(
        "a grammar that is broken",
        "not_connection",
        "syntax",
        "error errors incorrect near",
        0.7,
    ),
    loose(
        "a version that does not suit",
        "not_connection",
        "compatibility",
        "level version require* current",
        0.6,
    ),
    loose(
        "what runs already",
        "not_connection throttled",
        "already",
        "running progress started executing",
        0.5,
    ),
    clear(
        "characters that may not be",
        "not_connection",
        "character characters colon",
        "allowed permitted contain contains illegal invalid unexpected",
        0.65,
    ),
    clear(
        "a gateway that nobody chose",
        "not_connection connection_missing_or_unshared",
        "gateway gateways",
        "installed configured selected supported",
        0.55,
        "not no any don",
    ),
    loose(
        "a limit of whatever kind",
        "not_connection throttled",
        "limit limits",
        "exceed* reached",
        0.5,
    ),
    clear(
        "no room left",
        "not_connection",
        "space disk",
        "enough left full insufficient",
        0.65,
    ),
    clear(
        "a piece of software that is not there",
        "not_connection",
        "driver drivers library libraries dll module package",
        "configured loaded load installed install registered",
        0.65,
    ),
    clear(
        "a thing that is not supported",
        "not_connection",
        "supported unsupported support",
        "driver feature platform authentication source provider keyword method operation version type connector data not isn't"
        " aren't doesn't currently",
        0.6,
    ),
    loose(
        "a check before anything was asked",
        "not_connection",
        "validation validator validate",
        "failed failure error errors warnings",
        0.55,
    ),
    loose(
        "an environment that does not suit",
        "not_connection",
        "environment environments",
        "need provision provisioned provisioning create",
        0.5,
    ),
    loose(
        "a provider that is not registered",
        "not_connection role_or_assignment_missing",
        "provider subscription",
        "registered register registration",
        0.55,
    ),
    loose(
        "a feature that is not there",
        "not_connection",
        "feature edition sku tier option",
        "available unavailable enabled disabled allowed",
        0.6,
    ),
    clear(
        "a licence or a quota",
        "not_connection",
        "license licence licenses licences licensed unlicensed plan storage capacity trial premium subscription",
        "required missing exceeded expired need needs assigned correct purchase run full upgrade adequate include available"
        " creation",
        0.7,
    ),
    pair(
        "what a program was not given",
        "not_connection",
        0.5,
        GRAMMAR,
        "no nothing none",
        "provided specified selected supplied given passed",
    ),
    pair(
        "an act on data that failed",
        "not_connection",
        0.45,
        GRAMMAR,
        "fail* unable error errors exception",
        "import* export* creat* updat* delet* publish* activat* sav* render* evaluat* copy* upload* download* convert* serializ*"
        " deserializ* pars* encrypt* decrypt* compil* generat* assign* install* extract* adding setting remov* merg*",
    ),
    pair(
        "a name that is taken",
        "not_connection",
        0.5,
        GRAMMAR,
        "name displayname",
        "use taken",
        "in already",
    ),
    pair(
        "two of one name",
        "not_connection",
        0.5,
        GRAMMAR,
        "same twice more",
        "name names id key keys",
    ),
    pair(
        "an act that a rule of the data forbids",
        "not_connection",
        0.5,
        GRAMMAR,
        "undone",
        "this these it its because a an the is are in to by for if when while of with has already",
    ),
    pair(
        "what a program was given",
        "not_connection",
        0.5,
        GRAMMAR,
        "valid invalid null empty exclusive must should required missing supported unsupported specified exists allowed"
        " illegal range negative duplicate unexpected cannot can't can parse parsing found",
        "is are be not been the a use set both only has have does for invoke itself value type argument",
    ),
)
