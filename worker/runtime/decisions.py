"""The contexts of decisions that a worker makes now."""

import random
from dataclasses import replace

from generation.lifecycle import DecisionContext, LifecycleRules
from generation.polling.pace import Pace, UsualDurations
from generation.settings import Settings, seconds
from generation.stations.binding import Binding
from worker.runtime.clock import Clock
from worker.runtime.learned_durations import LearnedDurations

#: For decisions on a job that is bound to nothing: only deadlines and leases matter there.
NO_PACE = Pace(UsualDurations(seconds(30), seconds(60), seconds(120)))


class Decisions:
    """Makes decision contexts from the settings, the clock and learned durations."""

    def __init__(self, settings: Settings, clock: Clock, learned: LearnedDurations) -> None:
        self._clock = clock
        self._learned = learned
        self._rules = LifecycleRules(
            retry_base=settings.retry_base,
            retry_limit=settings.retry_limit,
            submit_lease=settings.submit_lease,
            submit_timeout=settings.submit_timeout,
        )

    def context(self, binding: Binding | None = None, model: str = "") -> DecisionContext:
        """Return the context for a job of this binding that asks for this model."""
        rules = self._rules
        if binding and binding.operation.submit_timeout:
            rules = replace(rules, submit_timeout=binding.operation.submit_timeout)
        certain_now = self._clock.certain_now()
        return DecisionContext(
            now=self._clock.now(),
            rules=rules,
            pace=self._learned.pace(binding, model) if binding else NO_PACE,
            jitter=random.random(),
            certain_now=certain_now,
        )
