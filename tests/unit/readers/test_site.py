"""The brand's own site: WordPress exports, RSS and Atom."""

import json
from pathlib import Path

from pinzhi.readers import discover
from tests.unit.readers.helpers import by_id, read, utc

WXR = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:wp="http://wordpress.org/export/1.2/"
 xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>绿野农场</title><link>https://lvye.example</link><wp:base_blog_url>https://lvye.example</wp:base_blog_url>
<item><title>今年不打&amp;药</title><link>https://lvye.example/2026/03/no-spray</link>
<pubDate>Wed, 11 Mar 2026 00:30:00 +0000</pubDate><dc:creator><![CDATA[amu]]></dc:creator>
<guid isPermaLink="false">https://lvye.example/?p=52</guid><description></description>
<content:encoded><![CDATA[<!-- wp:paragraph --><p>三号地休耕，<strong>种紫云英</strong>。</p><p>少收四万斤谷。</p>]]></content:encoded>
<excerpt:encoded><![CDATA[摘要]]></excerpt:encoded>
<wp:post_id>52</wp:post_id><wp:post_date>2026-03-11 08:30:00</wp:post_date><wp:post_date_gmt>2026-03-11 00:30:00</wp:post_date_gmt>
<wp:status>publish</wp:status><wp:post_type>post</wp:post_type>
<wp:comment><wp:comment_id>7</wp:comment_id><wp:comment_author><![CDATA[小鱼儿]]></wp:comment_author>
<wp:comment_author_email>yu@mail.example</wp:comment_author_email><wp:comment_author_IP>10.0.0.1</wp:comment_author_IP>
<wp:comment_date>2026-03-11 09:00:00</wp:comment_date><wp:comment_date_gmt>2026-03-11 01:00:00</wp:comment_date_gmt>
<wp:comment_content><![CDATA[地的工钱 <em>单列</em> 吗？打13800138000问]]></wp:comment_content><wp:comment_approved>1</wp:comment_approved>
<wp:comment_type>comment</wp:comment_type><wp:comment_parent>0</wp:comment_parent><wp:comment_user_id>0</wp:comment_user_id>
<wp:commentmeta><wp:meta_key>x</wp:meta_key><wp:meta_value>y</wp:meta_value></wp:commentmeta></wp:comment>
<wp:comment><wp:comment_id>8</wp:comment_id><wp:comment_author>amu</wp:comment_author>
<wp:comment_date_gmt>2026-03-11 01:05:00</wp:comment_date_gmt><wp:comment_content>单列一栏。</wp:comment_content>
<wp:comment_approved>1</wp:comment_approved><wp:comment_type></wp:comment_type><wp:comment_parent>7</wp:comment_parent><wp:comment_user_id>3</wp:comment_user_id></wp:comment>
<wp:comment><wp:comment_id>9</wp:comment_id><wp:comment_content>买粉加我</wp:comment_content><wp:comment_approved>spam</wp:comment_approved></wp:comment>
<wp:comment><wp:comment_id>10</wp:comment_id><wp:comment_content>...</wp:comment_content><wp:comment_approved>1</wp:comment_approved><wp:comment_type>pingback</wp:comment_type></wp:comment>
</item>
<item><title>草稿</title><wp:post_id>53</wp:post_id><wp:post_date_gmt>0000-00-00 00:00:00</wp:post_date_gmt><wp:status>draft</wp:status><wp:post_type>post</wp:post_type></item>
<item><title>图</title><wp:post_id>54</wp:post_id><wp:status>inherit</wp:status><wp:post_type>attachment</wp:post_type></item>
</channel></rss>
"""


def test_an_export_of_wordpress_is_read_with_its_comments(tmp_path: Path) -> None:
    (tmp_path / "lvye.WordPress.2026-04-01.xml").write_text(WXR, "utf-8")
    assert [source.reader for source in discover([tmp_path])[0]] == ["site"]
    tables = read(tmp_path)
    (post,) = tables["posts"]
    assert (post["platform"], post["post_id"], post["account_id"]) == ("site", "lvye.example_52", "lvye.example")
    assert (post["title"], post["text"]) == ("今年不打&药", "三号地休耕，种紫云英。\n少收四万斤谷。")
    assert post["published_at"] == utc("2026-03-11T00:30") and post["kind"] == "post"
    comments = by_id(tables["comments"], "comment_id")
    assert set(comments) == {"lvye.example_7", "lvye.example_8"}
    comments = {key.removeprefix("lvye.example_"): row for key, row in comments.items()}
    assert comments["7"]["text"] == "地的工钱 单列 吗？打13800138000问"
    assert comments["7"]["created_at"] == utc("2026-03-11T01:00") and comments["7"]["parent_id"] is None
    assert (comments["7"]["author_id"], comments["8"]["author_id"], comments["8"]["parent_id"]) == (
        "yu@mail.example",
        "lvye.example_3",
        "lvye.example_7",
    )
    assert [(row["account_id"], row["name"]) for row in tables["accounts"]] == [("lvye.example", "绿野农场")]
    assert sorted(reject["reason"].partition(":")[0] for reject in tables["rejects"]) == ["not read"] * 4


def test_nobody_is_named_unless_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(WXR, "utf-8")
    shown = json.dumps(read(tmp_path, pseudonymise=True), ensure_ascii=False, default=str)
    for secret in ("yu@mail", "小鱼儿", "10.0.0.1", "13800138000"):
        assert secret not in shown


def test_feeds_of_a_site_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.rss").write_text(
        '<rss version="2.0"><channel><title>绿野</title><link>https://lvye.example/</link><item><title>开镰</title>'
        "<link>https://lvye.example/1</link><pubDate>Thu, 18 Jun 2026 20:00:01 +0800</pubDate><description>&lt;p&gt;早稻&lt;/p&gt;</description></item>"
        "<item><title>没有编号</title></item></channel></rss>",
        "utf-8",
    )
    (tmp_path / "b.atom").write_text(
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>绿野</title><link href="https://lvye.example/"/><entry><id>tag:2</id><title>歇雨</title>'
        '<updated>2026-06-19T08:00:00Z</updated><content type="xhtml"><div><p>雨大</p></div></content><author><name>amu</name></author></entry></feed>',
        "utf-8",
    )
    posts = by_id(read(tmp_path)["posts"], "title")
    assert posts["开镰"]["post_id"] == "https://lvye.example/1" and posts["开镰"]["text"] == "早稻"
    assert posts["开镰"]["published_at"] == utc("2026-06-18T12:00:01")
    assert (posts["歇雨"]["post_id"], posts["歇雨"]["text"], posts["歇雨"]["account_id"]) == (
        "tag:2",
        "雨大",
        "lvye.example",
    )
    assert posts["没有编号"]["post_id"].startswith("x_")


def test_two_sites_share_no_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(WXR, "utf-8")
    (tmp_path / "b.xml").write_text(WXR.replace("lvye.example", "langang.example"), "utf-8")
    tables = read(tmp_path)
    assert (
        len({row["post_id"] for row in tables["posts"]}) == 2
        and len({row["comment_id"] for row in tables["comments"]}) == 4
    )


def test_odd_elements_hide_no_words(tmp_path: Path) -> None:
    item = (
        "<item><title>开镰</title><link>https://a.example/1</link><comment>https://a.example/rss</comment><comment><comment_id>1</comment_id>"
        "<comment_content>好</comment_content></comment><description>正文</description>"
        "<media:content url='x'><media:title>图</media:title></media:content></item>"
    )
    (tmp_path / "a.xml").write_text(
        f"<rss xmlns:media='m'><channel><link>https://a.example</link>{item}</channel></rss>", "utf-8"
    )
    tables = read(tmp_path)
    assert tables["posts"][0]["text"] == "正文" and [row["text"] for row in tables["comments"]] == ["好"]


def test_comments_that_wait_cost_no_more_than_themselves(tmp_path: Path) -> None:
    waiting = "<wp:comment><wp:comment_id>9</wp:comment_id><wp:comment_content>等</wp:comment_content><wp:comment_approved>0</wp:comment_approved></wp:comment>"
    (tmp_path / "a.xml").write_text(WXR.replace("<wp:comment>", waiting * 3000 + "<wp:comment>", 1), "utf-8")
    rejects = [row for row in read(tmp_path, pseudonymise=True)["rejects"] if row["field"] == "comment_approved"]
    assert len(rejects) == 3001 and all(len(row["raw"]) < 200 for row in rejects[:3000])
