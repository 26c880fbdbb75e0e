"""Names of persons and companies, Chinese and English, put together from parts that are chosen by lot.

All are invented: whoever has such a name in life is not meant. The parts of a name stay numbers (places in the lists below) until it
is written, so that one name can be written in several ways: in characters, in Latin letters, with a homophone, family name first.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crm_metrics.demo.world import NONE, REGIONS, Booleans, Integers

_FAMILIES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_FAMILIES_IN_LATIN = """
    Wang Li Zhang Liu Chen Yang Zhao Huang Zhou Wu Xu Sun Hu Zhu Gao Lin He Guo Ma Luo Liang Song Zheng Xie Han Tang Feng Yu Dong Xiao
    Cheng Cao Yuan Deng Xu Fu Shen Zeng Peng Lyu Su Lu Jiang Cai Jia Ding Wei Xue Ye Yan
    Yu Pan Du Dai Xia Zhong Wang Tian Ren Jiang Fan Fang Shi Yao Tan Liao Zou Xiong Jin Lu Hao Kong Bai Cui Kang Mao Qiu Qin Jiang Shi Gu
    Hou Shao Meng Long Wan Duan Lei Qian Tang Yin Li Yi Chang Wu Qiao He Lai Gong Wen
"""
_GIVEN_OF_MEN = """
    wei 伟威维炜 ming 明铭鸣 jun 军俊君钧 jie 杰捷 hao 浩昊皓 yu 宇煜昱 chen 晨辰臣 bo 博波 jian 建健剑 zhi 志智 yong 勇永 feng 峰锋枫
    lei 磊雷 hui 辉晖 peng 鹏朋 bin 斌彬滨 tao 涛韬 fei 飞斐 xin 鑫新欣 yang 洋阳扬 long 龙隆 kai 凯恺 hong 宏洪鸿 xuan 轩璇 ze 泽则
    zi 子梓 rui 睿锐瑞 yi 毅逸义 cheng 成诚城 sheng 胜生晟 wen 文闻 jia 嘉佳 hua 华桦 qi 琦奇祺 xiang 翔祥
"""
_GIVEN_OF_WOMEN = """
    li 丽莉 min 敏旻 jing 静婧晶 yan 艳燕妍 juan 娟涓 ting 婷庭 xiu 秀绣 ying 英颖莹 xue 雪学 yu 玉钰瑜 mei 梅美 lin 琳林霖 hui 慧惠卉
    lan 兰岚 ping 萍平 hong 红虹 yue 月悦玥 qian 倩茜 lu 璐露 xin 馨心欣 yi 怡艺依 jia 佳嘉 ya 雅娅 shu 淑舒 qing 晴青清 xiao 晓筱
    meng 梦萌 ru 如茹 zi 紫子 wan 婉琬 rong 蓉容 ling 玲灵 shan 珊姗 wen 雯文 ni 妮霓
"""
_FIRST_NAMES = """
    James Oliver Harry George Jack Thomas William Charles Daniel Samuel Joseph Edward Henry Arthur Benjamin Alexander Matthew David
    Michael Robert John Peter Paul Simon Andrew Stephen Martin Philip Richard Graham Neil Adam Lewis Callum Ryan Luke Nathan Owen Rhys
    Connor Ewan Duncan Angus Hugo Felix Theo Leo Max Oscar Toby Dominic Adrian Julian Marcus Gareth Howard Leonard Norman Raymond Victor
    Amelia Olivia Emily Isla Jessica Sophie Charlotte Grace Lily Ella Lucy Hannah Megan Chloe Abigail Eleanor Alice Florence Rosie
    Matilda Harriet Georgia Imogen Beatrice Clara Edith Frances Helen Irene Jane Judith Karen Laura Margaret Nicola Patricia Rachel
    Sarah Susan Teresa Valerie Wendy Yvonne Fiona Heather Kirsty Morag Shona Bronwen Carys Rhiannon Sian Anna Elena Ingrid Marta Nadia
"""
_LAST_NAMES = """
    Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts Green Hall Wood Jackson
    Clarke Harris Lewis Turner Hill Moore Cooper Ward Morris King Watson Baker Harrison Morgan Patel Young Allen Mitchell James Anderson
    Phillips Lee Bell Parker Davis Bennett Miller Cook Shaw Cox Richardson Collins Carter Marshall Bailey Gray Foster Adams Murphy
    Stevens Graham Chapman Simpson Hunt Kelly Webb Rogers Fox Ellis Knight Barnes Powell Harvey Russell Mason Holmes Palmer Butler Mills
    Matthews Gibson Reid Murray Stone Fisher Barker Reynolds Dixon Pearson Fletcher Ford Elliott Lawrence Burton Grant Walsh Hart
    Lawson Spencer Payne Hawkins Gardner Perry Armstrong Nicholson Sutton Bishop Hudson Andrews Kaye Wells Porter Hughes Dawson Crawford
    Newman Burns Wheeler Lowe Doyle Goodwin Hobbs Ashby Thornton Whitfield Aldridge Bancroft Cartwright Drummond Eastwood Fairfax Garland
    Hargreaves Ingram Jarvis Kendall Langley Merrick Northcote Oakley Pemberton Quigley Radcliffe Selwyn Tremayne Underhill Vickers
    Weston Yardley Ackroyd Blackwood Chadwick Dunmore Elsworth Forsyth Greenhalgh Haworth Kirkby Lockwood Middleton Ormond Prescott
    Rushton Stanhope Thirlby Wainwright Winslow
"""
_CITIES = (  # by region, in the order of REGIONS; the last are for Chinese companies in Europe
    "上海 Shanghai 杭州 Hangzhou 南京 Nanjing 苏州 Suzhou 宁波 Ningbo",
    "广州 Guangzhou 深圳 Shenzhen 佛山 Foshan 东莞 Dongguan 厦门 Xiamen",
    "北京 Beijing 天津 Tianjin 唐山 Tangshan 太原 Taiyuan 保定 Baoding",
    "成都 Chengdu 重庆 Chongqing 昆明 Kunming 贵阳 Guiyang 绵阳 Mianyang",
    "伦敦 London 汉堡 Hamburg 巴黎 Paris 米兰 Milan 鹿特丹 Rotterdam",
)
_COINED = """
    hua 华骅 chen 辰晨 rui 瑞睿锐 heng 恒衡 xin 鑫新欣 tai 泰太 yuan 源元远 da 达大 sheng 盛晟 hong 宏鸿 jia 嘉佳 hui 汇惠 long 隆龙
    feng 丰峰 bo 博渤 ming 明铭 li 利力立 cheng 诚成 rong 荣融 ying 盈赢 fu 富福 zhong 中众 lian 联连 tong 通同 qi 启奇
"""
_TRADES = (
    ("机械", "Machinery"),
    ("电子", "Electronics"),
    ("贸易", "Trading"),
    ("物流", "Logistics"),
    ("食品", "Foods"),
    ("建材", "Building Materials"),
    ("纺织", "Textiles"),
    ("仪器", "Instruments"),
    ("化工", "Chemicals"),
    ("包装", "Packaging"),
    ("家具", "Furniture"),
    ("医疗器械", "Medical Devices"),
    ("信息技术", "Information Technology"),
    ("广告", "Advertising"),
    ("教育咨询", "Education"),
    ("酒店管理", "Hotels"),
    ("汽车零部件", "Auto Parts"),
    ("环保科技", "Environmental Technology"),
    ("印刷", "Printing"),
    ("五金", "Hardware"),
    ("照明", "Lighting"),
    ("农业", "Agriculture"),
    ("生物科技", "Biotech"),
    ("装饰工程", "Interiors"),
    ("文化传媒", "Media"),
    ("精密制造", "Precision Manufacturing"),
)
CHINESE_ENDING, ENGLISH_ENDING, LATIN_ENDING = "有限公司", "Ltd", "Co., Ltd."
COMMONNESS = 8.0  # the n-th name of a list is drawn in proportion to 1 / (n + this): a few are common, most are rare
MAN_SHARE, SHORT_SHARE = 0.5, 0.18  # of Chinese persons: with the given name of a man, with one of one character
ONE_FOUNDER_SHARE = 0.4  # of English companies


class _Characters(NamedTuple):
    """Characters with how they sound. homophone: the place of another character that sounds the same."""

    written: pa.Array
    sound: pa.Array
    homophone: Integers


def _characters(*lists: str) -> _Characters:
    """Return the characters of lists like "wei 伟威 ming 明铭", one list after the other."""
    parts = " ".join(lists).split()
    groups = list(zip(parts[::2], parts[1::2], strict=True))
    starts = np.cumsum([0, *(len(characters) for _, characters in groups)])
    homophone = np.concatenate([start + np.roll(np.arange(len(group)), -1) for start, (_, group) in zip(starts, groups, strict=False)])
    sounds = [sound for sound, characters in groups for _ in characters]
    return _Characters(pa.array([one for _, characters in groups for one in characters]), pa.array(sounds), homophone)


_FAMILY, _FAMILY_IN_LATIN = pa.array(list(_FAMILIES)), pa.array(_FAMILIES_IN_LATIN.split())
_GIVEN, _MEN = _characters(_GIVEN_OF_MEN, _GIVEN_OF_WOMEN), len(_characters(_GIVEN_OF_MEN).written)
_FIRST, _LAST = pa.array(_FIRST_NAMES.split()), pa.array(_LAST_NAMES.split())
_CITY = [pa.array([word for cities in _CITIES for word in cities.split()[language::2]]) for language in range(2)]
_CITIES_EACH = len(_CITY[0]) // len(REGIONS)
_COIN = _characters(_COINED)
_TRADE = [pa.array(words) for words in zip(*_TRADES, strict=True)]


def _places(random: np.random.Generator, count: int, size: int) -> Integers:
    """Return places in a list of `size` names, those at its beginning more often."""
    weights = np.cumsum(1 / (np.arange(1, size + 1) + COMMONNESS))
    return np.searchsorted(weights, random.random(count) * weights[-1], side="right")


def _take(words: pa.Array, places: Integers) -> pa.Array:
    """Return the word at each place; "" for NONE."""
    return pc.fill_null(words.take(pa.array(places, mask=places == NONE)), "")


def _choose(condition: Booleans, chosen: pa.Array, otherwise: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(condition), chosen, otherwise)


# ── persons ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class People(NamedTuple):
    """Persons, one element each: the places of the parts of their names. second_given: NONE for a given name of one character."""

    is_english: Booleans
    first: Integers
    last: Integers
    family: Integers
    given: Integers
    second_given: Integers

    def mistaken(self) -> "People":
        """Return the persons with the first character of the Chinese given name written as another of the same sound."""
        return self._replace(given=_GIVEN.homophone[self.given])


def people(random: np.random.Generator, is_english: Booleans) -> People:
    """Return persons with names by lot."""
    count = len(is_english)
    first, last, family = (_places(random, count, len(words)) for words in (_FIRST, _LAST, _FAMILY))
    is_man, is_short = random.random(count) < MAN_SHARE, random.random(count) < SHORT_SHARE
    low, high = np.where(is_man, 0, _MEN), np.where(is_man, _MEN, len(_GIVEN.written))
    given, second = random.integers(low, high), random.integers(low, high)
    return People(is_english, first, last, family, given, np.where(is_short, NONE, second))


def written(persons: People) -> pa.Array:
    """Return names as their bearers write them: 王晓明, John Smith."""
    given = pc.binary_join_element_wise(_take(_GIVEN.written, persons.given), _take(_GIVEN.written, persons.second_given), "")
    chinese = pc.binary_join_element_wise(_take(_FAMILY, persons.family), given, "")
    return _choose(persons.is_english, _in_latin(persons, is_family_first=False), chinese)


def in_latin(persons: People) -> pa.Array:
    """Return names in Latin letters: Wang Xiaoming, John Smith."""
    return _choose(persons.is_english, _in_latin(persons, is_family_first=False), _in_latin(persons, is_family_first=True))


def swapped(persons: People) -> pa.Array:
    """Return names in Latin letters, family and given name the wrong way round: Xiaoming Wang, Smith John."""
    return _choose(persons.is_english, _in_latin(persons, is_family_first=True), _in_latin(persons, is_family_first=False))


def with_initial(persons: People) -> pa.Array:
    """Return names in Latin letters with the given name cut to its initial: J. Smith, X. Wang."""
    given, family = _parts_in_latin(persons)
    return pc.binary_join_element_wise(pc.utf8_slice_codeunits(given, 0, 1), ". ", family, "")


def mailbox(persons: People) -> pa.Array:
    """Return what stands before the @ of an e-mail address: john.smith, xiaoming.wang."""
    return pc.ascii_lower(pc.binary_join_element_wise(*_parts_in_latin(persons), "."))


def _in_latin(persons: People, *, is_family_first: bool) -> pa.Array:
    given, family = _parts_in_latin(persons)
    return pc.binary_join_element_wise(*((family, given) if is_family_first else (given, family)), " ")


def _parts_in_latin(persons: People) -> tuple[pa.Array, pa.Array]:
    """Return given names and family names."""
    sounds = pc.binary_join_element_wise(_take(_GIVEN.sound, persons.given), _take(_GIVEN.sound, persons.second_given), "")
    given = _choose(persons.is_english, _take(_FIRST, persons.first), pc.utf8_capitalize(sounds))
    return given, _choose(persons.is_english, _take(_LAST, persons.last), _take(_FAMILY_IN_LATIN, persons.family))


# ── companies ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Companies(NamedTuple):
    """Companies, one element each: the places of the parts of their names. partner: NONE for an English company of one name."""

    is_english: Booleans
    city: Integers
    coined: Integers
    second_coined: Integers
    trade: Integers
    founder: Integers
    partner: Integers

    def mistaken(self) -> "Companies":
        """Return the companies with the first coined character written as another of the same sound."""
        return self._replace(coined=_COIN.homophone[self.coined])


def companies(random: np.random.Generator, is_english: Booleans, region: Integers) -> Companies:
    """Return companies with names by lot, Chinese ones of a city in their region."""
    count = len(is_english)
    coined, second = (random.integers(0, len(_COIN.written), count) for _ in range(2))
    founder, partner = (_places(random, count, len(_LAST)) for _ in range(2))
    return Companies(
        is_english=is_english,
        city=region * _CITIES_EACH + random.integers(0, _CITIES_EACH, count),
        coined=coined,
        second_coined=second,
        trade=random.integers(0, len(_TRADES), count),
        founder=founder,
        partner=np.where((random.random(count) < ONE_FOUNDER_SHARE) | (founder == partner), NONE, partner),
    )


def in_characters(firms: Companies, *, ending: str = CHINESE_ENDING) -> pa.Array:
    """Return the Chinese names: 上海华辰机械有限公司. Of no use for an English company."""
    coined = (_take(_COIN.written, firms.coined), _take(_COIN.written, firms.second_coined))
    return pc.binary_join_element_wise(_take(_CITY[0], firms.city), *coined, _take(_TRADE[0], firms.trade), ending, "")


def in_english(firms: Companies, *, english_ending: str = ENGLISH_ENDING, chinese_ending: str = LATIN_ENDING) -> pa.Array:
    """Return the names in Latin letters: Harrow & Wells Instruments Ltd, Shanghai Huachen Machinery Co., Ltd."""
    trade, city = _take(_TRADE[1], firms.trade), _take(_CITY[1], firms.city)
    english = pc.binary_join_element_wise(_founders(firms, " & "), trade, english_ending, " ")
    chinese = pc.binary_join_element_wise(city, pc.utf8_capitalize(_sounds(firms)), trade, chinese_ending, " ")
    return _choose(firms.is_english, english, chinese)


def website(firms: Companies) -> pa.Array:
    """Return the word a company has its domain under: harrowwells, huachen."""
    return pc.ascii_lower(_choose(firms.is_english, _founders(firms, ""), _sounds(firms)))


def _founders(firms: Companies, between: str) -> pa.Array:
    both = pc.binary_join_element_wise(_take(_LAST, firms.founder), _take(_LAST, firms.partner), between)
    return _choose(firms.partner == NONE, _take(_LAST, firms.founder), both)


def _sounds(firms: Companies) -> pa.Array:
    return pc.binary_join_element_wise(_take(_COIN.sound, firms.coined), _take(_COIN.sound, firms.second_coined), "")
