"""What the exchange itself says, in Chinese: by role, notice and language."""

from collections.abc import Mapping
from types import MappingProxyType

OPERATOR: Mapping[str, str] = MappingProxyType(
    {
        "operator/investigating.zh": """\
{% if kind == "withdrawals_degraded" %}
我们已获悉平台{{ withdrawals }}出现延迟或部分不可用。
{% elif kind == "rail_suspended" %}
我们已获悉平台{{ withdrawals }}已暂停。
{% else %}
我们已获悉平台出现一些技术问题，影响{{ withdrawals }}。
{% endif %}
我们的团队正在修复，服务恢复时会在此通知。
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
        "operator/identified.zh": """\
{% if kind == "withdrawals_degraded" %}
我们已查明平台{{ withdrawals }}延迟的原因。
{% elif kind == "rail_suspended" %}
我们已查明平台{{ withdrawals }}暂停的原因。
{% else %}
我们已查明影响平台{{ withdrawals }}的问题。
{% endif %}
修复正在进行。
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
        "operator/monitoring.zh": """\
修复已上线，平台{{ withdrawals }}{% if recovered %}自 {{ recovered }} 起{% endif %}已重新处理。
我们在密切关注。
{% if sentences %}
{{ sentences }}
{% endif %}
{% if next_update %}
下次更新不晚于 {{ next_update }}。
{% endif %}
""",
        "operator/resolved.zh": """\
影响平台{{ withdrawals }}的问题已解决。
{% if recovered or resolved %}
自 {{ recovered or resolved }} 起已恢复正常。
{% endif %}
对由此带来的不便我们深表歉意，感谢您的耐心。
{% if sentences %}
{{ sentences }}
{% endif %}
""",
        "operator/reopened.zh": """\
我们已获悉，在我们发布问题已解决之后，平台{{ withdrawals }}再次受到影响。
我们的团队正在修复，服务恢复时会在此通知。
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
        "operator/correction.zh": """\
更正我们{% if corrected %} {{ corrected }} {% endif %}的帖子：
{% if retracted %}
此前关于平台{{ withdrawals }}的消息为误报。我们深表歉意。
{% else %}
受影响的是平台{{ withdrawals }}{% if since %}，自 {{ since }} 起{% endif %}。
我们的团队正在修复。
{% if unaffected %}
充值和交易不受影响。
{% endif %}
{% if next_update %}
下次更新不晚于 {{ next_update }}。
{% endif %}
{% endif %}
""",
        "operator/maintenance.zh": """\
{% if recovered or resolved %}
平台维护已结束：{{ withdrawals }}自 {{ recovered or resolved }} 起已重新处理。
{% else %}
平台维护：{{ withdrawals }}暂停
{%- if starts and ends %}，自 {{ starts }} 至 {{ ends }}{% elif since %}，自 {{ since }} 起{% endif %}。
{% if unaffected %}
充值和交易不受影响。
{% endif %}
{% endif %}
""",
        "operator/reserves_statement.zh": """\
自 {{ money_since }} 至 {{ money_until }}，我们公布的地址收到 {{ received }}，转出 {{ sent }}，净额 {{ net }}。
{% if page %}
地址和数据： {{ page }}
{% endif %}
""",
        "operator/support.zh": """\
{% if retracted %}
此前关于{{ withdrawals }}的消息为误报。
{% elif kind == "maintenance" %}
{% if recovered or resolved %}
{{ withdrawals }}的维护已结束，自 {{ recovered or resolved }} 起已重新处理。
{% else %}
{{ withdrawals }}正在维护
{%- if starts and ends %}，自 {{ starts }} 至 {{ ends }}{% elif since %}，自 {{ since }} 起{% endif %}。
{% endif %}
{% elif kind == "freeze_surge" %}
{% if stage == "resolved" %}
用户自行冻结提现的数量已恢复正常。
{% else %}
{% if since %}自 {{ since }} 起，{% endif %}异常多的用户冻结了自己的提现。
任何人都无法提前解除冻结，我们也不例外。
请询问每位来电者是否为本人操作；如涉及胁迫、盗窃或冒用我方名义的消息，请转告。
{% endif %}
{% elif money_since %}
自 {{ money_since }} 至 {{ money_until }}，我们公布的地址收到 {{ received }}，转出 {{ sent }}，净额 {{ net }}。
{% if page %}
地址和数据： {{ page }}
{% endif %}
{% elif stage == "resolved" %}
影响{{ withdrawals }}的问题已解决
{%- if recovered or resolved %}，自 {{ recovered or resolved }} 起已恢复正常{% endif %}。
{% elif stage == "monitoring" %}
修复已上线，{{ withdrawals }}{% if recovered %}自 {{ recovered }} 起{% endif %}已重新处理。请勿重复提交申请。
{% if next_update %}
下次更新不晚于 {{ next_update }}。
{% endif %}
{% else %}
我们已获悉影响{{ withdrawals }}的问题{% if since %}，自 {{ since }} 起{% endif %}。
我们的团队正在修复。请勿重复提交申请。
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
