"""What waits for a person, what was said in public, and whether our own people are told."""

from tools.boards.grafana import Board, Panel, Query, Step, of

_DECISIONS = of("audit_links", 'chain="decisions"')

NOTICES = Board(
    uid="cexwatch-notices",
    title="cexwatch / Notices",
    description="Drafts and who must act on them, what the channels took, what our own people were told.",
    page="/drafts",
    panels=(
        Panel(
            kind="stat",
            title="Drafts waiting",
            description="Drafts that wait for a person, by channel.",
            unit="none",
            queries=(Query(f"sum by (channel) ({of('drafts_pending')})", "{{channel}}", instant=True),),
            width=8,
            height=5,
            base="green",
            steps=(Step(1, "orange"),),
            empty="none",
            name_shown=True,
            link="/drafts",
        ),
        Panel(
            kind="stat",
            title="Oldest draft",
            description="How long the oldest draft has waited. Operators are paged after 5 minutes.",
            unit="s",
            queries=(Query(f"time() - min({of('draft_oldest_pending_timestamp_seconds')})", "oldest", instant=True),),
            width=4,
            height=5,
            base="green",
            steps=(Step(300, "red"),),
            empty="none",
            link="/drafts",
        ),
        Panel(
            kind="stat",
            title="Publishing held",
            description="Whether a person holds all publishing. While it is yes, approvals do not count.",
            unit="none",
            queries=(Query(f"max({of('publishing_held')})", "held", instant=True),),
            width=4,
            height=5,
            words=(Step(0, "green", "no"), Step(1, "red", "yes")),
        ),
        Panel(
            kind="stat",
            title="Lead over the official word",
            description="How long before the exchange's own words its newest officially acknowledged incident was "
            "opened here.",
            unit="s",
            queries=(Query(f"max by (exchange) ({of('detection_lead_seconds')})", "{{exchange}}", instant=True),),
            width=8,
            height=5,
            base="red",
            steps=(Step(0, "green"),),
            empty="none yet",
            name_shown=True,
        ),
        Panel(
            kind="timeseries",
            title="Drafts over time",
            description="Drafts that waited for a person, by channel.",
            unit="none",
            queries=(Query(f"sum by (channel) ({of('drafts_pending')})", "{{channel}}"),),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="Age of the oldest draft",
            description="How long the oldest draft of a channel had waited. Operators are paged after 5 minutes.",
            unit="s",
            queries=(
                Query(f"time() - min by (channel) ({of('draft_oldest_pending_timestamp_seconds')})", "{{channel}}"),
            ),
            width=12,
            steps=(Step(300, "red"),),
            ticks=True,
        ),
        Panel(
            kind="timeseries",
            title="Decisions of people",
            description="New links of the chain of decisions in each step: approvals, rejections and what else "
            "people said of incidents and drafts. The texts are on the page.",
            unit="none",
            queries=(
                Query(f"sum(increase({_DECISIONS}[$__rate_interval]))", "decisions"),
                Query(f"sum(increase({of('break_glass_total')}[$__rate_interval]))", "alone, where two are asked for"),
            ),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="Posts",
            description="Attempts to deliver a draft in each step, failed ones included, and those that did not "
            "deliver or whose outcome nobody knows.",
            unit="none",
            queries=(
                Query(f"sum by (channel) (increase({of('posts_total')}[$__rate_interval]))", "{{channel}}"),
                Query(
                    f"sum by (channel, reason) (increase({of('post_failures_total')}[$__rate_interval]))",
                    "{{channel}} failed: {{reason}}",
                ),
            ),
            width=12,
        ),
        Panel(
            kind="stat",
            title="Posts looked for",
            description="Posts of unknown outcome that were looked for since the start: found, or surely not there.",
            unit="none",
            queries=(
                Query(
                    f"sum by (channel, outcome) ({of('posts_sought_total')})", "{{channel}} {{outcome}}", instant=True
                ),
            ),
            width=8,
            empty="none",
            name_shown=True,
        ),
        Panel(
            kind="stat",
            title="Spent on channels",
            description="What each channel has cost by its price list since the start.",
            unit="currencyUSD",
            queries=(Query(f"sum by (channel) ({of('channel_spend_usd_total')})", "{{channel}}", instant=True),),
            width=8,
            empty="none",
            name_shown=True,
        ),
        Panel(
            kind="stat",
            title="Not told yet",
            description="What our own people have not been told yet, by target of notify.",
            unit="none",
            queries=(Query(f"sum by (target) ({of('notifications_waiting')})", "{{target}}", instant=True),),
            width=8,
            base="green",
            steps=(Step(1, "orange"), Step(10, "red")),
            empty="none",
            name_shown=True,
        ),
        Panel(
            kind="timeseries",
            title="Notifications",
            description="Attempts in each step to tell a target of notify, failed ones included, and those that "
            "failed.",
            unit="none",
            queries=(
                Query(f"sum by (target) (increase({of('notifications_total')}[$__rate_interval]))", "{{target}}"),
                Query(
                    f"sum by (target, reason) (increase({of('notification_failures_total')}[$__rate_interval]))",
                    "{{target}} failed: {{reason}}",
                ),
            ),
            width=12,
        ),
        Panel(
            kind="timeseries",
            title="Since a target last took a message",
            description="Long is usual where nothing happens; long with something waiting is a target that is deaf.",
            unit="s",
            queries=(
                Query(f"time() - max by (target) ({of('notification_last_success_timestamp_seconds')})", "{{target}}"),
            ),
            width=12,
        ),
        Panel(
            kind="stat",
            title="Silences",
            description="Silences of our own notifications that people have begun and not ended.",
            unit="none",
            queries=(Query(f"max({of('silences_active')})", "silences", instant=True),),
            width=6,
            height=5,
            base="green",
            steps=(Step(1, "orange"),),
        ),
        Panel(
            kind="timeseries",
            title="Pushes to Alertmanager",
            description="Pushes in each step and those that failed; the next one has all of it again.",
            unit="none",
            queries=(
                Query(f"sum(increase({of('alertmanager_pushes_total')}[$__rate_interval]))", "pushed"),
                Query(f"sum(increase({of('alertmanager_push_failures_total')}[$__rate_interval]))", "failed"),
            ),
            width=18,
            height=5,
        ),
    ),
)
