"""What one who looks on says, in Chinese: by role, notice and language."""

from collections.abc import Mapping
from types import MappingProxyType

OBSERVER: Mapping[str, str] = MappingProxyType(
    {
        "observer/investigating.zh": """\
{% if since %}自 {{ since }} 起，{% else %}在 {{ detected }} 之前，{% endif %}
我们观察到 {{ title }} 的{{ withdrawals }}{{ state }}
{%- if sources %}（{{ sources | join("、") }}）{% endif %}。
{% if official %}
{{ title }} 首次发声于 {{ official }}。
{% else %}
尚未看到 {{ title }} 的声明。
{% endif %}
{% if unaffected %}
充值和交易不受影响。
{% endif %}
{% if sentences %}
{{ sentences }}
{% endif %}
{% if next_update %}
下次更新不晚于 {{ next_update }}。
{% endif %}
""",
        "observer/identified.zh": """\
{% if since %}自 {{ since }} 起，{% else %}在 {{ detected }} 之前，{% endif %}
我们观察到 {{ title }} 的{{ withdrawals }}{{ state }}。
问题已查明。
{% if official %}
{{ title }} 首次发声于 {{ official }}。
{% else %}
尚未看到 {{ title }} 的声明。
{% endif %}
{% if unaffected %}
充值和交易不受影响。
{% endif %}
{% if sentences %}
{{ sentences }}
{% endif %}
{% if next_update %}
下次更新不晚于 {{ next_update }}。
{% endif %}
""",
        "observer/monitoring.zh": """\
{% if recovered %}自 {{ recovered }} 起，{% endif %}
我们观察到 {{ title }} 的{{ withdrawals }}已重新处理
（{% if since %}自 {{ since }} 起{% else %}在 {{ detected }} 之前{% endif %}{{ state }}）。
{% if official %}
{{ title }} 首次发声于 {{ official }}。
{% else %}
尚未看到 {{ title }} 的声明。
{% endif %}
{% if sentences %}
{{ sentences }}
{% endif %}
{% if next_update %}
下次更新不晚于 {{ next_update }}。
{% endif %}
""",
        "observer/resolved.zh": """\
{% if recovered or resolved %}自 {{ recovered or resolved }} 起，{% endif %}
我们观察到 {{ title }} 的{{ withdrawals }}已恢复正常
（{% if since %}自 {{ since }} 起{% else %}在 {{ detected }} 之前{% endif %}{{ state }}）。
{% if official %}
{{ title }} 首次发声于 {{ official }}。
{% else %}
尚未看到 {{ title }} 的声明。
{% endif %}
{% if sentences %}
{{ sentences }}
{% endif %}
""",
        "observer/reopened.zh": """\
在我们发布已结束之后，我们观察到 {{ title }} 的{{ withdrawals }}再次受到影响
（最初{% if since %}自 {{ since }} 起{% else %}在 {{ detected }} 之前{% endif %}）。
{% if official %}
{{ title }} 首次发声于 {{ official }}。
{% else %}
尚未看到 {{ title }} 的声明。
{% endif %}
{% if unaffected %}
充值和交易不受影响。
{% endif %}
{% if sentences %}
{{ sentences }}
{% endif %}
{% if next_update %}
下次更新不晚于 {{ next_update }}。
{% endif %}
""",
        "observer/correction.zh": """\
更正我们{% if corrected %} {{ corrected }} {% endif %}的帖子：
{% if retracted %}
我们观察到 {{ title }} 的{{ withdrawals }}并未停止，此前所报为误报。
{% else %}
{% if since %}自 {{ since }} 起，{% else %}在 {{ detected }} 之前，{% endif %}
我们观察到 {{ title }} 的{{ withdrawals }}{{ state }}。
{% if unaffected %}
充值和交易不受影响。
{% endif %}
{% if next_update %}
下次更新不晚于 {{ next_update }}。
{% endif %}
{% endif %}
""",
        "observer/maintenance.zh": """\
{% if recovered or resolved %}
自 {{ recovered or resolved }} 起，我们观察到 {{ title }} 的{{ withdrawals }}在维护后已重新处理。
{% else %}
我们观察到 {{ title }} 的{{ withdrawals }}处于维护中
{%- if starts and ends %}，自 {{ starts }} 至 {{ ends }}{% elif since %}，自 {{ since }} 起{% endif %}。
{% if unaffected %}
充值和交易不受影响。
{% endif %}
{% endif %}
""",
        "observer/reserves_statement.zh": """\
自 {{ money_since }} 至 {{ money_until }}，我们观察到 {{ title }} 的已知地址收到 {{ received }}，
转出 {{ sent }}，净额 {{ net }}。
{% if page %}
地址和数据： {{ page }}
{% endif %}
{% if sentences %}
{{ sentences }}
{% endif %}
""",
        "observer/support.zh": """\
{% if retracted %}
我们观察到 {{ title }} 的{{ withdrawals }}并未停止，此前所报为误报。
{% elif kind == "maintenance" %}
{% if recovered or resolved %}
自 {{ recovered or resolved }} 起，我们观察到 {{ title }} 的{{ withdrawals }}在维护后已重新处理。
{% else %}
我们观察到 {{ title }} 的{{ withdrawals }}处于维护中
{%- if starts and ends %}，自 {{ starts }} 至 {{ ends }}{% elif since %}，自 {{ since }} 起{% endif %}。
{% endif %}
{% elif money_since %}
自 {{ money_since }} 至 {{ money_until }}，我们观察到 {{ title }} 的已知地址收到 {{ received }}，
转出 {{ sent }}，净额 {{ net }}。
{% if page %}
地址和数据： {{ page }}
{% endif %}
{% elif stage == "resolved" or stage == "monitoring" %}
{% if recovered or resolved %}自 {{ recovered or resolved }} 起，{% endif %}
我们观察到 {{ title }} 的{{ withdrawals }}已重新处理。
{% else %}
{% if since %}自 {{ since }} 起，{% else %}在 {{ detected }} 之前，{% endif %}
我们观察到 {{ title }} 的{{ withdrawals }}{{ state }}。
{% if official %}
{{ title }} 首次发声于 {{ official }}。
{% endif %}
{% if unaffected %}
充值和交易不受影响。
{% endif %}
{% if next_update %}
下次更新不晚于 {{ next_update }}。
{% endif %}
{% endif %}
""",
    }
)
