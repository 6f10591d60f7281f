"""What no file of ours needs and only a mistake or ill will brings: too much, endless numbers, unseen characters."""

from __future__ import annotations

import re

LARGEST = 256 * 1024
LONGEST_NUMBER = 40
# Control characters, lone surrogates, and marks that hide or turn around what follows: a reviewer would sign
# something else than what is read, and a terminal would obey it. Tab and line feed are the only ones that show.
UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
SIZE = f"at most {LARGEST >> 10} KiB; patterns (`amount_*`) and `extends` keep plans short"


def unseen(text: str) -> str | None:
    """The first character of a text that nobody sees, as `U+202E`; None without one."""
    found = UNSEEN.search(text)
    return None if found is None else f"U+{ord(found.group()):04X}"
