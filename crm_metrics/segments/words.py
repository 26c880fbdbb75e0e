"""Rules in the reader's words."""

from crm_metrics.language import noop, t
from crm_metrics.metric import Unit, value_text
from crm_metrics.segments.attributes import attribute
from crm_metrics.segments.known import NO, TIERS, UNKNOWN, YES
from crm_metrics.segments.rule import Condition, Group, Opposite, Rule

_VALUES = {
    UNKNOWN: noop("unknown"),
    YES: noop("yes"),
    NO: noop("no"),
    "spring": noop("spring"),
    "summer": noop("summer"),
    "autumn": noop("autumn"),
    "winter": noop("winter"),
    "person": noop("person"),
    "company": noop("company"),
    TIERS[0]: noop("top 5%"),
    TIERS[1]: noop("next 15%"),
    TIERS[2]: noop("other 80%"),
}


def value_label(value: str) -> str:
    """Return a value of an attribute as the reader sees it: our own words are translated, the data's own are not."""
    return t(_VALUES[value]) if value in _VALUES else value


def rule_sentence(rule: Rule) -> str:
    """Return a rule in the reader's language.

    >>> rule_sentence(Group("all", (Condition("orders", low=2), Opposite(Condition("age_band", ("65+",))))))
    'Orders: at least 2 and not (Age band: 65+)'
    """
    if isinstance(rule, Condition):
        return _condition(rule)
    if isinstance(rule, Opposite):
        return t("not ({rule})", rule=rule_sentence(rule.of))
    if not rule.parts:
        return t("every customer") if rule.joined_by == "all" else t("no customer")
    shown = [f"({rule_sentence(part)})" if isinstance(part, Group) and len(part.parts) > 1 else rule_sentence(part) for part in rule.parts]
    return (t(" and ") if rule.joined_by == "all" else t(" or ")).join(shown)


def _condition(condition: Condition) -> str:
    asked = attribute(condition.attribute)
    if condition.values:
        return t("{label}: {values}", label=t(asked.label), values=t(" or ").join(value_label(value) for value in condition.values))
    low, high = (None if bound is None else _bound(bound, asked.unit) for bound in (condition.low, condition.high))
    if low and high:
        return t("{label}: {low} to {high}", label=t(asked.label), low=low, high=high)
    return (
        t("{label}: at least {low}", label=t(asked.label), low=low)
        if low
        else t("{label}: at most {high}", label=t(asked.label), high=high)
    )


def _bound(bound: float, unit: Unit) -> str:
    """Return a bound as its attribute is printed; one between two counts with its digits."""
    return value_text(bound, "ratio" if unit == "count" and bound != round(bound) else unit, exact=True)
