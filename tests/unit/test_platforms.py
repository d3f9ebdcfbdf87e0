"""Platforms under the names that people give them."""

from pathlib import Path

from pinzhi.brand import BrandProfile
from pinzhi.platforms import PLATFORMS, platform_name


def test_people_s_names_are_those_of_the_tables() -> None:
    names = [platform_name(said) for said in ("微博", " XHS ", "公众号", "weibo", "douban", "", None)]
    assert names == ["weibo", "xiaohongshu", "wechat", "weibo", "douban", None, None]
    assert all(platform_name(name) == name for name in PLATFORMS)


def test_accounts_of_a_profile_stand_under_them(tmp_path: Path) -> None:
    values = "\n".join(f"  - {{id: v{i}, name: 价值{i}, statement: 说到做到}}" for i in range(3))
    path = tmp_path / "brand.yaml"
    path.write_text(
        f"id: a\nname: 甲\nvalues:\n{values}\naccounts:\n  - {{platform: 小红书, account_id: '7'}}\n", "utf-8"
    )
    assert [account.platform for account in BrandProfile.load(path).accounts] == ["xiaohongshu"]
