"""Applications and their secrets over Microsoft Graph: what the app administrator makes and removes."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime

from holdfast.adapters.cloud.graph import application, client_secret
from holdfast.adapters.cloud.transport import Transport
from holdfast.core.errors import MissingError, UnfamiliarError
from holdfast.core.identity import ClientSecret, ServicePrincipal
from holdfast.core.secret import Secret
from holdfast.wire import graph
from holdfast.wire.making.applications import (
    ADD_PASSWORD,
    APPLICATION,
    CERTIFICATES,
    DELETE_APPLICATION,
    LABELLED_APPLICATIONS,
    NEW_APPLICATION,
    NEW_PRINCIPAL,
    REMOVE_PASSWORD,
    SET_CERTIFICATES,
)
from holdfast.wire.shape import zulu


class GraphRegistry:
    """`ports.Registry` over Graph."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def labelled(self, label: str) -> AsyncIterator[ServicePrincipal]:
        """See the port."""
        async for told in self._transport.items(
            LABELLED_APPLICATIONS, graph.Application, at={"label": label}
        ):
            yield application(told)

    async def application(self, application_id: str) -> ServicePrincipal:
        """See the port."""
        at = {"application": application_id}
        return application(await self._transport.read(APPLICATION, graph.Application, at=at))

    async def register(self, name: str) -> ServicePrincipal:
        """See the port."""
        body = graph.NewApplication(display_name=name, sign_in_audience="AzureADMyOrg")
        return application(await self._transport.read(NEW_APPLICATION, graph.Application, body=body))

    async def make_principal(self, client_id: str) -> str:
        """See the port."""
        body = graph.NewPrincipal(app_id=client_id)
        try:
            return (await self._transport.read(NEW_PRINCIPAL, graph.ServicePrincipal, body=body)).id
        except UnfamiliarError as error:
            # An application that is not known everywhere yet is told as a bad request, not as missing
            # (microsoft-graph-docs-contrib serviceprincipal-post-serviceprincipals).
            if error.status != 400:
                raise
            raise MissingError(
                f"The application {client_id} is not known everywhere yet; try again.",
                error.service,
                error.operation,
                error.status,
                error.code,
                error.request_id,
            ) from None

    async def add_secret(
        self, application: str, label: str, expires_at: datetime
    ) -> tuple[ClientSecret, Secret]:
        """See the port."""
        wanted = graph.NewPassword.Wanted(display_name=label, end_date_time=zulu(expires_at))
        told = await self._transport.read(
            ADD_PASSWORD,
            graph.PasswordCredential,
            at={"application": application},
            body=graph.NewPassword(password_credential=wanted),
        )
        if told.secret_text is None:
            raise UnfamiliarError(
                f"Microsoft Graph made the secret {told.key_id} and did not tell its text; remove it.",
                "graph",
                ADD_PASSWORD.id,
            )
        return client_secret(told), Secret(told.secret_text.get_secret_value())

    async def remove_secret(self, application: str, key_id: str) -> None:
        """See the port."""
        with suppress(MissingError):
            known = await self.application(application)
            if any(secret.key_id == key_id for secret in known.secrets):
                body = graph.KeyId(key_id=key_id)
                await self._transport.do(REMOVE_PASSWORD, at={"application": application}, body=body)

    async def add_certificate(
        self, application: str, label: str, certificate: bytes, starts_at: datetime, expires_at: datetime
    ) -> None:
        """See the port. The list is written whole, so one that is added meanwhile by somebody else is lost."""
        added = graph.NewKeyCredential(
            display_name=label,
            type="AsymmetricX509Cert",
            usage="Verify",
            key=base64.b64encode(certificate).decode("ascii"),
            start_date_time=zulu(starts_at),
            end_date_time=zulu(expires_at),
        )
        await self._write_certificates(application, (*await self._certificates(application), added))

    async def remove_certificate(self, application: str, key_id: str) -> None:
        """See the port."""
        with suppress(MissingError):
            known = await self._certificates(application)
            kept = tuple(one for one in known if one.key_id != key_id)
            if len(kept) < len(known):
                await self._write_certificates(application, kept)

    async def _certificates(self, application: str) -> tuple[graph.NewKeyCredential, ...]:
        at = {"application": application}
        told = await self._transport.read(CERTIFICATES, graph.Application, at=at)
        return tuple(
            graph.NewKeyCredential(
                key_id=one.key_id,
                display_name=one.display_name,
                custom_key_identifier=one.custom_key_identifier,
                type=one.type or "AsymmetricX509Cert",
                usage=one.usage or "Verify",
                # One that Graph does not show the key of is named by its id alone.
                key=one.key or None,
                start_date_time=one.start_date_time,
                end_date_time=one.end_date_time,
            )
            for one in told.key_credentials or ()
        )

    async def _write_certificates(
        self, application: str, certificates: tuple[graph.NewKeyCredential, ...]
    ) -> None:
        body = graph.Certificates(key_credentials=certificates)
        await self._transport.do(SET_CERTIFICATES, at={"application": application}, body=body)

    async def delete(self, application: str) -> None:
        """See the port."""
        with suppress(MissingError):
            await self._transport.do(DELETE_APPLICATION, at={"application": application})
