"""The canonical tables: the contract between any source of data and the platform.

A source folder with these names needs no mapping. `docs/tables.md` is generated from here.
"""

from __future__ import annotations

from features import columns
from features.contract import STORED_TYPES, Column, Kind, Personal, Presence, Table, event_columns

REQUIRED, WANTED = Presence.REQUIRED, Presence.WANTED
TEXT, INT, NUMBER, MONEY = Kind.TEXT, Kind.INT, Kind.NUMBER, Kind.MONEY
INSTANT, DATE, BOOL = Kind.INSTANT, Kind.DATE, Kind.BOOL

CUSTOMER = Column(
    columns.CUSTOMER_ID,
    TEXT,
    "the source's own id of the customer, as text; a phone, card or national-id number or an e-mail is "
    "stored as a keyed hash",
    presence=REQUIRED,
    personal=Personal.REFERENCE,
)
EVENT = Column(
    columns.EVENT_ID, TEXT, "the source's id of the row: a repeated one changes nothing, the first stands"
)
STORE = Column(columns.STORE_ID, TEXT, "store, station or branch", presence=WANTED)
CAMPAIGN = Column("campaign_id", TEXT, "campaign", presence=WANTED)


def identifier(name: str, meaning: str) -> Column:
    """The key column of a table of things."""
    return Column(name, TEXT, meaning, presence=REQUIRED)


def text(name: str, meaning: str, presence: Presence = Presence.OPTIONAL) -> Column:
    """A column of free text."""
    return Column(name, TEXT, meaning, presence=presence)


def word(name: str, meaning: str, presence: Presence = Presence.OPTIONAL) -> Column:
    """A column of few different texts, none of them a person's."""
    return Column(name, TEXT, meaning, presence=presence, word=True)


_DECLARED = (
    Table(
        "transactions",
        "one line of a purchase (or a refund, with a negative amount)",
        (
            CUSTOMER,
            *event_columns(columns.OCCURRED_AT, "when it was bought"),
            Column(
                "amount", MONEY, "what was paid, after discounts", unit="currency units", presence=REQUIRED
            ),
            text(columns.BASKET_ID, "lines bought together", WANTED),
            text(columns.PRODUCT_ID, "product", WANTED),
            Column("quantity", NUMBER, "how many; negative for a return", unit="pieces", presence=WANTED),
            Column(
                "discount",
                MONEY,
                "money taken off the price",
                unit="currency units",
                presence=WANTED,
                minimum=0,
            ),
            STORE,
            word("channel", "where it was bought: forecourt, shop, app, ...", WANTED),
            word("payment", "means of payment", WANTED),
            EVENT,
        ),
        event=columns.OCCURRED_AT,
        sort=(columns.CUSTOMER_ID, columns.OCCURRED_AT, columns.BASKET_ID, columns.PRODUCT_ID),
        without="nothing can be built",
    ),
    Table(
        "products",
        "one product",
        (
            identifier(columns.PRODUCT_ID, "product"),
            text("name", "name shown to people", WANTED),
            text("department", "widest group, such as FUEL", WANTED),
            text("category", "group within the department", WANTED),
            text("product_type", "group within the category", WANTED),
            text("brand", "brand, or whose brand it is (National, Private)", WANTED),
            text("package_size", "size of the package, as written"),
            text("manufacturer", "maker"),
            Column("price", MONEY, "list price of one piece", unit="currency units", minimum=0),
            Column("unit_cost", MONEY, "cost of one piece to the seller", unit="currency units", minimum=0),
        ),
        key=(columns.PRODUCT_ID,),
        without="department, category and brand features, product names, and exclusions from recommendation",
    ),
    Table(
        "customers",
        "one customer",
        (
            CUSTOMER,
            text("kind", "person or organisation"),
            text("segment", "the source's own segment", WANTED),
            text("area", "area the customer belongs to"),
            text("household_id", "household the customer belongs to"),
            text("sex", "as the source says it"),
            Column("birth_year", INT, "year of birth", unit="year", minimum=1850, maximum=2200),
            text("age_band", "age as a band"),
            text("income_band", "income as a band"),
            text("household_size", "persons in the household, as written"),
            text("household_kind", "composition of the household"),
            text("home_ownership", "owner, renter, ..."),
            text("marital_status", "as the source says it"),
            text("children", "number of children, as written"),
            Column("registered_at", INSTANT, "when the customer joined", day="registered_day"),
            Column(
                "time_zone",
                TEXT,
                "IANA time zone of the customer, for quiet hours: Asia/Shanghai, ...; empty for the source's",
                word=True,
                zone=True,
            ),
        ),
        key=(columns.CUSTOMER_ID,),
        without="segments and demographics in portraits",
    ),
    Table(
        "identities",
        "one identifier of a customer seen in one pool of the source",
        (
            CUSTOMER,
            *event_columns("seen_at", "when the identifier was seen"),
            word("pool", "where it was seen: card, WeChat, wholesale, payment, ...", WANTED),
            word("kind", "phone, national_id, card, open_id, plate, email, ...", REQUIRED),
            Column(
                "value",
                TEXT,
                "the identifier; only its keyed hash is stored",
                presence=REQUIRED,
                personal=Personal.VALUE,
            ),
            EVENT,
        ),
        event="seen_at",
        sort=(columns.CUSTOMER_ID, "seen_at", "kind"),
        without="joining of several ids of one customer: each customer_id stands for itself",
    ),
    Table(
        "consents",
        "one statement of consent or refusal; the latest of a purpose holds",
        (
            CUSTOMER,
            *event_columns("stated_at", "when it was stated"),
            word("purpose", "what is consented to: marketing, profiling, partners, ...", REQUIRED),
            Column("granted", BOOL, "true for consent, false for refusal", presence=REQUIRED),
            word("channel", "channel it applies to; empty for all"),
            EVENT,
        ),
        event="stated_at",
        sort=(columns.CUSTOMER_ID, "stated_at", "purpose"),
        without="consent checks: every action counts as permitted, and answers say so",
    ),
    Table(
        "vehicles",
        "one vehicle of a customer",
        (
            CUSTOMER,
            Column(
                "plate",
                TEXT,
                "number plate; only its keyed hash is stored",
                presence=REQUIRED,
                personal=Personal.PLATE,
            ),
            text("kind", "car, lorry, motorcycle, ...", WANTED),
            text("fuel", "fuel it takes: 92, 95, 98, diesel, electric, ...", WANTED),
            text("make", "maker and model"),
            Column("model_year", INT, "year of make", unit="year", minimum=1885, maximum=2200),
        ),
        key=(columns.CUSTOMER_ID, "plate"),
        without="vehicle-based actions",
    ),
    Table(
        "contracts",
        "one contract of a customer",
        (
            identifier("contract_id", "contract"),
            CUSTOMER,
            text("kind", "bound, free, wholesale, ...", WANTED),
            Column("starts_at", INSTANT, "first instant", presence=REQUIRED, day="start_day", future=True),
            Column(
                "ends_at",
                INSTANT,
                "last instant; empty for open-ended",
                presence=WANTED,
                day="end_day",
                future=True,
            ),
            Column("monthly_fee", MONEY, "fee", unit="currency units a month", minimum=0),
        ),
        key=("contract_id",),
        without="contract expiry in features and actions",
    ),
    Table(
        "stores",
        "one store, station or branch",
        (
            identifier(columns.STORE_ID, "store"),
            text("name", "name shown to people", WANTED),
            text("area", "area it belongs to", WANTED),
            text("kind", "station, shop, counter, ...", WANTED),
            Column("opened_on", DATE, "first day open"),
        ),
        key=(columns.STORE_ID,),
        without="figures by area",
    ),
    Table(
        "staff",
        "one member of staff",
        (
            identifier("staff_id", "member of staff, by the source's own id, never by name"),
            text(columns.STORE_ID, "where they work", WANTED),
            text("role", "attendant, cashier, customer manager, ...", WANTED),
            text("area", "area they care for"),
            Column("capacity", INT, "visits they can make", unit="visits a week", minimum=0),
        ),
        key=("staff_id",),
        without="visit lists by manager",
    ),
    Table(
        "campaigns",
        "one campaign",
        (
            identifier("campaign_id", "campaign"),
            text("kind", "type of campaign", WANTED),
            text("name", "name shown to people"),
            Column("starts_at", INSTANT, "first instant", presence=REQUIRED, day="start_day", future=True),
            Column(
                "ends_at", INSTANT, "an instant of its last day", presence=WANTED, day="end_day", future=True
            ),
        ),
        key=("campaign_id",),
        without="campaign response and campaign features",
    ),
    Table(
        "exposures",
        "one contact made with a customer",
        (
            CUSTOMER,
            *event_columns("contacted_at", "when the contact was made"),
            CAMPAIGN,
            text("action_id", "action of the catalogue, when it was one"),
            word("channel", "channel of the contact", WANTED),
            Column("cost", MONEY, "cost of the contact", unit="currency units", minimum=0),
            Column(
                "propensity",
                NUMBER,
                "chance with which exactly this contact was chosen, where the choice was random",
                unit="probability",
                minimum=0,
                maximum=1,
            ),
            EVENT,
        ),
        event="contacted_at",
        sort=(columns.CUSTOMER_ID, "contacted_at", "campaign_id"),
        without="campaign response, and limits on past contacts",
    ),
    Table(
        "responses",
        "one answer of a customer to a contact or campaign",
        (
            CUSTOMER,
            *event_columns(columns.OCCURRED_AT, "when the customer answered"),
            CAMPAIGN,
            text("action_id", "action of the catalogue, when it was one"),
            text(columns.PRODUCT_ID, "product"),
            text("coupon_id", "coupon"),
            word("kind", "redemption, click, purchase, refusal, ...", WANTED),
            Column("amount", MONEY, "value of the answer", unit="currency units"),
            EVENT,
        ),
        event=columns.OCCURRED_AT,
        sort=(columns.CUSTOMER_ID, columns.OCCURRED_AT, "campaign_id"),
        without="campaign response",
    ),
    Table(
        "service_events",
        "one complaint, rating, visit, survey or referral",
        (
            CUSTOMER,
            *event_columns(columns.OCCURRED_AT, "when it happened"),
            Column(
                "kind",
                TEXT,
                "what happened",
                presence=REQUIRED,
                allowed=("complaint", "rating", "visit", "survey", "referral"),
            ),
            Column("score", NUMBER, "rating or survey score", unit="as the source says"),
            word("reason", "reason code"),
            word("status", "open, closed, ..."),
            Column("deadline_at", INSTANT, "until when it has to be settled", future=True),
            STORE,
            text("staff_id", "member of staff"),
            EVENT,
        ),
        event=columns.OCCURRED_AT,
        sort=(columns.CUSTOMER_ID, columns.OCCURRED_AT, "kind"),
        without="service-recovery actions and complaint features",
    ),
)

TABLES: dict[str, Table] = {table.name: table for table in _DECLARED}

_INTRODUCTION = """# Canonical tables

Generated from `features/tables.py` by `python -m features.docs`. A source is a folder with, for each table,
`<table>.parquet` or `<table>.csv`, or a folder `<table>/` of such parts. Only `transactions` is required.
A folder `truth/`, as simulated sources have, is not read.

- **Amounts** come in currency units (12.34) and are kept as integer cents (`amount_cents`), rounded half-even
  from the decimal text.
- **Instants** are ISO 8601. With an offset they are exact; without one they are UTC, or local times of the
  source's zone when `source.toml` says `naive_times = "local"`. A date without a time of day is 00:00 local
  of that day. They are stored in UTC, with the local calendar day beside them as days since 1970-01-01.
- **Tables of events**: identical rows within one file are separate events; across files and across runs the
  larger count stands, and a row that comes again with a later `known_at` keeps the earlier one. A row with an
  `event_id` counts once, the first stands.
- **Tables of things** have a key: the later file, and the later ingest, wins.
- **required** columns must be there and never empty; a source should have the **wanted** ones.
"""


def markdown() -> str:
    """The documentation page of all tables."""
    return "\n".join([_INTRODUCTION, *(_section(table) for table in TABLES.values())])


def _section(table: Table) -> str:
    what = (
        f"Key: {', '.join(f'`{name}`' for name in table.key)}."
        if table.key
        else f"Events, at `{table.event}`."
    )
    lines = [
        f"## {table.name}",
        "",
        f"{table.meaning[0].upper()}{table.meaning[1:]}. {what} Without it: {table.without}.",
        "",
        "| column | type | presence | meaning | unit | limits | stored as |",
        "|---|---|---|---|---|---|---|",
    ]
    for column in table.columns:
        stored = f"`{column.stored}` {STORED_TYPES[column.kind]}" + (
            f", `{column.day}`" if column.day else ""
        )
        cells = (f"`{column.name}`", column.kind, column.presence, column.meaning, column.unit)
        lines.append(f"| {' | '.join(cells)} | {_limits(column)} | {stored} |")
    return "\n".join([*lines, ""])


def _limits(column: Column) -> str:
    if column.allowed:
        return "one of " + ", ".join(column.allowed)
    if column.zone:
        return "a name of the IANA time zone database"
    bounds = [
        f"{word} {bound:g}"
        for word, bound in (("from", column.minimum), ("to", column.maximum))
        if bound is not None
    ]
    return " ".join(bounds)
