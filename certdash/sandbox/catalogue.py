"""What the fake vendor's two apps offer: their stories and their groups. All of it is invented."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rename:
    """A story's second name, and how many days after the world's origin it gets it."""

    name: str
    day: int


@dataclass(frozen=True)
class Story:
    """One story; `weight` is its share of its app's certificates (0: nobody holds one)."""

    ID: str
    name: str
    type: str
    weight: int
    rename: Rename | None = None


@dataclass(frozen=True)
class Group:
    """One group; `percent` is how many of its app's learners are in it."""

    name: str
    percent: int


@dataclass(frozen=True)
class App:
    """One customer's app; `share` is its part of all certificates, as a relative weight."""

    app_id: str
    name: str
    share: int
    groups: tuple[Group, ...]
    stories: tuple[Story, ...]


# The vendor spells the type "Story" or "story", and lets two stories carry one ID: both occur below.
# "Code of Conduct" is shared content: the same ID and name in both apps.
DEMO_APP = App(
    "io.certdash.demo",
    "Demo Academy",
    share=3,
    groups=(
        Group("Customer Support", 22),
        Group("Sales & Partners", 18),
        Group("Engineering", 25),
        Group("Managers", 12),
        Group("Außendienst DACH", 9),
        Group("New joiners", 15),
    ),
    stories=(
        Story("WK1D-EGZD-8PCF", "Code of Conduct", "story", 10),
        Story("EV72-RQZY-80AH", "Welcome to the Company: Office", "Story", 6),
        Story("EV72-RQZY-80AH", "Welcome to the Company: Remote", "Story", 5),
        Story("32ER-F3DH-QD1D", "Information Security Essentials", "scorm", 9),
        Story("QCJU-2KHV-MGNZ", "Phishing: Spot the Bait", "story", 8),
        Story("GEDP-73W5-5ZVR", "GDPR in 20 Minutes", "assessment", 8),
        Story("MRFV-97X4-UEH8", "Arbeitssicherheit im Büro", "story", 5),
        Story("2LXK-72CE-WXY7", "Førstehjælp på arbejdspladsen", "story", 4),
        Story("5EFT-6EDV-4U0Y", "Prévention du harcèlement", "story", 4),
        Story("B5YL-H7DP-UJR1", "安全衛生の基本", "story", 3),
        Story("17FL-41TJ-3T2Y", "Anti-Bribery & Corruption", "assessment", 6),
        Story("0QKF-MKQQ-A7MS", "Giving Feedback That Lands", "Story", 4),
        Story("UAK2-ZWJ8-D511", "First-Time Manager", "scorm", 3),
        Story("11G6-1DNE-P4LH", "Inclusive Hiring", "story", 2),
        Story("XDGA-KGZB-EP0K", "Fire Warden Refresher", "assessment", 3),
        Story("SYZ6-HH75-66VF", "“How are we doing?” Spring Survey", "survey", 0),
        Story("KGXS-6L9B-P9ZK", "Ergonomics at Home", "story", 3),
        Story("B9VF-S9ZL-YQ8X", "Onboarding Survey", "survey", 2),
        Story("QNR1-QN97-YBBT", "Prevención de riesgos laborales", "scorm", 4),
        Story(
            "6SNY-4YZF-QGQ6",
            "Data Classification Quiz",
            "assessment",
            4,
            Rename("Data Classification Quiz (2nd edition)", 3),
        ),
        Story("NXP6-A6YF-H0N6", "Whistleblowing at Work", "story", 3, Rename("Speak Up at Work", -2)),
        Story("M3XF-151F-LLJB", "Draft: Sustainability Basics", "story", 0),
        Story("K5K6-YKJB-AG9J", "Working with Works Councils <EU>", "story", 1),
        Story("3NPB-SPU8-RWS2", "Lone Worker Assessment", "assessment", 0),
    ),
)

RETAIL_APP = App(
    "io.certdash.retail",
    "Retail Academy",
    share=1,
    groups=(Group("Store managers", 14), Group("Shop floor", 55), Group("Lager & Logistik", 20)),
    stories=(
        Story("WK1D-EGZD-8PCF", "Code of Conduct", "story", 8),
        Story("JDY5-928J-K98B", "Till Basics", "Story", 8),
        Story("4MAK-MK6H-DW99", "Age-Restricted Sales", "assessment", 7),
        Story("6GDR-NTCG-84BE", "Gabelstapler: Theorieprüfung", "assessment", 4),
        Story("4W88-NT48-68R9", "Food Hygiene Level 1", "scorm", 6),
        Story("SN4J-2H14-WER3", "Handling Difficult Customers", "story", 4),
        Story("EPVH-KZKS-J5QG", "Bezpieczeństwo w magazynie", "story", 3),
        Story("17LQ-L381-X2NY", "Shrinkage & Loss Prevention", "scorm", 3),
        Story("WFZB-X54B-0X9U", "Mystery Shopper Survey", "survey", 1),
        Story("8EHQ-GFST-CMTJ", "Christmas Season Briefing", "Story", 0),
    ),
)

APPS = (DEMO_APP, RETAIL_APP)
