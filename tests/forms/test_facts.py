"""The boxes and fields say what plan, run, decisions and ledger say, and nothing that nobody said."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

import docx

from jobs.documents.as_docx import docx_bytes
from jobs.forms.facts import gather
from transforms.plan import Contribution

from .made import NOON, PLAN, REVIEWERS, Case, MakeRun, documents
from .reading import beside, body, paragraphs, text

BARE = PLAN[: PLAN.index("documents:")] + PLAN[PLAN.index("output:") :]


def test_the_application_ticks_what_the_plan_says(case: Case) -> None:
    form = case.form("01-application")
    said = {name: beside(form, name) for name in ("처리목적", "활용 형태", "처리 환경", "처리 장소", "반복 제공여부")}
    assert said == {
        "처리목적": "☐ 통계작성 ☑ 과학적 연구 ☐ 공익적 기록보존 연령대별·질환별 지출의 차이 연구",
        "활용 형태": "☐ 내부이용 ☑ 제3자 제공 ☐ 결합전문기관을 통한 결합",
        "처리 환경": "☐ 내부 ☑ 외부",
        "처리 장소": "☑ 폐쇄 환경 ☐ 제한없음",
        "반복 제공여부": "☑ 1회 제공 ☐ 시계열 분석 등을 위한 반복 제공( 회 예정)",
    }
    assert beside(form, "가명정보 이용기간") == "2026년 2월 1일 ~ 2098년 12월 31일"
    assert beside(form, "데이터 내역") == "고객번호, 나이, 질환, 01월 지출액 ~ 02월 지출액"
    assert beside(form, "첨부서류") == "1. 연구계획서 2. 보안 서약서"
    assert "신청인(부서장명) 윤부장 (서명 또는 인)" in paragraphs(form)


def test_an_internal_use_is_no_provision(make_run: MakeRun) -> None:
    form = make_run(BARE.replace("form: third-party", "form: internal-other-department")).form("01-application")
    assert beside(form, "활용 형태").startswith("☑ 내부이용 ☐ 제3자 제공")
    assert beside(form, "처리 환경") == "☑ 내부 ☐ 외부"
    assert beside(form, "제공 받는 자").startswith("(내부) ☐ 동일부서 ☑ 타부서 (외부) ☐ 제3자")


def test_a_table_of_periods_is_provided_repeatedly(make_run: MakeRun) -> None:
    periods = PLAN.replace("subject: customer}", "subject: customer, period: {column: day, every: month}}")
    form = make_run(periods.replace("delivery: [off", "times: 12, delivery: [off")).form("01-application")
    assert beside(form, "반복 제공여부") == "☐ 1회 제공 ☑ 시계열 분석 등을 위한 반복 제공(12회 예정)"


def test_what_nobody_said_stays_a_blank(make_run: MakeRun) -> None:
    case = make_run(BARE)
    assert [beside(case.form("02-purpose-plan"), name) for name in ("연구명", "연구책임자", "연구 방법")] == [""] * 3
    form = case.form("01-application")
    assert [beside(form, name) for name in ("담당자 성명", "전화번호", "처리 환경", "제공 방법")] == [
        "", "", "☐ 내부 ☐ 외부", "☐ 온라인 ☐ 오프라인",
    ]  # fmt: skip


def test_how_many_persons_the_run_counted(case: Case) -> None:
    assert beside(case.form("02-purpose-plan"), "연구 대상자 수") == "4,000명 중 2,000명 추출, 3건 제공"


def test_types_of_items(case: Case) -> None:
    assert body(case.form("04-item-types")) == [
        ["1", "고객번호", "개인식별정보", "비민감성정보"],
        ["2", "나이", "개인식별가능정보", "비민감성정보"],
        ["3", "질환", "개인식별가능정보", "민감성정보, 민감정보(법 제23조)"],
        ["4~5", "01월 지출액 ~ 02월 지출액", "개인식별가능정보", "비민감성정보"],
    ]


def test_required_levels_say_why_the_purpose_needs_an_item(make_run: MakeRun) -> None:
    items = '  items: {age: 연령대 비교, "spent_*": 지출의 비교}\n'
    rows = body(make_run(PLAN.replace("use: {form", items + "use: {form")).form("05-required-levels"))
    assert {row[0]: row[2:] for row in rows} == {
        "1": ["구분만 가능하면 됨", ""],
        "2": ["10살 단위", "단위: 세 연령대 비교"],
        "3": ["", ""],
        "4~5": ["", "단위: 원 지출의 비교"],
    }


def test_what_goes_to_a_combination_is_so_ticked(case: Case) -> None:
    share = Contribution(name="a", party="A", subject="customer", key={"name": "customer"})
    facts = gather(case.folder)
    plan = facts.plan.model_copy(update={"combination": share})
    document = documents(replace(facts, pipeline=replace(facts.pipeline, plan=plan)))["01-application"]
    form = docx.Document(io.BytesIO(docx_bytes(document)))
    assert beside(form, "활용 형태") == "☐ 내부이용 ☐ 제3자 제공 ☑ 결합전문기관을 통한 결합"


def test_every_step_of_an_item_has_a_line(case: Case) -> None:
    rows = body(case.form("06-item-plan"))
    assert [row[-2] for row in rows] == ["일련번호 대체", "라운딩", "상단코딩", "처리 없음", "라운딩"]
    assert rows[2] == ["상단코딩", "80 초과는 경계치로 변경"]


def test_before_a_decision_all_of_a_reviewers_boxes_are_empty(case: Case) -> None:
    sheet, overall = case.form("10-reviewer-1"), case.form("11-overall-result")
    assert (
        beside(sheet, "최종검토결과") == beside(overall, "최종검토결과") == "☐ 적정(승인) ☐ 조건부 승인 ☐ 부적정(반려)"
    )
    assert {row[-1] for row in body(sheet) if "적합 " in row[-1]} == {"☐ 적합 ☐ 미흡"}
    assert {tuple(row[2:]) for row in body(case.form("09-conflict-of-interest-1"), 1)} == {("☐", "☐")}
    assert beside(case.form("08-secrecy-1"), "서 명") == ""


def test_a_decision_fills_in_its_reviewers_forms(case: Case) -> None:
    case.vote("김검토", "conditional", conditions=("나이의 상단을 70으로",), insufficient=("method",))
    sheet = case.form("10-reviewer-1")
    assert beside(sheet, "최종검토결과") == "☐ 적정(승인) ☑ 조건부 승인 ☐ 부적정(반려)"
    assert beside(sheet, "종합검토의견") == "보완사항: 나이의 상단을 70으로 (보완 전)"
    assert [beside(sheet, name) for name in ("성명", "소속", "직위")] == ["김검토", "정보보호실", "선임"]
    fit = {row[-2]: row[-1] for row in body(sheet) if "미흡" in row[-1]}
    assert fit["가명처리 방법 및 수준 정의표 적정성"] == "☐ 적합 ☑ 미흡"
    assert fit["가명정보 목적 적합성"] == "☑ 적합 ☐ 미흡"
    assert case.keys["김검토"].key_id in beside(sheet, "서명란")
    assert {tuple(row[2:]) for row in body(case.form("09-conflict-of-interest-1"), 1)} == {("☐", "☑")}
    assert case.keys["김검토"].key_id in beside(case.form("08-secrecy-1"), "서 명")
    case.now = NOON + timedelta(days=2)
    case.vote("김검토", None, close="나이의 상단을 70으로")
    sheet = case.form("10-reviewer-1")
    assert beside(sheet, "종합검토의견") == "보완사항: 나이의 상단을 70으로 (보완 확인)"
    assert beside(sheet, "검토 일자") == "2026년 1월 5일 ~ 2026년 1월 7일"


def test_the_overall_result_waits_for_all_who_must_decide(case: Case) -> None:
    for name in ("김검토", "박검토"):
        case.vote(name)
    assert beside(case.form("11-overall-result"), "최종검토결과") == "☐ 적정(승인) ☐ 조건부 승인 ☐ 부적정(반려)"
    case.vote("이검토", reason="이상 없음")
    form = case.form("11-overall-result")
    assert beside(form, "최종검토결과") == "☑ 적정(승인) ☐ 조건부 승인 ☐ 부적정(반려)"
    assert beside(form, "종합검토의견") == "이검토: 이상 없음"
    # the plan's chair sits first, the privacy officer last
    seats = body(form, 1)[-1]
    assert [text(one).split()[0] for one in seats] == ["이검토", "김검토", "박검토", "남보호"]


def test_one_rejection_is_the_overall_result(case: Case) -> None:
    case.vote("김검토", "rejected", reason="나이가 너무 상세함")
    form = case.form("11-overall-result")
    assert beside(form, "최종검토결과") == "☐ 적정(승인) ☐ 조건부 승인 ☑ 부적정(반려)"
    assert beside(form, "종합검토의견") == "김검토: 나이가 너무 상세함"


def test_who_has_a_conflict_of_interest_answers_and_does_not_decide(case: Case) -> None:
    for name in REVIEWERS:
        case.vote(name)
    case.vote("박검토", None, conflicts=(3,))
    sheets = {name.split(".")[0][-1] for name in case.write() if name.startswith("10-reviewer")}
    assert {beside(case.form(f"10-reviewer-{n}"), "성명") for n in sheets} == {"김검토", "이검토"}, "no sheet"
    (number,) = {"1", "2", "3"} - sheets
    answers = [row[2:] for row in body(case.form(f"09-conflict-of-interest-{number}"), 1)]
    assert answers == [["☐", "☑"]] * 2 + [["☑", "☐"]] + [["☐", "☑"]] * 3
    empty = "☐ 적정(승인) ☐ 조건부 승인 ☐ 부적정(반려)"
    assert beside(case.form("11-overall-result"), "최종검토결과") == empty


def test_ledgers_tell_what_was_published_and_destroyed(case: Case) -> None:
    before = case.form("13-processing-ledger")
    assert [beside(before, name) for name in ("관련 파일명", "기록 확인자")] == ["", "(인)"]
    assert body(case.form("16-destruction-additional"))[0] == ["1", *[""] * 7]
    for name in REVIEWERS:
        case.vote(name)
    case.publish()
    after = case.form("13-processing-ledger")
    assert beside(after, "관련 파일명").endswith("/spending")
    assert beside(after, "기록 확인자") == "김검토, 박검토, 이검토 (인)"
    assert "② 가명정보 및 추가정보를 처리하는자: 한운영, 오처리" in beside(after, "가명정보의 이용내역")
    assert beside(after, "제공받는 자 (제3자 제공시)") == "소비자연구소"
    gone = body(case.form("16-destruction-additional"))[0]
    assert gone[1] == "2026-017"
    assert gone[5:] == ["최책임", "한운영", ""]
    rights = {(row[0], row[2]): row[1] for row in body(case.form("14-access-rights"))}
    assert rights["한운영", "말소"] == "추가정보 처리(추가정보 파기)"
    assert rights["조이용", "부여"] == "가명정보 이용"
    assert rights["김검토", "부여"] == "적정성 검토(서명키)"


def test_no_cell_of_the_data_stands_in_a_form(case: Case) -> None:
    written = b"".join(content for name, content in case.write().items() if name.endswith(".html")).decode()
    # values of the staged table that no parameter of the plan names
    assert "5000" not in written
    assert "5,000" not in written
