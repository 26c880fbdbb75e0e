"""Two systems that do not agree on who is who: do the ids stay apart, the truth join them, and the names stay alike?"""

from difflib import SequenceMatcher

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_metrics.demo import customers, identities, leads, misspelling, names, plan, purchases, roster
from crm_metrics.demo.channels import CHANNELS
from crm_metrics.demo.identities import Booked
from crm_metrics.demo.plan import Effects, Plan
from crm_metrics.demo.service import TICKET_CHANNELS
from crm_metrics.demo.staff import headcount
from crm_metrics.demo.world import NONE, REGIONS, Customers, Orders
from crm_metrics.schema import contacts, customer_records, demo_customers, preferences


class Demo:
    """All chunks of a demo's customers: what they are, what they ordered under which id, and the tables about them."""

    def __init__(self, wanted: Plan) -> None:
        everybody = roster.roster(wanted, leads.leads(wanted, leads.calls(wanted)))
        self.customers = [customers.customers(wanted, chunk, everybody) for chunk in range(wanted.chunks)]
        histories = [purchases.natural_history(wanted, chunk, found) for chunk, found in enumerate(self.customers)]
        self.orders = [history.orders for history in histories]
        self.booked = [
            identities.order_customer_ids(wanted, chunk, found, orders)
            for chunk, (found, orders) in enumerate(zip(self.customers, self.orders, strict=True))
        ]
        self.has_office_order = [has_office(*told) for told in zip(self.customers, self.orders, self.booked, strict=True)]
        parts = [
            identities.records(wanted, chunk, found, history.left, has_office_order=has)
            for chunk, (found, history, has) in enumerate(zip(self.customers, histories, self.has_office_order, strict=True))
        ]
        self.tables = {name: pd.concat([part[name].to_pandas() for part in parts], ignore_index=True) for name in parts[0]}

    @property
    def shop(self) -> pd.DataFrame:
        records = self.tables[customer_records]
        return records[records["source_system"] == "shop"]

    @property
    def pairs(self) -> pd.DataFrame:
        """The office's records beside the shop's of the same customer, the latter with _shop at their columns' names."""
        records, truth = self.tables[customer_records], self.tables[demo_customers]
        office = records[records["source_system"] == "office"].merge(truth[["customer_id", "true_customer_id"]])
        return office.merge(self.shop, left_on="true_customer_id", right_on="customer_id", suffixes=("", "_shop"))


def has_office(found: Customers, orders: Orders, booked: Booked) -> np.ndarray:
    has = np.zeros(len(found.number), dtype=bool)
    has[orders.customer[booked.is_office]] = True
    return has


@pytest.fixture(scope="module")
def demo() -> Demo:
    """15,000 customers in one chunk, all effects on."""
    return Demo(Plan(customers=15_000, seed=3))


@pytest.fixture(scope="module")
def chunked() -> Demo:
    """3,000 customers in three chunks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "CHUNK_CUSTOMERS", 1_000)
        return Demo(Plan(customers=3_000, seed=3))


def binomial_error(share: float, count: int) -> float:
    return float(np.sqrt(share * (1 - share) / count))


# ── ids and whose they are ──────────────────────────────────────────────────────────────────────────────────────────────


def test_no_two_records_contacts_or_preferences_of_any_chunk_have_one_key(chunked):
    keys = {
        customer_records: "customer_id",
        demo_customers: "customer_id",
        contacts: "contact_id",
        preferences: ["customer_id", "preference"],
    }
    assert len(chunked.customers) == 3
    for table, key in keys.items():
        assert not chunked.tables[table].duplicated(key).any(), table.name


def test_every_record_has_one_truth_and_the_truth_names_a_record_of_the_shop(chunked):
    records, truth = chunked.tables[customer_records], chunked.tables[demo_customers]
    assert set(truth["customer_id"]) == set(records["customer_id"])
    assert set(truth["true_customer_id"]) == set(chunked.shop["customer_id"])
    own = truth[truth["customer_id"].str.startswith("C")]
    assert (own["customer_id"] == own["true_customer_id"]).all()


def test_every_id_that_an_order_names_has_a_record_and_every_office_record_has_an_order(chunked):
    records = chunked.tables[customer_records]
    named = set().union(*(booked.ids.to_pylist() for booked in chunked.booked))
    assert named <= set(records["customer_id"])
    assert set(records.loc[records["source_system"] == "office", "customer_id"]) <= named


def test_the_truth_leads_from_an_order_to_its_customer(chunked):
    truth = chunked.tables[demo_customers].set_index("customer_id")["true_customer_id"]
    for found, orders, booked in zip(chunked.customers, chunked.orders, chunked.booked, strict=True):
        expected = [f"C{number + 1:07d}" for number in found.number[orders.customer]]
        assert truth[booked.ids.to_pylist()].tolist() == expected
        assert np.array_equal(pc.starts_with(booked.ids, "K").to_numpy(zero_copy_only=False), booked.is_office)


def test_two_records_of_one_customer_have_the_same_truth(demo):
    truth = demo.tables[demo_customers].drop(columns="customer_id")
    twice = truth[truth.duplicated("true_customer_id", keep=False)]
    assert len(twice) == 2 * len(demo.pairs) > 0
    assert twice.drop_duplicates().shape[0] == len(demo.pairs)


def test_an_office_number_is_never_the_customer_s_own_nor_near_it(demo):
    own, office = (demo.pairs[column].str[1:].astype(int) for column in ("true_customer_id", "customer_id"))
    assert (own != office).all()
    # Of two unrelated numbers the correlation is 0 with a standard error of 1 / sqrt(n).
    assert abs(np.corrcoef(own, office)[0, 1]) < 4 / np.sqrt(len(own))


def test_of_customers_with_a_second_record_the_office_books_the_second_order_and_later_ones_at_the_stated_share(demo):
    found, orders, is_office = demo.customers[0], demo.orders[0], demo.booked[0].is_office
    place = np.arange(len(orders.customer)) - np.searchsorted(orders.customer, orders.customer)
    has_second = (found.has_second_record & ~found.is_test)[orders.customer]
    assert not is_office[~has_second | (place == 0)].any()
    assert is_office[has_second & (place == 1)].all()
    later, share = has_second & (place > 1), identities.OFFICE_ORDER_SHARE
    assert is_office[later].mean() == pytest.approx(share, abs=4 * binomial_error(share, later.sum()))


def test_the_stated_share_of_those_who_order_again_has_a_second_record(demo):
    """Without campaigns, which write to nobody with two records and so let others order again; within 4 binomial standard errors."""
    again = np.bincount(demo.orders[0].customer) > 1
    share = customers.SECOND_RECORD_SHARE
    assert len(demo.pairs) / again.sum() == pytest.approx(share, abs=4 * binomial_error(share, again.sum()))


def test_the_test_account_has_no_second_record():
    wanted = Plan(customers=500, seed=3)
    everybody = Demo(wanted)
    found = everybody.customers[0]._replace(has_second_record=np.ones(500, dtype=bool))
    booked = identities.order_customer_ids(wanted, 0, found, everybody.orders[0])
    assert has_office(found, everybody.orders[0], booked).sum() > 100
    assert not has_office(found, everybody.orders[0], booked)[found.is_test].any()


def test_without_two_systems_all_orders_name_the_shop_s_record_and_the_rest_stays():
    both, one = (Demo(Plan(customers=2_000, seed=3, effects=effects)) for effects in (Effects(), Effects.without("two_systems")))
    assert set(one.tables[customer_records]["source_system"]) == {"shop"}
    assert all(customer_id.startswith("C") for customer_id in one.booked[0].ids.to_pylist())
    pd.testing.assert_frame_equal(one.shop, both.shop)
    pd.testing.assert_frame_equal(one.tables[preferences], both.tables[preferences])
    of_shop = both.tables[contacts][both.tables[contacts]["customer_id"].str.startswith("C")]
    pd.testing.assert_frame_equal(one.tables[contacts], of_shop.reset_index(drop=True))


def test_fewer_office_records_leave_those_that_stay_as_they_were():
    """As when another effect is off and some customers order less."""
    wanted = Plan(customers=2_000, seed=3)
    whole = Demo(wanted)
    has = whole.has_office_order[0].copy()
    has[np.flatnonzero(has)[::2]] = False
    nobody_left = np.full(len(has), np.nan)
    less = identities.records(wanted, 0, whole.customers[0], nobody_left, has_office_order=has)[customer_records].to_pandas()
    kept = whole.tables[customer_records][whole.tables[customer_records]["customer_id"].isin(less["customer_id"])]
    pd.testing.assert_frame_equal(less, kept.reset_index(drop=True))
    assert len(less) < len(whole.tables[customer_records])


def test_a_seed_gives_the_same_tables_again_and_another_others():
    first, again, other = (Demo(Plan(customers=500, seed=seed)) for seed in (3, 3, 4))
    for table, rows in first.tables.items():
        pd.testing.assert_frame_equal(rows, again.tables[table])
        assert not rows.equals(other.tables[table])


# ── misspelt names ──────────────────────────────────────────────────────────────────────────────────────────────────────


SOUNDS = {
    written: sound.lower()
    for characters in ((names._FAMILY, names._FAMILY_IN_LATIN), names._GIVEN[:2], names._COIN[:2])
    for written, sound in zip(*(column.to_pylist() for column in characters), strict=True)
}


def alike(one: str, other: str) -> float:
    """Share of what two names have in common when they are spoken: 王晓明, 王筱明 and Wang Xiaoming sound the same."""
    spoken, other_spoken = ("".join(SOUNDS.get(letter, letter) for letter in name).lower().replace(" ", "") for name in (one, other))
    return SequenceMatcher(None, spoken, other_spoken, autojunk=False).ratio()


def test_the_office_s_names_differ_from_the_shop_s(demo):
    known = demo.pairs.dropna(subset=["customer_name_shop"])
    assert len(known) > 200
    assert (known["customer_name"] != known["customer_name_shop"]).mean() >= 0.95


def test_the_office_s_names_are_like_the_shop_s_where_both_are_in_one_script(demo):
    """Of a bilingual name the office writes one half."""
    known = demo.pairs.dropna(subset=["customer_name_shop"])
    halves = known["customer_name_shop"].str.extract(r"^([^ -~]*) ?([ -~]*)$").to_numpy().tolist()
    cases = [
        (typed, [half for half in both if half and half.isascii() == typed.isascii()])
        for typed, both in zip(known["customer_name"], halves, strict=True)
    ]
    likeness = np.array([max(alike(typed, half) for half in both) for typed, both in cases if both])
    assert len(likeness) > 150
    assert likeness.mean() > 0.85
    assert likeness.min() > 0.4


def test_a_misspelt_name_is_more_like_its_own_than_like_anybody_else_s():
    """Of a company the likeness to the name in the language that the clerk wrote."""
    random = np.random.default_rng(5)
    is_english = np.arange(1_000) % 2 == 0
    people, firms = names.people(random, is_english), names.companies(random, is_english, random.integers(0, len(REGIONS), 1_000))
    luck = misspelling.Luck.drawn(random, 1_000)
    cases = [
        (misspelling.misspelt_people(people, luck), [names.written(people)]),
        (misspelling.misspelt_companies(firms, luck), [names.in_characters(firms), names.in_english(firms)]),
    ]
    for typed, writings in cases:
        own = [column.to_pylist() for column in writings]
        likeness = likenesses(typed.to_pylist(), own)
        assert likeness.mean() > 0.85
        assert likeness.min() > 0.4  # names the wrong way round keep the longer one: half of it at least
        assert (likeness > likenesses(typed.to_pylist(), [column[1:] + column[:1] for column in own])).mean() > 0.97


def likenesses(typed: list[str], writings: list[list[str]]) -> np.ndarray:
    return np.array([max(alike(one, other) for other in others) for one, *others in zip(typed, *writings, strict=True)])


@pytest.mark.parametrize("is_company", [False, True])
@pytest.mark.parametrize("is_english", [False, True])
def test_each_kind_of_error_happens_as_often_as_stated(is_company, is_english):
    """Told apart by what each does to the name; within 4 binomial standard errors."""
    random, count = np.random.default_rng(7), 4_000
    english = np.full(count, is_english)
    people, firms = names.people(random, english), names.companies(random, english, np.zeros(count, dtype=int))
    luck = misspelling.Luck.drawn(random, count)
    typed = misspelling.misspelt_companies(firms, luck) if is_company else misspelling.misspelt_people(people, luck)
    proper = (names.in_english(firms) if is_english else names.in_characters(firms)) if is_company else names.written(people)
    latin, swapped = names.in_english(firms) if is_company else names.in_latin(people), names.swapped(people)
    told = [
        kind_of_error(*case) for case in zip(typed.to_pylist(), proper.to_pylist(), latin.to_pylist(), swapped.to_pylist(), strict=True)
    ]
    shares = misspelling.ERRORS[f"{'English' if is_english else 'Chinese'} {'company' if is_company else 'person'}"]
    assert sum(shares.values()) == pytest.approx(1)
    found = pd.Series(told).value_counts(normalize=True).to_dict()
    assert set(found) == set(shares)
    for kind, share in shares.items():
        assert found[kind] == pytest.approx(share, abs=4 * binomial_error(share, count)), kind


def kind_of_error(typed: str, proper: str, latin: str, swapped: str) -> str:
    if typed.endswith(" Limited") or (typed.endswith("公司") and "有限" not in typed):
        return "another ending"
    if typed[1:3] == ". ":
        return "initial only"
    if proper.isascii():
        return "swapped names" if typed == swapped else "dropped letter" if len(typed) < len(proper) else "transposed letters"
    return "homophone" if not typed.isascii() else "in Latin letters" if typed == latin else "in Latin letters, swapped"


letters = st.text("abcXYZ &.", min_size=1, max_size=12).filter(lambda text: text == text.strip())


@given(st.lists(letters, min_size=1, max_size=5), st.floats(0, 1, exclude_max=True))
def test_transposing_keeps_the_letters_and_dropping_loses_one(words, luck):
    typed, luckily = np.array(words), np.full(len(words), luck)
    for word, changed in zip(words, misspelling.transposed(typed, luckily).tolist(), strict=True):
        assert sorted(word) == sorted(changed)
        assert sum(one != other for one, other in zip(word, changed, strict=True)) in (0, 2)
    for word, changed in zip(words, misspelling.dropped(typed, luckily).tolist(), strict=True):
        has_small = any(letter.islower() for letter in word)
        assert len(changed) == len(word) - has_small
        assert changed in {word[:place] + word[place + 1 :] for place in range(len(word))} | {word}


def test_two_equal_letters_are_not_changed_round():
    luck = np.linspace(0, 0.99, 7)
    assert set(misspelling.transposed(np.repeat("Annna", 7), luck).tolist()) == {"Annan"}


def test_no_name_at_all_can_be_misspelt():
    assert misspelling.transposed(np.array([], dtype=str), np.array([])).tolist() == []
    assert misspelling.dropped(np.array(["", "刘"]), np.array([0.5, 0.5])).tolist() == ["", "刘"]


def test_a_homophone_is_another_character_of_the_same_sound():
    for characters in (names._GIVEN, names._COIN):
        written, sound = characters.written.to_pylist(), characters.sound.to_pylist()
        for place, other in enumerate(characters.homophone):
            assert written[place] != written[other]
            assert sound[place] == sound[other]


# ── attributes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_cost_of_winning_a_customer_has_the_channel_s_mean(demo):
    """Within 4 standard errors of the mean of a gamma distribution."""
    cost = demo.shop["acquisition_cost"].astype(float)
    for channel in CHANNELS:
        of_channel = cost[demo.shop["acquisition_channel"] == channel.name]
        error = channel.acquisition_cost / np.sqrt(identities.ACQUISITION_COST_SHAPE * len(of_channel))
        assert of_channel.mean() == pytest.approx(channel.acquisition_cost, abs=4 * error), channel.name


def test_attributes_are_unknown_at_the_stated_shares(demo):
    shop, share = demo.shop, identities.UNKNOWN_SHARE
    persons, without_consent = shop[shop["customer_kind"] == "person"], shop[shop["has_consent"].isna() | (shop["has_consent"] == False)]  # noqa: E712
    for column, rows in (("customer_name", shop), ("has_consent", without_consent), ("birth_year", persons)):
        assert rows[column].isna().mean() == pytest.approx(share[column], abs=4 * binomial_error(share[column], len(rows))), column
    assert shop.loc[shop["customer_kind"] == "company", "birth_year"].isna().all()


def test_the_office_does_not_know_how_a_customer_was_won_and_writes_some_regions_its_own_way(demo):
    pairs = demo.pairs
    assert pairs[["acquisition_channel", "acquisition_cost", "acquired_on", "referrer_customer_id"]].isna().all(axis=None)
    share, differs = identities.OFFICE_REGION_SHARE, pairs["home_region"] != pairs["home_region_shop"]
    assert differs.mean() == pytest.approx(share, abs=4 * binomial_error(share, len(pairs)))
    assert set(pairs.loc[differs, "home_region"]) <= set(identities.OFFICE_REGIONS)
    assert all(own in region for own, region in zip(identities.OFFICE_REGIONS, REGIONS, strict=True))


def test_columns_say_of_each_customer_what_is_so(demo):
    found, shop = demo.customers[0], demo.shop.reset_index(drop=True)
    assert (shop["customer_kind"] == "company").tolist() == found.is_company.tolist()
    assert shop["home_region"].tolist() == [REGIONS[place] for place in found.region]
    assert shop["acquisition_channel"].tolist() == [CHANNELS[place].name for place in found.channel]
    referred = shop.dropna(subset=["referrer_customer_id"])
    assert referred.index.tolist() == np.flatnonzero(found.referrer != NONE).tolist()
    assert set(referred["referrer_customer_id"]) <= set(shop["customer_id"])
    owned = shop.dropna(subset=["owner_id"])
    assert set(owned["customer_kind"]) == {"company"}
    assert owned["owner_id"].nunique() == headcount(Plan(customers=15_000), "sales")


def test_the_test_account_is_named_so_that_a_person_sees_it(demo):
    tests = demo.tables[demo_customers].query("is_test")["customer_id"]
    named = demo.shop.set_index("customer_id").loc[tests, "customer_name"]
    assert named.tolist() == ["测试账户 TEST ACCOUNT, do not ship"]
    assert not (demo.shop["customer_name"] == identities.TEST_NAME)[~demo.shop["customer_id"].isin(tests)].any()


def test_names_are_chinese_in_china_and_mostly_english_in_europe(demo):
    is_english = demo.shop["customer_name"].dropna().map(str.isascii)
    europe = demo.shop["home_region"] == "Europe 欧洲"
    for place, region in enumerate(REGIONS):
        of_region, share = is_english[demo.shop["home_region"] == region], identities.ENGLISH_NAME_SHARE[place]
        assert of_region.mean() == pytest.approx(share, abs=4 * binomial_error(share, len(of_region)) + 1 / len(of_region)), region
    assert demo.shop.loc[europe & (demo.shop["customer_kind"] == "company"), "customer_name"].str.endswith(" Ltd").mean() > 0.7


def test_so_many_names_can_be_made_that_few_customers_share_one(demo):
    name = demo.shop["customer_name"].dropna()
    assert name.nunique() / len(name) > 0.9


# ── contacts and preferences ────────────────────────────────────────────────────────────────────────────────────────────


def test_every_company_has_one_first_contact_and_perhaps_a_second(demo):
    people = demo.tables[contacts]
    companies = set(demo.shop.loc[demo.shop["customer_kind"] == "company", "customer_id"])
    of_companies = people[people["customer_id"].isin(companies)]
    assert set(of_companies.loc[of_companies["is_primary"], "customer_id"]) == companies
    count = of_companies.groupby("customer_id").size()
    share = identities.SECOND_CONTACT_SHARE
    assert set(count) == {1, 2}
    assert (count == 2).mean() == pytest.approx(share, abs=4 * binomial_error(share, len(companies)))
    assert of_companies["position"].notna().all()


def test_addresses_are_reserved_ones_and_telephone_numbers_nobody_s(demo):
    of_shop = demo.tables[contacts][demo.tables[contacts]["customer_id"].str.startswith("C")]
    assert of_shop["email"].str.fullmatch(r"[a-z]+\.[a-z]+@[a-z]+\d+\.example").all()
    assert of_shop["phone"].str.fullmatch(r"\+(86|44) 100 \d{4} \d{4}").all()
    assert of_shop["phone"].is_unique


def test_the_office_knows_the_telephone_of_a_company_under_its_own_id(demo):
    people, truth = demo.tables[contacts], demo.tables[demo_customers].set_index("customer_id")["true_customer_id"]
    office = people[people["customer_id"].str.startswith("K")]
    first = people[people["is_primary"]].set_index("customer_id")["phone"].str.replace(" ", "")
    assert len(office) > 50
    assert office["phone"].tolist() == first[truth[office["customer_id"]]].tolist()


def test_a_preference_is_stated_after_the_first_order_and_before_the_end(demo):
    stated = demo.tables[preferences].merge(demo.shop[["customer_id", "acquired_on"]])
    assert (stated["stated_on"] >= stated["acquired_on"]).all()
    assert stated["stated_on"].max() <= plan.LAST_ON
    chosen = stated[stated["preference"] == "contact_channel"]["preferred_value"].value_counts(normalize=True)
    for channel, share in identities.CONTACT_CHANNELS.items():
        assert chosen[channel] == pytest.approx(share, abs=4 * binomial_error(share, len(stated) // 2)), channel


def test_the_stated_parameters_are_those_declared():
    assert identities.stated(Plan()).keys() == identities.PARAMETERS.keys()


def test_of_a_second_system_that_is_not_there_nothing_is_stated():
    stated = identities.stated(Plan(effects=Effects.without("two_systems")))
    assert identities.PARAMETERS.keys() - stated.keys() == {
        "office_order_share",
        "error_share",
        "office_unknown_share",
        "office_region_share",
    }


def test_service_can_be_reached_through_most_channels_that_are_preferred():
    elsewhere = {channel: share for channel, share in identities.CONTACT_CHANNELS.items() if channel not in TICKET_CHANNELS}
    assert elsewhere == {"微信 WeChat": 0.15}


@pytest.mark.parametrize("share", ["short", "man", "one founder"])
def test_names_are_of_each_kind_as_often_as_stated(share):
    """Within 4 binomial standard errors of the stated share."""
    random, count = np.random.default_rng(9), 20_000
    people = names.people(random, np.zeros(count, dtype=bool))
    firms = names.companies(random, np.ones(count, dtype=bool), np.zeros(count, dtype=int))
    weights = 1 / (np.arange(1, len(names._LAST) + 1) + names.COMMONNESS)
    have_one_name = (weights**2).sum() / weights.sum() ** 2
    found, wanted = {
        "short": (people.second_given == NONE, names.SHORT_SHARE),
        "man": (people.given < names._MEN, names.MAN_SHARE),
        "one founder": (firms.partner == NONE, names.ONE_FOUNDER_SHARE + (1 - names.ONE_FOUNDER_SHARE) * have_one_name),
    }[share]
    assert found.mean() == pytest.approx(wanted, abs=4 * binomial_error(wanted, count))
