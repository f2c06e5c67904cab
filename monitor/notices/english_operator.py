"""What the exchange itself says, in English: by role and notice."""

from collections.abc import Mapping
from types import MappingProxyType

OPERATOR: Mapping[str, str] = MappingProxyType(
    {
        "operator/investigating": """\
{% if kind == "withdrawals_degraded" %}
We are aware that {{ withdrawals }} on the platform are delayed or partly unavailable.
{% elif kind == "rail_suspended" %}
We are aware that {{ withdrawals }} on the platform are suspended.
{% else %}
We are aware of some technical difficulties affecting {{ withdrawals }} on the platform.
{% endif %}
Our team is already working on a fix, and we will post here when services resume.
{% if unaffected %}
Deposits and trading are unaffected.
{% endif %}
{% if sentences %}
{{ sentences }}
{% endif %}
{% if next_update %}
Next update by {{ next_update }}.
{% endif %}
""",
        "operator/identified": """\
{% if kind == "withdrawals_degraded" %}
We have identified what delays {{ withdrawals }} on the platform.
{% elif kind == "rail_suspended" %}
We have identified why {{ withdrawals }} on the platform are suspended.
{% else %}
We have identified the cause of the difficulties affecting {{ withdrawals }} on the platform.
{% endif %}
A fix is under way.
{% if unaffected %}
Deposits and trading are unaffected.
{% endif %}
{% if sentences %}
{{ sentences }}
{% endif %}
{% if next_update %}
Next update by {{ next_update }}.
{% endif %}
""",
        "operator/monitoring": """\
A fix is in place and {{ withdrawals }} on the platform are being processed again
{%- if recovered %} since {{ recovered }}{% endif %}.
{% if kind == "withdrawals_degraded" %}
We are watching closely that the delays do not return.
{% else %}
We are watching closely.
{% endif %}
{% if sentences %}
{{ sentences }}
{% endif %}
{% if next_update %}
Next update by {{ next_update }}.
{% endif %}
""",
        "operator/resolved": """\
{% if kind == "withdrawals_degraded" %}
The delays affecting {{ withdrawals }} on the platform are resolved.
{% elif kind == "rail_suspended" %}
The suspension of {{ withdrawals }} on the platform has ended.
{% else %}
The technical difficulties affecting {{ withdrawals }} on the platform are resolved.
{% endif %}
{% if recovered or resolved %}
They have been operating normally since {{ recovered or resolved }}.
{% endif %}
We apologise for the inconvenience and thank you for your patience.
{% if sentences %}
{{ sentences }}
{% endif %}
""",
        "operator/reopened": """\
We are aware that {{ withdrawals }} on the platform are affected again, after our post that this was resolved.
Our team is working on a fix, and we will post here when services resume.
{% if unaffected %}
Deposits and trading are unaffected.
{% endif %}
{% if sentences %}
{{ sentences }}
{% endif %}
{% if next_update %}
Next update by {{ next_update }}.
{% endif %}
""",
        "operator/correction": """\
Correction to our post{% if corrected %} of {{ corrected }}{% endif %}:
{% if retracted %}
what we reported on {{ withdrawals }} was a false alarm. We apologise.
{% else %}
the difficulties affect {{ withdrawals }} on the platform{% if since %} since {{ since }}{% endif %}.
Our team is working on a fix.
{% if unaffected %}
Deposits and trading are unaffected.
{% endif %}
{% if next_update %}
Next update by {{ next_update }}.
{% endif %}
{% endif %}
""",
        "operator/maintenance": """\
{% if recovered or resolved %}
Maintenance on the platform has ended: {{ withdrawals }} are being processed again since {{ recovered or resolved }}.
{% else %}
Maintenance on the platform: {{ withdrawals }} are paused
{%- if starts and ends %} from {{ starts }} to {{ ends }}{% elif since %} since {{ since }}{% endif %}.
{% if unaffected %}
Deposits and trading are unaffected.
{% endif %}
{% endif %}
""",
        "operator/reserves_statement": """\
Since {{ money_since }} the addresses we publish received {{ received }} and sent {{ sent }}; net {{ net }}
(to {{ money_until }}).
{% if page %}
Addresses and figures: {{ page }}
{% endif %}
""",
        "operator/support": """\
{% if retracted %}
What we reported on {{ withdrawals }} was a false alarm.
{% elif kind == "maintenance" %}
{% if recovered or resolved %}
Maintenance of {{ withdrawals }} has ended; they are being processed again since {{ recovered or resolved }}.
{% else %}
There is maintenance of {{ withdrawals }}
{%- if starts and ends %} from {{ starts }} to {{ ends }}{% elif since %} since {{ since }}{% endif %}.
{% endif %}
{% elif kind == "freeze_surge" %}
{% if stage == "resolved" %}
Freezes by users are back to a usual number.
{% else %}
Unusually many users freeze their own withdrawals{% if since %} since {{ since }}{% endif %}.
Nobody can lift a freeze early, and we do not either.
Ask each caller whether they did it themselves; pass on what they say of threats or of messages in our name.
{% endif %}
{% elif money_since %}
Since {{ money_since }} the addresses we publish received {{ received }} and sent {{ sent }}; net {{ net }}
(to {{ money_until }}).
{% if page %}
Addresses and figures: {{ page }}
{% endif %}
{% elif stage == "resolved" %}
The difficulties affecting {{ withdrawals }} are resolved
{%- if recovered or resolved %} since {{ recovered or resolved }}{% endif %}.
{% elif stage == "monitoring" %}
A fix is in place and {{ withdrawals }} are being processed again
{%- if recovered %} since {{ recovered }}{% endif %}.
There is no need to repeat a request.
{% if next_update %}
Next update by {{ next_update }}.
{% endif %}
{% else %}
We are aware of difficulties affecting {{ withdrawals }}{% if since %} since {{ since }}{% endif %}.
Our team is working on a fix. There is no need to repeat a request.
{% if unaffected %}
Deposits and trading are unaffected.
{% endif %}
{% if next_update %}
Next update by {{ next_update }}.
{% endif %}
{% endif %}
""",
    }
)
