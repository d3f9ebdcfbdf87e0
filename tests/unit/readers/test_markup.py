"""HTML to text: what a browser shows, and nothing that takes long, however hostile."""

import time

import pytest

from pinzhi.readers import markup, values

ARTICLE = """<style>.rich_media_content{color:#222}</style><div class="rich_media_content" id=js_content>
<section><p style="text-align: center;">十年前，<strong>我们</strong>只想开
一间茶铺。</p><p><br></p></section><!-- 旧 --><script>var a = "<p>不是文字</p>";</script>
<h2>那&nbsp;时候</h2><ul><li>路口&lt;没有&gt;地铁</li><li>茶 &amp;amp; 水</li></ul>
<p>第一行<br/>第二行<img data-src="https://x/1.jpg" alt="a>b"/></p><p>\u200b</p><p>好<img src="e.png" alt="[赞]"></p>
<table><tr><td>价</td><td>12</td></tr></table></div>"""


def test_articles_are_lines_of_their_blocks() -> None:
    assert values.body(ARTICLE).split("\n") == [
        "十年前，我们只想开 一间茶铺。", "那 时候", "路口<没有>地铁", "茶 &amp; 水", "第一行", "第二行", "好[赞]", "价 12",
    ]  # fmt: skip


def test_text_that_is_no_html_keeps_its_lines() -> None:
    assert values.body("第一段。\n\n<iPhone> 的 </p> 好用\n&gt;") == "第一段。\n\n<iPhone> 的 \n 好用\n>"
    assert (values.body(None), values.body("  "), values.body(7)) == ("", "", "7")


@pytest.mark.parametrize(
    ("html", "shown"),
    [("<p>a<b", "a<b"), ("<p>1 < 2</p>", "1 < 2"), ("<p>x<!-- y</p>", "x<!-- y"), ("<p>a</p><script>b", "a\nb"),
     ("<P>A</P><TITLE>t</TITLE>", "A"), ("<p title='<'>q</p>", "q"), ('<p>r</p><p "x>s', 'r\ns'), ("<p/>", ""),
     ("<p>&#99999999999;&#x110000;&#xd800;</p>", "\ufffd\ufffd\ufffd"), ("<p>\ud83d</p>", "\ufffd")],
)  # fmt: skip
def test_broken_html(html: str, shown: str) -> None:
    assert values.body(html) == shown


def test_numbers_of_characters_without_end() -> None:
    assert values.text(f"好&#{'9' * 5000};&#x{'f' * 5000};") == "好\ufffd\ufffd"


@pytest.mark.parametrize(
    "piece",
    ["<script>", "<style>", "<title>", "<!--", "<", "</", "<p", "<p ", "<p a='", '<p a="', "<p a='\"", "<p '\"' \"'\" ", "<img alt=[a] ", "<img alt=[",
     "</p", "</p   ", "<br ", "<a-a", "-a-", "&", "&#", "&#1", "&a", "<![CDATA[", " ", "\n", "<p>\n", "'<p \"", "<!-- --", "</script "],
)  # fmt: skip
def test_hostile_repeats_take_no_time(piece: str) -> None:
    for text in (piece * (200_000 // len(piece)), f"<p>{piece * (200_000 // len(piece))}</p>"):
        start = time.perf_counter()
        values.body(text)
        values.text(text)
        markup.body_text(text)
        assert time.perf_counter() - start < 10, piece  # a second where the machine is idle; quadratic takes minutes
