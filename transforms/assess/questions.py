"""The guideline's checklist of identification risk (개인식별 위험성 검토 체크리스트, L504-546).

The print lacks question 8; what stands here is the other half of its section on outliers (L375: rare values), after
question 7 on the ends of numbers.
"""

from __future__ import annotations

from typing import Final

from transforms.assess.found import Said

DATA, ENVIRONMENT = Said("데이터", "data"), Said("처리환경", "environment")
SECTIONS: Final = (
    (range(1, 7), DATA, Said("식별성", "identification")),
    (range(7, 9), DATA, Said("특이정보", "outliers")),
    (range(9, 11), DATA, Said("재식별 시 영향도", "impact if re-identified")),
    (range(11, 14), ENVIRONMENT, Said("이용 및 제공", "use and provision")),
    (range(14, 15), ENVIRONMENT, Said("처리장소", "place")),
    (range(15, 17), ENVIRONMENT, Said("다른 정보와의 결합", "combination with other information")),
)
"""Question numbers with their part and section, in the form's order."""

QUESTIONS: Final = {
    1: Said("식별이 가능한 단일항목의 정보가 있는가", "Is there a single item that identifies?"),
    2: Said(
        "두 개 이상의 컬럼(항목)을 조합하여 식별가능성이 높아지는 정보가 있는가",
        "Is there information that identifies more easily when two or more columns are combined?",
    ),
    3: Said(
        "공개된 데이터와 결합·대조하여 식별가능성이 높아질 수 있는 이용 항목이 있는가",
        "Is there an item that identifies more easily when held against public data?",
    ),
    4: Said(
        "데이터셋의 크기가 적어 식별이 가능할 우려가 있는가",
        "Is the data set so small that people may be identified?",
    ),
    5: Said(
        "원본데이터 전체가 아닌 일부의 데이터를 처리하는 샘플링을 적용하지 않았는가",
        "Are the whole source data processed, without sampling?",
    ),
    6: Said("시계열 성격을 가진 데이터가 포함되어 있는가", "Are there data of the nature of a time series?"),
    7: Said(
        "연속적인 숫자형 데이터에서 데이터 값의 분포가 양 끝단의 정보(분포 곡선에 따라 한쪽의 정보 포함)가 현저히 "
        "낮은 항목이 있는가",
        "Is there a number whose distribution is remarkably thin at its ends (or at one)?",
    ),
    8: Said("범주형 데이터에서 희소한 값을 가지는 항목이 있는가", "Is there an item of categories with rare values?"),
    9: Said(
        "사회통념상 차별 등으로 인해 정보주체가 피해 또는 불이익을 받을 수 있는 정보가 있는가",
        "Is there information for which people may be discriminated against or harmed?",
    ),
    10: Said(
        "재식별로 인하여 받는 피해 또는 불이익의 정도와 규모가 상당히 클 수 있는 정보주체에 관한 정보가 있는가",
        "Are there people whom re-identification would harm considerably?",
    ),
    11: Said(
        "처리주체가 보유하고 있는 정보 또는 접근·입수 가능한 정보와 이용 범위 및 유형을 고려하여 식별가능한 항목이 "
        "있는가",
        "Is there an item that identifies, given what the user holds or can get, and the scope and kind of use?",
    ),
    12: Said("추가정보를 삭제하지 않고 보관하는가", "Is additional information kept instead of being deleted?"),
    13: Said(
        "가명정보 제공 시 제공받는 자의 개인정보 보호 수준 및 신뢰할 수 있는 인증을 받았는가(ISMS, ISMS-P, ISO 27001 "
        "등)",
        "Has the recipient a level of protection and a certification that can be trusted (ISMS, ISMS-P, ISO 27001)?",
    ),
    14: Said(
        "가명정보 처리 시 다른 정보를 접근·입수할 수 있는 장소인가",
        "Can other information be reached where the data are processed?",
    ),
    15: Said("다른 정보와의 연계 분석이 예정되어 있는가", "Is an analysis together with other information planned?"),
    16: Said(
        "처리주체가 보유하거나 접근·입수 가능한 정보 등 다른 정보와 연계 또는 결합하여 식별가능한 항목이 있는가",
        "Is there an item that identifies when linked or combined with other information that the user holds or can "
        "get?",
    ),
}

MEASURES: Final = {
    "identification": Said(
        "식별정보는 원칙적으로 삭제하고, 이용 목적상 필요하면 안전한 방식의 값으로 대체",
        "delete; replace by a safely made value where the purpose needs it (L550)",
    ),
    "combination": Said(
        "조합으로 식별되지 않도록 범주화·라운딩·상하단코딩 또는 부분삭제",
        "generalize, round, code the ends or delete in part, so that no combination identifies (L622)",
    ),
    "outliers": Said(
        "이용 목적상 필요하지 않으면 삭제, 필요 시 상하단코딩·범주화",
        "delete if not needed, else top/bottom coding or categories (L551)",
    ),
    "impact": Said("꼭 필요한 항목 이외에는 삭제", "delete whatever is not indispensable (L552)"),
    "use": Said(
        "이용자와 제공자가 처리 환경의 안전성 입증을 협의",
        "user and provider agree how the environment is proved safe (L553)",
    ),
    "place": Said(
        "처리 수준을 높이거나 별도의 안전한 처리 장소를 모색",
        "raise the level, or find a safe place of processing (L554)",
    ),
    "linking": Said(
        "연계·결합되는 정보와 결합하여 식별되는 항목을 추가 검토; 어려우면 처리 수준을 높임",
        "review what identifies after linking; where that is not possible, raise the level (L555)",
    ),
}
"""The measures that the guideline asks for (개인식별 위험성 검토 항목별 조치 가이드, L547-556)."""
