"""The fake vendor's learners: each is a pure function of the world's seed and a number. All are invented."""

import unicodedata
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple


@dataclass(frozen=True)
class Country:
    """A country's people. A name is written `own script=latin` where the latin form cannot be derived."""

    name: str
    weight: int
    calling_code: str
    cities: tuple[str, ...]
    firstnames: tuple[str, ...]
    lastnames: tuple[str, ...]


def _country(name: str, weight: int, code: str, cities: str, firstnames: str, lastnames: str) -> Country:
    split = (tuple(text.split("|")) for text in (cities, firstnames, lastnames))
    return Country(name, weight, code, *split)


COUNTRIES = (
    _country(
        "United Kingdom",
        5,
        "+44 20 7946 0",
        "London|Leeds|Glasgow|Bristol|Stoke-on-Trent",
        "Amelia|Oliver|Priya|Harry|Zoë|Callum|Grace|Mohammed|Isla|Jean-Luc",
        "Smith|Okafor|Patel|Hughes|Fitz-Gerald|Begum|Taylor|MacLeod|Wright|D'Souza",
    ),
    _country(
        "Germany",
        5,
        "+49 30 2312 5",
        "Berlin|München|Köln|Düsseldorf|Halle (Saale)",
        "Jürgen|Anna|Björn|Käthe|Lukas|Mia|Sören|Ayşe|Felix|Hannah",
        "Müller|Schröder|Weiß=weiss|Groß=gross|Yılmaz=yilmaz|Bäcker|Schmidt|von der Heide|Köhler|Vogel",
    ),
    _country(
        "Denmark",
        3,
        "+45 70 10 0",
        "København|Aarhus|Odense|Ærøskøbing",
        "Søren=soeren|Freja|Mads|Åse=aase|Kasper|Ida|Jørgen=joergen|Liv|Rasmus|Signe",
        "Jensen|Nørgaard=noergaard|Kjær=kjaer|Holm|Østergaard=oestergaard|Lund|Møller=moeller|Bach|Skov|Friis",
    ),
    _country(
        "France",
        3,
        "+33 1 99 00 0",
        "Paris|Lyon|L'Haÿ-les-Roses|Saint-Étienne",
        "Élodie|François|Chloé|Maël|Anaïs|Noémie|Hugo|Inès|Théo|Gaëlle",
        "Lefèvre|D'Angelo|Dubois|N'Diaye|Béranger|Petit|Le Goff|Garçon|Moreau|Châtelet",
    ),
    _country(
        "Ireland",
        2,
        "+353 1 555 0",
        "Dublin|Cork|Dún Laoghaire",
        "Seán|Aoife|Niamh|Oisín|Róisín|Conor|Siobhán|Ciarán|Maeve|Éanna",
        "O'Brien|O’Sullivan|Murphy|Ní Dhomhnaill|Walsh|McCarthy|Byrne|O'Néill|Kelly|Doyle",
    ),
    _country(
        "Spain",
        2,
        "+34 910 00 0",
        "Madrid|A Coruña|Málaga|Barcelona",
        "José María|Lucía|Íñigo|Begoña|Álvaro|Nuria|Jesús|Carmen|Xavier|Inés",
        "García López|Muñoz|Fernández|Peña|Ibáñez|Castaño|Gómez|Núñez|Ruiz|Etxeberria",
    ),
    _country(
        "Poland",
        2,
        "+48 22 555 0",
        "Warszawa|Kraków|Łódź|Gdańsk",
        "Łukasz=lukasz|Małgorzata=malgorzata|Zofia|Wojciech|Agnieszka|Paweł=pawel|Żaneta|Jan|Hanna|Kacper",
        "Wałęsa=walesa|Kowalska|Nowak|Wiśniewski|Żak|Dąbrowska|Zieliński|Wójcik|Król|Mazur",
    ),
    _country(
        "Brazil",
        2,
        "+55 11 5555 0",
        "São Paulo|Curitiba|Florianópolis",
        "João|Antônia|Luís|Conceição|Thaís|Vinícius|Beatriz|Caio|Lívia|Rafael",
        "Gonçalves|da Silva|Magalhães|Araújo|dos Santos|Pereira|Lima|Nóbrega|Rocha|Assunção",
    ),
    _country(
        "Japan",
        2,
        "+81 3 5555 0",
        "東京|大阪市|Sapporo",
        "健太=kenta|美咲=misaki|翔=sho|さくら=sakura|大輔=daisuke|陽菜=hina|拓海=takumi|結衣=yui",
        "佐藤=sato|鈴木=suzuki|高橋=takahashi|田中=tanaka|渡辺=watanabe|山本=yamamoto|中村=nakamura|𠮷田=yoshida",
    ),
    _country(
        "China",
        1,
        "+86 21 5555 0",
        "上海|北京|Shenzhen",
        "伟=wei|芳=fang|秀英=xiuying|敏=min|静=jing|强=qiang|丽=li|磊=lei",
        "王=wang|李=li|张=zhang|刘=liu|陈=chen|杨=yang|欧阳=ouyang|黄=huang",
    ),
    _country(
        "Israel",
        1,
        "+972 3 555 0",
        "תל אביב-יפו|Haifa|ירושלים",
        "נועה=noa|דוד=david|תמר=tamar|יוסף=yosef|מיכל=michal|איתי=itai|שירה=shira|אורי=uri",
        "כהן=cohen|לוי=levi|מזרחי=mizrahi|פרץ=peretz|ביטון=biton|אברהם=avraham|בן-דוד=bendavid|שפירא=shapira",
    ),
    _country(
        "United Arab Emirates",
        1,
        "+971 4 555 0",
        "دبي|Abu Dhabi|الشارقة",
        "محمد=mohammed|فاطمة=fatima|أحمد=ahmed|مريم=maryam|خالد=khalid|عائشة=aisha|يوسف=yousef|نورة=noura",
        "المنصوري=almansoori|الهاشمي=alhashimi|خان=khan|النعيمي=alnuaimi|حسن=hassan|الشامسي=alshamsi|سالم=salem",
    ),
)
# One slot for each unit of weight: learner i lives in the country of slot i modulo their number.
SLOTS = tuple((country, k) for country in COUNTRIES for k in range(country.weight))
DOMAINS = ("example.com", "example.com", "example.org", "example.net", "mail.example.com")
# Coprime to every number of names in a country, so that a country's learners take all its names in turn.
NAME_STEP = 61


class Learner(NamedTuple):
    """A learner as the vendor describes one; `lots` are bytes drawn once for them, for group membership."""

    firstname: str
    lastname: str
    email: str
    telephone: str
    country: str
    city: str
    lots: bytes

    def answers_to(self, wanted: frozenset[str]) -> bool:
        """Whether the name ("First Last") or e-mail is among the casefolded texts `wanted`."""
        return f"{self.firstname} {self.lastname}".casefold() in wanted or self.email.casefold() in wanted


def learner(seed: int, number: int) -> Learner:
    """Learner `number` of the world with this seed; different numbers never share an e-mail or a telephone.

    About 6 % have no e-mail (these have a telephone), about 3 % no place.
    """
    lots = blake2b(f"{seed}/learner/{number}".encode(), digest_size=32).digest()
    turn, slot = divmod(number, len(SLOTS))
    country, k = SLOTS[slot]
    names = len(country.firstnames) * len(country.lastnames)
    again, nth = divmod(turn * country.weight + k, names)
    last, first = divmod((nth * NAME_STEP + seed) % names, len(country.firstnames))
    firstname, _, first_latin = country.firstnames[first].partition("=")
    lastname, _, last_latin = country.lastnames[last].partition("=")
    without_email, without_place = lots[0] < 15, lots[1] < 8
    email = ""
    if not without_email:
        local = f"{first_latin or _latin(firstname)}.{last_latin or _latin(lastname)}{again or ''}"
        email = f"{local}@{DOMAINS[lots[2] % len(DOMAINS)]}"
        # Somebody typed these by hand.
        email = email.title() if lots[3] < 5 else email
    return Learner(
        firstname,
        lastname,
        email,
        f"{country.calling_code}{number:03d}" if without_email or lots[4] < 90 else "",
        "" if without_place else country.name,
        "" if without_place else country.cities[lots[5] % len(country.cities)],
        lots[8:],
    )


def _latin(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", name).casefold() if c.isascii() and c.isalnum())
