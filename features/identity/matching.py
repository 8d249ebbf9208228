"""Similar records: pairs of references compared by Splink, on declared weights.

Which pairs are compared at all is decided by blocks: references that share a birth date and an initial, a
name and a year of birth, a phone, an e-mail, an address or an exact key. Of a block only the references seen
first are compared, so that a common value cannot make the work quadratic, and so that those who come later
do not change who was compared before.

Only what is at hand as it was written can be compared: the records of this ingest. What it found is kept as
evidence (hashed references, no values) and stands at the next ingest.
"""

from __future__ import annotations

from typing import Any, Final

import duckdb

from features.identity.records import KEYS, RECORDS
from features.identity_rules import LEVELS, IdentityRules

# reference_a < reference_b, what, probability, day, reason: what comparing found.
EVIDENCE: Final = "identity_evidence"
SAME, DIFFERENT, OPPOSITE = "same", "different", "opposite"
# A pair has that many times `different_bits` against it to be OPPOSITE.
OPPOSITE_TIMES: Final = 2
EVIDENCE_COLUMNS: Final = (
    "reference_a VARCHAR, reference_b VARCHAR, what VARCHAR, probability DOUBLE, day INTEGER, reason VARCHAR"
)
# A key is no evidence of who holds it once it is shared: these say whether its holders are different people.
_TELLING: Final = ("name", "birth_date", "email", "national_id", "sex")

_BLOCKS: Final = {
    "initial": "birth_date || '|' || left(name, 1)",
    "year": "name || '|' || birth_year",
    "email": "email",
    "phone": "phone",
    "address": "address || '|' || left(name, 1)",
}
# The words of a name are in order: its first one, and the others.
_HEAD, _TAIL = "split_part({}, ' ', 1)", "substr({0}, length(split_part({0}, ' ', 1)) + 2)"
_WORD: Final = "list_has_any(string_split(name_l, ' '), string_split(name_r, ' '))"
_ONE_WORD: Final = " OR ".join(
    f"({same.format('name_l')} = {other.format('name_r')} AND jaro_winkler_similarity("
    f"{rest_l.format('name_l')}, {rest_r.format('name_r')}) < 0.8 AND {rest_l.format('name_l')} <> '' "
    f"AND {rest_r.format('name_r')} <> '')"
    for same, rest_l in ((_HEAD, _TAIL), (_TAIL, _HEAD))
    for other, rest_r in ((_HEAD, _TAIL), (_TAIL, _HEAD))
)
_TURNED: Final = "concat(left(birth_date_r, 5), right(birth_date_r, 2), '-', substr(birth_date_r, 6, 2))"
_CONDITIONS: Final[dict[str, tuple[str, ...]]] = {
    "name": (
        "name_l = name_r",
        "jaro_winkler_similarity(name_l, name_r) >= 0.92 OR damerau_levenshtein(name_l, name_r) <= 1",
        _ONE_WORD,
        f"jaro_winkler_similarity(name_l, name_r) >= 0.8 OR {_WORD}",
    ),
    "birth_date": (
        "birth_date_l = birth_date_r",
        f"birth_date_l = {_TURNED}",
        "damerau_levenshtein(birth_date_l, birth_date_r) <= 1",
        "birth_year_l = birth_year_r AND (birth_date_l IS NULL OR birth_date_r IS NULL)",
        "birth_year_l = birth_year_r",
    ),
    "email": ("email_l = email_r", "jaro_winkler_similarity(email_l, email_r) >= 0.93"),
    "address": ("address_l = address_r", "jaro_winkler_similarity(address_l, address_r) >= 0.9"),
    "phone": ("phone_l = phone_r", "damerau_levenshtein(phone_l, phone_r) <= 1"),
    "national_id": (
        "national_id_l = national_id_r",
        "damerau_levenshtein(national_id_l, national_id_r) <= 1",
    ),
    "sex": ("sex_l = sex_r",),
}
_KNOWN: Final = {"birth_date": "birth_year"}


def write(opened: duckdb.DuckDBPyConnection, rules: IdentityRules) -> None:
    """Compare the records of a session and make its table `EVIDENCE`."""
    opened.execute(f"CREATE OR REPLACE TEMP TABLE {EVIDENCE} ({EVIDENCE_COLUMNS})")
    if _pairs(opened, rules.block_references):
        scored = _scored(opened, rules)
        opened.execute(f"INSERT INTO {EVIDENCE} {_found(scored, rules)}")
        opened.execute(f"DROP TABLE {scored}")


def _pairs(opened: duckdb.DuckDBPyConnection, limit: int) -> int:
    """Make the table of pairs of records to compare; how many there are."""
    blocks = [
        f"SELECT '{name}|' || {value} AS block, reference, day FROM {RECORDS} WHERE {value} IS NOT NULL"
        for name, value in _BLOCKS.items()
    ]
    blocks.append(
        f"SELECT 'key|' || hash, reference, day FROM {KEYS} "
        f"WHERE reference IN (SELECT reference FROM {RECORDS})"
    )
    opened.execute(f"""
        CREATE OR REPLACE TEMP TABLE _blocks AS
        SELECT * FROM (
            SELECT block, reference, min(day) AS day FROM ({" UNION ALL ".join(blocks)})
            GROUP BY block, reference)
        QUALIFY row_number() OVER (PARTITION BY block ORDER BY day, reference) <= {limit}""")
    opened.execute("""
        CREATE OR REPLACE TEMP TABLE _references AS
        SELECT a.reference AS a, b.reference AS b, min(greatest(a.day, b.day)) AS day,
               bool_or(starts_with(a.block, 'key|')) AS by_key
        FROM _blocks AS a JOIN _blocks AS b ON a.block = b.block AND a.reference < b.reference
        GROUP BY ALL""")
    opened.execute(f"""
        CREATE OR REPLACE TEMP TABLE _pairs AS
        SELECT '0' AS match_key, l.record AS join_key_l, r.record AS join_key_r, a AS reference_a,
               b AS reference_b, greatest(p.day, l.day, r.day) AS day, by_key
        FROM _references AS p
        JOIN {RECORDS} AS l ON l.reference = a JOIN {RECORDS} AS r ON r.reference = b""")
    opened.execute("DROP TABLE _blocks; DROP TABLE _references")
    ((count,),) = opened.execute("SELECT count(*) FROM _pairs").fetchall()
    return int(count)


def _scored(opened: duckdb.DuckDBPyConnection, rules: IdentityRules) -> str:
    """Let Splink compare the pairs; the name of its table of levels, weights and probabilities."""
    from splink import DuckDBAPI, Linker

    api = DuckDBAPI(opened)
    settings: dict[str, Any] = {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record",
        "probability_two_random_records_match": rules.prior,
        "comparisons": [_comparison(name, rules) for name in LEVELS],
        "blocking_rules_to_generate_predictions": ["l.name = r.name"],
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": True,
    }
    linker = Linker(api.register(RECORDS), settings, log_level=None, validate_settings=False)
    linker.table_management.register_blocked_pairs_for_predict(api.register("_pairs"))
    # DuckDB 2.0.0 fails to bind these comparisons when it has worked out that a column is empty throughout.
    opened.execute("SET disabled_optimizers = 'statistics_propagation'")
    predicted = linker.inference.predict(warning_mode="never")
    opened.execute("RESET disabled_optimizers")
    return str(predicted.physical_name)


def _comparison(name: str, rules: IdentityRules) -> dict[str, Any]:
    known = _KNOWN.get(name, name)
    levels: list[dict[str, Any]] = [
        {
            "sql_condition": f"{known}_l IS NULL OR {known}_r IS NULL",
            "label_for_charts": "unknown",
            "is_null_level": True,
        }
    ]
    conditions = (*_CONDITIONS[name], "ELSE")
    for label, condition, (m, u) in zip(LEVELS[name], conditions, rules.weights[name], strict=True):
        levels.append(
            {
                "sql_condition": condition,
                "label_for_charts": label,
                "m_probability": m,
                "u_probability": u,
            }
        )
    return {"output_column_name": name, "comparison_levels": levels}


def _found(scored: str, rules: IdentityRules) -> str:
    """Query of the evidence: per pair and kind of it, the first day and the surest of that day."""
    words = []
    for name, labels in LEVELS.items():
        cases = " ".join(
            f"WHEN abs(mw_{name} - {rules.bits(name, level)!r}) < 1e-9 THEN '{name} {label}'"
            for level, label in enumerate(labels)
        )
        words.append(f"CASE {cases} END")
    reason = f"concat_ws(', ', {', '.join(words)})"
    against = " + ".join(f"coalesce(mw_{name}, 0)" for name in _TELLING)
    # Half a name in common is a family's way to be different people.
    half, other = (rules.bits("name", LEVELS["name"].index(label)) for label in ("one word", "other"))
    against += f" + CASE WHEN abs(mw_name - {half!r}) < 1e-9 THEN {min(0.0, other - half)!r} ELSE 0 END"
    kinds = (
        (SAME, f"match_probability >= {rules.threshold!r}", "probability DESC"),
        (DIFFERENT, f"by_key AND against <= {-rules.different_bits!r}", "probability"),
        (OPPOSITE, f"by_key AND against <= {-OPPOSITE_TIMES * rules.different_bits!r}", "probability"),
    )
    parts = [
        f"""(SELECT reference_a, reference_b, '{what}' AS what, match_probability AS probability, day, reason
             FROM every WHERE {condition}
             QUALIFY row_number() OVER (
                 PARTITION BY reference_a, reference_b ORDER BY day, {order}, reason) = 1)"""
        for what, condition, order in kinds
    ]
    return f"""
        WITH every AS (
            SELECT reference_a, reference_b, day, by_key, match_probability, {reason} AS reason,
                   {against} AS against
            FROM {scored} JOIN _pairs ON join_key_l = record_l AND join_key_r = record_r)
        {" UNION ALL ".join(parts)}"""
