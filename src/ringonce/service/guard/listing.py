"""Looking a number up on the do-not-call lists, and the lists' own fitness to be asked."""

from collections.abc import Sequence

from ringonce.errors import ConfigError
from ringonce.service.guard import days
from ringonce.service.guard.lists import DoNotCallList, FingerprintKey, ListInfo
from ringonce.service.guard.settings import ListSettings, Stale
from ringonce.service.guard.verdict import Refusal, Rule

_UNSET = ListSettings(name="unset", source="unset", required=False)


def look(
    number: str,
    countries: Sequence[str],
    moment: float,
    *,
    lists: Sequence[DoNotCallList],
    key: FingerprintKey | None,
    settings: Sequence[ListSettings],
) -> tuple[list[Refusal], list[str]]:
    """Give what the lists say about a number, and warnings about the lists.

    What an old list says still counts; its age is refused on top of that.
    """
    if not settings and not lists:
        return [], []
    today = days.utc(moment).date()
    rules = {one.name: one for one in settings}
    found: list[Refusal] = []
    warnings: list[str] = []
    if lists and key is None:
        raise ConfigError(
            "the do-not-call lists cannot be asked",
            why="the guard has no key to make fingerprints with",
            fix="make the guard with the key that the lists were made with",
        )
    fingerprint = key.of(number) if key else 0
    for one in lists:
        info = one.info
        age = (today - info.taken).days
        if one.holds(fingerprint):
            found.append(
                Refusal(
                    rule=Rule.DO_NOT_CALL,
                    evidence=f"it is on the list {info.name!r} from {info.source}, taken {info.taken}, {_aged(age)}",
                    remedy="take it off that list, or take the list anew",
                    facts={**_facts(info), "age_days": age},
                )
            )
        own = rules.get(info.name, _UNSET)
        if (unfit := _unfit(info, own, age)) and _concerned(own, countries):
            if own.stale is Stale.WARN and age >= 0:
                warnings.append(unfit)
            else:
                found.append(
                    Refusal(
                        rule=Rule.LIST_AGE,
                        evidence=unfit,
                        remedy=f"take the list {info.name!r} anew from {info.source}",
                        facts={**_facts(info), "age_days": age, "max_age_days": own.max_age_days},
                    )
                )
    there = {one.info.name for one in lists}
    found += [
        Refusal(
            rule=Rule.LIST_AGE,
            evidence=f"the list {one.name!r} from {one.source} is required and not there",
            remedy=f"load the list {one.name!r}",
            facts={"list": one.name, "source": one.source},
        )
        for one in settings
        if one.required and one.name not in there and _concerned(one, countries)
    ]
    return found, warnings


def _unfit(info: ListInfo, own: ListSettings, age: int) -> str:
    # A day is granted, since the list's date is a local one.
    if age < -1:
        return f"the list {info.name!r} is dated {info.taken}, which is yet to come"
    if age > own.max_age_days:
        return f"the list {info.name!r} was taken {info.taken}, {_aged(age)}; it may be {own.max_age_days}"
    return ""


def _concerned(own: ListSettings, countries: Sequence[str]) -> bool:
    return not own.countries or not countries or bool(set(own.countries) & set(countries))


def _aged(age: int) -> str:
    return f"{age} day{'' if age == 1 else 's'} old"


def _facts(info: ListInfo) -> dict[str, str]:
    return {"list": info.name, "source": info.source, "taken": info.taken.isoformat()}
