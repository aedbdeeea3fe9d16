"""Cut text into words, in the way of UD English EWT: contractions, hyphens, currency and units apart."""

import re
from collections.abc import Iterator
from typing import final

#: A piece of text longer than this without white space is cut; nothing that long is a word.
LONGEST_CHUNK = 400

_APOSTROPHE = "['’ʼ`´]"
_TOP_LEVEL = "com|org|net|edu|gov|mil|info|biz|us|uk|ca|au|de|fr|eu|io|ch|it|ru|cn|jp|in|co"
_FILE = "xls|xlsx|doc|docx|pdf|txt|jpe?g|gif|png|html?|ppt|zip|exe|php|asp|csv|py|mp3"
_ABBREVIATION = (
    "Mr|Mrs|Ms|Dr|St|Prof|Rev|Gen|Lt|Col|Sgt|Capt|Cmdr|Sen|Reps?|Gov|Pres|Hon|Jr|Sr|Inc|Corp|Co|Ltd|Bros|Dept|Univ|"
    "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Mon|Tues?|Wed|Thurs?|Thur|Fri|Sat|Sun|Ft|Ave|Blvd|Rd|Mt|No|Nos|"
    "Vol|Fig|Attn|[Ee]tc|vs|[Ee]sp|approx|ext|al|Ph\\.D|oz|lbs?|yrs|mins|hrs|[Ee]st|cf|viz|eg|ie|ca"
)
_UNIT = (
    "am|pm|AM|PM|a\\.m\\.|p\\.m\\.|k|K|m|M|mm|MM|b|B|bn|mn|cm|km|kg|g|mg|lbs?|oz|ft|hrs?|mins?|Hz|kHz|MHz|GHz|kW|MW|"
    "GB|MB|mph|yrs?|yo|hh|C|F"
)
_AUXILIARY = "do|does|did|ca|wo|have|has|had|is|are|was|were|would|could|should|ai"
#: What EWT keeps joined to the next word: `e-mail`, `post-war`; all other hyphens stand alone.
_PREFIX = (
    "e|re|non|anti|post|pre|mid|neo|co|ex|sub|semi|multi|inter|un|cross|counter|pro|over|under|micro|mini|bi|tri|de|"
    "arch|quasi|pseudo|ultra|trans|intra|extra|vice(?=-versa)"
)

_RULES = (
    r"(?:https?|ftp|mailto):/{0,2}\S*[^\s.,;:!?\"'’”)\]>}]",
    r"www\.\S*[^\s.,;:!?\"'’”)\]>}]",
    r"[\w.+%-]*[\w.]@\w(?:[\w.-]*\w)?",
    rf"\w[\w-]*(?:\.[\w-]+)*\.(?i:{_TOP_LEVEL}|{_FILE})(?![\w-])",
    r"[a-z]+(?:\.[a-z]+){2,}(?![\w.])",
    r"(?<!\w)(?:>?[:;=]['’]?-?[)(DPp]+|\(:|<3|\^_\^|;-?[)(])(?!\w)",
    r"[^\W\d_](?:\.[^\W\d_])+\.?(?!\w)",
    rf"(?<!\w)(?:{_ABBREVIATION})\.(?!\w)",
    r"(?<![\w.])[A-HJ-Z]\.(?=$|,)",
    # Telephone numbers, postcodes, dates, times, decades, numbers.
    r"(?<![\w-])(?:1-)?\d{3}[-./]\d{3}[-.]\d{4}(?!\d)",
    r"(?<![\w-])\d{3}-\d{4}(?![\d-])|(?<![\w-])\d{5}-\d{4}(?!\d)",
    r"(?<!\d)9/11(?!\d)|\d{1,4}/\d{1,2}/\d{1,4}(?!\d)|\d{4}-\d{2}-\d{2}(?!\d)",
    r"\d{1,2}:\d{2}(?::\d{2})?(?!\d)",
    rf"\d+{_APOSTROPHE}?s(?!\w)",
    r"\d+(?:st|nd|rd|th)(?!\w)",
    rf"\d+(?:[.,]\d+)*(?=(?:{_UNIT})(?!\w))",
    r"(?<![\w.])\.\d+(?!\w)|\d+(?:[.,]\d+)+(?!\w)",
    # Contractions: the verb first, then what hangs on it.
    rf"[^\W\d_]+?(?=[nN]{_APOSTROPHE}[tT](?!\w))|[nN]{_APOSTROPHE}[tT](?!\w)",
    rf"(?<!\w)(?i:{_AUXILIARY})(?=(?i:nt)(?!\w))|(?<=\w)(?i:nt)(?!\w)",
    r"(?<!\w)[Cc]an(?=not(?!\w))|(?<!\w)CAN(?=NOT(?!\w))|(?<!\w)[Gg]on(?=na(?!\w))|(?<!\w)[Ww]an(?=na(?!\w))|(?<!\w)[Gg]ot(?=ta(?!\w))",
    rf"{_APOSTROPHE}(?:s|re|ve|ll|d|m|S|RE|VE|LL|D|M)(?!\w)",
    rf"(?<![\w-])(?i:{_PREFIX})-[^\W\d_]+",
    rf"[^\W\d_]+(?:{_APOSTROPHE}[^\W\d_]+)*?(?={_APOSTROPHE}(?:s|re|ve|ll|d|m|S|RE|VE|LL|D|M)(?!\w))",
    rf"[^\W_]+(?:{_APOSTROPHE}[^\W\d_]{{3,}})+|[A-Z]{_APOSTROPHE}[^\W\d_]+",
    r"(?<!\w)(?:AT|R|Q|P|B|A|S|M|D)&(?:T|D|A|L|B|M|P|E)(?!\w)",
    # A word, with the marks that combine with its letters; scripts without spaces stay whole.
    r"[^\W_](?:\w|[\u0300-\u036f\u200c\u200d]|(?<=\w)[\u0900-\u0dff])*",
    r"_+",
    # Marks that belong together: dots, dashes, exclamations, repeats.
    r"[-=*~#+|<>{}_]{5,}|-{2,}=+|=+-{2,}",
    r"\.{2,}|…+|[!?]{2,}|``|''|‘’|’’",
    r"([-*=~#+<>^$|/\\,:;])\1+",
    # An emoji with its modifiers and joiners is one word; anything else stands alone.
    r"[\U0001F1E6-\U0001F1FF]{2}|[\u2600-\u27bf\U0001F000-\U0001FAFF](?:[\ufe0f\U0001F3FB-\U0001F3FF\u20e3]|\u200d[\u2600-\u27bf\U0001F000-\U0001FAFF])*",
    r"\S",
)
_WORD = re.compile("|".join(_RULES))
_CHUNK = re.compile(r"\S+")


@final
class Tokeniser:
    """Finds the words of a text; remembers the chunks (between white space) that it has seen."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, int], ...]] = {}

    def __call__(self, text: str) -> list[tuple[int, int]]:
        """Return the first and one-past-last character of every word; white space and nothing else is left out.

        >>> text = "Don't pay $5m."
        >>> [text[start:end] for start, end in Tokeniser()(text)]
        ['Do', "n't", 'pay', '$', '5', 'm', '.']
        """
        found: list[tuple[int, int]] = []
        for start, chunk in _chunks(text):
            parts = self._known.get(chunk)
            if parts is None:
                parts = self._learn(chunk)
            found.extend((start + a, start + b) for a, b in parts)
        return found

    def _learn(self, chunk: str) -> tuple[tuple[int, int], ...]:
        if len(self._known) > 500_000:
            self._known.clear()
        parts = tuple(match.span() for match in _WORD.finditer(chunk))
        self._known[chunk] = parts
        return parts


def _chunks(text: str) -> Iterator[tuple[int, str]]:
    for match in _CHUNK.finditer(text):
        chunk = match.group()
        for at in range(0, len(chunk), LONGEST_CHUNK):
            yield match.start() + at, chunk[at : at + LONGEST_CHUNK]
