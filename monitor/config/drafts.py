"""What a person can set of the texts that are written for people to approve."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, Field

from monitor.config.values import Duration, OptionalPath, language_code
from monitor.model import Sentence

Language = Annotated[str, language_code]


class Drafts(BaseModel, frozen=True, extra="forbid"):
    expiry: Duration = Field(timedelta(minutes=20), description="how long a draft can be approved")
    next_update: Duration = Field(timedelta(minutes=30), description="when a text promises the next update")
    language: Language = Field(
        "en", description="of the texts: `en`, `zh`, or another one of which you write the templates"
    )
    sentences: tuple[Sentence, ...] = Field(
        (), description="added where there is room: `check_address`, and for an observer `self_custody`"
    )
    templates: OptionalPath = Field(
        None,
        description="folder of `<role>/<notice>.j2` and `<role>/<notice>.<language>.j2` that replace the shipped "
        "texts, relative to this file",
    )
