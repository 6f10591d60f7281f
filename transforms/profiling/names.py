"""What names of columns say, in Korean and English: the kind of the column, and what the law calls it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from transforms.plan import Kind


@dataclass(frozen=True)
class Meaning:
    """What a name says: the kind, what it is in words, and the law's mark (`rrn`, `unique-24`, `sensitive-23`)."""

    kind: Kind
    what: str
    legal: str | None = None
    # Does it name a person's own number, by which rows of one person belong together?
    subject: bool = False


# Korean words stand anywhere in a name, English ones between its parts. The first that fits is taken.
_LEXICON: Final = (
    (
        Meaning("identifier", "resident registration number", "rrn"),
        "주민등록번호|주민번호",
        "rrn|ssn|resident.?registration.?(?:no|num(?:ber)?)",
    ),
    (
        Meaning("identifier", "foreigner registration number", "unique-24"),
        "외국인등록",
        "alien.?registration|foreigner.?(?:no|number)",
    ),
    (
        Meaning("identifier", "passport number", "unique-24"),
        "여권",
        "passport",
    ),
    (
        Meaning("identifier", "driver's licence number", "unique-24"),
        "면허",
        "driver.?licen[cs]e|licen[cs]e.?(?:no|number)",
    ),
    (
        Meaning("identifier", "card number"),
        "카드.?번호|신용카드",
        "card.?(?:no|num|number)|pan",
    ),
    (
        Meaning("identifier", "account number"),
        "계좌",
        "(?:bank.?)?account.?(?:no|num|number)|iban",
    ),
    (
        Meaning("identifier", "telephone number"),
        "전화|휴대|핸드폰|연락처|팩스",
        "phone|mobile|tel|cell(?:phone)?|fax",
    ),
    (
        Meaning("identifier", "e-mail address"),
        "이메일|전자우편|메일.?주소",
        "e.?mail",
    ),
    (
        Meaning("identifier", "vehicle registration number"),
        "차량.?번호|차대.?번호",
        "plate|vin|licen[cs]e.?plate",
    ),
    (
        Meaning("identifier", "network or device address"),
        "아이피|기기.?번호|단말",
        "ip(?:.?addr(?:ess)?)?|mac.?addr(?:ess)?|imei|imsi|device.?id|cookie",
    ),
    (
        Meaning("identifier", "number of a person", subject=True),
        (
            "(?:고객|회원|환자|사용자|이용자|가입자|직원|학생|수진자|피보험자)_?(?:id|아이디|번호|no|키|"
            "식별)|사번|학번|군번"
        ),
        (
            "(?:customer|client|member|patient|user|subject|person|employee|student|staff|participant|"
            "household).?(?:id|no|num|number|key|code)"
        ),
    ),
    (
        Meaning("identifier", "name of a person"),
        "성명|이름|실명|^성함",
        "(?:full|first|last|given|family|sur|person|customer|member|patient|user|employee)?.?name",
    ),
    (
        Meaning("identifier", "photograph, voice or body trait", "sensitive-23"),
        "지문|홍채|얼굴|사진|영상|음성",
        "fingerprint|iris|face|photo|biometric",
    ),
    (
        Meaning("sensitive", "health", "sensitive-23"),
        "병명|상병|진단|질병|질환|증상|장애|처방|투약|복용|수술|입원|병력|검사.?결과|유전",
        (
            r"disease|diagnos\w*|icd\d*|symptom\w*|disab\w*|prescri\w*|medication|drug|surgery|gene(?:tic)?s?|"
            "dna|hiv"
        ),
    ),
    (
        Meaning("sensitive", "conviction, union, party or sexual life", "sensitive-23"),
        "종교|신념|사상|정당|노조|노동조합|성생활|범죄|전과|인종|민족",
        r"religion|belief|political|party|union|sexual\w*|criminal\w*|convict\w*|race|ethnic\w*",
    ),
    (
        Meaning("quasi-identifier", "birth"),
        "생년|생일|출생",
        r"birth\w*|dob",
    ),
    (
        Meaning("quasi-identifier", "age"),
        "나이|연령|^만나이",
        "age|age.?group",
    ),
    (
        Meaning("quasi-identifier", "sex"),
        "성별",
        "sex|gender",
    ),
    (
        Meaning("quasi-identifier", "place"),
        "주소|거주|지역|시도|시군구|읍면동|행정동|법정동|우편|위도|경도|위치|출생지|본적",
        (
            "addr(?:ess)?|region|district|city|town|province|state|county|sido|sigungu|zip(?:.?code)?|"
            "post(?:al)?.?code|lat(?:itude)?|lon(?:gitude)?|lng|location|area.?code"
        ),
    ),
    (
        Meaning("quasi-identifier", "origin"),
        "국적|출신",
        "nationality|citizenship|country|birthplace",
    ),
    (
        Meaning("quasi-identifier", "work or school"),
        "직업|직종|직장|직위|직급|부서|소속|회사명|학교|학과|학력|전공",
        "occupation|job|employer|department|position|school|education|major|degree",
    ),
    (
        Meaning("quasi-identifier", "family"),
        "결혼|혼인|배우자|가족|세대원|자녀",
        r"marital\w*|marriage|spouse|family|children|household.?size",
    ),
    (
        Meaning("quasi-identifier", "body"),
        "신장|체중|몸무게|혈액형",
        "height|blood.?type",
    ),
    (
        Meaning("quasi-identifier", "day or time of something that happened"),
        "일자|일시|날짜|년월일|시각|방문일|가입일|입사일",
        r"(?:\w+.)?(?:date|datetime|timestamp)",
    ),
    (
        Meaning("sensitive", "income or credit"),
        "소득|연봉|급여|월급|신용|채무|대출|연체|자산|재산",
        "income|salary|wage|credit.?(?:score|rating)|debt|loan|assets?",
    ),
)
# What has an English word in it, but is none of a person.
_THINGS = re.compile(
    r"(?:product|item|file|table|column|brand|category|store|shop|model|company|region|district|city|drug|group|code)"
    r".?name|(?:상품|제품|품목|파일|회사|매장|점포|부서|지역|시도|기관|병원)_?(?:이름|명)",
    re.IGNORECASE,
)
_FORMS: Final = tuple(
    (meaning, re.compile(f"{korean}|(?<![a-z])(?:{english})(?![a-z])", re.IGNORECASE))
    for meaning, korean, english in _LEXICON
)
_OF_ANYTHING = re.compile(
    r"(?<![a-z])(?:id|uuid|guid|key|no|number|serial)(?![a-z])|아이디|식별|번호|일련", re.IGNORECASE
)


def meaning_of(name: str) -> Meaning | None:
    """What a column's name (or label) says; None where it says nothing that is known here."""
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    for meaning, form in _FORMS:
        if form.search(plain):
            if meaning.what == "name of a person" and _THINGS.search(plain):
                return None
            return meaning
    return None


def names_a_number(name: str) -> bool:
    """Does the name say that the column holds the number or key of something?"""
    return bool(_OF_ANYTHING.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)))
