"""Column orders of MediaCrawler's csv files, by version; rows of one version may follow another's header."""

_COLUMNS = {
    "bilibili comments": (
        """comment_id parent_comment_id create_time video_id content user_id nickname sex sign avatar sub_comment_count
        like_count last_modify_ts""",
        """comment_id parent_comment_id create_time video_id content creator_hash nickname sub_comment_count like_count
        last_modify_ts""",
    ),
    "bilibili posts": (
        """video_id video_type title desc create_time user_id nickname avatar liked_count disliked_count
        video_play_count video_favorite_count video_share_count video_coin_count video_danmaku video_comment
        last_modify_ts video_url video_cover_url source_keyword""",
        """video_id video_type title desc create_time creator_hash nickname liked_count disliked_count video_play_count
        video_favorite_count video_share_count video_coin_count video_danmaku video_comment last_modify_ts
        video_url video_cover_url source_keyword""",
    ),
    "douyin comments": (
        """comment_id create_time ip_location aweme_id content user_id sec_uid short_user_id user_unique_id
        user_signature nickname avatar sub_comment_count like_count last_modify_ts parent_comment_id
        pictures""",
        """comment_id create_time aweme_id content creator_hash nickname sub_comment_count like_count last_modify_ts
        parent_comment_id pictures""",
    ),
    "douyin posts": (
        """aweme_id aweme_type title desc create_time user_id sec_uid short_user_id user_unique_id user_signature
        nickname avatar liked_count collected_count comment_count share_count ip_location last_modify_ts
        aweme_url cover_url video_download_url music_download_url note_download_url source_keyword""",
        """aweme_id aweme_type title desc create_time creator_hash nickname liked_count collected_count comment_count
        share_count last_modify_ts aweme_url cover_url video_download_url music_download_url
        note_download_url source_keyword""",
    ),
    "kuaishou comments": (
        """comment_id create_time video_id content user_id nickname avatar sub_comment_count last_modify_ts""",
        """comment_id create_time video_id content creator_hash nickname sub_comment_count last_modify_ts""",
    ),
    "kuaishou posts": (
        """video_id video_type title desc create_time user_id nickname avatar liked_count viewd_count last_modify_ts
        video_url video_cover_url video_play_url source_keyword""",
        """video_id video_type title desc create_time creator_hash nickname liked_count viewd_count last_modify_ts
        video_url video_cover_url video_play_url source_keyword""",
    ),
    "tieba comments": (
        """comment_id parent_comment_id content user_link user_nickname user_avatar publish_time ip_location
        sub_comment_count note_id note_url tieba_id tieba_name tieba_link last_modify_ts""",
        """comment_id parent_comment_id content creator_hash user_nickname publish_time sub_comment_count note_id
        note_url tieba_id tieba_name tieba_link last_modify_ts""",
    ),
    "tieba posts": (
        """note_id title desc note_url publish_time user_link user_nickname user_avatar tieba_name tieba_link
        total_replay_num total_replay_page ip_location source_keyword last_modify_ts""",
        """note_id title desc note_url publish_time creator_hash user_nickname tieba_name tieba_link total_replay_num
        total_replay_page source_keyword last_modify_ts""",
    ),
    "weibo comments": (
        """comment_id create_time create_date_time note_id content sub_comment_count comment_like_count last_modify_ts
        ip_location parent_comment_id user_id nickname gender profile_url avatar""",
        """comment_id create_time create_date_time note_id content sub_comment_count comment_like_count last_modify_ts
        parent_comment_id creator_hash nickname""",
    ),
    "weibo posts": (
        """note_id content create_time create_date_time liked_count comments_count shared_count last_modify_ts note_url
        ip_location user_id nickname gender profile_url avatar source_keyword""",
        """note_id content create_time create_date_time liked_count comments_count shared_count last_modify_ts note_url
        creator_hash nickname source_keyword""",
    ),
    "xiaohongshu comments": (
        """comment_id create_time ip_location note_id content user_id nickname avatar sub_comment_count pictures
        parent_comment_id last_modify_ts like_count""",
        """comment_id create_time note_id content creator_hash nickname sub_comment_count pictures parent_comment_id
        last_modify_ts like_count""",
    ),
    "xiaohongshu posts": (
        """note_id type title desc video_url time last_update_time user_id nickname avatar liked_count collected_count
        comment_count share_count ip_location image_list tag_list last_modify_ts note_url source_keyword""",
        """note_id type title desc video_url time last_update_time user_id nickname avatar liked_count collected_count
        comment_count share_count ip_location image_list tag_list last_modify_ts note_url source_keyword
        xsec_token""",
        """note_id type title desc video_url time last_update_time creator_hash nickname liked_count collected_count
        comment_count share_count image_list tag_list last_modify_ts note_url source_keyword xsec_token""",
    ),
    "zhihu comments": (
        """comment_id parent_comment_id content publish_time ip_location sub_comment_count like_count dislike_count
        content_id content_type user_id user_link user_nickname user_avatar last_modify_ts""",
        """comment_id parent_comment_id content publish_time sub_comment_count like_count dislike_count content_id
        content_type creator_hash user_nickname last_modify_ts""",
    ),
    "zhihu posts": (
        """content_id content_type content_text content_url question_id title desc created_time updated_time
        voteup_count comment_count source_keyword user_id user_link user_nickname user_avatar user_url_token
        last_modify_ts""",
        """content_id content_type content_text content_url question_id title desc created_time updated_time
        voteup_count comment_count source_keyword creator_hash user_nickname last_modify_ts""",
    ),
}
KNOWN_COLUMNS = {label: tuple(tuple(order.split()) for order in orders) for label, orders in _COLUMNS.items()}
