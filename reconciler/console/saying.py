"""Numbers, times and values of the page in one language. Pure; the words are in `messages`."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from reconciler.console.chinese import MEANS
from reconciler.console.messages import LANGUAGES, MESSAGES
from reconciler.durations import rounded
from reconciler.plan import prices
from reconciler.report.steps import Step
from reconciler.state import UNOBSERVABLE, Price, Rate, Value

_WAN: Final = 10_000
_UNITS: Final = ((10**9, "G"), (10**6, "M"), (10**3, "k"))
_SPANS: Final = {"min": "unit.minutes", "h": "unit.hours", "d": "unit.days"}


class Saying:
    """Speaks one of `LANGUAGES`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._index = LANGUAGES.index(language)

    def __call__(self, key: str, **values: Any) -> str:
        """The message of that key; a key that is not known is a defect."""
        return MESSAGES[key][self._index].format(**values)

    def word(self, group: str, key: str) -> str:
        """A published word (a reason, a state) in the language; as it is where there is no translation."""
        found = MESSAGES.get(f"{group}.{key}")
        return found[self._index] if found else key

    def step(self, step: Step) -> str:
        """What comes next, as a sentence."""
        values = {key: self.number(value) if isinstance(value, int) else value for key, value in step.values.items()}
        return self(f"step.{step.key}", **values)

    def raw(self, key: str) -> str:
        """The message of that key with its places still open, for who fills them with markup."""
        return MESSAGES[key][self._index]

    def means(self, word: str) -> str:
        """What a rule, check, guard or reason means, where the language is not that of the report itself; "" otherwise."""
        return MEANS.get(word, "") if self.language == "zh" else ""

    def counted(self, key: str, count: int) -> str:
        """The message for one or for many, with the number."""
        return self(f"{key}.one" if count == 1 else f"{key}.many", n=f"{count:,}")

    @staticmethod
    def number(count: int) -> str:
        return f"{count:,}"

    @staticmethod
    def brief(count: int) -> str:
        """Three digits and a unit: 1.23M, 50M, 999."""
        for unit, letter in _UNITS:
            if abs(count) >= unit:
                return f"{count / unit:.3g}{letter}" if abs(count) < 1000 * unit else f"{count / unit:,.0f}{letter}"
        return str(count)

    def wan(self, *counts: int) -> str:
        """In Chinese the numbers in ten thousands (万), as people there count tokens; "" in another language."""
        if self.language != "zh":
            return ""
        return " / ".join(
            f"{count / _WAN:,.0f} 万" if abs(count) >= 1000 * _WAN else f"{count / _WAN:.4g} 万" for count in counts
        )

    @staticmethod
    def moment(when: datetime) -> str:
        return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")

    @staticmethod
    def clock(when: datetime) -> str:
        return when.astimezone(UTC).strftime("%H:%M:%S UTC")

    @staticmethod
    def iso(when: datetime) -> str:
        return when.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    def length(self, span: timedelta) -> str:
        """Two units at most, as the script counts down."""
        minutes = max(0, round(span.total_seconds() / 60))
        days, hours, minutes = minutes // 1440, minutes % 1440 // 60, minutes % 60
        parts = [(days, "unit.days"), (hours, "unit.hours"), (minutes, "unit.minutes")]
        first = next((place for place, (count, _) in enumerate(parts) if count), len(parts))
        said = [f"{count} {self(key)}" for count, key in parts[first : first + 2] if count]
        return " ".join(said) or self("unit.moment")

    def roughly(self, span: timedelta) -> str:
        """One unit: what is foreseen is not more exact than that."""
        number, unit = rounded(span)
        return f"{number:,} {self(_SPANS[unit])}"

    def value(self, path: str, seen: Value) -> str:
        """A field's value as a reviewer reads it."""
        if seen is UNOBSERVABLE:
            return self("value.unseen")
        if seen is None:
            return self(
                "value.no-limit" if path == "tokens" else "value.inherited" if path in ("rpm", "tpm") else "value.unset"
            )
        if isinstance(seen, bool):
            return self("value.on" if seen else "value.off")
        if isinstance(seen, int):
            return self.number(seen)
        if isinstance(seen, tuple):
            return ", ".join(seen) or self("value.none")
        return self.word("state", seen)

    def rate(self, half: int | None) -> str:
        return "–" if half is None else self.brief(half)

    def rates(self, rate: Any) -> str:
        """RPM / TPM."""
        if rate is UNOBSERVABLE:
            return self("value.unseen")
        return f"{self.rate(rate.rpm)} / {self.rate(rate.tpm)}" if isinstance(rate, Rate) else self("value.inherited")

    def price(self, price: Price) -> str:
        """The figure; CNY for a million tokens, which is what nearly all are for, is said by the sign alone."""
        if price.amount is None:
            return self("price.unknown")
        unit, _, meant = price.unit.partition(", ")
        figure = f"¥{price.amount}" if unit == "CNY/1M tokens" else f"{price.amount} {unit}".rstrip()
        return f"{figure}{self('price.from') if meant == 'from' else ''}"

    def charged_for(self, price: Price) -> str:
        """What the price is for."""
        return self.word("price", price.item) if f"price.{price.item}" in MESSAGES else prices.word(price)
