"""What happened to a block of customers, in canonical tables: codes become words, persons references.

Rows of events are numbered by their person and by their order there, never by when they were written; ids are
permutations of these numbers. So a row is the same whatever else is in its block.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from experiments.simulator import dirt, draws
from experiments.simulator.calendar import Season
from experiments.simulator.campaigns import Campaigns
from experiments.simulator.catalogue import Catalogue
from experiments.simulator.cells import instants, numbers, rank, words
from experiments.simulator.codes import AnswerKind, ContractKind, Purpose, Reason, ServiceKind, Status
from experiments.simulator.lived import Lived
from experiments.simulator.registers import Registers
from experiments.simulator.rows import Ints
from experiments.simulator.world import World
from features.tables import TABLES

if TYPE_CHECKING:
    import pyarrow as pa

EVENTS: Final = 2**20
"""Events of one kind that a person may have."""
EVENT_IDS: Final = 2**48


class Records:
    """The rows of a block in the canonical tables.

    Args:
        world: the block, after its last day.
        catalogue: of the whole world.
        campaigns: of the whole world.
        lived: what happened.
        registers: under which ids.
    """

    def __init__(
        self, world: World, catalogue: Catalogue, campaigns: Campaigns, lived: Lived, registers: Registers
    ) -> None:
        self._config, self._seed = world.config, world.seed
        self._catalogue, self._campaigns = catalogue, campaigns
        self._lived, self._registers = lived, registers
        self._end = int(Season(world.config, world.seed).starts(np.array([world.day]))[0])
        treatment = world.config.treatment
        self._actions = [action.name for action in treatment.actions]
        self._channels = [channel.name for channel in treatment.channels]

    def tables(self) -> Iterator[tuple[str, Ints | None, pa.Table]]:
        """Name and rows of each table, and the rows' numbers where it is one of events."""
        import pyarrow as pa

        lived, registers = self._lived, self._registers
        yield "customers", None, pa.table(registers.customers())
        yield "vehicles", None, pa.table(registers.vehicles())
        yield "contracts", None, pa.table(self._contracts())
        yield self._events("transactions", lived.lines, registers.of_lines(), self._transactions())
        for name, rows, columns in (
            ("exposures", lived.contacts, self._exposures()),
            ("responses", lived.answers, self._responses()),
            ("service_events", lived.service, self._service()),
            ("consents", lived.consents, self._consents()),
        ):
            yield self._events(name, rows, registers.of(rows), columns)
        reference, number, at, columns = registers.identifiers()
        yield "identities", number, self._table("identities", reference, number, at, columns)

    def sums(self) -> dict[str, int]:
        """What the rows add up to."""
        lines, contacts = self._lived.lines, self._lived.contacts
        return {
            "references": len(self._registers.references),
            "baskets": int(self._lived.begins.sum()),
            "lines": len(lines),
            "spent_cents": int(lines.amount_cents.sum()),
            "discount_cents": int(lines.discount_cents.sum()),
            "contacts": len(contacts),
            "contact_cents": int(contacts.cost_cents.sum()),
            "answers": len(self._lived.answers),
        }

    def _events(
        self, table: str, rows: Any, reference: Ints, columns: Mapping[str, Any]
    ) -> tuple[str, Ints, pa.Table]:
        """A table of events of rows that have a person and an instant."""
        number = rows.person * EVENTS + rank(rows.person)
        return table, number, self._table(table, reference, number, rows.at, columns)

    def _table(
        self, table: str, reference: Ints, number: Ints, at: Ints, columns: Mapping[str, Any]
    ) -> pa.Table:
        """A table of events, its columns in the contract's order."""
        import pyarrow as pa

        contract, rules = TABLES[table], self._config.outlet.dirt
        every = {
            "customer_id": words(self._registers.customer_id, reference),
            contract.event: instants(at),
            "known_at": instants(dirt.known_at(rules, self._seed, table, number, at, end=self._end)),
            "event_id": draws.permute(self._seed, f"event/{table}", number, EVENT_IDS),
            **columns,
        }
        return pa.table({name: every[name] for name in contract.names if name in every})

    def _transactions(self) -> dict[str, Any]:
        lines, catalogue = self._lived.lines, self._catalogue
        basket = lines.person * EVENTS + lines.basket
        return {
            "amount": lines.amount_cents / 100,
            "basket_id": draws.permute(self._seed, "basket", basket, EVENT_IDS),
            "product_id": words(catalogue.product_id, lines.product),
            "quantity": lines.quantity,
            "discount": lines.discount_cents / 100,
            "store_id": words(catalogue.store_id, lines.store),
            "channel": words(self._config.places, lines.place),
            "payment": words(self._config.payments, lines.payment),
        }

    def _exposures(self) -> dict[str, Any]:
        contacts, campaigns = self._lived.contacts, self._campaigns
        return {
            "campaign_id": words(campaigns.ids, campaigns.of(contacts, self._lived.contact_day)),
            "action_id": words(self._actions, contacts.action),
            "channel": words(self._channels, contacts.channel),
            "cost": contacts.cost_cents / 100,
            "propensity": contacts.propensity,
        }

    def _responses(self) -> dict[str, Any]:
        answers, campaigns = self._lived.answers, self._campaigns
        return {
            "campaign_id": words(campaigns.ids, campaigns.of(answers, self._lived.asked_day)),
            "action_id": words(self._actions, answers.action),
            "product_id": words(self._catalogue.product_id, answers.product),
            "kind": words(AnswerKind, answers.kind),
            "amount": answers.amount_cents / 100,
        }

    def _service(self) -> dict[str, Any]:
        service, catalogue = self._lived.service, self._catalogue
        return {
            "kind": words(ServiceKind, service.kind),
            "score": numbers(service.score, np.isnan(service.score)),
            "reason": words(Reason, service.reason),
            "status": words(Status, service.status),
            "deadline_at": instants(service.deadline_at),
            "store_id": words(catalogue.store_id, service.store),
            "staff_id": words(catalogue.staff_id, service.staff),
        }

    def _consents(self) -> dict[str, Any]:
        consents = self._lived.consents
        return {
            "purpose": words(Purpose, consents.purpose),
            "granted": consents.granted,
            "channel": words(self._channels, consents.channel),
        }

    def _contracts(self) -> dict[str, Any]:
        contracts = self._lived.contracts
        number = contracts.person * EVENTS + contracts.number
        return {
            "contract_id": draws.permute(self._seed, "contract", number, EVENT_IDS),
            "customer_id": words(self._registers.customer_id, self._registers.of(contracts)),
            "kind": words(ContractKind, contracts.kind),
            "starts_at": instants(contracts.starts_at),
            "ends_at": instants(contracts.ends_at),
            "monthly_fee": contracts.fee_cents / 100,
        }
