"""HTML to the text that a browser shows, in one pass: no text, however hostile, is looked through more than once or twice.

The parser of the standard library takes quadratic time on some broken markup in versions of Python that are in use.
"""

import re
from html import unescape

_UNSEEN = re.compile(r"<(?P<name>script|style|title)\b[^<>]*>|<!--", re.IGNORECASE)
_ENDS = {
    "": re.compile("-->"),
    **{name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("script", "style", "title")},
}
_TAG = re.compile(  # with `>` within quotes, or with quotes that do not close
    r"</?+([a-zA-Z][a-zA-Z0-9:-]*+)(?:(?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+>|[^<>]*+>)|<[!?][^<>]*+>"
)
_IMAGE = re.compile(r"<img\b[^<>]*+>", re.IGNORECASE)
_EMOTICON = re.compile(r"\balt=[\"']?(\[[^\]<>]{1,12}\])", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\r\n\f]+")
_LONG_REFERENCE = re.compile(r"&#(?:[0-9]{8,}+|[xX][0-9a-fA-F]{8,}+);?")
_BLOCK_TAGS = """address article aside blockquote br caption dd details div dl dt fieldset figcaption figure footer form h1 h2 h3
h4 h5 h6 header hr legend li main mp-common-profile nav ol p pre section summary table tr ul"""
_BLOCKS = frozenset(_BLOCK_TAGS.split())
_IS_BODY = re.compile(r"</(?:p|div|section|span|strong|em|li|h[1-6]|blockquote)\s*>|<br\s*/?>", re.IGNORECASE)


def without_unseen(html: str, *, title: bool = False) -> str:
    """HTML without comments, scripts and styles, and with `title` without the title of the page; one that never ends stays."""
    parts: list[str] = []
    endless = set() if title else {"title"}
    at = 0
    while found := _UNSEEN.search(html, at):
        name = (found["name"] or "").lower()
        end = None if name in endless else _ENDS[name].search(html, found.end())
        if end is None:
            endless.add(name)
        parts.append(html[at : found.start() if end else found.end()])
        at = end.end() if end else found.end()
    return "".join((*parts, html[at:])) if parts else html


def with_emoticons(html: str) -> str:
    """HTML whose pictures of emoticons are their codes, such as `[赞]`."""
    return _IMAGE.sub(lambda found: _emoticon(found[0]) or found[0], html)


def _emoticon(tag: str) -> str:
    found = _EMOTICON.search(tag)
    return found[1] if found else ""


def without_references(text: str) -> str:
    """Text with references such as `&gt;` decoded."""
    # Numbers of thousands of digits raise an error in `unescape`; there are no such characters.
    return unescape(_LONG_REFERENCE.sub("\ufffd", text))


def is_body(text: str) -> bool:
    """Whether a text is HTML as a whole, and not words with a tag among them."""
    return text[:200].lstrip().startswith("<") and _IS_BODY.search(text) is not None


def body_text(html: str) -> str:
    """The words of an HTML body, each block on lines of its own; white space of the source means nothing."""
    html = without_unseen(html, title=True)
    parts: list[str] = []
    at = 0
    for tag in _TAG.finditer(html):
        parts.append(_words(html[at : tag.start()]))
        at = tag.end()
        name = (tag[1] or "").lower()
        if name in _BLOCKS:
            parts.append("\n")
        elif name in ("td", "th"):
            parts.append(" ")
        elif name == "img":
            parts.append(_emoticon(tag[0]))
    parts.append(_words(html[at:]))
    return "".join(parts)


def _words(text: str) -> str:
    """Text between two tags, on one line."""
    return without_references(_SPACE.sub(" ", text)).replace("\n", " ") if text else ""
