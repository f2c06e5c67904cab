"""Who may decide, how they show who they are, and how many of them a text needs."""

from datetime import timedelta
from typing import Self

from pydantic import BaseModel, Field, IPvAnyNetwork, model_validator

from monitor.config.values import Duration


class ApprovalRules(BaseModel, frozen=True, extra="forbid"):
    required: int = Field(
        1, ge=1, le=2, description="people who must approve a text; with 2 whoever edited it does not count"
    )


class People(BaseModel, frozen=True, extra="forbid"):
    require_account: bool = Field(
        False, description="the command line needs an account too; otherwise the machine's own user is an admin"
    )
    idle: Duration = Field(timedelta(hours=12), description="a sign-in ends when nothing was asked for so long")
    longest: Duration = Field(timedelta(days=30), description="a sign-in ends after this in any case")


class Auth(BaseModel, frozen=True, extra="forbid"):
    proxy_header: str = Field(
        "", pattern=r"^([A-Za-z][A-Za-z0-9-]{0,63})?$", description="header in which a proxy of yours names the account"
    )
    trusted_proxies: tuple[IPvAnyNetwork, ...] = Field(
        (), description="networks that proxy connects from; from elsewhere the header is refused"
    )

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        if bool(self.proxy_header) != bool(self.trusted_proxies):
            raise ValueError("proxy_header and trusted_proxies are given together or not at all")
        return self
