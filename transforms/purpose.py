"""Is a purpose (처리 목적) stated specifically enough?"""

from __future__ import annotations

import re
import unicodedata

# Words that fit every request: they say that something is studied, not what. The guideline's own unfit
# example, "신제품 개발을 위한 과학적 연구 수행", consists of nothing else.
_GENERAL = (
    "신제품|신상품|제품|상품|서비스|사업|업무|정책|시스템|모델|알고리즘|데이터|가명정보|개인정보|정보|자료|통계|"
    "과학적|학술|공익적|기록|보존|연구|조사|분석|개발|개선|향상|고도화|작성|수행|수립|활용|이용|처리|제공|목적|"
    "마케팅|기획|내부|각종|다양한|다양|기타|등|새로운|신규|일반|관련|필요|테스트|미정|추후|"
    "경쟁력|강화|효율화|최적화|효과적|효율적|혁신|전략|비즈니스|빅데이터|인공지능|머신러닝|딥러닝|학습|기술|솔루션|플랫폼|"
    "인사이트|가치|창출|도출|발굴|현황|파악|검토|실시|진행|추진|지원|기반|결과|목표|프로젝트|과제|산업|산업적|미래|전반|여러|유용|"
    "우리|저희|당사|자사|폐사|귀사|회사|기관|본|더|나은|좋은|보다"
)
_PARTICLES = (
    "을|를|이|가|은|는|의|에|에서|와|과|로|으로|및|도|용|하고자|하려고|하려는|하려|하기|함|한다|하는|하여|위한|위해|위하여|대한|"
    "따른|통한|통해|인|적|별|할|하며|하고|되는|된|임|위함|예정|으로서|로서|에게|입니다|합니다"
)
_ENGLISH = (
    "a|an|the|of|for|and|or|in|on|to|with|by|new|our|your|its|products?|services?|business|data|information|"
    "research|stud(?:y|ies)|scientific|statistics?|statistical|analys[ei]s|development|develop|improvements?|"
    "improve|use|usage|purposes?|general|various|internal|marketing|planning|models?|public|interest|archiving|"
    "test|testing|tbd|todo|etc|other|ai|artificial|intelligence|machine|learning|big|insights?|innovations?|future|"
    "strateg(?:y|ic)|values?|competitiveness|better|technolog(?:y|ies)|solutions?|platforms?|projects?|tasks?|"
    "industr(?:y|ial)|optimi[sz]ation|enhancements?|enhance|create|creation|support|make|making|from|into|using|based|"
    "about|this|that|we|will|be|is|are|r|d"
)
_WORDS = re.compile(r"[^\W_]+")
_general_word = re.compile(f"(?:{_GENERAL})*(?:{_PARTICLES})*|(?i:{_ENGLISH})")


def telling_words(statement: str) -> list[str]:
    """The words of a statement that say what is studied, and in what respect: without general words."""
    words = _WORDS.findall(unicodedata.normalize("NFC", statement))
    return [word for word in words if not _general_word.fullmatch(word)]


def is_vague(statement: str) -> bool:
    """True where fewer than two words tell what is studied and in what respect.

    A floor, not a judgement: what is long may still be vague, and the reviewers say so. Guideline
    L306-308: "신제품 개발을 위한 과학적 연구 수행" is unfit, for it does not state the purpose specifically;
    fit is one that names the product's traits, the survey and the relation that is studied.
    """
    return len(set(telling_words(statement))) < 2
