"""What one who looks on says, in English: by role and notice."""

from collections.abc import Mapping
from types import MappingProxyType

OBSERVER: Mapping[str, str] = MappingProxyType(
    {
        "observer/investigating": """\
{% if since %}Since {{ since }}{% else %}Since before {{ detected }}{% endif +%}
we observe {{ withdrawals }} {{ state }} at {{ title }}{% if sources %} ({{ sources | join(", ") }}){% endif %}.
{% if official %}
{{ title }} said so at {{ official }}.
{% else %}
No statement from {{ title }} found yet.
{% endif %}
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
        "observer/identified": """\
{% if since %}Since {{ since }}{% else %}Since before {{ detected }}{% endif +%}
we observe {{ withdrawals }} {{ state }} at {{ title }}.
{% if official %}
The issue is identified; {{ title }} first spoke at {{ official }}.
{% else %}
The issue is identified; no statement from {{ title }} found yet.
{% endif %}
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
        "observer/monitoring": """\
{% if recovered %}Since {{ recovered }} we{% else %}We{% endif +%}
observe {{ withdrawals }} at {{ title }} being processed again
({{ state }} since {% if not since %}before {% endif %}{{ since or detected }}).
{% if official %}
{{ title }} first spoke at {{ official }}.
{% else %}
No statement from {{ title }} found yet.
{% endif %}
{% if sentences %}
{{ sentences }}
{% endif %}
{% if next_update %}
Next update by {{ next_update }}.
{% endif %}
""",
        "observer/resolved": """\
{% if recovered or resolved %}Since {{ recovered or resolved }} we{% else %}We{% endif +%}
observe {{ withdrawals }} at {{ title }} operating normally again
({{ state }} since {% if not since %}before {% endif %}{{ since or detected }}).
{% if official %}
{{ title }} first spoke at {{ official }}.
{% else %}
No statement from {{ title }} was found.
{% endif %}
{% if sentences %}
{{ sentences }}
{% endif %}
""",
        "observer/reopened": """\
We observe {{ withdrawals }} at {{ title }} {{ state }} again, after our post that this was over
({{ state }} first since {% if not since %}before {% endif %}{{ since or detected }}).
{% if official %}
{{ title }} first spoke at {{ official }}.
{% else %}
No statement from {{ title }} found yet.
{% endif %}
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
        "observer/correction": """\
Correction to our post{% if corrected %} of {{ corrected }}{% endif %}:
{% if retracted %}
we observe no halt of {{ withdrawals }} at {{ title }}; what we reported was a false alarm.
{% else %}
{% if since %}since {{ since }}{% else %}since before {{ detected }}{% endif +%}
we observe {{ withdrawals }} {{ state }} at {{ title }}.
{% if unaffected %}
Deposits and trading are unaffected.
{% endif %}
{% if next_update %}
Next update by {{ next_update }}.
{% endif %}
{% endif %}
""",
        "observer/maintenance": """\
{% if recovered or resolved %}
Since {{ recovered or resolved }} we observe {{ withdrawals }} at {{ title }} being processed again after maintenance.
{% else %}
We observe {{ withdrawals }} at {{ title }} in maintenance
{%- if starts and ends %} from {{ starts }} to {{ ends }}{% elif since %} since {{ since }}{% endif %}.
{% if unaffected %}
Deposits and trading are unaffected.
{% endif %}
{% endif %}
""",
        "observer/reserves_statement": """\
Since {{ money_since }} we observe that the known addresses of {{ title }} received {{ received }} and sent {{ sent }};
net {{ net }} (to {{ money_until }}).
{% if page %}
Addresses and figures: {{ page }}
{% endif %}
{% if sentences %}
{{ sentences }}
{% endif %}
""",
        "observer/support": """\
{% if retracted %}
We observe no halt of {{ withdrawals }} at {{ title }}; what we reported was a false alarm.
{% elif kind == "maintenance" %}
{% if recovered or resolved %}
Since {{ recovered or resolved }} we observe {{ withdrawals }} at {{ title }} being processed again after maintenance.
{% else %}
We observe {{ withdrawals }} at {{ title }} in maintenance
{%- if starts and ends %} from {{ starts }} to {{ ends }}{% elif since %} since {{ since }}{% endif %}.
{% endif %}
{% elif money_since %}
Since {{ money_since }} we observe that the known addresses of {{ title }} received {{ received }} and sent {{ sent }};
net {{ net }} (to {{ money_until }}).
{% if page %}
Addresses and figures: {{ page }}
{% endif %}
{% elif stage == "resolved" or stage == "monitoring" %}
{% if recovered or resolved %}Since {{ recovered or resolved }} we{% else %}We{% endif +%}
observe {{ withdrawals }} at {{ title }} being processed again.
{% else %}
{% if since %}Since {{ since }}{% else %}Since before {{ detected }}{% endif +%}
we observe {{ withdrawals }} {{ state }} at {{ title }}.
{% if official %}
{{ title }} first spoke at {{ official }}.
{% endif %}
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
