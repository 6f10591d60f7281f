"""Conflicts of interest (이해상충): the six questions that a reviewer answers in every decision (guideline L3245-3262).

Who answers one with "yes" does not decide: the answer is signed and recorded in the decision's place.
"""

from __future__ import annotations

from typing import Final

from jobs.errors import BadInput

_ADVANTAGE = (
    "가명정보 이용신청자로부터 본 적정성 검토 비용 외에 검토 결과에 영향을 미칠 수 있는 경제적·비경제적 이익을 "
    "제공받은 사실이 있는지"
)
QUESTIONS: Final = (
    (
        "적정성 검토 대상 가명정보를 이용할 예정이 있는지",
        "will you use the pseudonymized information under review?",
    ),
    (
        "적정성 검토 대상 가명정보 활용에 대한 경제적·비경제적 이익을 가지고 있는지",
        "does its use bring you an economic or other advantage?",
    ),
    (
        "가명정보 이용신청자와 고용관계(상근, 비상근/ 공식, 비공식 등)에 있는지",
        "does the applicant employ you (full or part time, formally or not)?",
    ),
    (
        _ADVANTAGE,
        "have you had from the applicant, beside the review's fee, an advantage that may sway the result?",
    ),
    (
        "본인 또는 배우자의 직계가족이 소속된 회사가 위에서 기술된 것과 같은 관계를 가지고 있는지",
        "has a company of your or your spouse's immediate family such a relation?",
    ),
    (
        "그 밖에 적정성 검토 대상 가명정보 또는 가명정보 이용신청자와 이해관계가 있는지",
        "is there any other interest in the information or the applicant?",
    ),
)
SECRECY: Final = (
    "적정성 검토와 관련한 활동으로 얻어진 모든 정보를 외부에 공개하지 않을 것을 서약합니다 (비밀유지의무 서약서)",
    "what is learnt in this review stays secret (pledge of secrecy, guideline L3233)",
)
NONE = "none"
NO_CONFLICT: Final = ("--conflicts", NONE)  # as words of `gamyeong decide`


def parse_conflicts(text: str) -> tuple[int, ...]:
    """The numbers of the questions answered with "yes": of `none` or `1,4`. BadInput for anything else."""
    if text.strip() == NONE:
        return ()
    words = [word.strip() for word in text.split(",")]
    numbers = sorted({int(word) for word in words if word.isdecimal()})
    if not numbers or len(numbers) < len(words) or not set(numbers) <= set(range(1, len(QUESTIONS) + 1)):
        raise BadInput(
            f"--conflicts takes `{NONE}`, or the numbers (1 to {len(QUESTIONS)}, with commas) of the questions whose "
            "answer is yes; `gamyeong decide --questions` prints them"
        )
    return tuple(numbers)


def answers(yes: tuple[int, ...]) -> dict[str, str]:
    """Every question's answer by its number, as it is signed."""
    return {str(number): "yes" if number in yes else "no" for number in range(1, len(QUESTIONS) + 1)}


def questions_text() -> str:
    """The questions and the pledge, in both languages."""
    lines = [f"{number}. {korean}\n   {english}" for number, (korean, english) in enumerate(QUESTIONS, 1)]
    return "\n".join([*lines, *SECRECY])
