"""Which members and touches of campaigns a reader may see: those of customers whom the reader's orders knew."""

from sqlalchemy import ColumnElement, Exists, exists

from crm_metrics.schema import campaign_members, campaign_touches, campaigns, customer_facts, order_facts
from crm_metrics.scope import Scope, scope_conditions


def seen_members(scope: Scope) -> list[ColumnElement[bool]]:
    """Return what a row of campaign_members must satisfy: for a reader of some regions, a purchase there before the campaign began.

    A purchase of any day would choose members by what the campaign did to them. Members without a customer belong to no region.
    """
    if not scope.regions:
        return []
    began = campaigns.alias("began")
    known = _is_known(scope, campaign_members.c.customer_id).where(
        began.c.campaign_id == campaign_members.c.campaign_id, order_facts.c.ordered_on < began.c.started_on
    )
    return [known.correlate(campaign_members)]


def seen_touches(scope: Scope) -> list[ColumnElement[bool]]:
    """Return what a row of campaign_touches must satisfy: for a reader of some regions, a purchase of the customer there."""
    return [_is_known(scope, campaign_touches.c.customer_id).correlate(campaign_touches)] if scope.regions else []


def _is_known(scope: Scope, customer_id: ColumnElement[str]) -> Exists:
    return exists().where(
        customer_facts.c.customer_id == customer_id,
        order_facts.c.customer_number == customer_facts.c.customer_number,
        order_facts.c.is_purchase,
        *scope_conditions(scope, order_facts),
    )
