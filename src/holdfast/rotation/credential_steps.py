"""The steps about an application's credentials: add one beside, prove it, watch the older ones, remove ours."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from holdfast.core.deed import Outcome, done, refused, waiting
from holdfast.core.directory import SignInRecord
from holdfast.core.errors import MissingError, RefusedError, SecretStoreError, UnreachableError
from holdfast.core.identity import SETTLES, ClientSecret
from holdfast.core.plan import LABEL
from holdfast.core.secret import Secret
from holdfast.rotation.checks import QUIET, QUIET_STRANGE
from holdfast.rotation.due import DUE_AT
from holdfast.rotation.world import GONE, Planned, remove_credential, secret_name
from holdfast.saga import Past

IN_A_ROW: Final = 5
"""So often a new credential has to sign in before anything depends on it: replicas disagree for a while."""

BETWEEN: Final = timedelta(seconds=2)
"""Between two of these sign-ins."""

GIVES_UP: Final = timedelta(hours=1)
"""So long after it was made, a credential that still does not sign in needs a person."""

SWEEP_AFTER: Final = timedelta(minutes=30)
"""Listings lag: what an interrupted attempt made shows by then."""

CACHED: Final = timedelta(hours=2)
"""A token fetched before the switch is long gone by then: a later sign-in with an old credential is somebody else's."""


def _at(past: Past, step: str, fact: str) -> datetime:
    return datetime.fromisoformat(past[step].facts[fact])


def _given_at(past: Past) -> list[datetime]:
    """When each consumer was given the new credential; by a connection beside it, only when it was bound to that.

    Deeds of earlier versions tell no time of binding.
    """
    gave = [each.facts.get("at") for name, each in past.items() if name.startswith(("switch:", "bind:"))]
    return [datetime.fromisoformat(at) for at in gave if at]


class Add(Planned):
    """A new credential beside the others, in our store."""

    async def clear(self, past: Past) -> None:
        """Remove what an interrupted attempt added: its text is lost, so it is no use to anybody."""
        await self._remove_labelled(keep=None)

    async def do(self, past: Past) -> Outcome:
        """Add it and keep it at once; what cannot be kept is removed again."""
        stands_in_the_way = await self._moved()
        if stands_in_the_way:
            return refused(stands_in_the_way)
        # A store that cannot be asked should be noticed before there is something to lose.
        await self._world.secrets.read(secret_name(self._arguments["client_id"], "-"))
        now = self._world.clock.now()
        ends_at = now + timedelta(seconds=self._arguments["life_seconds"])
        try:
            made, text = await self._made(now, ends_at)
        except RefusedError as refusal:
            return refused(f"It may not be added any more, so plan again: {refusal}")
        except MissingError:
            return refused("The application is gone: somebody deleted it. Nothing was added.")
        name = secret_name(self._arguments["client_id"], made.key_id)
        try:
            await self._world.secrets.write(name, text)
        except BaseException:
            await self._take_back(made.key_id)
            raise
        ends = made.expires_at or ends_at
        return done(
            f"Added; ends {ends:%Y-%m-%d}.",
            key_id=made.key_id,
            stored=name,
            expires_at=ends.isoformat(),
            added_at=now.isoformat(),
        )

    async def _moved(self) -> str:
        """What changed since planning so that the plan no longer fits; empty for nothing."""
        arguments = self._arguments
        other = await self._world.under_way(arguments["application"], self._kind, self._planned.saga)
        if other:
            return (
                f"The rotation {other} of this application is under way: finish that plan, or undo it, first."
            )
        app = await self._application()
        if app is None:
            return "The application is gone: somebody deleted it. Nothing was added."
        known = arguments.get("known")
        strange = [each for each in self._of_kind(app) if known is not None and each.key_id not in known]
        if strange:
            name = strange[0].display_name or strange[0].key_id
            return f"Somebody added {name!r} to the application since this was planned: scan, and plan again."
        return ""

    async def _made(self, now: datetime, ends_at: datetime) -> tuple[ClientSecret, Secret]:
        application, label = self._arguments["application"], self._arguments["label"]
        registry = self._world.registry
        if self._kind == "secret":
            return await registry.add_secret(application, label, ends_at)
        made = self._world.certify(label, now, ends_at)
        await registry.add_certificate(application, label, made.public, now, ends_at)
        app = await registry.application(application)
        for each in self._of_kind(app):
            if each.display_name == label:
                return each, made.kept
        # Listings lag; the next attempt removes it by its label first.
        raise UnreachableError(
            "The new certificate is not listed yet; it is looked for again.",
            "graph",
            "graph.applications.get",
        )

    async def _take_back(self, key_id: str) -> None:
        """Revoke what could not be kept. Where even that fails, the next attempt finds it by its label."""
        arguments = self._arguments
        if self._kind == "secret":
            await self._world.registry.remove_secret(arguments["application"], key_id)
        else:
            await self._world.registry.remove_certificate(arguments["application"], key_id)
        with suppress(SecretStoreError):
            # The store may have kept it and lost only its answer.
            await self._world.secrets.delete(secret_name(arguments["client_id"], key_id))

    async def _remove_labelled(self, keep: str | None) -> int:
        return await remove_labelled(self, keep)

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """Remove it and its text."""
        if outcome is not None:
            await remove_credential(self._world, self._arguments, outcome.facts["key_id"])
        return done("Removed.")


async def remove_labelled(step: Planned, keep: str | None) -> int:
    """Remove the credentials of an application that carry a saga's label, but for one; how many there were."""
    app = await step._application()
    if app is None:
        return 0
    label = step._arguments["label"]
    strays = [each for each in step._of_kind(app) if each.display_name == label and each.key_id != keep]
    for stray in strays:
        await remove_credential(step._world, step._arguments, stray.key_id)
    return len(strays)


class Prove(Planned):
    """The new credential signs in, several times in a row."""

    async def do(self, past: Past) -> Outcome:
        """Let it spread, then sign in; one refusal starts the count again, later."""
        added_at, now = _at(past, "add", "added_at"), self._world.clock.now()
        settled_at = added_at + SETTLES
        if now < settled_at and not self._ends_by(settled_at):
            return waiting(
                f"The new {self._kind} spreads through the directory until {settled_at:%H:%M} UTC."
            )
        credential = await self._new(past)
        for number in range(IN_A_ROW):
            if number:
                await self._world.clock.sleep_until(self._world.clock.now() + BETWEEN)
            said = await self._signs_in(credential)
            if said and await self._application() is None:
                return refused(GONE)
            if said and now - added_at >= GIVES_UP:
                return refused(
                    f"The new {self._kind} has not signed in for {GIVES_UP.seconds // 60} minutes: {said}"
                )
            if said:
                return waiting(f"The new {self._kind} does not sign in everywhere yet: {said}")
        return done(f"Signed in {IN_A_ROW} times in a row.")

    def _ends_by(self, instant: datetime) -> bool:
        """Whether the connections have nothing to lose: what they hold ends before."""
        ends = self._arguments.get("ends")
        return ends is not None and datetime.fromisoformat(ends) <= instant


class _Watching(Planned):
    """A step that reads who still uses the older credentials."""

    async def _shown(self, since: datetime) -> list[SignInRecord]:
        """Sign-ins with an older credential after an instant; none where the log was not to be read."""
        old = set(self._arguments["old"])
        if not (old and self._arguments["log_read"]):
            return []
        rows = self._world.directory.sign_ins_of_application(self._arguments["client_id"], since)
        return [row async for row in rows if row.key_id in old and row.at > since and row.code == 0]


class Quiet(_Watching):
    """Nothing signs in with an older credential any more."""

    async def do(self, past: Past) -> Outcome:
        """Read the log since the last consumer got the new one; without a log, let the time pass."""
        if not self._arguments["old"]:
            return done("There is no older one.", kept=False)
        start = max([*_given_at(past), _at(past, "add", "added_at")])
        now, length = self._world.clock.now(), timedelta(seconds=self._arguments["quiet_seconds"])
        until, why = start + length, "The older one may go"
        rows = await self._shown(start)
        if rows:
            newest = max(rows, key=lambda row: row.at)
            if newest.at > start + CACHED:
                # It may come but once a month: as far as the log reaches it has to stay away.
                length = max(length, QUIET_STRANGE)
                if now >= self._gives_up_at(past):
                    return done(f"Still used ({_who(newest)}), so the older one is left.", kept=True)
                why = f"{_who(newest)} still signed in with an older one, and is no connection: give it the new one, or it stops"
            until = max(until, newest.at + length)
        if now < until:
            return waiting(f"{why}: {until:%Y-%m-%d %H:%M} UTC.")
        return done("Quiet.", kept=False)

    def _gives_up_at(self, past: Past) -> datetime:
        """When the new one is due itself, so that the next rotation must not be held up."""
        added_at = _at(past, "add", "added_at")
        return added_at + (_at(past, "add", "expires_at") - added_at) * DUE_AT


def _who(row: SignInRecord) -> str:
    """Who used it, for people: the log tells no more of an application than where from and what for."""
    return f"{row.resource or row.resource_id} from {row.ip_address or 'nowhere told'} at {row.at:%Y-%m-%d %H:%M} UTC"


class Remove(_Watching):
    """The older credentials of ours are gone."""

    async def do(self, past: Past) -> Outcome:
        """Look once more, then remove those that the plan names and that still carry our label."""
        arguments = self._arguments
        if past["quiet"].facts.get("kept"):
            return done("Left, as it is still used.", removed=[])
        app = await self._application()
        if app is None:
            return done("The application is gone: nothing is left to remove.", removed=[])
        labels = {each.key_id: each.display_name for each in self._of_kind(app)}
        stands_in_the_way = await self._not_yet(past, labels)
        if stands_in_the_way is not None:
            return stands_in_the_way
        for key_id in arguments["remove"]:
            if not labels.get(key_id, LABEL).startswith(LABEL):
                return refused(f"The {self._kind} {key_id} no longer carries our label: it is left alone.")
            await remove_credential(self._world, arguments, key_id)
        return done(f"Removed {len(arguments['remove'])}.", removed=list(arguments["remove"]))

    async def _not_yet(self, past: Past, present: dict[str, str]) -> Outcome | None:
        """Why nothing may be removed now; None where it may. It may be long since the last look."""
        if not set(self._arguments["remove"]) & set(present):
            return None
        if past["add"].facts["key_id"] not in present:
            return refused(
                f"Somebody removed the new {self._kind}, so the older one stays: undo, and plan again."
            )
        rows = await self._shown(self._world.clock.now() - QUIET)
        late = [row for row in rows if all(row.at > at for at in _given_at(past))]
        if late:
            return waiting(f"An older one is in use again: {_who(late[0])}.")
        said = await self._signs_in(await self._new(past))
        return waiting(f"The new {self._kind} does not sign in: {said}") if said else None

    async def undo(self, past: Past, outcome: Outcome | None) -> Outcome:
        """A removed credential does not come back, also where removing was interrupted."""
        if outcome is None:
            app = await self._application()
            present = {each.key_id for each in self._of_kind(app)} if app else set()
            gone = bool(app) and not set(self._arguments["remove"]) <= present
        else:
            gone = bool(outcome.facts["removed"])
        if gone:
            return refused(
                f"The older {self._kind} was removed for good, so nothing before it can be undone."
            )
        return done()


class Sweep(Planned):
    """No stray of this saga is left, seen after listings have caught up."""

    async def do(self, past: Past) -> Outcome:
        """Look again half an hour after it was added, in the application and in our store."""
        after = _at(past, "add", "added_at") + SWEEP_AFTER
        if self._world.clock.now() < after:
            return waiting(f"Looks for strays again {after:%Y-%m-%d %H:%M} UTC.")
        found = await remove_labelled(self, keep=past["add"].facts["key_id"])
        texts = await self._drop_useless_texts(past["add"].facts["key_id"])
        return done(f"Removed {found} strays and {texts} useless texts." if found or texts else "No strays.")

    async def _drop_useless_texts(self, keep: str) -> int:
        """Texts of credentials that the application no longer has serve nobody."""
        app = await self._application()
        if app is None:
            return 0
        client_id = self._arguments["client_id"]
        wanted = {secret_name(client_id, each.key_id) for each in app.secrets} | {
            secret_name(client_id, keep)
        }
        held = [
            each for each in await self._world.secrets.names() if each.startswith(secret_name(client_id, ""))
        ]
        useless = [name for name in held if name not in wanted]
        for name in useless:
            await self._world.secrets.delete(name)
        return len(useless)
