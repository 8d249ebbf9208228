"""Whether a customer is offered nothing at all, asked for where no action decides: products beside a basket.

Products are marketing, too: who has refused it, has a complaint open, or is in the group by which the worth
of all marketing is measured gets none.
"""

from __future__ import annotations

from typing import Final

from serving.catalogue.actions import Catalogue
from serving.contacts.standing import Standing
from serving.decisions import groups
from serving.decisions.rules import Rule

KIND: Final = "cross_sell"


def withheld(catalogue: Catalogue, place: str, customer_id: str, standing: Standing) -> Rule | None:
    """The rule by which one customer is offered no products at a place; None: they are offered.

    Args:
        catalogue: whose contact policy.
        place: where; it is enough to consent to one of its channels.
        customer_id: the customer.
        standing: of this customer alone.
    """
    policy, control = catalogue.policy, catalogue.control
    if KIND in policy.exempt_kinds:
        return None
    if policy.purpose is not None:
        silent = catalogue.purposes[policy.purpose].unless_stated == "refused"
        said = [standing.consent_to(policy.purpose, channel)[0] for channel in catalogue.at(place).channels]
        if all(each != 1 if silent else each == 0 for each in said):
            return Rule.NO_CONSENT
    if standing.complaint_age[0] < policy.complaint_days:
        return Rule.COMPLAINT_FREEZE
    if groups.uniform("holdout", [customer_id], control.salt)[0] < control.share:
        return Rule.HOLDOUT
    return None
