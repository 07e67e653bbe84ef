"""A vendor's answers in files: many certificates, the same for everybody who asks for as many."""

import json
import random
import unicodedata
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

STORIES = 200
CHANGED_STORIES = (17, 117)
CERTIFICATES_A_LEARNER = 5
# The vendor's own seconds differ in every answer: whoever hands one over writes others here, at the file's end.
RESPONSE_TIME = b"0.123456"

_YEARS_OF_DAYS = [str(date(2023, 1, 1) + timedelta(day)) for day in range(3 * 365)]
_TIMES = [f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}" for second in range(24 * 3600)]
_OFFSETS = ("+00:00", "+01:00", "+02:00", "-05:00", "+05:30", "+09:00")
_LATER = 9 * 3600 + 61  # seconds from pending to delivered, and by which an award is corrected


def _list(text: str) -> list[str]:
    return text.split("|")


_FIRSTNAMES = _list(
    "Amelia|Oliver|Zoë|Søren|Élodie|Jürgen|Łukasz|José María|Ayşe|Niamh|François|Maria|Anna|Björn|Priya|Mohammed|"
    "Grace|Callum|Inês|Vinícius|Małgorzata|Kasper|Hannah|Felix|Chloé|Théo|Siobhán|Conor|Lucía|Álvaro|Carmen|Xavier|"
    "さくら|健太|美咲|秀英|Дмитрий|Ольга|Νίκος|נועה|محمد|فاطمة|Jan|Zofia|Paweł|Jean-Luc|Isla|Harry|Beatriz|Rafael"
)
_LASTNAMES = _list(
    "Smith|Okafor|Patel|Hughes|Fitz-Gerald|Begum|Taylor|MacLeod|D'Souza|Müller|Schröder|Weiß|Groß|Yılmaz|Schmidt|"
    "von der Heide|Jensen|Nørgaard|Kjær|Østergaard|Møller|Lefèvre|D'Angelo|N'Diaye|Dubois|Moreau|O'Brien|"
    "O’Sullivan|Murphy|Ní Dhomhnaill|García López|Muñoz|Fernández|Peña|Wałęsa|Kowalska|Nowak|Wiśniewski|Gonçalves|"
    "da Silva|Magalhães|dos Santos|佐藤|鈴木|渡辺|欧阳|Иванов|Смирнова|Παπαδόπουλος|כהן|المنصوري|خان|Kelly|Doyle|Walsh|"
    "Byrne|Lund|Holm|Petit|Rocha|Van den Berg|De Vries|Janssens|Peeters|Novák|Horváth|Popescu|Rossi|Bianchi|"
    "Korhonen"
)
_COUNTRIES = _list(
    "United Kingdom|Germany|Denmark|France|Ireland|Spain|Poland|Brazil|Japan|China|Israel|United Arab Emirates|"
    "Norway|Sweden|Finland|Iceland|Netherlands|Belgium|Luxembourg|Switzerland|Austria|Italy|Portugal|Greece|"
    "Türkiye|Czechia|Slovakia|Hungary|Romania|Bulgaria|Canada|United States|Mexico|Argentina|Chile|India|Singapore|"
    "Australia|New Zealand|Côte d'Ivoire"
)
_TOWNS = _list(
    "Stoke-on-Trent|Düsseldorf|Ærøskøbing|L'Haÿ-les-Roses|Dún Laoghaire|Málaga|Łódź|São Paulo|Sapporo|Lindenberg|"
    "Saint-Étienne|Bergen op Zoom|Newcastle|Gdańsk|Odense|Neustadt|Florianópolis|Kraków|Bristol|Aarhus"
)
_QUARTERS = ("Centre", "North", "Harbour", "Süd")
_DOMAINS = ("example.com", "example.org", "mail.example.net", "training.example.com")
_TYPES = ("story", "story", "story", "assessment", "survey", "scorm")


class Expected(NamedTuple):
    """What the sync of an answer must count, and how many certificates are stored then."""

    received: int
    created: int
    changed: int
    stored: int


@dataclass
class _Story:
    """One story's rows as JSON texts: as they are first, and what differs in the other answers."""

    rows: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    delivered: dict[int, str] = field(default_factory=dict)  # by index, in the answer of two changed stories
    touched: dict[int, str] = field(default_factory=dict)  # by index, in the answer with one row in a hundred changed

    def with_(self, other: dict[int, str]) -> list[str]:
        return [other.get(index, row) for index, row in enumerate(self.rows)] if other else self.rows


class World:
    """So many certificates (rounded down to stories of equal size) and the three answers about them."""

    def __init__(self, certificates: int) -> None:
        self.size = certificates // STORIES
        self.certificates = self.size * STORIES
        self.learners = max(self.certificates // CERTIFICATES_A_LEARNER, self.size)
        self._people = [_open_row(_person(number)) for number in range(self.learners)]

    def write(self, folder: Path) -> dict[str, tuple[Path, Expected]]:
        """Write the answers `first`, `two` (of the stories changed) and `hundredth` (row changed, everywhere)."""
        paths = {name: folder / f"{name}.json" for name in ("first", "two", "hundredth")}
        new = delivered = touched = 0
        with paths["first"].open("wb") as first, paths["two"].open("wb") as two, paths["hundredth"].open("wb") as third:
            for index in range(STORIES):
                story = self._story(index)
                for file, rows in (
                    (first, story.rows),
                    (two, story.with_(story.delivered) + story.new),
                    (third, story.with_(story.touched)),
                ):
                    file.write(_before(index) + ",".join(rows).encode() + b"]}")
                new, delivered = new + len(story.new), delivered + len(story.delivered)
                touched += len(story.touched)
            for name, file in (("first", first), ("two", two), ("hundredth", third)):
                file.write(f'],"hash":"of-{name}-{self.certificates}","response_time":'.encode() + RESPONSE_TIME + b"}")
        count = self.certificates
        return {
            "first": (paths["first"], Expected(count, count, 0, count)),
            "two": (paths["two"], Expected(count + new, new, delivered, count + new)),
            "hundredth": (paths["hundredth"], Expected(count, 0, touched, count)),
        }

    def _story(self, index: int) -> _Story:
        chance = random.Random(1_000 + index)
        # Some hold more than one certificate of a story.
        again = self.size // 50
        numbers = chance.sample(range(self.learners), self.size - again)
        numbers += numbers[:again]
        story, changes = _Story(), index in CHANGED_STORIES
        for place, number in enumerate(numbers):
            second, pending = chance.randrange(len(_YEARS_OF_DAYS) * 86_400 - _LATER), chance.random() < 0.1
            url = f"{index:03d}{place:05d}{chance.getrandbits(48):012x}"
            person = self._people[number]
            story.rows.append(person + _award(number, second, "" if pending else url))
            if pending and changes and place % 2:
                story.delivered[place] = person + _award(number, second + _LATER, url)
            if (index * self.size + place) % 100 == 37:
                story.touched[place] = self._touched(number, second, url, pending=pending)
        if changes:
            for place in range(max(2, self.size // 50)):
                number = self.learners + index * self.size + place if place % 2 else chance.randrange(self.learners)
                url = f"{index:03d}{self.size + place:05d}{chance.getrandbits(48):012x}"
                second = chance.randrange(len(_YEARS_OF_DAYS) * 86_400)
                story.new.append(_open_row(_person(number)) + _award(number, second, url if place % 4 else ""))
        return story

    def _touched(self, number: int, second: int, url: str, *, pending: bool) -> str:
        person = _person(number)
        # Somebody without e-mail would be somebody else with other details.
        if pending or not person["email"]:
            return self._people[number] + _award(number, second + _LATER, url)
        name, value = (("telephone", "+44 20 7946 0999"), ("city", "Elsewhere"), ("lastname", "Newly-Wed"))[second % 3]
        return _open_row(person | {name: value}) + _award(number, second, url)


def _before(index: int) -> bytes:
    head = {"name": f"Sécurité & onboarding, part {index + 1}", "type": _TYPES[index % 6], "ID": f"story-{index:05d}"}
    start = '{"status":"success","data":[' if index == 0 else ","
    return f'{start}{{"story":{_json(head)},"certificates":['.encode()


def _person(number: int) -> dict[str, str]:
    turn, first = divmod(number, len(_FIRSTNAMES))
    firstname, lastname = _FIRSTNAMES[first], _LASTNAMES[turn % len(_LASTNAMES)]
    place = number * 7919 % 800
    local = f"{_ascii(firstname)}.{_ascii(lastname)}{number}"
    without_email = number % 50 == 7
    return {
        "firstname": firstname,
        "lastname": lastname,
        "email": "" if without_email else f"{local}@{_DOMAINS[number % 4]}",
        "telephone": f"+{30 + number % 60} {number:08d}" if without_email or number % 5 < 3 else "",
        "country": _COUNTRIES[place // 20],
        "city": _TOWNS[place % 20] + (f"-{_QUARTERS[place // 20 % 4]}" if place % 3 else f" {place // 20}"),
    }


def _open_row(person: dict[str, str]) -> str:
    return _json(person)[:-1] + ',"certificate":'


def _award(number: int, second: int, url: str) -> str:
    """A certificate and the end of its row; without url it is pending."""
    day, time = divmod(second, 86_400)
    moment = f"{_YEARS_OF_DAYS[day]}T{_TIMES[time]}{_OFFSETS[number % len(_OFFSETS)]}"
    state, link = ("delivered", f"https://c.example.com/{url}") if url else ("pending", "")
    return f'{{"timestamp":"{moment}","state":"{state}","url":"{link}"}}}}'


def _ascii(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).lower()
    return "".join(letter for letter in plain if letter.isascii() and letter.isalnum()) or "learner"


def _json(value: dict[str, str]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
